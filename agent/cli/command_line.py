"""The command line, put together from the modules of this package as far as the words that were typed need them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib import import_module
from typing import Annotated

import typer

from agent.cli.guard import guarded
from agent.cli.invocation import Invocation, current

MODULES = {
    "chat": ("chat", "bot"),
    "ask": ("ask", "plan"),
    "tasks": ("run", "tasks"),
    "check": ("check",),
    "runs": ("runs",),
    "schedule": ("schedule",),
    "service": ("service",),
    "new": ("new",),
    "model": ("model",),
    "doctor": ("doctor",),
    "trust": ("trust",),
}
"""Modules of this package in the order of the help -> the commands that each of them adds."""


def program(words: Sequence[str] = ()) -> typer.Typer:
    """The command line as far as some words need it: a command needs its own module, help and mistakes need them all.

    Args:
        words: what was typed behind `aura`.
    """
    made = typer.Typer(
        name="aura",
        help="You chat, a model plans a graph of plugin tasks, they run side by side, the answer comes back.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    made.callback()(root)
    for module in _needed(words):
        import_module(f"agent.cli.{module}").register(made)
    return made


def _needed(words: Sequence[str]) -> Collection[str]:
    first = words[0] if words else ""
    if first == "--version":
        return ()
    return [module for module, commands in MODULES.items() if first in commands] or MODULES


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"aura {version('aura-assistant')}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and log everything.")] = False,
) -> None:
    """Options of every command; `--debug` may also stand behind the command."""


def run_words(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; prints a message instead of raising.

    Args:
        arguments: without the program's name.
    """
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    debug = "--debug" in words[:end]
    words = [word for word in words[:end] if word != "--debug"] + words[end:]
    invocation = Invocation(debug=debug)
    token = current.set(invocation)
    try:
        return guarded(
            lambda: typer.main.get_command(program(words)).main(words, "aura", standalone_mode=False), invocation
        )
    finally:
        current.reset(token)
