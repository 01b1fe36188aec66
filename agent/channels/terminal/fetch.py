"""Fetching a model's weights with a progress bar; a line now and then where nothing can move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from agent.llm.weights import pull

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from agent.config import AppConfig

TENTHS = 10


class _Lines:
    """Says every tenth of the way in a line of its own, and every new stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = ("", -1)

    def __call__(self, done: int, total: int, text: str) -> None:
        tenth = done * TENTHS // total if total else 0
        if (text, tenth) != self._said:
            self._said = (text, tenth)
            self._console.print(f"{text}: {tenth * 100 // TENTHS} %", highlight=False)


async def fetch_model(console: Console, config: AppConfig, name: str) -> Path:
    """Fetches the weights of an embedded model and shows how far it is.

    Args:
        console: where to draw; moves only in a terminal.
        config: says from where and to where.
        name: a model that `aura model list` names.

    Returns:
        The weights' path.

    Raises:
        AgentError: no such model, no source reachable, wrong hash, no room.
    """
    if not console.is_terminal:
        return await pull(config, name, report=_Lines(console))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)
        return await pull(
            config,
            name,
            report=lambda done, total, text: bar.update(task, completed=done, total=total or None, description=text),
        )
