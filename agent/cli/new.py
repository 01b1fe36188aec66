"""`aura new plan NAME`: a plan to begin with, that runs and whose test passes."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.invocation import print_text, settings
from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.config import AppConfig


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    group = typer.Typer(help="Make something new: a plan.", no_args_is_help=True)
    group.callback()(_nothing)
    group.command("plan")(plan)
    app.add_typer(group, name="new")


def _nothing() -> None:
    """Make something new: a plan."""


def plan(
    name: Annotated[str, typer.Argument(help="Small letters, digits, _ and -.")],
    *,
    into: Annotated[
        Path | None,
        typer.Option(help="Folder of plans; else the first one that AURA_PLANS names, else AURA_HOME/plugins."),
    ] = None,
) -> int:
    """Make a plan with one action, one task and one test."""
    from agent.cli.plan_template import write_plan

    config = settings()
    _refuse_taken(config, name)
    folder = into or next(iter(config.plan_folders), config.own_plans)
    made = write_plan(name, folder)
    print_text(_told(config, name, made))
    return 0


def _refuse_taken(config: AppConfig, name: str) -> None:
    for known in config.known_plan_folders:
        if (known / name / "plan.yaml").is_file():
            raise AgentError(f"A plan named {name!r} is there already, in {known / name}; choose another name.")


def _told(config: AppConfig, name: str, made: Path) -> str:
    files = sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file())
    where = shlex.quote(str(made))
    folder = made.parent.resolve()
    found = any(known.resolve() == folder for known in config.known_plan_folders)
    first = [] if found else [f"  export AURA_PLANS={shlex.quote(str(folder))}   (so that Aura finds it)"]
    lines = [
        f"Made the plan {name} in {made}:",
        *(f"  {file}" for file in files),
        "Try it:",
        *first,
        f"  aura run {name}/hello name=Ada",
        f"  aura check {where}",
        f"  {shlex.quote(sys.executable)} -m pytest {where}",
    ]
    return "\n".join(lines)
