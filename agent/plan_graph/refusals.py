"""What the person does not want: a step with effects that may be just that asks first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from agent.contracts import PlanStep
from agent.plan_graph.draft import Draft
from agent.plan_graph.quotes import Quoted, literals, passages

NEGATION = re.compile(
    r"\b(?:not|cannot|\w+n['’]t|no|never|without|neither|nor)\b"
    r"|\b(?:не|нет|нельзя|без|ни|никогда)\b"
    r"|[不别別勿没沒無无莫]"
    r"|\b(?:nicht|kein\w*|ohne|nie|niemals|pas|sans|jamais|nunca|sin|não|sem|non|senza|nie|bez)\b",
    re.IGNORECASE,
)
"""The negation of a language is a closed class of a few words: a second sign, beside what the model marks."""
_BOUNDARY = re.compile(r"[.,:](?!\w)|[;!?…\n。，；：！？、()]")


def confirm_refused(draft: Draft) -> None:
    """Lets the person confirm a step with effects that may be what they do not want: "don't save it", "but not there".

    The model marks such words itself; a negation in the clause of a step is the second sign. What a step was given does
    not count: who wants to be reminded not to be late has forbidden nothing.
    """
    quoted = Quoted(draft.world.known.request, draft.steps)
    for step in list(draft.steps):
        if step.effects == "read":
            continue
        start, end = quoted.spans.get(step.id, (0, len(quoted.request)))
        clause = _clause(quoted, step, draft.world.left_out)
        unwanted = {words: span for words in draft.world.left_out if (span := quoted.find(words))}
        marked = [words for words, (first, last) in unwanted.items() if first < end and start < last]
        mentioned = [passage for passage in passages(quoted.request) if _is_only_mentioned(step, passage)]
        if draft.world.known.request.strip() in literals(step) and not draft.world.deliberate:
            mentioned.append(step.quote)
        if marked or mentioned or NEGATION.search(clause):
            said = " ".join([*marked, *mentioned, clause][0].split())
            draft.change(step, f"asks first, since it was said: {said}", confirm=said)


def _is_only_mentioned(step: PlanStep, passage: str) -> bool:
    """Whether a step was given a part of what somebody quotes: who asks how to say "delete all notes" wants no less."""
    return any(text in passage and text != passage for text in literals(step))


def _clause(quoted: Quoted, step: PlanStep, left_out: Sequence[str]) -> str:
    """The clauses around a step's quote, up to the next mark or quote, without what the step was given.

    Where the quote has several clauses, those count in which the step was given something.
    """
    text = quoted.request
    start, end = quoted.spans.get(step.id, (0, len(text)))
    others = [span for name, span in quoted.spans.items() if name != step.id]
    others += [span for words in left_out if (span := quoted.find(words))]
    first = max([0, *(stop for _, stop in others if stop <= start)])
    last = min([len(text), *(begin for begin, _ in others if begin >= end)])
    given = sorted(literals(step), key=len, reverse=True)
    clauses = [first, *(mark.end() for mark in _BOUNDARY.finditer(text, first, last)), last]
    own = [text[one:two] for one, two in pairwise(clauses) if one < end and two > start]
    meant = [clause for clause in own if any(words in clause for words in given)] or own
    joined = " ".join(meant)
    for words in given:
        joined = joined.replace(words, " ")
    return joined
