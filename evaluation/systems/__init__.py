"""Planners beside each other: Aura, an earlier build of it, and what others do with the same model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from benchmarks.builds import EARLIER
from evaluation.systems.aura import aura
from evaluation.systems.earlier import earlier_build
from evaluation.systems.nearest import nearest
from evaluation.systems.one_prompt import one_prompt
from evaluation.systems.react import react
from evaluation.systems.system import System

AURA = "aura"
Opening = Callable[[frozenset[str]], AbstractAsyncContextManager[System]]
SYSTEMS: dict[str, Opening] = {
    AURA: aura,
    EARLIER: earlier_build,
    "react": react,
    "one-prompt": one_prompt,
    "nearest": nearest,
}
"""Name -> opens it, for a block; the set is what is switched off in it, which only Aura knows."""

__all__ = ["AURA", "SYSTEMS", "Opening", "System"]
