"""The examples of the built-in plans are true: what they show is understood by the task that they show."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from agent.contracts import ExampleStep
from agent.references import find_references
from tests.core.plans.conftest import Run
from tests.fixtures.catalogue import built_in_cards, built_in_examples
from tests.fixtures.reminders import read_when

ALONE = {
    "aura_base/calculate",
    "aura_base/now",
    "aura_base/days_until",
    "aura_base/date_add",
    "files/find",
    "notes/add",
}
"""Tasks that need neither a model nor anything that is there already."""


def steps_of(tasks: set[str]) -> list[ExampleStep]:
    single = [example for card in built_in_cards().values() for example in card.plan_examples()]
    steps = [step for example in [*single, *built_in_examples()] for step in example.steps]
    return [step for step in steps if step.task in tasks and not find_references(step.inputs)]


async def test_the_examples_run_as_they_stand(run: Run):
    results = {step.words: await run(step.task, **step.inputs) for step in steps_of(ALONE)}
    assert len(results) > len(ALONE)
    assert {words: result.error for words, result in results.items() if not result.ok} == {}


@pytest.mark.parametrize("step", steps_of({"reminders/add"}), ids=lambda step: step.words)
def test_a_time_in_an_example_is_understood_without_a_question(step: ExampleStep):
    now = datetime(2026, 11, 21, 17, 30)  # noqa: DTZ001 (a wall clock)
    assert read_when(step.inputs["when"], now, time(9)) is not None
