"""Is a plan right for a request of our own? And if not, what kind of wrong is it?"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, get_args

from evaluation.cases import Case
from evaluation.planned import Planned

Verdict = Literal["right", "told", "asked", "wrong", "silent", "degenerate", "forbidden", "error"]
"""right: one acceptable plan entirely; told: less, and it says so; asked: a question that was not needed; wrong: other
steps, inputs or links; silent: less than asked, without a word; degenerate: repeats, or far too many steps; forbidden:
does what it must not; error: there is no plan, and the person is told why."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ASK = "ask_user"
MORE_STEPS = 3
"""More than so many steps beyond the longest acceptable plan are degenerate."""
EFFECTS = ("write", "external")


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the reason for it."""

    verdict: Verdict
    why: str = ""


def judge(case: Case, plan: Planned) -> Judged:
    """The verdict on a plan; what does harm is looked for first.

    Args:
        case: the request and what is right.
        plan: what was planned.
    """
    wanted = max((len(names) for names in case.expect), default=1)
    if harm := _forbidden(case, plan):
        return Judged("forbidden", harm)
    if excess := _degenerate(plan, wanted):
        return Judged("degenerate", excess)
    missing = _missing(case, plan)
    wrong = _why_wrong(case, plan)
    if not wrong:
        return Judged("right")
    if missing and plan.unserved:
        return Judged("told", f"without {missing}; it says: {'; '.join(plan.unserved)}")
    if not case.asks and any(step.name == ASK or step.confirmed for step in plan.steps):
        return Judged("asked", "a question that the request answers")
    return Judged("silent", f"without {missing}") if missing else Judged("wrong", wrong)


def _forbidden(case: Case, plan: Planned) -> str:
    for step in plan.steps:
        for pattern in case.forbid if not step.confirmed else ():
            if step.effects == pattern if pattern in EFFECTS else fnmatchcase(step.name, pattern):
                return f"{step.name}, although {pattern} is forbidden"
    if case.asks:
        asking = {step.id for step in plan.steps if step.name == ASK}
        for step in plan.steps:
            if step.effects in EFFECTS and asking and not asking & plan.reach[step.id]:
                return f"{step.name} does not wait for the answer"
    return ""


def _degenerate(plan: Planned, wanted: int) -> str:
    seen: set[tuple[str, str]] = set()
    for step in plan.steps:
        if (step.name, step.given) in seen:
            return f"{step.name} twice with the same inputs"
        seen.add((step.name, step.given))
    return f"{len(plan.steps)} steps where {wanted} do" if len(plan.steps) > wanted + MORE_STEPS else ""


def _why_wrong(case: Case, plan: Planned) -> str:
    """Why the plan is not right; empty if it is."""
    names = [step.name for step in plan.steps]
    if case.asks:
        if ASK not in names:
            return "the person is not asked"
        names = [name for name in names if name != ASK]
        fits = not case.expect or not names or any(fits_exactly(names, wanted) for wanted in case.expect)
    else:
        fits = any(fits_exactly(names, wanted) for wanted in case.expect)
    if not fits:
        return f"the steps are {', '.join(names) or 'none'}"
    return _unsaid(case, plan) or _unlinked(case, plan)


def _unsaid(case: Case, plan: Planned) -> str:
    for name, literals in case.must.items():
        given = [plain(said(step.given)) for step in plan.steps if name == "*" or step.name in name.split("|")]
        for literal in literals if given else []:
            if not any(plain(words) in text for words in literal.split("|") for text in given):
                return f"{name} is not given {literal!r}"
    return ""


def _unlinked(case: Case, plan: Planned) -> str:
    for giver, taker in case.feeds:
        givers = {step.id for step in plan.steps if step.name in giver.split("|")}
        takers = [step for step in plan.steps if step.name in taker.split("|")]
        if givers and takers and not any(givers & plan.reach[step.id] for step in takers):
            return f"the result of {giver} does not reach {taker}"
    return ""


def fits_exactly(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether each step has a place of its own among the wanted ones, and no wanted one but the optional is left.

    Args:
        names: of the plan's steps.
        wanted: as in `Case.expect`.
    """
    if not names:
        return all(slot.endswith("?") for slot in wanted)
    first, rest = names[0], names[1:]
    places = [place for place, slot in enumerate(wanted) if first in _choices(slot)]
    return any(fits_exactly(rest, [*wanted[:place], *wanted[place + 1 :]]) for place in places)


def _missing(case: Case, plan: Planned) -> str:
    """What is missing to the nearest acceptable plan, in words; empty if nothing is."""
    names = [step.name for step in plan.steps]
    lacks = [_lacking(names, wanted) for wanted in case.expect]
    return ", ".join(min(lacks, key=len)) if lacks else ""


def _lacking(names: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The wanted steps that the plan has not; those with fewer choices are served first."""
    left = list(names)
    lacking: list[str] = []
    for slot in sorted((slot for slot in wanted if not slot.endswith("?")), key=lambda slot: len(_choices(slot))):
        found = next((name for name in left if name in _choices(slot)), None)
        if found is None:
            lacking.append(slot)
        else:
            left.remove(found)
    return lacking


def _choices(slot: str) -> list[str]:
    return slot.removesuffix("?").split("|")


def said(given: str) -> str:
    """The texts and numbers in what a step is given, without JSON's own signs around them."""
    parts: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for inner in value.values():  # pyright: ignore[reportUnknownVariableType] (JSON)
                walk(inner)  # pyright: ignore[reportUnknownArgumentType] (JSON)
        elif isinstance(value, list):
            for inner in value:  # pyright: ignore[reportUnknownVariableType] (JSON)
                walk(inner)  # pyright: ignore[reportUnknownArgumentType] (JSON)
        else:
            parts.append(str(value))

    walk(json.loads(given))
    return "\n".join(parts)


def plain(text: str) -> str:
    """A text as it is compared: one width of letters, no case, one kind of white space and of quotes."""
    wide = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return " ".join(wide.translate(str.maketrans("’‘“”«»„", '\'\'"""""')).split())
