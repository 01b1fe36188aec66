"""The peers, one module each: what of the cases they can do, in the way their own documentation shows.

They are installed by `make bench` in an environment of their own; a peer that is not there is left out, and the
report says so.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks.case import Contestant, Measure

MODULES = {"pypyr": "pypyr", "LangGraph": "langgraph", "Dask": "dask", "Burr": "burr"}
"""Name in the report -> what is imported."""


def missing() -> list[str]:
    """Names of the peers that are not installed."""
    return [name for name, module in MODULES.items() if find_spec(module) is None]


def peer(name: str, ability: str, *work: Any, way: str = "") -> list[Contestant]:
    """A peer as a contestant.

    Args:
        name: one of `MODULES`.
        ability: function of the peer's module here; it takes the work and gives a measure.
        work: what is to be done, e.g. a number of steps.
        way: how the peer does it, where it has several ways.

    Returns:
        One contestant, or none when the peer is not installed. One that cannot even begin fails when it is measured.
    """
    if find_spec(MODULES[name]) is None:
        return []
    try:
        module = import_module(f"benchmarks.peers.{MODULES[name]}")
        make: Callable[..., Measure] = getattr(module, ability)
        measure = make(*work)
    except Exception as error:  # noqa: BLE001 (a peer that breaks must not hide what the others do)
        measure = _broken(error)
    return [Contestant(f"{name}, {way}" if way else name, measure)]


def _broken(error: Exception) -> Measure:
    async def measure() -> float:
        raise error

    return measure
