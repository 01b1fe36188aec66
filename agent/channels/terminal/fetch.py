"""Fetching a model's weights with a progress bar; a line now and then where nothing can move."""

from __future__ import annotations

import time
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
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from agent.config import AppConfig

TENTHS = 10
WORTH_SAYING = 1.0
"""Seconds after which it can be told how long the rest will take."""


class _Lines:
    """Says every tenth of the way in a line of its own, every new stage, and how long it will still take.

    Args:
        console: where to.
        clock: seconds that never go back.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._said = ("", -1)
        self._begun: tuple[str, int, float] = ("", 0, 0.0)

    def __call__(self, done: int, total: int, text: str) -> None:
        if text != self._begun[0]:
            self._begun = (text, done, self._clock())
        tenth = done * TENTHS // total if total else 0
        if (text, tenth) != self._said:
            self._said = (text, tenth)
            self._console.print(f"{text}: {tenth * 100 // TENTHS} %{self._left(done, total)}", highlight=False)

    def _left(self, done: int, total: int) -> str:
        _, before, since = self._begun
        passed = self._clock() - since
        if passed < WORTH_SAYING or done <= before or done >= total:
            return ""
        return f", about {max(1, round((total - done) * passed / (done - before)))} s left"


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
