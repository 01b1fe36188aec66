"""Which examples the planner's model sees: some always, those nearest to the request beside it.

They are made of the tasks that are listed, whoever wrote those: a plugin's own examples, plans that ended well before,
and where there are none, one that code makes from what tasks give and need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from agent.contracts import ExampleStep, PastPlan, PlanExample, TaskCard
from agent.plan_graph.types import finder_of, needs_of
from agent.wording import rank
from aura_core.language.examples import MODEL_STEPS

STANDING, OF_MODELS, REPLIES = 16, 10, 3
"""Examples that every request of a profile is shown, and how many of them show what no task does, and replies. They are
read once and stay cached, but the first request of a new machine waits until they are read."""
NEAREST, JOINED = 2, 2
"""Examples of several steps beside a request, and examples of one step that are joined to one more."""
_TALK = PlanExample(say="Hello!", steps=[ExampleStep(words="Hello!", task="llm")])


def standing_examples(cards: Sequence[TaskCard], examples: Sequence[PlanExample]) -> list[PlanExample]:
    """The examples that stand in the rules; the same for every request with the same tasks.

    First come those of what no task does (answering, asking, leaving out) and replies, then the plans take turns. At
    least one has several steps and is made of listed tasks, if there are two tasks at all.
    """
    fit = list(fitting(cards, examples))
    of_models = [one for one in fit if any(step.task in MODEL_STEPS for step in one.steps)]
    of_tasks = [one for one in fit if one not in of_models]
    replies = [one for one in of_tasks if one.before is not None]
    shown = [*_in_turn(of_models)[:OF_MODELS], *_in_turn(replies)[:REPLIES]]
    shown += _in_turn([one for one in of_tasks if one.before is None])[: STANDING - len(shown)]
    if not any(_several_tasks(one) for one in shown):
        shown = [*(shown or [_TALK]), *made_from_types(cards)]
    return shown


def _in_turn(examples: Sequence[PlanExample]) -> list[PlanExample]:
    """Examples of different plans, and of different steps of a model, in turn."""
    groups: dict[str, list[PlanExample]] = {}
    for one in examples:
        groups.setdefault(one.steps[0].task.split("/")[0], []).append(one)
    return [one for row in zip_longest(*groups.values()) for one in row if one is not None]


def nearest_examples(
    cards: Sequence[TaskCard], pool: Iterable[PlanExample], standing: Sequence[PlanExample], request: str
) -> list[PlanExample]:
    """The examples that have most in common with a request, the nearest last, where a model looks first.

    Tasks' own examples have one step each; the nearest two of different tasks are joined, so that nobody learns that a
    request is one step.
    """
    shown = {one.say for one in standing}
    several = [one for one in fitting(cards, pool) if one.say not in shown]
    single = [example for card in cards for example in card.plan_examples()]
    near = list(_nearest(several, request, NEAREST))
    tasks: dict[str, PlanExample] = {}
    for example in _nearest(single, request, len(single)):
        tasks.setdefault(example.steps[0].task, example)
    return [*reversed(near), *joined(list(tasks.values())[:JOINED])]


def tasks_of_nearest(past: Sequence[PastPlan], request: str) -> set[str]:
    """The tasks of the past plans that are nearest to a request: they stay in a short-list."""
    near = _nearest([example_of(one) for one in past], request, NEAREST)
    return {step.task for one in near for step in one.steps}


def joined(examples: Sequence[PlanExample]) -> list[PlanExample]:
    """Requests of one step each as one request; none for none."""
    if not examples:
        return []
    return [
        PlanExample(say="; ".join(one.say for one in examples), steps=[step for one in examples for step in one.steps])
    ]


def _nearest(examples: Sequence[PlanExample], request: str, count: int) -> Iterable[PlanExample]:
    """The nearest first, as far as they have anything in common with the request."""
    scores = rank([one.say for one in examples], request)
    best = sorted(zip(scores, range(len(examples)), strict=True), key=lambda pair: (-pair[0], pair[1]))[:count]
    return [examples[place] for score, place in best if score > 0]


def example_of(past: PastPlan) -> PlanExample:
    """A plan of the past as an example; a step that does not say which words it serves serves the whole request."""
    steps = [
        ExampleStep(words=step.get("for") or past.request, task=step["task"], inputs=step.get("inputs") or {})
        for step in past.steps
    ]
    return PlanExample(say=past.request, steps=steps)


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
    return dict.fromkeys(names, "…")


def _several_tasks(example: PlanExample) -> bool:
    return len([step for step in example.steps if step.task not in MODEL_STEPS]) > 1
