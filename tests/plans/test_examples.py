"""The examples of the built-in plans: of every kind and language, and true where a task can be run without a model."""

from __future__ import annotations

import re

import pytest

from agent.contracts import PlanExample
from aura_core.language.examples import MODEL_STEPS
from tests.fixtures.catalogue import built_in_cards, built_in_examples

LANGUAGES = {"English": r"[a-z]{3}", "Russian": r"[а-яё]{2}", "Chinese": r"[\u4e00-\u9fff]"}


@pytest.mark.parametrize("plan", ["aura_base", "files", "notes", "reminders", "web"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plan_shows_single_calls_and_whole_plans_in_each_language(plan: str, language: str):
    single = [one.say for card in built_in_cards().values() if card.plan == plan for one in card.examples]
    whole = [one.say for one in built_in_examples() if len(one.steps) > 1 and f"{plan}/" in str(one)]
    for requests in (single, whole):
        assert [say for say in requests if re.search(LANGUAGES[language], say, re.IGNORECASE)]


def every_example() -> list[PlanExample]:
    return [*built_in_examples(), *(one for card in built_in_cards().values() for one in card.plan_examples())]


def test_every_task_that_may_be_planned_has_examples():
    assert [card.task for card in built_in_cards().values() if len(card.examples) < 2] == []


def test_no_example_stands_there_twice():
    requests = [example.say.casefold() for example in every_example()]
    assert len(requests) == len(set(requests))


def test_every_example_names_tasks_that_are_there():
    known = {*built_in_cards(), *MODEL_STEPS}
    assert {step.task for example in every_example() for step in example.steps} <= known


def test_what_a_step_must_not_make_up_stands_in_the_request():
    """`grounded` inputs are held to the person's words; an example must not teach otherwise."""
    for example in every_example():
        for step in example.steps:
            properties = built_in_cards()[step.task].properties if "/" in step.task else {}
            for name, value in step.inputs.items():
                if properties.get(name, {}).get("grounded") and "${" not in value:
                    said = example.say + (f"{example.before.say} {example.before.answer}" if example.before else "")
                    assert value in said, (example.say, name)
