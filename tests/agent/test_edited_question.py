"""A plan that is edited while its question waits: the run goes on as it began, and the answer goes to what is shown."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.app import App
from agent.contracts import ExecutorRequest, PlanStep
from agent.progress import QuestionClosed
from agent.questions.records import QUESTION_TASK
from agent.run import missing_plugins
from aura_core.tasklet import RunInfo
from tests.agent.conftest import incoming

ME = "terminal:me"
ACTIONS = """
from pathlib import Path
from aura_core.api import action

LOG = Path(__file__).parent.parent / "log.txt"

@action("note", effects="write")
async def note(text: str) -> str:
    with LOG.open("a") as log:
        log.write(text + "\\n")
    return text
"""
GO = """go:
  meta: {title: Go, description: Ask between two notes., command: go, effects: write}
  steps:
    - {action: note, params: {text: first}}
    - {ask: "Shall I go on?", output_to: answer}
    - {action: note, params: {text: "second {{ answer }}"}}
  returns: "done {{ answer }}"
"""
BOTH = """go:
  meta: {title: Go, description: Ask twice at once., command: go, effects: write}
  steps:
    - parallel:
        - [{ask: "Left?", output_to: left}, {action: note, params: {text: "left {{ left }}"}}]
        - [{ask: "Right?", output_to: right}, {action: note, params: {text: "right {{ right }}"}}]
"""


class Lab:
    """The plan `x`, and what its actions have noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "x"
        (self.folder / "actions").mkdir(parents=True)
        (self.folder / "actions/notes.py").write_text(ACTIONS)
        (self.folder / "tasks").mkdir()
        (self.folder / "plan.yaml").write_text("name: x\n")
        self.write(GO)

    def write(self, text: str) -> None:
        (self.folder / "tasks/go.yaml").write_text(text)

    @property
    def log(self) -> list[str]:
        return (self.folder / "log.txt").read_text().splitlines()


@pytest.fixture
def lab(plan_folder: Path) -> Lab:
    return Lab(plan_folder)


async def asked(app: App) -> str:
    """Begins the run, up to its question."""
    run_id = await app.submit_command(incoming("/go"), "x/go", {})
    assert run_id is not None
    assert (await app.outcome(run_id)).status == "waiting"
    return run_id


async def open_in_store(app: App) -> list[str]:
    return [
        record.args["text"] for record in await app.engine.list(task=QUESTION_TASK, statuses=["pending", "waiting"])
    ]


async def texts(app: App) -> list[str]:
    return [question.text for question in await app.questions("s")]


EDITS = {
    "other words": GO.replace("Shall I go on?", "Really go on now?"),
    "no question": GO.replace('{ask: "Shall I go on?", output_to: answer}', "{set: {answer: nobody}}"),
    "a step inserted": GO.replace("  steps:\n", "  steps:\n    - {action: note, params: {text: zero}}\n"),
    "another task": GO.replace("go:", "run:"),
}


@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS)
async def test_a_run_whose_task_is_edited_while_it_waits_goes_on_as_it_began(open_app, transport, lab, edited):
    async with open_app() as app:
        run_id = await asked(app)
        (question,) = await app.questions("s")
    lab.write(edited)
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        assert await texts(app) == await open_in_store(app) == ["Shall I go on?"]
        assert await app.answer(question.id, "yes", person=ME)
        assert (await app.outcome(run_id)).answer == "done yes"
        assert await open_in_store(app) == []
    assert len(transport.questions) == 1
    assert lab.log == ["first", "second yes"]


async def test_an_answer_that_came_before_an_edit_counts(open_app, lab):
    async with open_app() as app:
        run_id = await asked(app)
        (question,) = await app.questions("s")
    lab.write(EDITS["no question"])
    async with open_app() as app:
        assert await app.engine.signal(question.id, "answer", {"text": "in time", "person": ME})
        await app.resume()
        assert (await app.outcome(run_id)).answer == "done in time"
        assert await open_in_store(app) == await texts(app) == []


GATE = """
import asyncio
from pathlib import Path
from aura_core.api import action

GATE = Path(__file__).parent.parent / "gate"

@action("pass_gate")
async def pass_gate() -> object:
    while not GATE.exists():
        await asyncio.sleep(0.005)
    return object()
"""


FORM = """
from typing import Any
from aura_core.api import Context, action, requires_services

@action("form", effects="write")
@requires_services(chat="chat")
async def form(chat: Any, context: Context) -> str:
    answers = [await chat.ask(context.run, text) for text in ("First?", "Second?")]
    return " ".join(answers)
"""


async def asked_twice(app: App, lab: Lab) -> str:
    """Begins a run whose action asks, up to its second question."""
    (lab.folder / "actions/form.py").write_text(FORM)
    lab.write(GO.replace('ask: "Shall I go on?"', "action: form"))
    await app.framework.reload()
    run_id = await asked(app)
    assert await app.reply("s", "one", person=ME)
    assert (await app.outcome(run_id)).questions[0].text == "Second?"
    return run_id


