"""A real small model in its own process: what it answers is up to it; that it answers, and how it ends, is up to us."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.config import AppConfig
from agent.errors import ModelContextError, ModelError, ModelIncompleteError, ModelUnavailableError
from agent.llm.client import Message, ModelClient
from agent.llm.embedded import EmbeddedModel
from agent.llm.endpoint import Ask

pytestmark = pytest.mark.model
sees_processes = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["colour", "count"],
    "additionalProperties": False,
}
ASKED: list[Message] = [{"role": "user", "content": "One colour and one small number."}]


def config_of(weights: Path, **llm: object) -> AppConfig:
    return AppConfig.model_validate({"llm": {"model": str(weights), "context": 2048, **llm}})


@contextlib.asynccontextmanager
async def client_of(weights: Path, **llm: object) -> AsyncIterator[ModelClient]:
    client = await ModelClient.open(config_of(weights, **llm))
    try:
        yield client
    finally:
        await client.close()


async def some_words(client: ModelClient, tokens: int) -> str:
    """The beginning of an answer; one that goes on behind the bound is no whole answer."""
    try:
        return (await client.complete(ASKED, purpose="answer", max_tokens=tokens)).text
    except ModelIncompleteError as error:
        return error.text


def server_processes() -> set[int]:
    """Process ids of embedded models, by their command line."""
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if b"embedded_server.py" in command and (folder / "stat").read_text().rsplit(")")[-1].split()[0] != "Z":
                found.add(int(folder.name))
    return found


def children_of(parent: int) -> set[int]:
    stats = {pid: Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split() for pid in server_processes()}
    return {pid for pid, fields in stats.items() if int(fields[1]) == parent}


def wait_until_gone(pids: set[int], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while pids & server_processes():
        assert time.monotonic() < until, "the embedded model outlived its program"
        time.sleep(0.1)


async def test_it_answers_under_a_schema_whole_and_streamed_and_counts_tokens(small_model):
    heard: list[str] = []
    async with client_of(small_model) as client:
        await client.check()
        assert client.embedded
        whole = await client.complete(ASKED, purpose="plan", schema=SCHEMA, max_tokens=60)
        streamed = await client.complete(ASKED, purpose="plan", schema=SCHEMA, max_tokens=60, on_text=heard.append)
    for done in (whole, streamed):
        assert done.value["colour"] in ("red", "green")
        assert 0 <= done.value["count"] <= 9
        assert done.tokens_read > 5
        assert done.tokens_written > 3
        assert "\n" not in done.text
    assert json.loads("".join(heard)) == streamed.value
    assert len(heard) > 1


async def test_loading_and_answering_leave_the_event_loop_free(small_model):
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    async with client_of(small_model) as client, asyncio.TaskGroup() as group:
        heart = group.create_task(beat())
        await some_words(client, 8)
        heart.cancel()
    assert beats > 10


@sees_processes
async def test_calls_side_by_side_share_one_process(small_model):
    async with client_of(small_model) as client:
        answers = await asyncio.gather(*(some_words(client, 6) for _ in range(4)))
        assert len(children_of(os.getpid())) == 1
    assert all(answer.strip() for answer in answers)


@sees_processes
async def test_a_cancelled_call_leaves_the_model_usable_and_closing_ends_it(small_model):
    async with client_of(small_model) as client:
        begun = asyncio.Event()
        long = asyncio.create_task(
            client.complete(
                [{"role": "user", "content": "Count to one thousand."}],
                purpose="answer",
                max_tokens=1500,
                on_text=lambda _: begun.set(),
            )
        )
        await begun.wait()
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        assert (await some_words(client, 4)).strip()
        mine = children_of(os.getpid())
    assert len(mine) == 1
    wait_until_gone(mine)


@sees_processes
async def test_a_model_that_dies_is_started_again(small_model):
    async with client_of(small_model) as client:
        await some_words(client, 4)
        [first] = children_of(os.getpid())
        os.kill(first, signal.SIGKILL)
        assert (await some_words(client, 4)).strip()
        assert children_of(os.getpid()) != {first}


async def test_a_prompt_longer_than_the_context_is_told_apart(small_model):
    async with client_of(small_model, context=1024) as client:
        with pytest.raises(ModelContextError, match="longer than smollm2-135m can read"):
            await client.complete([{"role": "user", "content": "word " * 9000}], purpose="answer")


@pytest.mark.parametrize("kept", [2000, 50_000_000])
async def test_weights_that_are_damaged_or_cut_short_are_named_with_what_to_do(tmp_path, small_model, kept):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(small_model.read_bytes()[:kept])
    async with client_of(damaged) as client:
        with pytest.raises(ModelUnavailableError, match=r"cannot be loaded from .*damaged.gguf.*put a whole one there"):
            await client.complete(ASKED, purpose="answer")


async def test_damaged_weights_of_a_known_model_say_how_to_fetch_them_again(tmp_path, small_model):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(2000))
    model = EmbeddedModel("smollm2-135m", tmp_path / "broken.gguf", context=2048, threads=None, timeout=100, saved=None)
    with pytest.raises(ModelUnavailableError, match="delete it and run: aura model pull smollm2-135m"):
        await model.started()


async def test_the_next_program_need_not_read_a_long_system_prompt_again(small_model, tmp_path):
    rules = "You are a planner. " + " ".join(f"Rule {n}: the task number {n} comes after {n - 1}." for n in range(40))
    private = "my private words 4711"
    messages = [{"role": "system", "content": rules}, {"role": "user", "content": private}]
    ask = Ask(model="m", messages=messages, purpose="plan", max_tokens=4)
    cached: list[int] = []
    for _ in range(2):
        model = EmbeddedModel("m", small_model, context=2048, threads=None, timeout=100, saved=tmp_path / "states")
        async with model.places.call():
            reply = await model.ask(ask)
        cached.append(reply.tokens_cached)
        await model.close()
    assert cached[0] == 0
    assert cached[1] > 0.9 * reply.tokens_read
    [state] = (tmp_path / "states").iterdir()
    assert (tmp_path / "states").stat().st_mode & 0o077 == 0
    assert private.encode() not in state.read_bytes()


RULES = "You are a planner. " + " ".join(f"Rule {n}: the task number {n} comes after {n - 1}." for n in range(60))


@contextlib.asynccontextmanager
async def model_of(weights: Path, saved: Path | None) -> AsyncIterator[EmbeddedModel]:
    model = EmbeddedModel("m", weights, context=2048, threads=None, timeout=100, saved=saved)
    try:
        yield model
    finally:
        await model.close()


async def asked(model: EmbeddedModel, system: str = RULES) -> tuple[int, int]:
    """Asks once; returns how many tokens were read anew, and how many were there."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "What is next?"}]
    async with model.places.call():
        reply = await model.ask(Ask(model="m", messages=messages, purpose="plan", max_tokens=4))
    return reply.tokens_read - reply.tokens_cached, reply.tokens_cached


