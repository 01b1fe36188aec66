"""The chat over plain lines: one request per line, everything it says as text."""

from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from agent.channels.terminal.board import Board
from agent.channels.terminal.chat import Chat
from agent.channels.terminal.plain import PlainTerminal
from agent.channels.terminal.signs import UNICODE
from agent.contracts import PlanStep, RunSummary, TaskCard
from agent.errors import AgentError, ModelMissingError, ModelUnavailableError
from agent.progress import RunStarted
from aura_core.errors import Problem
from aura_core.generations.events import PlanEditRefused, PlansReloaded
from tests.fixtures.stand_in_app import StandInApp, echo
from tests.fixtures.stand_in_chat import NOTE, play


@pytest.fixture
def app(tmp_path):
    return StandInApp(tmp_path, play, [NOTE, TaskCard(task="web/fetch", title="Fetch a page", effects="external")])


async def chat(app, *lines):
    """Chats these lines and returns everything that was shown."""
    out = io.StringIO()
    terminal = PlainTerminal(Console(file=out, width=100), UNICODE, io.StringIO("".join(f"{line}\n" for line in lines)))
    try:
        async with asyncio.timeout(20):
            await Chat(app, terminal, Board(), session_id="terminal", person="terminal:me").run()
    finally:
        await app.close()
    return out.getvalue()


async def test_a_request_shows_its_plan_each_step_and_the_answer(app):
    shown = await chat(app, "hello there")
    plan, first, second, answer = (
        shown.index(text)
        for text in ("s2. Do the second thing  (after s1)", "✓ Do the first", "✓ Do the second", "You said")
    )
    assert plan < first < second < answer
    assert app.played["run-1"].incoming.person == "terminal:me"


async def test_a_damaged_file_that_was_set_aside_is_said_once(app):
    app.notices = ["SESSION.json was damaged and is kept as SESSION.damaged.json."]
    shown = await chat(app, "hello there")
    assert shown.count("kept as SESSION.damaged.json") == 1


async def test_edits_of_plans_are_said_as_they_happen(app, tmp_path):
    def happen(_event):
        app.events.publish(PlanEditRefused("notes", tmp_path, (Problem("a.yaml", 3, 5, "no such key"),), None))
        app.events.publish(PlansReloaded(("notes",)))
        return False

    with app.events.subscribe(RunStarted, happen):
        shown = await chat(app, "hello there")
    assert shown.count("plan notes: edit not taken, it is not there yet: a.yaml:3:5: error: no such key") == 1
    assert shown.count("plan notes reloaded") == 1


async def test_the_next_line_answers_a_question_by_number_or_in_own_words(app):
    assert "Translated into French." in await chat(app, "translate it", "2")
    shown = await chat(app, "translate it", "Latin", "and now?")
    assert "Translated into Latin." in shown
    assert "You said **and now?**." in shown


async def test_of_two_questions_the_one_that_is_answered_next_is_the_one_that_stands_last(app):
    shown = await chat(app, "translate it", "/ask translate that", "1", "2")
    boxes = [index for index in range(len(shown)) if shown.startswith("Type a number", index)]
    assert len(boxes) == 2
    later, german, french = (shown.index(text) for text in ("comes after this one", "into German.", "into French."))
    assert boxes[0] < later < boxes[1] < french
    assert boxes[0] < german


async def test_a_question_without_a_next_line_waits_for_another_day(app):
    shown = await chat(app, "translate it")
    assert "1 German" in shown
    assert "goes on next time" in shown


async def test_a_failed_step_says_why(app):
    shown = await chat(app, "please fail")
    assert "✗ Do the first thing" in shown
    assert "The disk is full." in shown
    assert "It failed." in shown


async def test_unfinished_requests_of_this_session_go_on_at_the_start(app):
    common = {"status": "waiting", "created_at": 1.0, "updated_at": 1.0}
    app.old_runs = [
        RunSummary(run_id="old-1", session_id="terminal", text="hello again", **common),
        RunSummary(run_id="old-2", session_id="elsewhere", text="not mine", **common),
        RunSummary(run_id="old-3", session_id="terminal", text="finished", **{**common, "status": "ok"}),
    ]
    shown = await chat(app)
    assert "Going on with: hello again" in shown
    assert "You said **hello again**." in shown
    assert set(app.played) == {"old-1"}


async def test_a_question_that_was_asked_before_a_restart_is_shown_again(app):
    summary = RunSummary(
        run_id="old", session_id="terminal", status="waiting", text="translate", created_at=1.0, updated_at=1.0
    )
    app.old_runs = [summary]
    shown = await chat(app, "1")
    assert shown.count("Into which language?") == 1
    assert "Translated into German." in shown


