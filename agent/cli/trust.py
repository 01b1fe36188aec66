"""`aura trust`: says once that the aura.yaml of a folder may count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.invocation import remark


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("trust")(trust)


def trust(folder: Annotated[Path | None, typer.Argument(help="The folder; this one if left out.")] = None) -> int:
    """Let the aura.yaml of a folder count: it may name plans, which are programs, and where requests are sent."""
    from agent.config import SETTINGS_FILE, AppConfig
    from agent.errors import AgentError
    from agent.trusted_folders import trust as keep

    chosen = (folder or Path.cwd()).resolve()
    if not (chosen / SETTINGS_FILE).is_file():
        raise AgentError(f"There is no {SETTINGS_FILE} in {chosen}, so there is nothing to trust.")
    keep(chosen, AppConfig.home_of())
    remark(f"{chosen / SETTINGS_FILE} counts from now on, whenever Aura is started there.")
    return 0
