"""The catalogue of tasks as a person searches it and sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.channels.terminal.controls import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from agent.contracts import TaskCard


def tasks_table(cards: Iterable[TaskCard]) -> RenderableType:
    """Tasks with what they do and whether they change something."""
    from rich.table import Table  # noqa: PLC0415 (a search draws nothing)
    from rich.text import Text  # noqa: PLC0415 (the same)

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    colours = {"read": "dim", "write": "yellow", "external": "magenta"}
    for card in cards:
        table.add_row(f"  {card.task}", Text(card.effects, style=colours[card.effects]), Text(one_line(card.title)))
    return table


def searched(card: TaskCard) -> str:
    """What a search in the catalogue looks at, in one case."""
    return f"{card.task} {card.title} {card.description}".casefold()
