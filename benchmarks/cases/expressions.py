"""Expressions: ours beside Jinja, compiled beforehand as every careful user of Jinja does, and beside plain Python."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import jinja2

from aura_core.expressions import compile_template
from benchmarks.case import AURA, FLOOR, Case, Contestant, Series, Size, Target, ratio
from benchmarks.stopwatch import per_call

CALLS = 20_000
VARIABLES = 1000
JINJA = "Jinja, compiled before"
UNIT = "µs an evaluation"
SMALL = "{{ a.b[0] + 1 }}"
LARGE = "the same beside 1000 variables"
CONDITION = "{{ n < 10 and name == 'milk' }}"
TEXT = "Hello {{ name }}, {{ n }} new"
FILTERS = "{{ rows | map(attribute='id') | list }}"
SCOPE: dict[str, Any] = {
    "a": {"b": [1, 2]},
    "n": 3,
    "name": "milk",
    "rows": [{"id": number} for number in range(10)],
}


@asynccontextmanager
async def _prepare(size: Size) -> AsyncGenerator[Sequence[Series]]:
    calls = size.of(CALLS)
    many = {**SCOPE, **{f"variable_{number}": number for number in range(VARIABLES)}}
    uncached = Contestant("Jinja, compiled each time", per_call(lambda: _jinja(SMALL)(SCOPE), size.of(200), 2))
    yield [
        _series(SMALL, SMALL, SCOPE, lambda scope: scope["a"]["b"][0] + 1, calls, uncached),
        _series(LARGE, SMALL, many, lambda scope: scope["a"]["b"][0] + 1, calls),
        _series(CONDITION, CONDITION, SCOPE, lambda scope: scope["n"] < 10 and scope["name"] == "milk", calls),
        _series(TEXT, TEXT, SCOPE, lambda scope: f"Hello {scope['name']}, {scope['n']} new", calls),
        _series(FILTERS, FILTERS, SCOPE, lambda scope: [row["id"] for row in scope["rows"]], size.of(2000)),
    ]


def _series(
    name: str,
    source: str,
    scope: Mapping[str, Any],
    plain: Callable[[Mapping[str, Any]], Any],
    calls: int,
    *others: Contestant,
) -> Series:
    ours, theirs, expected = compile_template(source).render, _jinja(source), plain(scope)
    contestants = [
        Contestant(FLOOR, per_call(lambda: plain(scope), calls, expected)),
        Contestant(AURA, per_call(lambda: ours(scope), calls, expected)),
        Contestant(JINJA, per_call(lambda: theirs(scope), calls // 10, expected)),
    ]
    return Series(name, UNIT, [*contestants, *others])


def _jinja(source: str) -> Callable[[Mapping[str, Any]], Any]:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 (no HTML here)
    if source.startswith("{{") and source.endswith("}}"):
        return environment.compile_expression(source[2:-2].strip(), undefined_to_none=False)
    return environment.from_string(source).render


CASE = Case(
    "expressions",
    "one expression whose value keeps its type",
    _prepare,
    (
        Target(f"{SMALL}: at most a tenth of cached Jinja", 0.1, ratio(SMALL, JINJA)),
        Target("the same beside 1000 variables", 0.1, ratio(LARGE, JINJA)),
        Target(f"{CONDITION}: at most a tenth", 0.1, ratio(CONDITION, JINJA)),
    ),
)