async def test_a_prompt_that_was_read_ahead_is_not_read_again_by_a_call_nor_by_the_next_program(small_model, tmp_path):
    parts: list[float] = []
    async with model_of(small_model, tmp_path / "states") as model:
        await model.prepare("plan", RULES, parts.append)
        fresh, cached = await asked(model)
    assert parts == sorted(parts)
    assert parts[-1] == 1
    assert len(parts) > 3
    assert fresh < 40
    assert cached > 400
    [state] = (tmp_path / "states").iterdir()
    parts.clear()
    async with model_of(small_model, tmp_path / "states") as model:
        await model.prepare("plan", RULES, parts.append)
        fresh, cached = await asked(model)
    assert parts == []
    assert fresh < 40
    assert cached > 400
    assert [state] == list((tmp_path / "states").iterdir())


async def test_a_call_in_the_middle_of_reading_ahead_goes_first_and_reads_nothing_twice(small_model, tmp_path):
    begun = asyncio.Event()
    async with model_of(small_model, tmp_path / "states") as model:
        ahead = asyncio.create_task(model.prepare("plan", RULES, lambda _part: begun.set()))
        await begun.wait()
        first = await asked(model)
        again = await asked(model)
        await ahead
        once_more = await asked(model)
    total = sum(first)
    assert 0 < first[1] < total
    assert again[0] < 40
    assert once_more[0] < 40
    assert len(list((tmp_path / "states").iterdir())) == 1


