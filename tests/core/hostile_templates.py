"""Renders hostile templates one after the other with little memory and time; run by test_hostile_templates.py."""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from typing import Any

from aura_core.errors import ExpressionError
from aura_core.expressions import compile_template

MEMORY = 1_000_000_000
SECONDS = 10


class Page:
    """An object that data may hold."""

    title = "x"

    def read(self) -> str:
        return "y"


def too_long(_number: int, _frame: Any) -> None:
    raise TimeoutError("it took too long")


def outcome(raw: str, scope: dict[str, Any]) -> list[Any]:
    start = time.perf_counter()
    signal.alarm(SECONDS)
    try:
        value = compile_template(raw).render(scope)
        said = ["value", repr(value)[:200]]
    except ExpressionError as error:
        said = ["refused", str(error)]
    except BaseException as error:  # noqa: BLE001 (whatever else comes out is what the test must see)
        said = ["broken", f"{type(error).__name__}: {error}"]
    finally:
        signal.alarm(0)
    return [*said, time.perf_counter() - start]


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, too_long)
    scope = {"x": "text", "n": 5, "items": list(range(1000)), "page": Page(), "d": {"a": 1}, "f": Page().read}
    json.dump([outcome(raw, scope) for raw in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
