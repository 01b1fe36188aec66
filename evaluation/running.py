"""Planners take the requests of a set one after the other; what they planned is written down at once."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.builds import EARLIER
from evaluation import results, workloads
from evaluation.cases import Part, load_cases
from evaluation.systems import AURA, SYSTEMS
from evaluation.systems.system import Task

if TYPE_CHECKING:
    from evaluation.systems.system import System

OWN = "own"
SETS = (OWN, "bfcl", "taskbench")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned.

    Attributes:
        sets: of SETS.
        part: of our own requests.
        systems: of SYSTEMS.
        without: parts that are switched off in Aura, one run for each, beside the run with all.
        limit: at most so many requests of a set; None for all.
        seed: decides which, and in which order.
        history: whether planners see the published plans of the other requests to the same tools.
        anew: what is there is planned again.
        folder: where results go.
    """

    sets: Sequence[str] = SETS
    part: Part = "open"
    systems: Sequence[str] = tuple(SYSTEMS)
    without: Sequence[str] = ()
    limit: int | None = None
    seed: int = 1
    history: bool = False
    anew: bool = False
    folder: Path = results.FOLDER


async def run(wanted: Wanted, say: Say) -> None:
    """Plans everything that has no result yet; planners take turns set by set, so that each model is loaded once a set.

    Args:
        wanted: what.
        say: hears how far it is.
    """
    for name in wanted.sets:
        chosen = pick(requests_of(name, wanted), wanted)
        label = label_of(name, wanted)
        if not chosen:
            say(f"{label}: not there; {workloads.VARIABLE} names the folder of the public sets")
            continue
        for system, without in variants(wanted):
            title = "".join([system, *(f" without {part}" for part in sorted(without))])
            kept = results.Results.of(wanted.folder, label, title)
            if wanted.anew:
                kept.forget()
            done = kept.done()
            left = {key: task for key, task in chosen.items() if key not in done}
            if left:
                build = EARLIER if system == EARLIER else results.build()
                async with SYSTEMS[system](without) as planner:
                    await _plan_all(planner, left, kept, build, partial(_told, say, f"{label}: {title}"))


def _told(say: Say, what: str, how_far: str) -> None:
    say(f"{what}: {how_far}")


async def _plan_all(planner: System, tasks: dict[str, Task], kept: results.Results, build: str, say: Say) -> None:
    for number, (key, task) in enumerate(tasks.items(), start=1):
        say(f"{number} of {len(tasks)}")
        started = time.perf_counter()
        made = await planner.plan(task)
        seconds = time.perf_counter() - started
        kept.add(
            {
                "id": key,
                "build": build,
                "warm": number > 1,
                "plan": made.plan,
                "error": made.error,
                "seconds": round(seconds, 3),
                "load": round(os.getloadavg()[0], 1),
                "read": made.read,
                "written": made.written,
                "repairs": list(made.repairs),
            }
        )


def variants(wanted: Wanted) -> list[tuple[str, frozenset[str]]]:
    """The planners to run: each as it is, and Aura once more without each part that was named."""
    plain = [(name, frozenset[str]()) for name in wanted.systems]
    return plain + [(AURA, frozenset({part})) for part in wanted.without]


def label_of(name: str, wanted: Wanted) -> str:
    """The name of a set in results: with the part of our own, and with the history of others."""
    if name == OWN:
        return f"{name}-{wanted.part}"
    return f"{name}-with-history" if wanted.history else name


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a set: for the planner, and which ones it is like."""

    task: Task
    like: tuple[str, str]


def requests_of(name: str, wanted: Wanted) -> dict[str, Asked]:
    """Every request of a set, by id; those of one kind and one language, or one list of tools, are alike."""
    if name == OWN:
        return {
            case.id: Asked(Task(case.request, case.context, tuple(case.files)), (case.kind, case.lang))
            for case in load_cases(wanted.part)
        }
    everything = workloads.load(name)
    return {
        one.id: Asked(
            Task(one.request, cards=one.cards, past=workloads.past_of(one, everything) if wanted.history else ()),
            (one.kind, one.group),
        )
        for one in everything
    }


def pick(requests: dict[str, Asked], wanted: Wanted) -> dict[str, Task]:
    """So many of the requests as are wanted, the same for every planner and every run with this seed.

    One of each kind in each language comes before a second one of any, so that a few stand for all.
    """
    chance = random.Random(wanted.seed)  # noqa: S311 (which requests come first)
    keys = sorted(requests)
    chance.shuffle(keys)
    kinds = sorted({asked.like[0] for asked in requests.values()})
    chance.shuffle(kinds)
    rounds = Counter[tuple[str, str]]()
    places: dict[str, tuple[int, int, str]] = {}
    for key in keys:
        kind, other = requests[key].like
        places[key] = (rounds[kind, other], kinds.index(kind), other)
        rounds[kind, other] += 1
    return {key: requests[key].task for key in sorted(keys, key=places.__getitem__)[: wanted.limit]}
