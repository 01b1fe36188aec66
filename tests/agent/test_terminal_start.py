"""Opening a chat: the greeting, the model that is missing, the bar while it is fetched."""

from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from agent.channels.terminal import fetch, start
from agent.channels.terminal.fetch import fetch_model
from agent.channels.terminal.plain import PlainTerminal
from agent.channels.terminal.signs import UNICODE
from agent.config import AppConfig
from agent.errors import WeightsError
from aura_core.errors import Problem
from tests.fixtures.stand_in_app import StandInApp

NAME = "smollm2-135m"


@pytest.fixture
def app(tmp_path):
    return StandInApp(tmp_path)


def terminal(*lines, live=False):
    made = PlainTerminal(
        Console(file=io.StringIO(), width=100), UNICODE, io.StringIO("".join(f"{line}\n" for line in lines))
    )
    made.live = live
    return made


def shown(at):
    return at.console.file.getvalue()


@pytest.fixture
def pulled(monkeypatch):
    """Replaces the download: what was asked for, and how it shall end."""
    asked = []

    def plan(ending, started=None):
        async def pull(config, name, *, report):
            asked.append(name)
            for done in range(0, 101, 5):
                report(done, 100, "fetching")
            if isinstance(ending, Exception):
                raise ending
            if started is not None:
                started.set()
                await asyncio.Event().wait()
            return ending

        monkeypatch.setattr(fetch, "pull", pull)
        return asked

    return plan


async def test_the_first_time_there_are_examples_and_later_there_are_not(app):
    first, later = terminal(), terminal()
    await start._greet(app, first, "terminal")
    app.entries = [{"user": "hello"}]
    await start._greet(app, later, "terminal")
    assert "haiku" in shown(first)
    assert "haiku" not in shown(later)
    assert "stand-in model" in shown(later)


async def test_a_plan_that_was_left_out_is_named(app):
    app.framework.problems = [Problem("plans/x/plan.yaml", 3, 1, "unknown key")]
    at = terminal()
    await start._greet(app, at, "terminal")
    assert "plans/x/plan.yaml:3" in shown(at)


async def test_with_a_model_nothing_is_asked(app):
    at = terminal()
    await start._need_a_model(app, at, fetch=False)
    assert shown(at) == ""


async def test_a_missing_model_is_offered_and_fetched(app, pulled, tmp_path):
    app.has_model = False
    asked = pulled(tmp_path)
    at = terminal("y", live=True)
    await start._need_a_model(app, at, fetch=False)
    assert asked == ["qwen2.5-coder-1.5b"]
    assert "about 1 GB" in shown(at)
    assert "The model is there." in shown(at)


@pytest.mark.parametrize("lines", [["n"], []])
async def test_who_declines_reads_the_ways_on_and_that_commands_work(app, pulled, tmp_path, lines):
    app.has_model = False
    asked = pulled(tmp_path)
    at = terminal(*lines, live=True)
    await start._need_a_model(app, at, fetch=False)
    assert asked == []
    assert "OPENAI_BASE_URL" in shown(at)
    assert "only /commands" in shown(at)


async def test_piped_input_is_not_taken_for_a_yes(app, pulled, tmp_path):
    app.has_model = False
    asked = pulled(tmp_path)
    await start._need_a_model(app, terminal("y"), fetch=False)
    assert asked == []
    await start._need_a_model(app, terminal("a request"), fetch=True)
    assert asked == ["qwen2.5-coder-1.5b"]


async def test_a_download_that_fails_says_why(app, pulled):
    app.has_model = False
    pulled(WeightsError("no source has it: the registry said 404"))
    at = terminal()
    await start._need_a_model(app, at, fetch=True)
    assert "the registry said 404" in shown(at)


async def test_a_bug_in_the_download_is_not_hidden(app, pulled):
    app.has_model = False
    pulled(KeyError("x"))
    with pytest.raises(KeyError):
        await start._need_a_model(app, terminal(), fetch=True)


async def test_ctrl_c_stops_the_download_and_not_the_chat(app, pulled):
    app.has_model = False
    started = asyncio.Event()
    pulled(None, started)
    at = terminal()
    work = asyncio.create_task(start._need_a_model(app, at, fetch=True))
    async with asyncio.timeout(10):
        await started.wait()
        assert at.on_interrupt()
        await work
    assert "aura model pull" in shown(at)


async def test_in_a_pipe_the_progress_is_a_line_per_tenth(pulled, tmp_path):
    pulled(tmp_path / "weights")
    console = Console(file=io.StringIO(), width=80)
    assert await fetch_model(console, AppConfig(home=tmp_path), NAME) == tmp_path / "weights"
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "fetching: 0 %"
    assert lines[-1] == "fetching: 100 %"
    assert len(lines) == 11


async def test_in_a_terminal_the_progress_is_a_bar_with_what_is_done(pulled, tmp_path):
    pulled(tmp_path / "weights")
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    await fetch_model(console, AppConfig(home=tmp_path), NAME)
    assert "fetching" in console.file.getvalue()
    assert "100/100 bytes" in console.file.getvalue()
