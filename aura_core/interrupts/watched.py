"""Watched: an interrupt together with the plan it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from aura_core.language.interrupts import Interrupt


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """One interrupt as the runtime sees it.

    Attributes:
        plan: the plan that describes it; its actions and tasks are meant.
        name: its name there.
        interrupt: what interrupts.yaml says.
    """

    plan: str
    name: str
    interrupt: Interrupt

    @property
    def ref(self) -> str:
        """`plan/name`."""
        return f"{self.plan}/{self.name}"

    @property
    def order(self) -> tuple[int, str]:
        """Of several that are due at once, the lowest goes first: by priority, then by name."""
        return -self.interrupt.priority, self.ref
