"""`aura model`: the weights of embedded models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.invocation import asynchronously, err, out, print_json, print_text, remark, settings
from agent.errors import ModelMissingError

if TYPE_CHECKING:
    from agent.config import AppConfig

Name = Annotated[str | None, typer.Argument(help="A model that `aura model list` names; the default one if left out.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    group = typer.Typer(help="Fetch, list and find the weights of embedded models.", no_args_is_help=True)
    group.command("pull")(pull)
    group.command("list")(list_models)
    group.command("path")(path)
    app.add_typer(group, name="model")


def pull(name: Name = None) -> int:
    """Fetch a model; does nothing if it is there already."""
    return asynchronously(_pull(name))


async def _pull(name: str | None) -> int:
    from agent.channels.terminal.fetch import fetch_model
    from agent.config import EMBEDDED_MODEL
    from agent.llm.weights import MODELS, find_weights

    config = settings()
    wanted = name or EMBEDDED_MODEL
    found = find_weights(config, wanted)
    if found is None:
        if wanted in MODELS:
            err().print(f"{wanted}: {MODELS[wanted].size / 1e6:,.0f} MB to fetch, once.", markup=False)
        found = await fetch_model(err(), config, wanted)
    remark(f"{wanted} is there: {found}")
    if config.embedded.prepare and wanted == (config.llm.model or EMBEDDED_MODEL):
        await _make_ready(config)
    return 0


async def _make_ready(config: AppConfig) -> None:
    """Has the model read its instructions, so that nobody waits for that at the first request."""
    from agent.app import App
    from agent.channels.terminal.person import terminal_person
    from agent.llm.choice import is_local, runtime_installed

    profile = config.profile_of(terminal_person())
    if not (is_local(config.llm, profile.model) and runtime_installed()):
        return
    async with App.open(config, program="aura model pull", durable=False) as app:
        console = err()
        with console.status("loading the model") as status:
            told = False

            def report(part: float | None) -> None:
                nonlocal told
                text = "The model reads its instructions, once: about 20 seconds on two cores"
                if part is not None and not (told or console.is_terminal):
                    remark(f"{text} …")
                told = True
                status.update(text if part is None else f"{text}  {part:.0%}")

            await app.make_model_ready([profile], report)
    remark("The model is ready.")


def list_models(as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False) -> int:
    """List the models that can be fetched, and which are there."""
    from rich.table import Table
    from rich.text import Text

    from agent.llm.weights import MODELS, find_weights

    config = settings()
    rows = [
        {"name": name, "bytes": model.size, "path": str(place) if (place := find_weights(config, name)) else None}
        for name, model in MODELS.items()
    ]
    if as_json:
        print_json(rows)
        return 0
    table = Table.grid(padding=(0, 2))
    for row in rows:
        there = Text(str(row["path"]), style="green") if row["path"] else Text("not fetched", style="dim")
        table.add_row(Text(str(row["name"]), style="bold"), f"{int(str(row['bytes'])) / 1e6:,.0f} MB", there)
    out().print(table)
    return 0


def path(name: Name = None) -> int:
    """Print where a model's weights are."""
    from agent.config import EMBEDDED_MODEL
    from agent.llm.weights import find_weights

    wanted = name or EMBEDDED_MODEL
    found = find_weights(settings(), wanted)
    if found is None:
        raise ModelMissingError(f"{wanted} is not here yet: aura model pull {wanted}")
    print_text(str(found))
    return 0
