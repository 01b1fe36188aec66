"""Pruning a plan: the same step twice is done once, a look-up that nobody asked for and nobody uses is left out."""

from __future__ import annotations

import re

from agent.contracts import PlanStep, TaskCard
from agent.phrases import language_of
from agent.plan_graph.draft import Draft
from agent.plan_graph.edges import needed_ids
from agent.plan_graph.grounding import KnownWords, is_grounded
from agent.plan_graph.identity import same_work
from agent.plan_graph.order import touched
from agent.references import Reference, find_references, replace_references

_WANTS_SEVERAL = re.compile(
    r"\b(?:two|three|four|five|six|several|many|few|twice|thrice|times|again|each|another|different|variants?|versions?"
    r"|[2-9]|\d\d+)\b|\b(?:дв[ае]|три|четыре|пять|несколько|дважды|трижды|раза?|ещё|еще|разн\w+)\b|[两兩二三四五几幾]|次|再|多个",
    re.IGNORECASE,
)
"""The person may want the same thing more than once."""
_WORD = re.compile(r"[^\W\d_]{3,}|\d+|[\u3040-\u30ff\u3400-\u9fff]{2}")
_LITTLE_WORDS = frozenset(
    {
        "the",
        "and",
        "for",
        "with",
        "that",
        "this",
        "from",
        "into",
        "its",
        "then",
        "all",
        "are",
        "how",
        "what",
        "you",
        "can",
    }
)


def merge_repeated_steps(draft: Draft) -> None:
    """Removes a step that says exactly what an earlier one says, where doing it once is the same or surely meant."""
    if _WANTS_SEVERAL.search(draft.world.known.request):
        return
    for step_id in [step.id for step in draft.steps]:
        place = draft.position(step_id)
        step = draft.steps[place]
        twin = next((one for one in draft.steps[:place] if same_work(one, step)), None)
        if twin is not None and not _changed_between(draft, twin, step):
            draft.remove(step.id, f"dropped, it repeats {twin.id}")
            _redirect(draft, step.id, twin.id)


def drop_unused_lookups(draft: Draft) -> None:
    """Removes read steps that nobody uses and that have nothing in common with the request, where others have.

    Common is a word of the step or of its task, or an input that the request says literally, such as `12*7`.
    Tasks describe themselves in English, so only an English request can be compared with them.
    """
    if language_of(draft.world.known.request) != "en":
        return
    request = _words(draft.world.known.request)
    related = {
        step.id
        for step in draft.steps
        if (_words_of(draft, step) & request or _quotes(draft, step)) and not _read_by_another(draft, step, request)
    }
    if not related:
        return
    for step in reversed(draft.steps.copy()):
        needed = set[str]().union(*(needed_ids(other) for other in draft.steps))
        idle = step.kind == "task" and step.effects == "read" and step.id not in needed and step.id not in related
        if idle and len(draft.steps) > 1:
            draft.remove(step.id, f"dropped, nobody asked for {step.task} and nothing uses it")


def drop_unasked_actions(draft: Draft) -> None:
    """Removes steps with effects that nobody asked for; a plan is never emptied by this.

    Their task has no word in common with the request, what they were given was not said, and nothing uses them.
    """
    known = draft.world.known
    for step in reversed(draft.steps.copy()):
        card = draft.card(step)
        needed = set[str]().union(*(needed_ids(other) for other in draft.steps))
        if card is None or card.effects == "read" or step.id in needed or len(draft.steps) == 1:
            continue
        said = [value for value in step.inputs.values() if isinstance(value, str) and not find_references(value)]
        own_words = bool(said) and all(is_grounded(value, KnownWords(known.request)) for value in said)
        if not own_words and not speaks_of(known.request, card, beside=_task_names(draft, step)):
            draft.remove(step.id, f"dropped, nobody asked for {step.task}")


def speaks_of(request: str, card: TaskCard, *, beside: str = "") -> bool:
    """Whether a request has a word in common with what a task says of itself, or cannot be compared with it.

    Tasks describe themselves in English.

    Args:
        request: the person's words.
        card: the task.
        beside: words that do not count, because other steps account for them: who has a poem written by one task
            has not asked for files to be written.
    """
    return language_of(request) != "en" or bool((_words(request) - _words(beside)) & _words(_described(card)))


def _task_names(draft: Draft, step: PlanStep) -> str:
    """The plain names of the other steps' tasks."""
    others = {one.task for one in draft.steps if one.task and one.task != step.task}
    return " ".join(task.rsplit("/", 1)[-1].replace("_", " ") for task in others)


def _changed_between(draft: Draft, first: PlanStep, second: PlanStep) -> bool:
    """Whether a step planned between the two writes what they touch, so that the second one sees something new."""
    between = draft.steps[draft.position(first.id) + 1 : draft.position(second.id)]
    return any(one.effects != "read" and touched(draft, one) & touched(draft, second) for one in between)


def _redirect(draft: Draft, old: str, new: str) -> None:
    def follow(reference: Reference) -> str:
        return str(Reference(new if reference.step == old else reference.step, reference.path))

    for step in list(draft.steps):
        needs = [new if need == old else need for need in step.depends_on]
        draft.change(
            step,
            inputs=replace_references(step.inputs, follow),
            question=str(replace_references(step.question, follow)),
            depends_on=[need for need in dict.fromkeys(needs) if need != step.id],
        )


def _read_by_another(draft: Draft, step: PlanStep, request: set[str]) -> bool:
    """Whether another step, given the same things, looks them up itself; not if the request names this one."""
    given = step.inputs.items()
    others = [other for other in draft.steps if other.kind == "task" and other.task != step.task]
    named = bool(_words((step.task or "").rsplit("/", 1)[-1].replace("_", " ")) & request)
    return (
        bool(given)
        and _flat(step)
        and not named
        and any(given <= other.inputs.items() for other in others if _flat(other))
    )


def _flat(step: PlanStep) -> bool:
    return all(isinstance(value, str | int | float) for value in step.inputs.values())


def _quotes(draft: Draft, step: PlanStep) -> bool:
    said = "".join(draft.world.known.request.casefold().split())
    return any(
        "".join(str(value).casefold().split()) in said
        for value in step.inputs.values()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip()
    )


def _words_of(draft: Draft, step: PlanStep) -> set[str]:
    card = draft.card(step)
    said = [step.instruction, step.question, *(str(value) for value in step.inputs.values())]
    return _words(" ".join([*said, _described(card) if card else ""]))


def _described(card: TaskCard) -> str:
    return " ".join([card.task, card.title, card.description, card.command or ""])


def _words(text: str) -> set[str]:
    """Content words, cut to their stems' length so that "notes" meets "note"."""
    return {word[:5].rstrip("s") for word in _WORD.findall(text.casefold()) if word not in _LITTLE_WORDS}
