"""What the person does not want: steps that would do it are left out, and where that is not sure the person is asked."""

from __future__ import annotations

import re

from agent.contracts import PlanStep
from agent.plan_graph.draft import Draft
from agent.plan_graph.quotes import Quoted, literals

NEGATION = re.compile(
    r"\b(?:not|cannot|\w+n['’]t|no|never|without|neither|nor)\b"
    r"|\b(?:не|нет|нельзя|без|ни|никогда)\b"
    r"|[不别別勿没沒無无莫]"
    r"|\b(?:nicht|kein\w*|ohne|nie|niemals|pas|sans|jamais|nunca|sin|não|sem|non|senza|nie|bez)\b",
    re.IGNORECASE,
)
"""The negation of a language is a closed class of a few words: this list is whole for these languages."""
_BOUNDARY = re.compile(r"[.,;:!?…\n。，；：！？、()]")


def leave_out_refused(draft: Draft) -> None:
    """Removes steps with effects that serve words which the model itself marked as not wanted."""
    for words in draft.world.left_out:
        for step in reversed(draft.steps.copy()):
            if step.effects != "read" and step.quote and step.quote in words:
                draft.remove(step.id, f"dropped, the person said: {words}")


def confirm_negated(draft: Draft) -> None:
    """Lets the person confirm a step with effects whose clause says no: "don't save it", "but not to the list".

    What a step was given does not count: who wants to be reminded not to be late has forbidden nothing.
    """
    quoted = Quoted(draft.world.known.request, draft.steps)
    for step in list(draft.steps):
        if step.effects != "read" and step.id in quoted.spans:
            clause = _clause(quoted, step)
            if NEGATION.search(clause):
                draft.change(step, f"asks first, since it was said: {clause}", confirm=clause)


def _clause(quoted: Quoted, step: PlanStep) -> str:
    """The words around a step's quote up to the next mark or quote, without what the step was given."""
    text = quoted.request
    start, end = quoted.spans[step.id]
    others = [span for name, span in quoted.spans.items() if name != step.id]
    first = max([0, *(stop for _, stop in others if stop <= start)])
    last = min([len(text), *(begin for begin, _ in others if begin >= end)])
    before = _BOUNDARY.split(text[first:start])[-1]
    after = _BOUNDARY.split(text[end:last])[0]
    own = text[start:end]
    for given in sorted(literals(step), key=len, reverse=True):
        own = own.replace(given, " ")
    return " ".join(f"{before}{own}{after}".split())
