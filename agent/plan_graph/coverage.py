"""Coverage: what of a request no step of the plan serves, in every language and without knowing a word of it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.contracts import PlanStep
from agent.plan_graph.grounding import FILE_NAME
from agent.plan_graph.quotes import PIECE, Quoted
from agent.wording import is_little

FEW, SOME = 2, 3
"""Words of meaning, or pieces of any kind around one of them, that are worth to be asked about."""


def uncovered(request: str, steps: Sequence[PlanStep], left_out: Sequence[str]) -> list[str]:
    """Parts of a request that were forgotten, in the person's words and in their order.

    Forgotten is what no step quotes and no step was given, and what a step quotes and did not use although it names a
    file or an address. A plan that quotes nothing says nothing of what it serves.

    Args:
        request: the person's words.
        steps: the plan.
        left_out: quotes of what the person does not want, as the model marked them.
    """
    if not any(step.quote for step in steps):
        return []
    quoted = Quoted(request, steps)
    used = quoted.used()
    left = [place for words in left_out if (place := quoted.find(words))]
    served = quoted.marked([*quoted.spans.values(), *left], used)
    parts = [part for part in quoted.stretches(served) if _matters(part)]
    for step in steps:
        if step.kind == "task" and step.id in quoted.spans:
            inside = list(quoted.stretches(quoted.marked(left, used), *quoted.spans[step.id]))
            parts += [part for part in inside if FILE_NAME.search(part)]
    return list(dict.fromkeys(parts))


def _matters(part: str) -> bool:
    pieces = [piece for piece in PIECE.findall(part) if piece[0].isalnum()]
    meaning = [piece for piece in pieces if not is_little(piece)]
    named = any(character.isdigit() for character in part)
    return len(meaning) >= FEW or (bool(meaning) and (named or len(pieces) >= SOME))
