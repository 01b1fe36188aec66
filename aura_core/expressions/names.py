"""Which filters and globals the fast path knows, and which are left to the sandbox."""

from __future__ import annotations

FAST_FILTERS = frozenset(
    {
        "abs",
        "capitalize",
        "count",
        "d",
        "date",
        "default",
        "first",
        "float",
        "fromjson",
        "int",
        "join",
        "last",
        "length",
    }
    | {"list", "lower", "replace", "round", "sort", "string", "sum", "title", "tojson", "trim", "upper"},
)
"""Filters that simple expressions may use."""
FAST_GLOBALS = frozenset({"config", "now"})
"""Functions that simple expressions may call."""
SLOW_GLOBALS = frozenset({"range", "dict"})
"""Functions that only the sandbox knows."""
GLOBALS = FAST_GLOBALS | SLOW_GLOBALS
LITERAL = FAST_FILTERS | GLOBALS | {"defined", "undefined", "get"}
"""Names that change what an expression compiles to."""