async def test_the_questions_of_an_action_are_found_again_after_an_edit(open_app, transport, lab):
    async with open_app() as app:
        run_id = await asked_twice(app, lab)
    lab.write(EDITS["a step inserted"])
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).questions[0].text == "Second?"
        assert await app.reply("s", "two", person=ME)
        assert (await app.outcome(run_id)).answer == "done one two"
    assert [question.text for question in transport.questions] == ["First?", "Second?"]


async def test_what_an_action_asks_no_more_since_its_python_was_edited_is_closed(open_app, transport, lab):
    async with open_app() as app:
        run_id = await asked_twice(app, lab)
        (old,) = await app.questions("s")
    (lab.folder / "actions/form.py").write_text(FORM.replace("Second?", "Another?"))
    async with open_app() as app:
        with app.events.subscribe(QuestionClosed) as closed:
            await app.resume()
            async with asyncio.timeout(10):
                assert (await closed.next()).question_id == old.id
        assert (await app.outcome(run_id)).questions[0].text == "Another?"
        assert await texts(app) == await open_in_store(app) == ["Another?"]
        assert not await app.answer(old.id, "to the old one", person=ME)
        assert await app.reply("s", "two", person=ME)
        assert (await app.outcome(run_id)).answer == "done one two"


async def test_a_question_that_a_slower_branch_has_not_reached_again_stays_open(open_app, transport, lab):
    (lab.folder / "actions/gate.py").write_text(GATE)
    gate = lab.folder / "gate"
    gate.touch()
    lab.write(BOTH.replace('[{ask: "Right?"', '[{action: pass_gate}, {ask: "Right?"'))
    async with open_app() as app:
        run_id = await asked(app)
        old = {question.text: question.id for question in await app.questions("s")}
    gate.unlink()
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        assert sorted(await texts(app)) == sorted(await open_in_store(app)) == ["Left?", "Right?"]
        gate.touch()
        assert await app.answer(old["Right?"], "by its old button", person=ME)
        assert await app.reply("s", "links", person=ME)
        await app.engine.outcome(run_id)
        assert (await app.outcome(run_id)).status == "ok"
    assert sorted(question.text for question in transport.questions) == ["Left?", "Right?"]
    assert sorted(lab.log) == ["left links", "right by its old button"]


BROKEN = GO.replace("action: note", "action: nope")


async def test_a_plan_that_is_broken_at_the_restart_keeps_its_run_waiting_until_it_is_mended(open_app, transport, lab):
    async with open_app() as app:
        run_id = await asked(app)
    lab.write(BROKEN)
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        assert "there is no action 'nope'" in app.waits_for_plan(run_id)
        assert transport.texts == [app.waits_for_plan(run_id)]
        lab.write(GO)
        await app.framework.reload()
        while app.waits_for_plan(run_id):  # noqa: ASYNC110 (the run goes on by itself, which nobody is told)
            await asyncio.sleep(0)
        assert (await app.outcome(run_id)).questions[0].text == "Shall I go on?"
        assert await app.reply("s", "yes", person=ME)
        assert (await app.outcome(run_id)).answer == "done yes"
    assert lab.log == ["first", "second yes"]
    assert len(transport.questions) == 1


async def test_a_plan_that_lost_an_action_keeps_the_runs_waiting_that_began_with_it(open_app, transport, lab):
    async with open_app() as app:
        run_id = await asked(app)
    lab.write("go:\n  steps: [{stop: enough}]\n")
    (lab.folder / "actions/notes.py").write_text(ACTIONS.replace('"note"', '"jot"'))
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        assert "its plan 'x' no longer has what this step began with" in app.waits_for_plan(run_id)
        assert "go.yaml:4:16: error: there is no action 'note'" in app.waits_for_plan(run_id)
        assert transport.texts == [app.waits_for_plan(run_id)]
        other = await app.submit_command(incoming("/go"), "x/go", {})
        assert (await app.outcome(other)).answer == "enough", "a run that begins now needs nothing of it"
        (lab.folder / "actions/notes.py").write_text(ACTIONS)
        await app.framework.reload()
        while app.waits_for_plan(run_id):  # noqa: ASYNC110 (the run goes on by itself, which nobody is told)
            await asyncio.sleep(0)
        assert await app.reply("s", "yes", person=ME)
        assert (await app.outcome(run_id)).answer == "done yes"
    assert lab.log == ["first", "second yes"]


