"""One time zone of a person: the planner's clock, clock tasks, expressions, reminders and schedules all go by it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from agent.schedules.chat_command import schedule_answer
from agent.schedules.plan_jobs import plan_jobs
from tests.agent.conftest import incoming

FAR = {"owner": "Pacific/Kiritimati", "family": "Pacific/Pago_Pago"}
"""A day apart from each other at every moment."""
PEOPLE = {"owner": "terminal:me", "family": "chat:ann"}
TASKS = """
stamp:
  meta: {description: Stamp., schedule: {cron: "0 9 * * *"}}
  steps: [{set: {a: "{{ now() }}"}}]
  returns: ["{{ a.isoformat() }}", "{{ 0 | date('%H') }}"]
there:
  meta: {description: There., schedule: {cron: "0 9 * * *", timezone: Asia/Tokyo}}
  steps: []
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, plan_folder: Path) -> None:
    (plan_folder / "lab" / "tasks").mkdir(parents=True)
    (plan_folder / "lab" / "plan.yaml").write_text("name: lab\n")
    (plan_folder / "lab" / "tasks" / "lab.yaml").write_text(TASKS)
    family = {"people": ["chat:*"], "timezone": FAR["family"]}
    settings = {"timezone": FAR["owner"], "profiles": {"family": family}}
    (tmp_path / "aura.yaml").write_text(yaml.safe_dump(settings))


@pytest.mark.parametrize("profile", FAR)
async def test_everything_goes_by_the_clock_of_who_asks(open_app, scripted_model, transport, profile):
    zone, person = ZoneInfo(FAR[profile]), PEOPLE[profile]

    async def call(app, task: str, **inputs: str):
        run_id = await app.submit_command(incoming(f"/{task}", session=profile, person=person), task, inputs)
        outcome = await app.outcome(run_id)
        assert outcome.status == "ok", outcome.answer
        return outcome.results[-1].output

    async with open_app() as app:
        here = datetime.now(zone)
        assert (await call(app, "aura_base/now"))["date"] == f"{here:%Y-%m-%d}"
        assert (await call(app, "aura_base/days_until", date="tomorrow"))["days"] == 1
        stamp, hour = await call(app, "lab/stamp")
        assert datetime.fromisoformat(stamp).utcoffset() == here.utcoffset()
        assert hour == f"{datetime.fromtimestamp(0, UTC).astimezone(zone):%H}"

        reminder = await call(app, "reminders/add", text="tomorrow at 9 call Ann")
        assert f"09:00:00{here:%z}"[:11] in reminder["when"]
        assert "09:00" in reminder["next"]
        listed = await schedule_answer(app.schedules.user_jobs, person, "", app.profile_of(person))
        assert "09:00" in listed

        scripted_model.say({"steps": [{"kind": "llm", "instruction": "say"}]})
        scripted_model.say("It is late.")
        await app.outcome(await app.submit(incoming("What day is it?", session=profile, person=person)))
        assert f"{here:%Y-%m-%d}" in str(scripted_model.requests[0]["messages"][-1]["content"])


async def test_schedules_of_plans_go_by_the_owners_clock_unless_they_name_a_zone(open_app):
    async with open_app() as app:
        declared = plan_jobs(app.framework.plans, app.schedules.jobs).jobs
        assert {job.id: job.trigger.timezone for job in declared} == {
            "lab/stamp": FAR["owner"],
            "lab/there": "Asia/Tokyo",
        }
