"""What a person is shown of a run: which results count, which failed, and all of it as text without a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.contracts import Artifact, ExecutorResponse, PlanStep
from agent.phrases import Language, phrase
from agent.plan_graph.edges import reference_ids
from agent.rendering import says_itself, summarize_output

SHORT = 600
"""Characters up to which a text that was made for a file is shown too."""
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d{3})*(?:[.,]\d+)?")
_FORMULA = re.compile(r"[\d\s.,+\-*/%^()×÷=]+|.*\d.*[+*/^×÷%].*")


@dataclass(frozen=True, slots=True)
class Shown:
    """One result that belongs into the answer.

    Attributes:
        title: what the step was for.
        text: the result for a person.
        step: the step, if it is of the latest plan.
        response: how it ended.
    """

    title: str
    text: str
    step: PlanStep | None
    response: ExecutorResponse


def shown_results(steps: Sequence[PlanStep], responses: Sequence[ExecutorResponse]) -> list[Shown]:
    """Successful results in planned order, without those that only served another step and without answers.

    A short text that was made to be saved is shown as well: who asks for a haiku in a file wants to read it.
    """
    by_id = {step.id: step for step in steps}
    place = {step.id: number for number, step in enumerate(steps)}
    ended_well = {response.step_id for response in responses if response.ok}
    found: list[Shown] = []
    for response in sorted(responses, key=lambda one: place.get(one.step_id, -1)):
        step = by_id.get(response.step_id)
        if not response.ok or (step is not None and step.kind == "ask_user"):
            continue
        users = [other for other in steps if response.step_id in reference_ids(other) and other.id in ended_well]
        whole = response.output is not None and response.status != "partial"
        text = summarize_output(response.output) if whole else response.summary
        made_to_keep = all(user.effects != "read" for user in users) and isinstance(response.output, str)
        if not users or (made_to_keep and len(text) <= SHORT and not response.untrusted):
            found.append(Shown(step.title if step else response.step_id, text, step, response))
    return found


def failures(steps: Sequence[PlanStep], responses: Sequence[ExecutorResponse], language: Language) -> list[str]:
    """A line for every step of the latest plan that failed, and one for all that could not be done because of that.

    Failures of an earlier plan are told only if the latest one brought nothing.
    """
    by_id = {step.id: step for step in steps}
    bad = [response for response in responses if response.status in ("error", "blocked", "cancelled")]
    late = [response for response in bad if response.step_id in by_id]
    helped = any(response.ok and response.step_id in by_id for response in responses)
    told = late if late or helped else bad
    lines = [_failed(response, by_id, language) for response in told if response.status != "blocked"]
    blocked = [f"**{_title_of(response, by_id)}**" for response in told if response.status == "blocked"]
    return [*lines, f"{', '.join(blocked)}: {phrase('blocked', language)}."] if blocked else lines


def _failed(response: ExecutorResponse, by_id: Mapping[str, PlanStep], language: Language) -> str:
    title, said = _title_of(response, by_id), response.error or response.summary
    verb = phrase("failed", language)
    return f"**{title}** {verb}: {said}" if said else f"**{title}** {verb}."


def _title_of(response: ExecutorResponse, by_id: Mapping[str, PlanStep]) -> str:
    step = by_id.get(response.step_id)
    return (step.title if step else "") or response.step_id


def plain_text(shown: Sequence[Shown]) -> str:
    """The results as an answer, written by code alone; a result that says itself in words needs no title."""
    texts = sum(isinstance(part.response.output, str) for part in shown)
    return "\n\n".join(_told(part, alone=len(shown) == 1, texts=texts) for part in shown)


def missing_files(text: str, artifacts: Sequence[Artifact], language: Language) -> str:
    """A line with the files that the text does not name; empty if it names them all."""
    unnamed = [item.path for item in artifacts if item.path not in text]
    return f"{phrase('files', language)}: {', '.join(dict.fromkeys(unnamed))}" if unnamed else ""


def numbers_in(text: str) -> set[str]:
    """The numbers of a text, without what separates thousands, so that 1,234 and 1234 are the same."""
    return {_bare(match) for match in _NUMBER.findall(text)}


def _bare(number: str) -> str:
    digits = re.sub(r"[.,\u00a0\u202f ](?=\d{3}(?:\D|$))", "", number)
    return digits.replace(",", ".").lstrip("0") or "0"


def _told(part: Shown, *, alone: bool, texts: int) -> str:
    formula = _formula(part)
    if formula:
        return f"{formula} = {part.text}"
    output = part.response.output
    in_words = says_itself(output) or (isinstance(output, str) and texts == 1)
    if alone or (in_words and not part.response.untrusted):
        return part.text
    block = "\n" in part.text or part.text.startswith(("- ", "|"))
    return f"**{part.title}**\n{part.text}" if block else f"**{part.title}**: {part.text}"


def _formula(part: Shown) -> str:
    """What was calculated, where a step made a number of it; else empty."""
    values = [value for value in part.step.inputs.values() if isinstance(value, str)] if part.step else []
    if len(values) != 1 or "${" in values[0] or not _NUMBER.fullmatch(part.text.lstrip("-")):
        return ""
    return values[0].strip() if _FORMULA.fullmatch(values[0]) else ""