async def test_an_answer_to_a_question_whose_plan_is_broken_counts_when_it_is_mended(open_app, transport, lab):
    async with open_app() as app:
        run_id = await asked(app)
    lab.write(BROKEN)
    async with open_app() as app:
        await app.resume()
        await app.outcome(run_id)
        assert await app.reply("s", "yes", person=ME)
        assert (await app.outcome(run_id)).status == "waiting"
        other = await app.submit_command(incoming("/sum"), "aura_base/calculate", {"expression": "1+1"})
        assert (await app.outcome(other)).status == "ok", "a run that waits for its plan holds up nobody"
    lab.write(GO)
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).answer == "done yes"
    assert lab.log == ["first", "second yes"]


async def test_a_run_waits_while_the_folder_of_its_plan_is_away(open_app, transport, lab, plan_folder):
    async with open_app() as app:
        run_id = await asked(app)
    away = plan_folder.rename(plan_folder.with_name("away"))
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        assert f"{plan_folder} is away" in app.waits_for_plan(run_id)
        assert transport.texts == [app.waits_for_plan(run_id)]
        assert await open_in_store(app) == ["Shall I go on?"]
    away.rename(plan_folder)
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).questions[0].text == "Shall I go on?"
        assert await app.reply("s", "yes", person=ME)
        assert (await app.outcome(run_id)).answer == "done yes"
    assert lab.log == ["first", "second yes"]
    assert len(transport.questions) == 1


async def test_a_folder_of_plans_that_comes_back_while_its_run_waits_lets_it_go_on(
    open_app, lab, plan_folder, monkeypatch
):
    monkeypatch.setattr(missing_plugins, "LOOK_SECONDS", 0.01)
    async with open_app() as app:
        run_id = await asked(app)
    away = plan_folder.rename(plan_folder.with_name("away"))
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        away.rename(plan_folder)
        await app.framework.reload()
        while app.waits_for_plan(run_id):  # noqa: ASYNC110 (the run goes on by itself, which nobody is told)
            await asyncio.sleep(0)
        assert (await app.outcome(run_id)).questions[0].text == "Shall I go on?"
        assert await app.reply("s", "yes", person=ME)
        assert (await app.outcome(run_id)).answer == "done yes"


async def _wait_for(app: App, task: str) -> bool:
    step = PlanStep(id=task, kind="task", task=task)
    request = ExecutorRequest(run_id="r", session_id="s", profile="default", step=step, idempotency_key=f"r/{task}")
    return await app._missing_plugins.wait_for(task, request, RunInfo(), cast("Any", SimpleNamespace(length=1)))


async def test_of_two_steps_that_wait_for_their_plans_the_first_that_goes_on_leaves_the_notice_of_the_other(
    open_app, lab, plan_folder, monkeypatch
):
    monkeypatch.setattr(missing_plugins, "LOOK_SECONDS", 0.01)
    other = plan_folder / "y"
    shutil.copytree(lab.folder, other)
    (other / "plan.yaml").write_text("name: y\n")
    for folder in (lab.folder, other):
        (folder / "plan.yaml").write_text("wrong: yes\n")
    async with open_app() as app:
        waits = [asyncio.create_task(_wait_for(app, name)) for name in ("x/go", "y/go")]
        while app.waits_for_plan("r").count("waits: its plan") < 2:  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0)
        (lab.folder / "plan.yaml").write_text("name: x\n")
        await app.framework.reload()
        assert await waits[0]
        told = app.waits_for_plan("r")
        assert ("'x'" in told, "'y'" in told) == (False, True)
        waits[1].cancel()
        await asyncio.wait(waits)
        assert app.waits_for_plan("r") == ""


async def test_a_run_whose_plan_is_gone_ends_and_says_so(open_app, lab):
    async with open_app() as app:
        run_id = await asked(app)
    lab.folder.rename(lab.folder.with_name("y"))
    async with open_app() as app:
        await app.resume()
        outcome = await app.outcome(run_id)
        assert (outcome.status, await open_in_store(app)) == ("error", [])
    assert "The task x/go is gone" in outcome.answer
    assert "What it had done before stays done" in outcome.answer


async def test_a_run_that_waits_for_its_plan_ends_when_the_plan_is_taken_away(open_app, lab, monkeypatch):
    monkeypatch.setattr(missing_plugins, "LOOK_SECONDS", 0.01)
    async with open_app() as app:
        run_id = await asked(app)
    lab.write(BROKEN)
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        shutil.rmtree(lab.folder)
        await app.engine.outcome(run_id)
        assert "The task x/go is gone" in (await app.outcome(run_id)).answer


async def test_a_run_that_waits_for_its_plan_can_be_stopped(open_app, lab):
    async with open_app() as app:
        run_id = await asked(app)
    lab.write(BROKEN)
    async with open_app() as app:
        await app.resume()
        await app.outcome(run_id)
        assert await app.stop("s") == 1
        assert app.waits_for_plan(run_id) == ""
        assert await open_in_store(app) == []
