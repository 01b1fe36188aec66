"""A question's record is all there is to know of it: who may answer, what a message was, what is still open."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.app import App
from agent.contracts import Question, run_id_of
from tests.agent.conftest import KeepingTransport, incoming

ME = "terminal:me"
KEY = "telegram:7"
ACTIONS = """
import asyncio
from pathlib import Path
from aura_core.api import action

LOG = Path(__file__).parent.parent / "log.txt"

@action("note", effects="write")
async def note(text: str, wait: float = 0.0) -> str:
    await asyncio.sleep(wait)
    with LOG.open("a") as log:
        log.write(text + "\\n")
    return text
"""
TASKS = """
inside:
  meta: {title: Inside, description: Ask from inside., command: inside, effects: write}
  steps:
    - {ask: "Which colour?", output_to: colour}
    - {action: note, params: {text: "{{ colour }}", wait: 0.4}}
  returns: "{{ colour }}"
before:
  meta:
    title: Before
    description: Ask for an input.
    command: before
    effects: write
    inputs: {text: {type: string, required: true, ask: Which colour?}}
  steps: [{action: note, params: {text: "{{ inputs.text }}", wait: 0.4}}]
  returns: "{{ inputs.text }}"
twice:
  meta:
    title: Twice
    description: Ask for two inputs.
    command: twice
    effects: write
    inputs:
      text: {type: string, required: true, ask: Which colour?}
      more: {type: string, required: true, ask: Which size?}
  steps: [{action: note, params: {text: "{{ inputs.more }} {{ inputs.text }}"}}]
  returns: "{{ inputs.more }} {{ inputs.text }}"
"""
BOTH_WAYS = pytest.mark.parametrize("task", ["before", "inside"])


class Answering(KeepingTransport):
    """A channel that answers a question while it is being shown, or is slow to show it."""

    app: App | None = None
    slow: asyncio.Event | None = None

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        await super().send_question(dest, question)
        if self.slow is not None:
            await self.slow.wait()
        if self.app is not None:
            async with asyncio.timeout(10):
                assert await self.app.answer(question.id, "red", person=ME)


@pytest.fixture
def transport() -> Answering:
    return Answering()


@pytest.fixture(autouse=True)
def lab(plan_folder: Path) -> Path:
    folder = plan_folder / "lab"
    for name, text in {"plan.yaml": "name: lab\n", "actions/notes.py": ACTIONS, "tasks/all.yaml": TASKS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


async def begin(app: App, task: str, **fields: Any) -> str:
    run_id = await app.submit_command(incoming(f"/{task}", **fields), f"lab/{task}", {})
    assert run_id is not None
    return run_id


async def asked(app: App, task: str, **fields: Any) -> tuple[str, Question]:
    run_id = await begin(app, task, **fields)
    outcome = await app.outcome(run_id)
    assert outcome.status == "waiting"
    return run_id, outcome.questions[0]


@BOTH_WAYS
async def test_a_channel_may_answer_while_it_shows_the_question(open_app, transport, task):
    async with open_app() as app:
        transport.app = app
        run_id = await begin(app, task)
        await app.engine.outcome(run_id)
        assert (await app.outcome(run_id)).answer == "red"


@BOTH_WAYS
async def test_once_it_is_answered_a_question_is_open_nowhere(open_app, task):
    async with open_app() as app:
        run_id, question = await asked(app, task)
        assert await app.answer(question.id, "red", person=ME)
        assert await app.questions("s") == (await app.run_detail(run_id)).questions == []
        assert [run.status for run in await app.runs()] == ["running"]
        assert not await app.answer(question.id, "blue", person=ME)
        assert (await app.outcome(run_id)).answer == "red"


@BOTH_WAYS
@pytest.mark.parametrize("key", [KEY, run_id_of(KEY).replace("run-", "reply-")], ids=["now", "older Aura"])
async def test_an_answer_that_a_killed_program_wrote_down_is_known_after_the_restart(open_app, task, key):
    async with open_app() as app:
        run_id, question = await asked(app, task)
    value = {"text": "red", "person": ME, "key": key}
    async with open_app() as app:
        assert await app.engine.signal(question.id, "answer", value)
        assert await app.questions("s") == (await app.run_detail(run_id)).questions == []
        assert await app.reply("s", "red", person=ME, key=KEY), "the same message again is the same answer"
        assert not await app.reply("s", "red", person=ME, key="telegram:8")
        assert await app.resume() == [run_id]
        assert (await app.outcome(run_id)).answer == "red"
        assert await app.reply("s", "red", person=ME, key=KEY)


async def test_a_message_that_began_a_run_does_not_answer_its_question_when_it_comes_again(open_app):
    async with open_app() as app:
        run_id, question = await asked(app, "before", key=KEY)
        assert not await app.reply("s", "/before", person=ME, key=KEY)
        assert await app.questions("s") == [question]
        assert await app.reply("s", "red", person=ME, key="telegram:8")
        assert (await app.outcome(run_id)).answer == "red"


async def test_the_first_answer_counts_and_a_repetition_of_it_is_no_other(open_app):
    async with open_app() as app:
        run_id, question = await asked(app, "before")
        assert await app.answer(question.id, "red", person=ME, key="a")
        assert not await app.answer(question.id, "blue", person=ME, key="b")
        assert await app.answer(question.id, "red", person=ME, key="a")
        assert not await app.answer(question.id, "red", person="telegram:666", key="a")
        assert (await app.outcome(run_id)).answer == "red"
        assert await app.answer(question.id, "red", person=ME, key="a")


async def test_a_message_that_answered_one_question_does_not_answer_another_when_it_comes_again(open_app):
    async with open_app() as app:
        run_id, first = await asked(app, "twice")
        assert await app.answer(first.id, "red", person=ME, key=KEY)
        (second,) = (await app.outcome(run_id)).questions
        assert await app.reply("s", "red", person=ME, key=KEY)
        assert await app.questions("s") == [second]


async def test_messages_leave_nothing_in_the_store_but_runs_and_questions(open_app):
    async with open_app() as app:
        run_id, _ = await asked(app, "inside", key="telegram:1")
        assert not await app.reply("other", "hello", person=ME, key="telegram:2")
        assert await app.reply("s", "red", person=ME, key="telegram:3")
        await app.outcome(run_id)
        assert {record.task for record in await app.engine.list()} == {"run", "step", "question"}


@BOTH_WAYS
async def test_a_run_counts_its_own_time_and_not_the_persons(open_app, task):
    async with open_app() as app:
        run_id, question = await asked(app, task)
        await asyncio.sleep(1.5)
        await app.answer(question.id, "red", person=ME)
        assert 0.4 <= (await app.outcome(run_id)).usage.seconds < 1.5


async def test_of_two_questions_each_is_waited_for(open_app, lab):
    async with open_app() as app:
        run_id, first = await asked(app, "twice")
        assert await app.answer(first.id, "red", person=ME)
        outcome = await app.outcome(run_id)
        assert [question.text for question in outcome.questions] == ["Which size?"]
        assert await app.answer(outcome.questions[0].id, "large", person=ME)
        assert (await app.outcome(run_id)).answer == "large red"
    assert (lab / "log.txt").read_text() == "large red\n"


@BOTH_WAYS
async def test_a_channel_that_is_slow_to_show_a_question_holds_up_no_other_request(open_app, transport, task):
    transport.slow = asyncio.Event()
    async with open_app() as app:
        await asked(app, task)
        other = await app.submit_command(incoming("/sum"), "aura_base/calculate", {"expression": "1+1"})
        assert other is not None
        assert (await app.outcome(other)).status == "ok"
