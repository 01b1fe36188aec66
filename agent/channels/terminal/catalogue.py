"""The catalogue of tasks as a person searches it and sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.channels.terminal.controls import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.text import Text

    from agent.contracts import PlanExample, TaskCard

MOST_EXAMPLES = 5
"""Of one task that somebody searched for."""


def tasks_table(cards: Iterable[TaskCard], *, examples: int = 1) -> RenderableType:
    """Tasks with what they do, whether they change something, and what people say for it.

    Args:
        cards: the tasks.
        examples: how many examples of each.
    """
    from rich.table import Table  # noqa: PLC0415 (a search draws nothing)
    from rich.text import Text  # noqa: PLC0415 (the same)

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    colours = {"read": "dim", "write": "yellow", "external": "magenta"}
    for card in cards:
        effects = Text(card.effects, style=colours[card.effects])
        table.add_row(f"  {card.task}", effects, title_and_examples(card, examples))
    return table


def plans_table(examples: Iterable[PlanExample]) -> RenderableType:
    """Requests that several tasks answer together, with the tasks."""
    from rich.table import Table  # noqa: PLC0415 (as above)
    from rich.text import Text  # noqa: PLC0415 (as above)

    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for example in examples:
        tasks = ", ".join(step.task for step in example.steps)
        table.add_row(Text(f"  “{one_line(example.say)}”"), Text(tasks))
    return table


def title_and_examples(card: TaskCard, examples: int = 1) -> Text:
    """A task's title, and below it the first of its examples.

    Args:
        card: the task.
        examples: how many.
    """
    from rich.text import Text  # noqa: PLC0415 (as above)

    said = (f"“{one_line(example.say)}”" for example in card.examples[:examples])
    return Text("\n").join([Text(one_line(card.title)), *(Text(say, style="dim") for say in said)])


def searched(card: TaskCard) -> str:
    """What a search in the catalogue looks at, in one case."""
    said = " ".join(example.say for example in card.examples)
    return f"{card.task} {card.title} {card.description} {said}".casefold()
