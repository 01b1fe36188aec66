"""What stands around every command: whatever happens, a person reads a clear line and never a traceback."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.exceptions import TyperException

from agent.channels.terminal.controls import printable
from agent.cli.invocation import print_json
from aura_core.errors import AuraError
from aura_core.ground.reasons import reason_of, text_of
from aura_core.ground.secrets import mask

if TYPE_CHECKING:
    from agent.cli.invocation import Invocation

DONE, FAILED, NEEDS_ANSWER, STOPPED, PIPE_CLOSED = 0, 1, 2, 130, 141


def guarded(command: Callable[[], Any], invocation: Invocation) -> int:
    """Runs a command and turns whatever comes out of it into an exit code.

    Args:
        command: returns its exit code, or None for 0.
        invocation: says whether tracebacks are wanted and where the log is.
    """
    _tolerate_every_locale()
    try:
        code = command()
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        _say("Stopped.")
        return STOPPED
    except TyperException as error:
        return _usage(error)
    except BaseException as error:  # noqa: BLE001 (the last stop before the person; it is logged and said)
        if _is_cancelled(error):
            _say("Stopped.")
            return STOPPED
        if _is_closed_pipe(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return PIPE_CLOSED
        return _failed(error, invocation)
    if code == STOPPED:  # typer makes a code of KeyboardInterrupt
        _say("Stopped.")
    return code if isinstance(code, int) else DONE


def _usage(error: TyperException) -> int:
    """A wrong command line; the help was printed already if there were no words at all."""
    if not str(getattr(error, "message", "") or error):
        return DONE
    message = error.format_message()
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "aura")
    _say(f"{message.rstrip('.')}; `{path} --help` says how it is used.")
    return FAILED


def _is_cancelled(error: BaseException) -> bool:
    """Whether it is asyncio's word for being stopped; a command that uses no asyncio does not import it for this."""
    import asyncio

    return isinstance(error, asyncio.CancelledError)


def _is_closed_pipe(error: BaseException) -> bool:
    """Whether the reader of the output has left; typer then calls `sys.exit`, and others do so for other reasons."""
    reason = error.__context__ if isinstance(error, SystemExit) else error
    return isinstance(reason, BrokenPipeError)


def _failed(error: BaseException, invocation: Invocation) -> int:
    causes = list(_causes(error))
    expected = all(isinstance(cause, AuraError) for cause in causes)
    message = "\n".join(dict.fromkeys(text_of(cause) or type(cause).__name__ for cause in causes))
    if not expected:
        _log_unexpected(error, invocation)
        first = next(cause for cause in causes if not isinstance(cause, AuraError))
        message = f"Something unexpected happened: {reason_of(first)}\nThe details are in {invocation.log_file}"
        message += "." if invocation.debug else "; --debug shows them here."
    if invocation.debug:
        sys.stderr.write(mask("".join(traceback.format_exception(error))))
    if invocation.json_failure is not None:
        print_json(invocation.json_failure(message))
    _say(printable(message))
    return FAILED


def _log_unexpected(error: BaseException, invocation: Invocation) -> None:
    """Writes a bug into the log, which is set up first if it was not yet."""
    from agent import logs
    from agent.config import AppConfig, default_home
    from aura_core.ground.logger import get_logger

    if invocation.log_file is None:
        home = Path(os.environ.get("AURA_HOME") or default_home())
        invocation.log_file = logs.configure(AppConfig(home=home), debug=invocation.debug)
    get_logger("agent.cli").error("unexpected error", exc_info=error, said=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors inside a group, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] (isinstance forgets the argument)
            yield from _causes(inner)  # pyright: ignore[reportUnknownArgumentType] (the same)
    else:
        yield error


def _say(message: str) -> None:
    """Writes one message to standard error, unless that is closed."""
    try:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()
    except (BrokenPipeError, ValueError):
        return


def _tolerate_every_locale() -> None:
    """Characters that the terminal's encoding lacks become `?` instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
