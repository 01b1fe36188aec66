"""No model at all: the plan of the most similar past request (BM25), copied as it is."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

from agent.contracts import PastPlan
from evaluation.systems.prompts import document
from evaluation.systems.system import Made, System, Task

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")


class Nearest:
    """Copies."""

    async def plan(self, task: Task) -> Made:
        """The nearest past plan, whatever the request says of it."""
        found = nearest_of(task.request, task.past)
        if found is None:
            return Made(None, "there is no past plan")
        return Made(document([(step["task"], step.get("inputs", {})) for step in found.steps], task.cards or []))


def nearest_of(request: str, past: Sequence[PastPlan]) -> PastPlan | None:
    """The past plan whose request has most in common with this one; None without any.

    A run of Chinese or Japanese counts by pairs of characters.
    """
    from rank_bm25 import BM25Plus  # noqa: PLC0415 (it brings numpy)

    if not past:
        return None
    index = BM25Plus([words(plan.request) or ["\0"] for plan in past])
    scores: Sequence[float] = index.get_scores(words(request))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportAssignmentType] (rank_bm25 has no types)
    return past[max(range(len(past)), key=lambda place: float(scores[place]))]


def words(text: str) -> list[str]:
    """The words of a text without case, and pairs of characters where a language has no spaces."""
    found = WORD.findall(text.casefold())
    pairs = [left + right for left, right in pairwise(found) if len(left) == len(right) == 1]
    return [*found, *pairs]


@asynccontextmanager
async def nearest(_: frozenset[str]) -> AsyncGenerator[System]:
    """Copying as one of the systems."""
    yield Nearest()
