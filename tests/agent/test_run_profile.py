"""A run goes on under the profile with which it began, however the settings were edited while it was interrupted."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tests.agent.conftest import incoming

ACTIONS = """
from aura_core.api import action

@action("look")
async def look() -> str:
    return "words"

@action("mark", effects="write")
async def mark(text: str) -> str:
    return f"marked {text}"
"""
TASKS = """
page:
  meta: {title: Read a page, description: Text from outside., effects: read, untrusted: true}
  steps: [{action: look, output_to: seen}]
  returns: "{{ seen }}"
mark:
  meta: {title: Mark, description: Write a mark., effects: write, inputs: {text: {type: string, required: true}}}
  steps: [{action: mark, params: {text: "{{ inputs.text }}"}, output_to: marked}]
  returns: "{{ marked }}"
ponder:
  meta: {title: Ponder, description: Ask from inside., effects: write}
  steps: [{ask: "Which?", output_to: which}, {run_task: mark, pass_params: {text: "{{ which }}"}, output_to: marked}]
  returns: "{{ marked }}"
"""
FAMILY = {"people": ["chat:*"], "allow": ["lab/*"], "approve": ["write"], "budgets": {"steps": 20}}


@pytest.fixture
def lab(plan_folder: Path) -> Path:
    for name, text in {
        "plan.yaml": "name: lab\nversion: 1.0.0\ntitle: Lab\n",
        "actions/marks.py": ACTIONS,
        "tasks/marks.yaml": TASKS,
    }.items():
        (plan_folder / "lab" / name).parent.mkdir(parents=True, exist_ok=True)
        (plan_folder / "lab" / name).write_text(text)
    return plan_folder / "lab"


@pytest.fixture
def settings(tmp_path: Path):
    def write(**profiles: dict) -> None:
        (tmp_path / "aura.yaml").write_text(yaml.safe_dump({"profiles": profiles}))

    write(family=FAMILY)
    return write


def forget_permissions(home: Path) -> None:
    """Makes every run one that an older Aura began."""
    with closing(sqlite3.connect(home / "aura.db")) as store, store:
        for seq, args in store.execute("SELECT seq, args FROM tasks WHERE task = 'run'").fetchall():
            old = {name: value for name, value in json.loads(args).items() if name != "permissions"}
            store.execute("UPDATE tasks SET args = ? WHERE seq = ?", (json.dumps(old), seq))


async def begin_to_ponder(open_app) -> str:
    async with open_app() as app:
        run_id = await app.submit_command(incoming("/ponder", person="chat:ann"), "lab/ponder", {})
        assert (await app.outcome(run_id)).status == "waiting"
    return run_id


async def finish(app, run_id: str, answer: str):
    (question,) = (await app.run_detail(run_id)).questions
    assert await app.answer(question.id, answer, person="terminal:me")
    return await app.outcome(run_id)


async def test_an_approval_asked_for_before_an_edit_is_still_what_the_run_waits_for(
    open_app, settings, lab, scripted_model
):
    scripted_model.say(
        {
            "steps": [
                {"id": "s1", "title": "Read", "kind": "task", "task": "lab/page", "inputs": {}, "depends_on": []},
                {
                    "id": "s2",
                    "title": "Mark",
                    "kind": "task",
                    "task": "lab/mark",
                    "inputs": {"text": "${s1}"},
                    "depends_on": ["s1"],
                },
            ]
        },
        when=lambda request: bool(request.get("response_format")),
    )
    scripted_model.say("Marked.", when=lambda request: not request.get("response_format"), times=None)
    async with open_app() as app:
        run_id = await app.submit(incoming("Read the page and mark what it says", person="chat:ann"))
        assert (await app.outcome(run_id)).questions[0].purpose == "approval"
    settings(family={**FAMILY, "approve": []})
    async with open_app() as app:
        outcome = await finish(app, run_id, "Allow")
    assert [response.status for response in outcome.results] == ["ok", "ok"]
    assert outcome.results[1].output == "marked words"


async def test_a_step_goes_on_under_a_profile_that_was_taken_out_of_the_settings(open_app, settings, lab):
    run_id = await begin_to_ponder(open_app)
    settings()
    async with open_app() as app:
        outcome = await finish(app, run_id, "red")
    assert (outcome.status, outcome.results[0].output) == ("ok", "marked red")


async def test_a_run_of_an_older_aura_takes_its_profile_from_the_settings(open_app, settings, lab, tmp_path):
    run_id = await begin_to_ponder(open_app)
    forget_permissions(tmp_path / "home")
    async with open_app() as app:
        outcome = await finish(app, run_id, "red")
    assert (outcome.status, outcome.results[0].output) == ("ok", "marked red")
