"""One call of the program: its settings, where its log is, and how it prints."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from rich.console import Console

from agent import logs
from agent.channels.terminal.controls import escaped, printable
from agent.config import AppConfig
from aura_core.exits import exit_text

if TYPE_CHECKING:
    from agent.contracts import Profile


@dataclass(slots=True)
class Invocation:
    """What the commands and the guard around them share.

    Attributes:
        debug: tracebacks are shown.
        log_file: where the log goes, once the settings are read.
        json_failure: makes the `--json` document of a failure from its message; None without `--json`.
    """

    debug: bool = False
    log_file: Path | None = None
    json_failure: Callable[[str], object] | None = None


PIPE_WIDTH = 300
"""Columns of a table that no terminal shows."""
current: ContextVar[Invocation] = ContextVar("invocation")
"""The call of the program that this code works for."""


def settings(*, quiet: bool = True) -> AppConfig:
    """Reads the settings and sets up logging for this call.

    Args:
        quiet: a person sits before it; see `logs.configure`.

    Raises:
        ConfigError: aura.yaml or the environment is wrong.
    """
    config = AppConfig.load()
    invocation = current.get()
    invocation.log_file = logs.configure(config, debug=invocation.debug, quiet=quiet)
    return config


def acting_as(config: AppConfig, person: str, profile: str | None) -> tuple[AppConfig, Profile]:
    """The settings under which this person belongs to `profile`, for this call alone.

    Args:
        config: the settings.
        person: who calls, as `channel:id`.
        profile: `--profile`; None leaves it to the settings.

    Raises:
        ConfigError: there is no such profile.
    """
    if profile is None:
        return config, config.profile_of(person)
    config.profile(profile)
    profiles = {
        name: known.model_copy(update={"people": [person] if name == profile else []})
        for name, known in config.all_profiles().items()
    }
    changed = config.model_copy(update={"profiles": profiles})
    return changed, changed.profile(profile)


def asynchronously(work: Coroutine[Any, Any, int]) -> int:
    """Runs a command's coroutine to its end; Ctrl-C cancels it and becomes KeyboardInterrupt.

    `sys.exit` in an asyncio task that a plan's action started stops the event loop before anybody can catch it. Here
    the loop goes on: whoever waits for that task is told, and the program ends when its own work has.
    """
    with asyncio.Runner() as runner:
        task = runner.get_loop().create_task(work)
        while not task.done():
            try:
                runner.run(_until_done(task))
            except SystemExit as error:
                if task.done():
                    raise
                structlog.get_logger("agent.cli").error("something tried to end the program", what=exit_text(error))
        return task.result()


async def _until_done(task: asyncio.Task[int]) -> None:
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            raise


def print_json(value: object) -> None:
    """Prints a JSON document on standard output; what the terminal cannot show, or would obey, is escaped."""
    encoding = (sys.stdout.encoding or "ascii").lower()
    text = json.dumps(value, ensure_ascii=not encoding.startswith("utf"), indent=2, default=str)
    sys.stdout.write(escaped(text) + "\n")


def print_text(text: str) -> None:
    """Prints plain text on standard output: in a pipe or file as it is, on a terminal without what would steer that."""
    if sys.stdout.isatty():
        text = printable(text)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def out() -> Console:
    """Rich's console of standard output."""
    return Console(highlight=False)


def out_wide() -> Console:
    """Rich's console of standard output for tables: a pipe or file gets whole lines, however long."""
    console = out()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def err() -> Console:
    """Rich's console of standard error: progress, questions and messages."""
    return Console(stderr=True, highlight=False)
