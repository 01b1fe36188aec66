"""One call of the program: its settings, where its log is, and how it prints."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.channels.terminal.controls import escaped, one_line, printable
from aura_core.ground.secrets import mask, masked

if TYPE_CHECKING:
    import asyncio

    from rich.console import Console

    from agent.app import App
    from agent.config import AppConfig
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
    from agent import logs
    from agent.config import AppConfig

    config = AppConfig.load()
    invocation = current.get()
    invocation.log_file = logs.configure(config, debug=invocation.debug, quiet=quiet)
    if config.foreign_file is not None:
        remark(f"{one_line(str(config.foreign_file))} is left alone: `aura trust` lets it count.", style="yellow")
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


@asynccontextmanager
async def opened(config: AppConfig, program: str, *, durable: bool = True) -> AsyncGenerator[App]:
    """An App for one command, as `App.open` makes it; what it has to say of damaged files is said at the end."""
    from agent.app import App

    async with App.open(config, program=program, durable=durable) as app:
        try:
            yield app
        finally:
            say_notices(app.take_notices(), app.seen)


def say_notices(notices: list[str], seen: Callable[[list[str]], None]) -> None:
    """Says what was damaged and set aside; plans and people may have written part of it.

    Args:
        notices: what is said.
        seen: told if a person sits before it: what goes into a file or a mail is said again.
    """
    for notice in notices:
        remark(one_line(notice), style="yellow")
    if notices and sys.stderr.isatty():
        seen(notices)


def asynchronously(work: Coroutine[Any, Any, int]) -> int:
    """Runs a command's coroutine to its end; Ctrl-C cancels it and becomes KeyboardInterrupt.

    `sys.exit` in an asyncio task that a plan's action started stops the event loop before anybody can catch it. Here
    the loop goes on: whoever waits for that task is told, and the program ends when its own work has.
    """
    import asyncio

    with asyncio.Runner() as runner:
        task = runner.get_loop().create_task(work)
        while not task.done():
            try:
                runner.run(_until_done(task))
            except SystemExit as error:
                if task.done():
                    raise
                _tell_of_exit(error)
        return task.result()


def _tell_of_exit(error: SystemExit) -> None:
    from aura_core.execution.system_exit import exit_text
    from aura_core.ground.logger import get_logger

    get_logger("agent.cli").error("something tried to end the program", what=exit_text(error))


async def _until_done(task: asyncio.Task[int]) -> None:
    import asyncio

    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            raise


def refuse_bytes(*words: str) -> None:
    """Refuses what was not UTF-8 when it was typed: it would come back as something else.

    Raises:
        AgentError: names the first such word.
    """
    from agent.errors import AgentError
    from aura_core.scheduler.storable import storable_text

    for word in words:
        if storable_text(word) != word:
            raise AgentError(f"{word!r} is not UTF-8. Type it in UTF-8.")


def print_json(value: object) -> None:
    """Prints a JSON document on standard output; what the terminal cannot show, or would obey, is escaped.

    What JSON has no word for, such as NaN, is null; no secret is said.
    """
    from pydantic_core import to_jsonable_python

    encoding = (sys.stdout.encoding or "ascii").lower()
    plain = masked(to_jsonable_python(value, fallback=str, inf_nan_mode="null"))
    text = json.dumps(plain, ensure_ascii=not encoding.startswith("utf"), indent=2)
    sys.stdout.write(escaped(text) + "\n")


def print_text(text: str) -> None:
    """Prints plain text on standard output: in a pipe or file as it is, on a terminal without what would steer that."""
    if sys.stdout.isatty():
        text = printable(text)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def remark(text: str, style: str = "") -> None:
    """Prints plain text on standard error, in colour where a terminal shows that; lines are never wrapped.

    No secret is said, whoever made the text.

    Args:
        text: what is said; nothing in it is markup.
        style: how rich would draw it.
    """
    text = mask(text)
    if style and _may_show_colours():
        err().print(text, style=style, markup=False, soft_wrap=True)
    else:
        sys.stderr.write(text + "\n")


def _may_show_colours() -> bool:
    """Whether standard error is a terminal, or something that rich is told to take for one."""
    return sys.stderr.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))


def out() -> Console:
    """Rich's console of standard output."""
    from rich.console import Console

    return Console(highlight=False)


def out_wide() -> Console:
    """Rich's console of standard output for tables: a pipe or file gets whole lines, however long."""
    console = out()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def err() -> Console:
    """Rich's console of standard error: progress, questions and messages."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)
