"""All cases, by name, in the order in which they run."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.cases import (
    cancelling,
    dag,
    dispatch,
    expressions,
    first_answer,
    fork,
    hooks,
    limits,
    load,
    loops,
    queueing,
    runs,
    start,
    steps,
    waiting,
)

MODULES = (
    *(steps, loops, expressions, fork, load, dispatch, dag, runs, limits, waiting, cancelling, queueing, hooks),
    *(start, first_answer),
)
CASES: dict[str, Case] = {module.CASE.name: module.CASE for module in MODULES}
