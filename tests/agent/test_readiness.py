"""Readiness: what the model reads ahead is, letter by letter, what a request begins with; edits are read anew."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from agent.config import PlannerSettings
from agent.contracts import PlanExample, Profile, TaskCard
from agent.errors import ModelUnavailableError
from agent.llm.messages import Completion
from agent.planner import PlannerConfig, plan_steps
from agent.planner.readiness import keep_ready
from aura_core.generations.events import PlansReloaded
from aura_core.ground.events import EventBus
from tests.fixtures.catalogue import built_in_cards, built_in_examples

EXAMPLES = built_in_examples()
OWNER = Profile(name="owner", allow=["*"], model="embedded:tiny")


class Model:
    """A model that writes down what it is asked to read and to answer."""

    def __init__(self, *, embedded: bool = True) -> None:
        self.embedded = embedded
        self.read: list[tuple[str, str, str | None]] = []
        self.asked: list[tuple[str, str, str | None]] = []

    async def prepare(self, system, *, purpose, model, report):
        report(0.5)
        self.read.append((system, purpose, model))

    async def complete(self, messages, *, purpose, model, **_options):
        self.asked.append((messages[0]["content"], purpose, model))
        return Completion("", value={"steps": [{"id": "s1", "task": "llm", "inputs": {}}]})


class Catalogue:
    def __init__(self, cards: list[TaskCard]) -> None:
        self.cards = cards

    def catalogue(self, profile: Profile) -> list[TaskCard]:
        return [card for card in self.cards if profile.allows(card.task)]

    def examples(self, profile: Profile) -> list[PlanExample]:
        return [example for example in EXAMPLES if all(profile.allows(step.task) for step in example.steps)]


@pytest.fixture
async def kept():
    """kept(model, catalogue, …) keeps a model ready in the background; gives the reports and the events."""
    tasks: list[asyncio.Task[None]] = []

    async def begin(model, catalogue, *profiles, settings=None):
        events, reports = EventBus(), []
        work = keep_ready(
            model,
            catalogue,
            profiles or [OWNER],
            settings=settings or PlannerSettings(),
            events=events,
            report=reports.append,
        )
        tasks.append(asyncio.create_task(work))
        await settled()
        return events, reports

    yield begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def plan(model, catalogue, request):
    config = PlannerConfig(
        model=model,
        meter=None,
        catalogue=catalogue.catalogue(OWNER),
        examples=catalogue.examples(OWNER),
        profile=OWNER,
        now=datetime(2026, 11, 29, 12, 0, tzinfo=UTC),
        memory="Likes tea.",
        files=["tea.txt"],
    )
    await plan_steps(config, request, "user: hello")


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("request_text", ["Hi!", "Прочитай tea.txt", "我的文件有哪些?"])
async def test_what_was_read_ahead_is_what_every_request_begins_with(kept, embedded, request_text):
    model, catalogue = Model(embedded=embedded), Catalogue(list(built_in_cards().values()))
    _, reports = await kept(model, catalogue)
    await plan(model, catalogue, request_text)
    assert model.read == model.asked
    assert reports == [0.5, None]


async def test_an_edit_of_a_plan_has_the_model_read_again(kept):
    cards = list(built_in_cards().values())
    model, catalogue = Model(), Catalogue(cards[:5])
    events, _ = await kept(model, catalogue)
    catalogue.cards = cards[:6]
    events.publish(PlansReloaded(("notes",)))
    events.publish(PlansReloaded(("files",)))
    await settled()
    await plan(model, catalogue, "Hi!")
    assert len(model.read) == 2
    assert model.read[-1] == model.asked[-1]


async def test_a_catalogue_that_is_short_listed_has_nothing_to_read_ahead_but_a_model_to_load(kept):
    model = Model()
    await kept(model, Catalogue(list(built_in_cards().values())), settings=PlannerSettings(shortlist=5))
    assert [system for system, _, _ in model.read] == [""]


async def test_each_profile_has_its_own_rules_read(kept):
    model = Model()
    family = Profile(name="family", allow=["notes/*"])
    await kept(model, Catalogue(list(built_in_cards().values())), OWNER, family)
    first, second = (system for system, _, _ in model.read)
    assert "web/fetch" in first
    assert "web/fetch" not in second


async def test_a_model_that_cannot_be_loaded_is_told(kept):
    class Broken(Model):
        async def prepare(self, *_words, **_options):
            raise ModelUnavailableError("the file is damaged")

    with pytest.raises(ModelUnavailableError, match="damaged"):
        await keep_ready(
            Broken(), Catalogue([]), [OWNER], settings=PlannerSettings(), events=EventBus(), report=lambda _part: None
        )
