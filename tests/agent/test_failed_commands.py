"""A command that failed is a run that failed, and what it did before that is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.run.outcomes import RunHistory
from tests.agent.conftest import incoming

ACTIONS = """
from aura_core.api import action

@action("keep", effects="write")
async def keep(text: str) -> str:
    return text
"""
TASKS = """
typo:
  meta: {title: Keep it, effects: write, inputs: {text: {type: string, required: true, ask: Which words?}}}
  steps: [{id: save, action: keep, params: {text: "{{ inputs.text }}"}, output_to: kept}]
  returns: "{{ kpet }}"
stops:
  meta: {title: Look}
  steps: [{set: {rows: [1, 2]}}, {stop: That is enough.}]
  returns: {rows: "{{ rows }}"}
"""


@pytest.fixture(autouse=True)
def lab(plan_folder: Path) -> None:
    for name, text in {"plan.yaml": "name: lab\n", "actions/keep.py": ACTIONS, "tasks/lab.yaml": TASKS}.items():
        (plan_folder / "lab" / name).parent.mkdir(parents=True, exist_ok=True)
        (plan_folder / "lab" / name).write_text(text)


@pytest.mark.parametrize("inputs", [{"text": "milk"}, {}])
async def test_a_command_that_failed_after_a_question_is_not_ok_and_says_what_it_kept(open_app, transport, inputs):
    async with open_app() as app:
        run_id = await app.submit_command(incoming("/typo"), "lab/typo", inputs)
        outcome = await app.outcome(run_id)
        if outcome.status == "waiting":
            assert await app.reply("s", "milk", person="terminal:me")
            outcome = await app.outcome(run_id)
        assert outcome.status == "error"
        for told in (outcome.answer, transport.texts[-1], outcome.results[-1].error):
            assert "Done before that, and not undone: save (lab/keep)." in told
        (summary,) = await RunHistory(app.engine).runs()
        assert summary.status == "error"


async def test_a_command_that_stops_itself_tells_why_and_what_it_found(open_app, transport):
    async with open_app() as app:
        outcome = await app.outcome(await app.submit_command(incoming("/stops"), "lab/stops", {}))
        assert (outcome.status, outcome.results[0].status) == ("ok", "partial")
        assert json.loads(outcome.model_dump_json())["results"][0]["output"] == {"rows": [1, 2]}
        assert outcome.answer.startswith("That is enough.")
        assert "1" in outcome.answer.removeprefix("That is enough.")


async def test_a_request_of_which_only_the_question_succeeded_is_not_ok(open_app, scripted_model, transport):
    steps = [
        {"kind": "ask_user", "question": "Which words?"},
        {"kind": "task", "task": "lab/typo", "inputs": {"text": "${s1}"}},
    ]
    scripted_model.say({"steps": steps}, times=None, when="plan")
    scripted_model.say("Hm.", times=None)
    async with open_app(AURA_PROFILES="{owner: {people: ['terminal:*'], budgets: {replans: 0}}}") as app:
        run_id = await app.submit(incoming("keep some words, and ask me which"))
        outcome = await app.outcome(run_id)
        assert outcome.status == "waiting"
        assert await app.reply("s", "milk", person="terminal:me")
        assert (await app.outcome(run_id)).status == "error"
