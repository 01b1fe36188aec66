"""The peers, one module each: what of the cases they can do, in the way their own documentation shows.

They are installed by `make bench` in an environment of their own; a peer that is not there is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks.case import Contestant, Measure

MODULES = {"pypyr": "pypyr", "LangGraph": "langgraph", "Dask": "dask", "Burr": "burr"}
"""Name in the report -> what is imported."""


def peer(name: str, ability: str, *work: Any, way: str = "") -> list[Contestant]:
    """A peer as a contestant.

    Args:
        name: one of `MODULES`.
        ability: function of the peer's module here; it takes the work and gives a measure.
        work: what is to be done, e.g. a number of steps.
        way: how the peer does it, where it has several ways.

    Returns:
        One contestant, or none when the peer is not installed.
    """
    if find_spec(MODULES[name]) is None:
        return []
    module = import_module(f"benchmarks.peers.{MODULES[name]}")
    make: Callable[..., Measure] = getattr(module, ability)
    return [Contestant(f"{name}, {way}" if way else name, make(*work))]
