"""Opening a chat: the greeting, the model that is missing, the bar while it is fetched."""

from __future__ import annotations

import asyncio
import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from agent.channels.terminal import fetch, start
from agent.channels.terminal.fetch import fetch_model
from agent.channels.terminal.plain import PlainTerminal
from agent.channels.terminal.signs import UNICODE
from agent.channels.terminal.welcome import EXAMPLES
from agent.config import AppConfig
from agent.contracts import TaskCard, TaskExample
from agent.errors import WeightsError
from aura_core.errors import Problem
from tests.fixtures.catalogue import built_in_cards
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


async def greeting(app):
    at = terminal()
    await start._greet(app, at, "terminal", "terminal:me")
    return shown(at)


async def test_the_first_time_there_are_three_examples_and_what_the_model_is_good_for(app):
    app.cards = list(built_in_cards().values())
    first = await greeting(app)
    assert [line for line in first.splitlines() if "›" in line] == [
        line for line in first.splitlines() if "12*7" in line or "haiku" in line or "stretch" in line
    ]
    assert first.count("›") == 3
    assert "not good at" in first
    assert "OPENAI_BASE_URL" in first


async def test_later_only_the_title_is_shown(app):
    app.cards = list(built_in_cards().values())
    app.entries = [{"user": "hello"}]
    later = await greeting(app)
    assert "›" not in later
    assert "stand-in model" in later


async def test_examples_work_with_what_this_person_has(app):
    cards = built_in_cards()
    app.cards = [cards[name] for name in ("notes/add", "notes/list", "files/read", "aura_base/summarise")]
    app.files_there = ["photo.png", "report.md"]
    shown_ = await greeting(app)
    assert "Summarise report.md" in shown_
    assert "plumber" in shown_
    assert "12*7" not in shown_


async def test_a_command_of_the_persons_own_plugin_is_an_example(app, tmp_path):
    app.cards = [TaskCard(task="cakes/bake", title="Bake a cake", command="cake", effects="write")]
    app.framework.plans.plans = {"cakes": SimpleNamespace(folder=tmp_path / "cakes")}
    assert "/cake" in await greeting(app)


async def test_the_author_s_own_words_come_before_the_command(app, tmp_path):
    examples = [TaskExample(say="Bake me a cake"), TaskExample(say="Испеки торт")]
    app.cards = [TaskCard(task="cakes/bake", title="Bake a cake", command="cake", examples=examples)]
    app.framework.plans.plans = {"cakes": SimpleNamespace(folder=tmp_path / "cakes")}
    shown_ = await greeting(app)
    assert "Bake me a cake" in shown_
    assert "/cake" not in shown_


async def test_who_may_use_nothing_is_shown_no_example(app):
    assert "For example" not in await greeting(app)


async def test_with_a_model_at_an_endpoint_it_says_who_reads_along(app):
    app.model.embedded = False
    shown_ = await greeting(app)
    assert "stand-in model plans and answers" in shown_
    assert "not good at" not in shown_


async def test_an_embedded_model_that_we_do_not_know_is_not_called_small(app):
    app.config.llm.model = "/models/qwen-32b.gguf"
    shown_ = await greeting(app)
    assert "qwen-32b runs on this machine" in shown_
    assert "small" not in shown_


def test_every_example_needs_only_built_in_tasks():
    assert {name for example in EXAMPLES for name in example.needs} <= set(built_in_cards())


async def test_a_plan_that_was_left_out_is_named(app):
    app.framework.problems = [Problem("plans/x/plan.yaml", 3, 1, "unknown key")]
    assert "plans/x/plan.yaml:3" in await greeting(app)


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


def test_lines_of_progress_say_how_long_the_rest_takes():
    now, console = 0.0, Console(file=io.StringIO(), width=80)
    lines = fetch._Lines(console, lambda: now)
    lines(0, 1000, "fetching")
    now = 10.0
    lines(250, 1000, "fetching")
    now = 40.0
    lines(1000, 1000, "fetching")
    lines(1000, 1000, "checking")
    assert console.file.getvalue().splitlines() == [
        "fetching: 0 %",
        "fetching: 20 %, about 30 s left",
        "fetching: 100 %",
        "checking: 100 %",
    ]
