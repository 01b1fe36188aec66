"""A run that waits, and its question, are found and go on, however many newer ones there are."""

from __future__ import annotations

import json
import time

from agent.contracts import Dest, Incoming, RunRequest
from agent.delivery import DELIVERY_TASK, Parcel
from agent.questions.records import QUESTION_TASK, open_records
from agent.run.outcomes import RUN_TASK
from tests.agent.conftest import incoming

MANY = 1_100
ASK = """
ask:
  meta: {title: Ask}
  steps: [{ask: "Really?", output_to: answer}]
  returns: "{{ answer }}"
"""
INSERT = (
    "INSERT INTO tasks (id, root, parent, task, args, status, created_at, updated_at) "
    "VALUES (:id, :id, NULL, :task, :args, :status, :at, :at)"
)


def rows(number: int) -> list[dict]:
    """What many other people left behind: runs that wait, their questions, and answers that were not delivered."""
    name = f"newer-{number}"
    elsewhere = Incoming(session_id="other", person="terminal:me", text="x", dest=Dest({"channel": "elsewhere"}))
    run = RunRequest(run_id=name, incoming=elsewhere, profile="owner")
    asked = {"run_id": name, "step_id": "s1", "session_id": "other", "dest": {}, "text": "?", "options": []}
    parcel = Parcel(key=name, session_id="other", dest=Dest({"channel": "elsewhere"}), text="x")
    values = {
        RUN_TASK: (name, run.model_dump(mode="json"), "pending"),
        QUESTION_TASK: (f"{name}/ask:s1", {**asked, "purpose": "input"}, "waiting"),
        DELIVERY_TASK: (f"later:{name}", parcel.model_dump(mode="json"), "pending"),
    }
    return [
        {"id": key, "task": task, "args": json.dumps(args), "status": status, "at": time.time()}
        for task, (key, args, status) in values.items()
    ]


async def test_what_waits_is_found_behind_a_thousand_newer_ones(open_app, plan_folder, transport):
    (plan_folder / "lab" / "tasks").mkdir(parents=True)
    (plan_folder / "lab" / "plan.yaml").write_text("name: lab\n")
    (plan_folder / "lab" / "tasks" / "lab.yaml").write_text(ASK)
    async with open_app() as app:
        run_id = await app.submit_command(incoming("/ask"), "lab/ask", {})
        assert (await app.outcome(run_id)).status == "waiting"
        newer = [row for number in range(MANY) for row in rows(number)]
        await app._database.run(lambda connection: connection.executemany(INSERT, newer))
    async with open_app() as app:
        assert run_id in {run.run_id for run in await app.runs(limit=3)}
        assert len(await open_records(app.engine)) == MANY + 1
        assert [question.text for question in await app.questions("s")] == ["Really?"]
        assert await app.resume(channel="test") == [run_id]
        assert await app.reply("s", "yes", person="terminal:me")
        assert (await app.outcome(run_id)).answer == "yes"
        assert [run.run_id for run in await app.runs(limit=1)][1:]  # beside the latest, all that have not ended
