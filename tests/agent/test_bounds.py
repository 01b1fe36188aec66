"""What has no end or no shape: left after a bound, set aside, cleaned up, and told in words."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent.app import App
from agent.config import AppConfig
from agent.errors import ModelRefusedError
from agent.llm import bounded
from agent.llm.client import ModelClient
from agent.llm.meter import Ledger
from agent.run.activities import build_orchestrator_context
from agent.sessions import SessionStore
from aura_core.data.plan_state import PlanState
from aura_core.errors import PlanStateError
from aura_core.storage.atomic_file import UNFINISHED_SECONDS, remove_unfinished, unfinished_name, write_atomically

PIECE = {
    "id": "x",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "more and more words " * 50}, "finish_reason": None}],
}


class Endless:
    """A model server that goes on until its caller leaves."""

    def __init__(self) -> None:
        self.calls = 0
        self.left = asyncio.Event()
        self.base = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        streamed = (await request.json()).get("stream")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream" if streamed else "application/json"})
        await response.prepare(request)
        try:
            await response.write(b"" if streamed else b'{"id": "x", "choices": [{"message": {"content": "')
            while True:
                await response.write(f"data: {json.dumps(PIECE)}\n\n".encode() if streamed else b"more " * 2_000)
        except ConnectionError:
            return response
        finally:
            self.left.set()


@pytest.fixture
async def endless(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Endless]:
    monkeypatch.setattr(bounded, "MOST_BYTES", 2_000_000)
    server = Endless()
    application = web.Application()
    application.router.add_post("/v1/chat/completions", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    await runner.cleanup()


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_without_end_is_left_once_and_told(endless: Endless, streamed: bool):
    llm = {"base_url": endless.base, "api_key": "k", "model": "m", "attempts": 3, "timeout": 60}
    client = await ModelClient.open(AppConfig.model_validate({"llm": llm}))
    heard: list[str] = []
    try:
        with pytest.raises(ModelRefusedError, match="had no end") as caught:
            await client.complete(
                [{"role": "user", "content": "Hello"}], purpose="answer", on_text=heard.append if streamed else None
            )
    finally:
        await client.close()
    assert "Traceback" not in str(caught.value)
    assert endless.calls == 1
    await asyncio.wait_for(endless.left.wait(), 10)
    assert sum(map(len, heard)) < 3_000_000


SOUND = {"run_id": "r1", "at": "2026-11-30T09:00:00", "user": "Hi", "answer": "Hello.", "status": "ok"}
ODD_ENTRIES: list[Any] = [
    7,
    None,
    [],
    "text",
    {**SOUND, "user": 5},
    {**SOUND, "user": None},
    {**SOUND, "answer": ["a"]},
    {**SOUND, "artifacts": "file.txt"},
    {**SOUND, "artifacts": [1]},
    {**SOUND, "run_id": {}},
    {**SOUND, "untrusted": "no"},
]


@pytest.mark.parametrize("odd", ODD_ENTRIES)
async def test_an_odd_entry_costs_no_other(odd: Any, tmp_path: Path):
    store = SessionStore(tmp_path)
    text = json.dumps({"version": 1, "orchestrator_by_task": {"main": [SOUND, odd]}, "own": "kept"})
    (store.folder("s") / "SESSION.json").write_text(text)
    data = await store.load("s")
    assert data["orchestrator_by_task"] == {"main": [SOUND]}
    assert data["own"] == "kept"
    assert build_orchestrator_context(data, "main", 5) == "Person: Hi\nAura: Hello."
    (aside,) = store.folder("s").glob("SESSION.damaged-*.json")
    assert aside.read_text() == text
    (notice,) = store.take_notices()
    assert "entry 2 of the conversation 'main'" in notice
    assert aside.name in notice
    assert await SessionStore(tmp_path).history("s", 5) == [SOUND]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        '{"version": 1, "orchestrator_by_task": {"main": [{"steps": ' + "[" * 500 + "]" * 500 + "}]}}",
        '{"version": 1, "orchestrator_by_task": []}',
        '{"version": 1, "orchestrator_by_task": null}',
        '{"version": 1, "orchestrator_by_task": {"main": {"0": {}}}}',
        '{"version": "1"}',
        '{"version": 1.5}',
        '{"version": -1}',
        "null",
        '"session"',
        "",
        "\0" * 500,
        '{"version": 1, "orchestrator_by_task": {"main": [' + "9" * 5_000 + "]}}",
    ],
)
async def test_a_session_of_no_shape_is_set_aside_and_a_new_one_begins(text: str, tmp_path: Path):
    store = SessionStore(tmp_path)
    (store.folder("s") / "SESSION.json").write_text(text)
    await store.append("s", SOUND)
    assert await store.history("s", 5) == [SOUND]
    (aside,) = store.folder("s").glob("SESSION.damaged-*.json")
    assert aside.read_text() == text
    assert len(store.take_notices()) == 1


async def test_keys_and_values_that_this_build_does_not_know_are_kept(tmp_path: Path):
    store = SessionStore(tmp_path)
    entry = {**SOUND, "mood": {"deep": [1, None, 2.5]}, "steps": "whatever", "status": 3}
    (store.folder("s") / "SESSION.json").write_text(
        json.dumps({"version": 1, "orchestrator_by_task": {"main": [entry]}, "x": [1]})
    )
    assert (await store.load("s"))["orchestrator_by_task"] == {"main": [entry]}
    assert store.take_notices() == []


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a": ' * 300 + "1" + "}" * 300, "NaN", "\0\0"])
async def test_a_plans_data_and_the_account_of_any_shape_are_set_aside(text: str, tmp_path: Path):
    (tmp_path / "state.json").write_text(text)
    state = PlanState("p", tmp_path / "state.json")
    with pytest.raises(PlanStateError, match="kept as"):  # an empty list would hide the loss
        await state.refresh()
    (tmp_path / "usage.json").write_text(text)
    Ledger(tmp_path / "usage.json").add("owner", 5, 0.1)
    assert Ledger(tmp_path / "usage.json").spent("owner").tokens == 5
    assert len(list(tmp_path.glob("*.damaged-*.json"))) == 2


def test_what_a_kill_left_unfinished_is_removed_after_a_day(tmp_path: Path):
    files = tmp_path / "ask" / "files"
    files.mkdir(parents=True)
    left = [
        unfinished_name(files),
        unfinished_name(tmp_path / "ask"),
        unfinished_name(tmp_path),
        files / ".aura-abc123.part",
        tmp_path / "ask" / ".SESSION.json.k3j2h1g0.tmp",
        tmp_path / "ask" / ".MEMORY.md.abcdefgh.tmp",
    ]
    kept = [
        files / "report.part",
        files / ".mine.tmp",
        files / "aura-1.part",
        tmp_path / "ask" / ".SESSION.json.lock",
        unfinished_name(files),
    ]
    for path in [*left, *kept]:
        path.write_text("x")
    old = time.time() - UNFINISHED_SECONDS - 60
    for path in [*left, *kept[:-1]]:
        os.utime(path, (old, old))
    assert remove_unfinished(tmp_path) == len(left)
    assert [path for path in left if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


async def test_opening_a_home_removes_them(tmp_path: Path):
    path = unfinished_name(tmp_path)
    path.write_text("half")
    os.utime(path, (1, 1))
    async with App.open(AppConfig(home=tmp_path)):
        assert not path.exists()


def test_a_write_that_fails_leaves_nothing_unfinished(tmp_path: Path):
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "a.json", "\ud800")
    assert list(tmp_path.iterdir()) == []
