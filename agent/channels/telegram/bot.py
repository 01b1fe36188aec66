"""The Telegram bot: wires the channel, starts it, and stops it cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.methods import DeleteWebhook
from aiogram.types import User
from aiogram.utils.token import TokenValidationError

from agent.channels.telegram.asking import Asking
from agent.channels.telegram.commands import Commands
from agent.channels.telegram.destination import CHANNEL, Destination, person_of
from agent.channels.telegram.failures import described, logged, pause_after, pauses
from agent.channels.telegram.live_cards import LiveCards
from agent.channels.telegram.polling import REFUSED, Poller
from agent.channels.telegram.rate_limiter import RateLimiter
from agent.channels.telegram.records import Records
from agent.channels.telegram.sending import Sender
from agent.channels.telegram.text import Part
from agent.channels.telegram.transport import TelegramTransport, message
from agent.channels.telegram.update_queue import UpdateQueue
from agent.channels.telegram.updates import Updates
from agent.config import TelegramSettings
from agent.errors import ConfigError, ModelError
from agent.progress import Progress, RunEnded
from aura_core.ground.logger import get_logger
from aura_core.storage.forgetting import forgetting

if TYPE_CHECKING:
    from agent.app import App

LONGEST_PAUSE = 30.0
GO_ON_SECONDS = 10.0
"""Between two looks for runs that broke off because the disk was full."""
HOW_TO_BEGIN = (
    "The bot needs a token: write to @BotFather in Telegram, /newbot, and set what it gives you as TELEGRAM_TOKEN "
    "(or telegram.token in aura.yaml). Your own id goes into AURA_TELEGRAM_OWNERS=[id]; the bot tells it to you."
)


NOBODY_YET = (
    "Nobody may use it yet: write to it in Telegram, and it tells you your id. "
    "Then start it again with AURA_TELEGRAM_OWNERS=[id]."
)

PROFILES_READY = 2
"""For how many profiles the embedded model is kept ready; it holds few prompts at once."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The parts of the running channel."""

    sender: Sender
    asking: Asking
    cards: LiveCards
    commands: Commands
    updates: Updates


