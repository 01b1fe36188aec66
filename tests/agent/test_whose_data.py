"""Whose notes a request reads and writes: the owner's are one on every channel, everybody else has their own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agent.contracts import Profile
from agent.executor import whose_data
from tests.agent.conftest import incoming

PROFILES = {
    "family": {"people": ["chat:ann"]},
    "spouse": {"people": ["chat:bob"], "shares_data": True},
}


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path) -> None:
    (tmp_path / "aura.yaml").write_text(yaml.safe_dump({"profiles": PROFILES, "telegram": {"owners": [1]}}))


async def run(app, person: str, task: str, **inputs: str):
    run_id = await app.submit_command(incoming(f"/{task}", person=person), task, inputs)
    outcome = await app.outcome(run_id)
    assert outcome.status == "ok", outcome.answer
    return outcome.results[0].output


async def texts(app, person: str) -> list[str]:
    return [note["text"] for note in (await run(app, person, "notes/list"))["notes"]]


async def test_notes_belong_to_the_person_who_made_them(open_app):
    async with open_app() as app:
        await run(app, "terminal:me", "notes/add", text="from the terminal")
        await run(app, "telegram:1", "notes/add", text="from the telephone")
        await run(app, "chat:ann", "notes/add", text="Ann's")
        await run(app, "chat:bob", "notes/add", text="Bob's")
        owners = ["from the terminal", "from the telephone", "Bob's"]
        for person, expected in {
            "terminal:me": owners,
            "telegram:1": owners,
            "chat:bob": owners,
            "chat:ann": ["Ann's"],
        }.items():
            assert await texts(app, person) == expected


async def test_a_look_up_that_starts_early_reads_the_notes_of_whoever_asks(open_app, scripted_model):
    listing = {"id": "s1", "title": "List", "kind": "task", "task": "notes/list", "inputs": {}, "depends_on": []}
    scripted_model.say({"steps": [listing]}, when=lambda request: bool(request.get("response_format")), times=None)
    scripted_model.say("These are all.", when=lambda request: not request.get("response_format"), times=None)
    async with open_app() as app:
        await run(app, "terminal:me", "notes/add", text="secret")
        await run(app, "chat:ann", "notes/add", text="Ann's")
        run_id = await app.submit(incoming("Show me all my notes", person="chat:ann"))
        outcome = await app.outcome(run_id)
    assert [note["text"] for note in outcome.results[0].output["notes"]] == ["Ann's"]


@pytest.mark.parametrize(
    ("person", "profile", "whose"),
    [
        ("terminal:me", Profile(name="owner"), ""),
        ("telegram:7", Profile(name="family"), "telegram:7"),
        ("telegram:7", Profile(name="family", shares_data=True), ""),
        ("", Profile(name="family"), "nobody"),
    ],
)
def test_whose_data_it_is(person, profile, whose):
    assert whose_data(person, profile) == whose
