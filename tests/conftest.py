"""What every test gets: a clean environment and no way beyond loopback. Subjects keep theirs in tests/fixtures."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import certifi
import platformdirs
import pytest

from tests.fixtures.examples import load_profile
from tests.fixtures.network import GUARD_FOLDER, NetworkGuard, network_guard
from tests.fixtures.scripted_llm import ScriptedModel

WEIGHTS_FOLDER = Path(os.environ.get("AURA_EMBEDDED_FOLDER") or platformdirs.user_cache_path("aura") / "models")
FOREIGN_PREFIXES = ("OPENAI_", "AURA_", "TELEGRAM_", "OTEL_", "PIP_", "XDG_")
SLOW_FOLDERS = {"e2e", "crash"}

load_profile()
network_guard.install()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a script's shell does that to what it runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the programs that tests start would inherit it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts and kills whole programs is slow; others that start programs, or take more than 0.5 s, say so."""
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkGuard]:
    guard = NetworkGuard(tmp_path_factory.mktemp("network") / "refused.log")
    yield guard
    guard.close()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Empty folders, one after the other; pytest's own numbering looks through all earlier ones for each."""
    folder = tmp_path_factory.mktemp("people")
    return (folder / str(number) for number in count())


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One certificate in the place of all: every client of an endpoint reads them, and that takes it 20 ms."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----")
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first[first.index("-----BEGIN CERTIFICATE-----") :] + end + "\n", encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path], network: NetworkGuard, certificates: Path
) -> Iterator[None]:
    """A person's empty home, nothing of the developer's shell, and a failure for every reach beyond loopback."""
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN_PREFIXES):
            monkeypatch.delenv(name)
    home = next(homes)
    home.mkdir()
    values = {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "AURA_HOME": str(home / "aura"),
        "AURA_EMBEDDED_FOLDER": str(WEIGHTS_FOLDER),
        "SSL_CERT_FILE": str(certificates),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(GUARD_FOLDER), os.environ.get("PYTHONPATH")])),
        **network.environment,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    network.take()
    yield
    refused = network.take()
    if refused:
        pytest.fail("reached beyond loopback:\n  " + "\n  ".join(refused), pytrace=False)


@pytest.fixture
def scripted_model() -> Iterator[ScriptedModel]:
    """An OpenAI-compatible server on loopback; a request that nobody scripted fails the test."""
    with ScriptedModel() as server:
        yield server
    if server.unexpected:
        pytest.fail(f"the model was asked what nobody scripted: {server.unexpected[0]}", pytrace=False)


@pytest.fixture
def small_model() -> Path:
    """The weights of SmolLM2-135M; `make test` fetches them."""
    path = WEIGHTS_FOLDER / "smollm2-135m.gguf"
    if not path.is_file():
        pytest.skip(f"{path} is missing: aura model pull smollm2-135m")
    return path
