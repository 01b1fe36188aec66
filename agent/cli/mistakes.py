"""How mistakes in plans look on a terminal: `aura check` in full, every other command in short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.invocation import out, remark
from aura_core.errors import Problem
from aura_core.language.display import Part, in_short, shown

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {
    "place": "bold",
    "error": "bold red",
    "warning": "bold yellow",
    "message": "bold",
    "inside": "dim",
    "margin": "blue",
    "caret": "bold red",
    "hint": "cyan",
}


def print_mistakes(problems: Iterable[Problem]) -> None:
    """Prints every mistake with its line and a caret, an empty line between two.

    Colours only where a terminal shows them; lines are never wrapped.
    """
    console = out()
    for index, (_, parts) in enumerate(shown(problems)):
        if index:
            console.print()
        console.print(_styled(parts), soft_wrap=True)


def warn_of_refused(problems: Sequence[Problem], plan: str = "") -> None:
    """Tells on standard error which mistakes keep plans away, in one line each.

    Args:
        problems: of all plans.
        plan: only those of this plan; empty: all.
    """
    for line in refused(problems, plan):
        remark(line, style="yellow")


def refused(problems: Sequence[Problem], plan: str = "") -> list[str]:
    """Which mistakes keep plans away, in one line each; see `warn_of_refused`."""
    its = [problem for problem in problems if not plan or plan in Path(problem.path).parts]
    return [f"left out: {line}" for line in in_short(its)]


def _styled(parts: Iterable[Part]) -> Text:
    from rich.text import Text

    text = Text()
    for kind, piece in parts:
        text.append(piece, style=_STYLES.get(kind, ""))
    return text