def _to_stdout(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run_bot(app: App, *, stop: asyncio.Event | None = None, announce: Callable[[str], None] = _to_stdout) -> None:
    """Runs the bot until `stop` is set, or SIGTERM or SIGINT comes if no event is given.

    Unfinished runs of this channel go on; what waits in Telegram is fetched by polling.

    Args:
        app: takes requests and answers.
        stop: ends the bot when it is set.
        announce: tells whoever started the bot that it listens.

    Raises:
        ConfigError: there is no token, or Telegram refuses it.
    """
    with _stopping(stop) as stopped:
        async with _bot(app.config.telegram) as bot:
            await _until(stopped, _run(app, bot, announce))


async def _run(app: App, bot: Bot, announce: Callable[[str], None]) -> None:
    """Follows progress, takes updates and goes on with old runs, until cancelled."""
    me = await _introduce(bot)
    get_logger(__name__).info("bot started", name=me.username)
    announce(f"@{me.username} listens; Ctrl-C stops it.")
    if not any(
        person.startswith(CHANNEL) for profile in app.config.all_profiles().values() for person in profile.people
    ):
        announce(NOBODY_YET)
    for notice in app.take_notices():
        announce(notice)
    records = Records(app.documents)
    channel = _wire(app, bot, records, me)
    with app.events.subscribe(Progress, _is_ours) as events:
        try:
            async with forgetting(records.forget), asyncio.TaskGroup() as group:
                queue = UpdateQueue(group, records.inbox, channel.updates)
                group.create_task(channel.cards.watch(events))
                group.create_task(channel.commands.follow_plans())
                group.create_task(_go_on(app))
                group.create_task(logged(_tell_losses(app, channel.sender), "telling what was lost"))
                group.create_task(logged(_keep_model_ready(app), "getting the model ready"))
                group.create_task(_tidy(app, channel, set(await app.resume(channel=CHANNEL))))
                await queue.take_leftovers()
                group.create_task(Poller(bot, queue.take).run())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors


async def _keep_model_ready(app: App) -> None:
    """Has an embedded model ready for whoever may use the bot."""
    profiles = [profile for profile in app.config.all_profiles().values() if profile.people and profile.allow]
    try:
        await app.keep_model_ready(profiles[:PROFILES_READY], lambda _part: None)
    except ModelError as error:
        get_logger(__name__).warning("the model is not ready", error=str(error))


async def _tell_losses(app: App, sender: Sender) -> None:
    """Tells the owners, in their own chats, what was damaged and set aside: at the start and after each run."""
    with app.events.subscribe(RunEnded) as ends:
        while True:
            for notice in app.unseen_losses():
                key = f"lost:{hashlib.sha256(notice.encode()).hexdigest()[:16]}"
                places = [Destination(owner) for owner in app.config.telegram.owners]
                sent = [await sender.once(f"{key}:{place.chat_id}", message(place, Part(notice))) for place in places]
                if any(number is not None for number in sent):
                    app.seen([notice])
            await ends.next()


async def _go_on(app: App) -> None:
    """Goes on with runs that broke off because nothing could be written, until cancelled."""
    while True:
        await asyncio.sleep(GO_ON_SECONDS)
        await logged(_resume(app), "going on with runs that broke off")


async def _resume(app: App) -> None:
    if resumed := await app.resume(channel=CHANNEL):
        get_logger(__name__).info("runs that broke off go on", runs=resumed)


async def _tidy(app: App, channel: Channel, resumed: set[str]) -> None:
    """Shows the menus, and ends what still looks alive in the chats and is not."""
    await channel.commands.show_default_menu()
    for owner in app.config.telegram.owners:
        await channel.commands.show_menu(owner, app.profile_of(person_of(owner)))
    await logged(channel.asking.settle(), "closing old questions")
    await logged(channel.cards.settle(resumed), "folding old cards")


def _is_ours(event: Progress) -> bool:
    return Destination.of_session(event.session_id) is not None


def _wire(app: App, bot: Bot, records: Records, me: User) -> Channel:
    sender = Sender(bot, RateLimiter(), records.sendings)
    asking = Asking(app, sender, records.questions)
    cards = LiveCards(app, sender, records.cards, asking)
    commands = Commands(app, sender)
    updates = Updates(
        app,
        bot,
        sender,
        asking=asking,
        commands=commands,
        guests=records.guests,
        sendings=records.sendings,
        username=me.username or "",
    )
    app.add_transport(TelegramTransport(sender, asking, cards.quiet))
    return Channel(sender, asking, cards, commands, updates)


async def _introduce(bot: Bot) -> User:
    """Asks Telegram who the bot is, as long as it takes, and makes polling possible."""
    waits = pauses(1.0, LONGEST_PAUSE)
    while True:
        try:
            me = await bot.me()
            await bot(DeleteWebhook(drop_pending_updates=False))
        except (TelegramUnauthorizedError, TelegramNotFound) as error:
            raise ConfigError(REFUSED) from error
        except AiogramError as error:
            seconds = pause_after(error, next(waits))
            get_logger(__name__).warning("Telegram cannot be reached", error=described(error), pause=seconds)
            await asyncio.sleep(seconds)
        else:
            return me


@contextlib.asynccontextmanager
async def _bot(settings: TelegramSettings) -> AsyncGenerator[Bot]:
    if settings.token is None:
        raise ConfigError(HOW_TO_BEGIN)
    session = AiohttpSession(api=TelegramAPIServer.from_base(settings.api))
    try:
        bot = Bot(settings.token.get_secret_value(), session=session)
    except TokenValidationError as error:
        raise ConfigError(
            "TELEGRAM_TOKEN does not look like a token; @BotFather gives one like 123456:ABC-DEF… "
        ) from error
    try:
        yield bot
    finally:
        await session.close()


@contextlib.contextmanager
def _stopping(stop: asyncio.Event | None) -> Generator[asyncio.Event]:
    """The event that ends the bot: the caller's, or one that SIGTERM and SIGINT set."""
    if stop is not None:
        yield stop
        return
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels the program instead
        for number in signals:
            loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        with contextlib.suppress(NotImplementedError):
            for number in signals:
                loop.remove_signal_handler(number)


async def _until(stopped: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Awaits `work`, or cancels it when the event is set; its errors come out either way."""
    job, waiter = asyncio.create_task(work), asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({job, waiter}, return_when=asyncio.FIRST_COMPLETED)
        if not job.done():
            job.cancel()
        await job
    except asyncio.CancelledError:
        if not stopped.is_set():
            raise
    finally:
        for task in (job, waiter):
            task.cancel()
        await asyncio.gather(job, waiter, return_exceptions=True)