async def test_closing_in_the_middle_of_reading_ahead_leaves_no_half_a_state(small_model, tmp_path):
    begun = asyncio.Event()
    async with model_of(small_model, tmp_path / "states") as model:
        ahead = asyncio.create_task(model.prepare("plan", RULES * 2, lambda _part: begun.set()))
        await begun.wait()
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)
    assert list((tmp_path / "states").iterdir()) == []


async def test_where_states_cannot_be_kept_the_model_works_all_the_same(small_model, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    async with model_of(small_model, tmp_path / "file" / "states") as model:
        await model.prepare("plan", RULES, lambda _part: pytest.fail("nothing is read ahead without states"))
        assert (await asked(model))[0] > 400


async def test_a_model_that_is_not_needed_any_more_while_it_loads_is_ended_at_once(small_model):
    async with model_of(small_model, None) as model:
        loading = asyncio.create_task(model.started())
        while not children_of(os.getpid()):  # noqa: ASYNC110 (the process tells nobody that it is there)
            await asyncio.sleep(0.001)
        mine = children_of(os.getpid())
        began = time.monotonic()
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
    assert time.monotonic() - began < 3
    wait_until_gone(mine)


async def test_a_short_prompt_and_none_at_all_are_only_a_reason_to_load(small_model, tmp_path):
    async with model_of(small_model, tmp_path / "states") as model:
        await model.prepare("plan", "", lambda _part: pytest.fail("nothing is to be read"))
        await model.prepare("plan", "You are kind.", lambda _part: pytest.fail("nothing is to be read"))


async def test_weights_that_cannot_be_loaded_are_told_by_whoever_needs_them(tmp_path, small_model):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF" + bytes(2000))
    async with ModelClient.loading(config_of(damaged), None) as client:
        for _ in range(2):
            with pytest.raises(ModelUnavailableError, match="damaged"):
                await client.complete(ASKED, purpose="answer")


@sees_processes
async def test_a_model_is_loaded_from_before_the_block_on_and_once(small_model):
    async with ModelClient.loading(config_of(small_model), None) as client:
        mine = children_of(os.getpid())
        assert len(mine) == 1
        assert await some_words(client, 5)
        assert children_of(os.getpid()) == mine
    wait_until_gone(mine)


@sees_processes
@pytest.mark.parametrize(
    "llm", [{"model": None, "base_url": "http://127.0.0.1:9/v1"}, {"model": "/no/such/weights.gguf"}]
)
async def test_a_model_that_is_elsewhere_or_not_here_is_not_loaded(small_model, llm):
    async with ModelClient.loading(config_of(small_model, **llm), None) as client:
        assert not children_of(os.getpid())
        with pytest.raises(ModelError):
            await client.complete(ASKED, purpose="answer")


@sees_processes
def test_a_killed_program_leaves_no_model_behind(small_model):
    program = (
        "import asyncio, sys\n"
        "from agent.config import AppConfig\n"
        "from agent.llm.client import ModelClient\n"
        "async def main():\n"
        "    client = await ModelClient.open(AppConfig.load({'AURA_MODEL': sys.argv[1]}))\n"
        "    await client.complete([{'role': 'user', 'content': 'hi'}], purpose='answer', schema={'enum': ['ready']})\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.sleep(300)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(small_model)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "ready\n" in process.stdout
            servers = children_of(process.pid)
        finally:
            process.kill()
    assert len(servers) == 1
    wait_until_gone(servers)
