"""InterruptService: checks guards while tasks run, and has what they find handled first (seed 000)."""

from __future__ import annotations

from aura_core.interrupts.events import InterruptFired
from aura_core.interrupts.service import InterruptService

__all__ = ["InterruptFired", "InterruptService"]