async def test_a_plugin_command_becomes_a_run_of_its_task(app):
    await chat(app, "/note buy milk", "/note")
    assert app.commands_called == [("notes/add", {"text": "buy milk"}), ("notes/add", {})]


async def test_the_own_commands_say_what_is_there(app):
    (app.sessions.files("terminal") / "haiku.txt").write_text("rain")
    shown = await chat(app, "/help", "/tasks", "/tasks fetch", "/tasks nothing", "/files", "/runs", "/new", "/stop")
    assert "/note text" in shown
    assert shown.count("“Keep the key in mind”") == 2
    assert "ключ" not in shown
    assert shown.count("web/fetch") == 2
    assert "No task has 'nothing'" in shown
    assert "haiku.txt" in shown
    assert "Nothing was asked" in shown
    assert "Nothing is running." in shown
    assert app.conversations == 1


async def test_a_search_finds_a_task_by_what_people_say_and_shows_all_of_it(app):
    shown = await chat(app, "/tasks КЛЮЧ")
    assert "notes/add" in shown
    assert "“Запомни ключ”" in shown
    assert "web/fetch" not in shown


async def test_an_unknown_command_names_the_nearest_and_asks_no_model(app):
    shown = await chat(app, "/fils")
    assert "There is no command /fils. Did you mean /files?" in shown
    assert app.played == {}


async def test_a_path_at_the_beginning_is_a_request_and_no_command(app):
    await chat(app, "/etc/hosts is what?")
    assert app.played["run-1"].incoming.text == "/etc/hosts is what?"


async def test_quit_leaves_and_empty_lines_do_nothing(app):
    shown = await chat(app, "", "   ", "/quit", "never read")
    assert shown == ""
    assert app.played == {}


async def test_a_line_that_is_far_too_long_is_refused_and_the_chat_goes_on(app):
    shown = await chat(app, "x" * 1_000_000, "hello")
    assert "1,000,000 characters" in shown
    assert "You said **hello**." in shown


async def test_a_request_that_cannot_be_taken_is_said_and_the_chat_goes_on(app):
    taken = app.submit

    async def refuse_once(incoming):
        app.submit = taken
        raise AgentError("The disk is full; free some space.")

    app.submit = refuse_once
    shown = await chat(app, "first", "second")
    assert "The disk is full; free some space." in shown
    assert "You said **second**." in shown


async def test_a_bug_in_a_request_ends_neither_the_chat_nor_shows_a_traceback(app):
    taken = app.submit

    async def break_once(incoming):
        app.submit = taken
        raise KeyError("x")

    app.submit = break_once
    shown = await chat(app, "first", "second")
    assert "unexpected" in shown
    assert "Traceback" not in shown
    assert "You said **second**." in shown


async def test_a_run_that_breaks_without_a_word_is_still_shown(app):
    async def silent(run):
        run.outcome.status, run.outcome.answer = "error", "The request could not be finished: no plan."
        run.settled.set()

    app.play = silent
    assert "could not be finished: no plan" in await chat(app, "hello")


async def test_a_run_that_is_delivered_twice_is_shown_once(app):
    async def twice(run):
        await run.transport.send_text(run.incoming.dest.root, "Only once.", key=f"{run.id}/answer")
        await echo(run)

    app.play = twice
    assert (await chat(app, "hello")).count("Only once.") == 1


async def test_files_are_named_with_their_place(app, tmp_path):
    async def makes_a_file(run):
        path = run.app.sessions.files("terminal") / "haiku.txt"
        path.write_text("rain")
        run.plan(PlanStep(id="s1", title="Write"))
        await run.transport.send_file(run.incoming.dest.root, path, "the haiku", key=f"{run.id}/file/haiku.txt")
        await run.say("Done.")

    app.play = makes_a_file
    assert str(tmp_path / "terminal" / "files" / "haiku.txt") in await chat(app, "write it")


async def test_the_chats_own_commands_win_over_those_of_plugins(app):
    app.cards.append(TaskCard(task="files/list", title="List the files", command="files"))
    shown = await chat(app, "/files", "/help")
    assert app.commands_called == []
    assert shown.count("/files ") == 1


async def test_a_model_that_cannot_get_ready_is_said_and_the_chat_goes_on(app):
    app.not_ready = ModelUnavailableError("The embedded model cannot be loaded: the file is damaged.")
    shown = await chat(app, "hello there")
    assert shown.count("the file is damaged") == 1
    assert "You said" in shown


async def test_a_surprise_while_the_model_gets_ready_ends_no_chat(app):
    app.not_ready = PermissionError("the cache folder belongs to somebody else")
    shown = await chat(app, "hello there")
    assert "belongs to somebody else" in shown
    assert "You said" in shown


async def test_a_model_that_is_missing_is_not_said_twice(app):
    app.not_ready = ModelMissingError("There is no model.")
    assert "There is no model" not in await chat(app, "hello there")
