"""Which examples the planner's model sees: some always, those nearest to the request beside it.

They are made of the tasks that are listed, whoever wrote those: a plugin's own examples, plans that ended well before,
and where there are none, one that code makes from what tasks give and need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.contracts import ExampleStep, PlanExample, TaskCard
from agent.plan_graph.types import finder_of, needs_of
from agent.wording import rank
from aura_core.language.examples import MODEL_STEPS

STANDING = 10
"""Examples that every request of a profile is shown; they are read once and stay cached."""
NEAREST = 3
_TALK = PlanExample(say="Hello!", steps=[ExampleStep(words="Hello!", task="llm")])


def standing_examples(cards: Sequence[TaskCard], examples: Sequence[PlanExample]) -> list[PlanExample]:
    """The examples that stand in the rules; the same for every request with the same tasks.

    At least one of them has several steps and is made of listed tasks, if there are two tasks at all.
    """
    shown = list(fitting(cards, examples))[:STANDING]
    if not any(_several_tasks(one) for one in shown):
        shown = [*(shown or [_TALK]), *made_from_types(cards)]
    return shown


def nearest_examples(
    cards: Sequence[TaskCard], pool: Iterable[PlanExample], standing: Sequence[PlanExample], request: str
) -> list[PlanExample]:
    """The examples that have most in common with a request, the nearest last, where a model looks first."""
    shown = {one.say for one in standing}
    own = [example for card in cards for example in card.plan_examples()]
    known = {one.say: one for one in fitting(cards, [*own, *pool]) if one.say not in shown}
    scores = rank(known, request)
    best = sorted(zip(scores, known.values(), strict=True), key=lambda pair: -pair[0])[:NEAREST]
    return [example for score, example in reversed(best) if score > 0]


def fitting(cards: Sequence[TaskCard], examples: Iterable[PlanExample]) -> Iterable[PlanExample]:
    """The examples all of whose tasks are listed."""
    names = {card.task for card in cards} | {*MODEL_STEPS}
    return (one for one in examples if all(step.task in names for step in one.steps))


def made_from_types(cards: Sequence[TaskCard]) -> list[PlanExample]:
    """An example of two steps from the catalogue alone: a task that finds what another needs, else two side by side."""
    for card in cards:
        for name, kind in needs_of(card).items():
            finder = finder_of(kind, cards, card)
            if finder is not None:
                return [_example(finder, card, {name: "${s1}"})]
    return [_example(cards[0], cards[1], {})] if len(cards) > 1 else []


def _example(first: TaskCard, second: TaskCard, link: dict[str, str]) -> PlanExample:
    one, other = _words(first), _words(second)
    steps = [
        ExampleStep(words=one, task=first.task, inputs=_inputs(first)),
        ExampleStep(words=other, task=second.task, inputs=_inputs(second) | link),
    ]
    return PlanExample(say=f"{one}, then {other}", steps=steps)


def _words(card: TaskCard) -> str:
    text = (card.description or card.title or card.task).split(".")[0].strip()
    return " ".join(text.split()[:12])


def _inputs(card: TaskCard) -> dict[str, str]:
    names = [name for name in card.required if card.properties[name].get("type", "string") == "string"]
    return {name: "…" for name in names}


def _several_tasks(example: PlanExample) -> bool:
    return len([step for step in example.steps if step.task not in MODEL_STEPS]) > 1
