"""What .venv can be set up for, and what that takes; the sizes are measured, on Linux."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose: its lock is complete in itself."""

    name: str
    lock: str
    about: str
    fetched: int
    """Megabytes of packages."""
    room: int
    """Megabytes that the disk must have before an empty .venv is filled, with what is needed in passing."""
    folder: str = ".venv"
    includes: str = ""
    """The purpose whose pins are a part of these."""
    checkout: bool = True
    """Whether the checkout itself is installed, as `aura`."""
    pips: bool = False
    """Whether the old pips that the tests install with are fetched as well."""


PURPOSES = {
    purpose.name: purpose
    for purpose in (
        Purpose("chat", "requirements.lock", "chatting", 92, 445),
        Purpose("test", "requirements-test.lock", "chatting and the tests", 102, 465, includes="chat", pips=True),
        Purpose("check", "requirements-check.lock", "everything that is checked", 182, 915, includes="test", pips=True),
        Purpose("eval", "requirements-eval.lock", "chatting and the evaluation", 116, 545, includes="chat"),
        Purpose("bench", "requirements-bench.lock", "the benchmarks", 132, 615, folder=".venv/bench", checkout=False),
    )
}
