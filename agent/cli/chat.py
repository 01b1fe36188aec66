"""`aura chat` and `aura bot`: the two channels that stay open."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli.invocation import asynchronously, settings

DEFAULT_SESSION = "terminal"


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("chat")(chat)
    app.command("bot")(bot)


def chat(
    session: Annotated[str, typer.Option(help="Which session to chat in.")] = DEFAULT_SESSION,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch the embedded model if no model is there.")] = False,
) -> int:
    """Chat in the terminal; requests may also be piped in, one per line."""
    return asynchronously(_chat(session, fetch=fetch))


async def _chat(session: str, *, fetch: bool) -> int:
    from agent.app import App
    from agent.channels.terminal.start import run_chat

    async with App.open(settings(), program="aura chat") as app, app.running_jobs():
        await run_chat(app, session_id=session, fetch=fetch)
    return 0


def bot() -> int:
    """Run the Telegram bot; needs TELEGRAM_TOKEN."""
    return asynchronously(_bot())


async def _bot() -> int:
    from agent.app import App
    from agent.channels.telegram import run_bot

    async with App.open(settings(quiet=False), program="aura bot") as app, app.running_jobs():
        await run_bot(app)
    return 0
