"""`aura chat` and `aura bot`: the two channels that stay open."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from agent.addresses import TERMINAL_SESSION
from agent.cli.guard import NEEDS_ANSWER
from agent.cli.invocation import acting_as, asynchronously, say_notices, settings

if TYPE_CHECKING:
    from agent.app import App
    from agent.config import AppConfig

DEFAULT_SESSION = TERMINAL_SESSION


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("chat")(chat)
    app.command("bot")(bot)


def chat(
    session: Annotated[str, typer.Option(help="Which session to chat in.")] = DEFAULT_SESSION,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="Act under this profile.")] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch the embedded model if no model is there.")] = False,
) -> int:
    """Chat in the terminal; requests may also be piped in, one per line."""
    return asynchronously(_chat(session, profile, fetch=fetch))


async def _chat(session: str, profile: str | None, *, fetch: bool) -> int:
    from agent.channels.terminal.person import terminal_person

    config, _ = acting_as(settings(), terminal_person(), profile)
    async with _long_lived(config, "aura chat", terminal_person()) as app:
        from agent.channels.terminal.start import run_chat
        from agent.cli.orders import reachable

        async with reachable(app, "aura chat"):
            await run_chat(app, session_id=session, fetch=fetch)
        asked = not sys.stdin.isatty() and await app.questions(session)
    return NEEDS_ANSWER if asked else 0


def bot() -> int:
    """Run the Telegram bot; needs TELEGRAM_TOKEN."""
    return asynchronously(_bot())


async def _bot() -> int:
    config = settings(quiet=False)
    people = [person for person in config.profile("owner").people if person.startswith("telegram:")]
    async with _long_lived(config, "aura bot", "".join(people[:1])) as app:
        from agent.channels.telegram.bot import run_bot
        from agent.cli.orders import reachable

        say_notices(app.take_notices(), app.seen)
        async with reachable(app, "aura bot"):
            await run_bot(app)
    return 0


@asynccontextmanager
async def _long_lived(config: AppConfig, program: str, person: str) -> AsyncGenerator[App]:
    """The app of a program that stays open.

    The model of the person who will probably ask first, `channel:id`, is loaded while everything is imported and opens.
    What is loaded by now stays until the end: the garbage collector need not look at it again, which would stop
    everything for 0.2 s each time.
    """
    from agent.llm.client import ModelClient

    async with AsyncExitStack() as stack:
        model = None
        if config.embedded.prepare:
            model = await stack.enter_async_context(ModelClient.loading(config, config.profile_of(person).model))
        from agent.app import App

        app = await stack.enter_async_context(App.open(config, program=program, model=model))
        await stack.enter_async_context(app.running_jobs())
        await stack.enter_async_context(_edits_of_plans(config, app))
        gc.freeze()
        stack.callback(gc.unfreeze)
        yield app


@asynccontextmanager
async def _edits_of_plans(config: AppConfig, app: App) -> AsyncGenerator[None]:
    """Takes in edits of plans for the block, unless the settings say otherwise."""
    if not config.hot_reload:
        yield
        return
    from aura_core.generations.watching import PlanWatcher

    async with PlanWatcher(config.known_plan_folders, app.framework.reload):
        yield
