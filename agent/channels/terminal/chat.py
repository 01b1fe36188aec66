"""The chat loop: lines in, requests, answers and commands out; one TaskGroup owns everything that runs beside."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rich.text import Text

from agent.channels.terminal.commands import OWN_COMMANDS, ChatCommands
from agent.channels.terminal.draw import (
    answer_view,
    file_view,
    notice_view,
    question_view,
    run_view,
    said_view,
)
from agent.channels.terminal.person import CHANNEL
from agent.channels.terminal.words import clean_request
from agent.contracts import Dest, Incoming
from agent.errors import ModelMissingError
from agent.progress import Progress, QuestionAsked, QuestionClosed, RunEnded
from aura_core.errors import AuraError
from aura_core.generations.events import PlanNotice, PlansReloaded, notice_of
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of, text_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from pathlib import Path

    from rich.console import RenderableType

    from agent.app import App
    from agent.channels.terminal.board import Board, RunBoard
    from agent.channels.terminal.terminal import Terminal
    from agent.contracts import Question
    from aura_core.ground.events import Subscription

STOP_WORDS = ("/quit", "/exit")


class Chat:
    """One person, one session, one terminal; it is also the transport that the runs of this channel deliver to.

    Args:
        app: the app, opened; the chat registers itself as its transport `terminal`.
        terminal: where lines come from and things are shown.
        board: what is known of the runs; a live terminal draws the same board.
        session_id: the session.
        person: who is typing, as `channel:id`.
    """

    name = CHANNEL

    def __init__(self, app: App, terminal: Terminal, board: Board, *, session_id: str, person: str) -> None:
        self._app = app
        self._terminal = terminal
        self._board = board
        self._session_id = session_id
        self._person = person
        self._shown: set[str] = set()
        self._asking = ""
        self._events: Subscription[Progress] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self.commands = ChatCommands(app, app.profile_of(person), session_id, person, terminal.show)

    async def run(self) -> None:
        """Chats until the person leaves or the input ends."""
        self._app.add_transport(self)
        self._terminal.on_interrupt = self._interrupt
        with self._app.events.subscribe(Progress, lambda event: event.session_id == self._session_id) as events:
            self._events = events
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._run_beside(self._watch(events))
                self._run_beside(self._tell_of_plans())
                self._run_beside(self._keep_model_ready())
                try:
                    await self._show_notices()
                    await self._go_on()
                    await self._converse()
                finally:
                    for task in self._beside:
                        task.cancel()
        if self._board.active:
            await self._terminal.show(notice_view("What is unfinished goes on next time."))

    def _run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something beside the typing; it ends with the chat."""
        if self._group is not None:
            task = self._group.create_task(work)
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)

    async def _converse(self) -> None:
        while True:
            try:
                line = (await self._terminal.read()).strip()
            except EOFError:
                return
            if line in STOP_WORDS:
                return
            if line:
                await self._take(line)

    async def _take(self, line: str) -> None:
        """One line: a command, an answer or a request."""
        try:
            text = clean_request(line)
        except AuraError as error:
            await self._terminal.show(notice_view(text_of(error) or type(error).__name__, "red"))
            return
        if self._terminal.live:
            await self._terminal.show(Text(), said_view(text, self._terminal.signs))
        await self._guarded(self._handle(text))

    async def _handle(self, text: str) -> None:
        await self._follow(await self._route(text))

    async def _guarded(self, work: Awaitable[None]) -> None:
        """A mistake, the person's or ours, ends one request and not the chat."""
        try:
            await work
        except AuraError as error:
            await self._terminal.show(notice_view(text_of(error) or type(error).__name__, "red"))
        except Exception as error:  # noqa: BLE001 (said to the person and logged; the chat goes on)
            get_logger("agent.terminal").exception("unexpected error in the chat", said=True)
            text = f"Something unexpected happened ({reason_of(error)}). The log has the details."
            await self._terminal.show(notice_view(text, "red"))

    async def _route(self, text: str) -> str | None:
        """Hands a text to whom it is for; returns the run that works on it."""
        name, _, rest = text.partition(" ")
        if name == "/ask" and rest.strip():
            return await self._submit(rest.strip())
        if name.startswith("/") and "/" not in name[1:]:
            card = None if name in OWN_COMMANDS else self.commands.plugin(name)
            if card is None:
                await self.commands.run(name, rest.strip())
                return None
            inputs = self._app.dispatcher.parse_command_inputs(card, rest.strip())
            return await self._app.submit_command(self._incoming(text), card.task, inputs)
        open_questions = await self._app.questions(self._session_id)
        if open_questions:
            return await self._answer(open_questions[0], text)
        return await self._submit(text)

    async def _answer(self, question: Question, text: str) -> str | None:
        if not await self._app.answer(question.id, text, person=self._person):
            await self._terminal.show(notice_view("That question is closed already."))
            return None
        return question.run_id

    async def _submit(self, text: str) -> str | None:
        if self._board.active:
            await self._terminal.show(notice_view("Taken; it begins when what is running is done or waits for you."))
        return await self._app.submit(self._incoming(text))

    def _incoming(self, text: str) -> Incoming:
        return Incoming(session_id=self._session_id, person=self._person, text=text, dest=Dest({"channel": CHANNEL}))

    async def _follow(self, run_id: str | None) -> None:
        """Sees a run to its end or its question: beside the typing, or before the next plain line is read."""
        if run_id is None:
            return
        if self._terminal.live:
            self._run_beside(self._guarded(self._settle(run_id)))
        else:
            await self._settle(run_id)

    async def _settle(self, run_id: str) -> None:
        """Waits until the run ended or asks; a run that ended without a word of its own is shown all the same."""
        outcome = await self._app.outcome(run_id)
        await self._catch_up()
        run = self._board.runs.get(run_id)
        if outcome.status in ("ok", "error", "cancelled") and run is not None:
            run.status = outcome.status
            await self._finish(run, outcome.answer)

    async def _go_on(self) -> None:
        """Goes on with what this session left unfinished."""
        for summary in reversed(list(await self._app.runs(limit=100))):
            if summary.session_id != self._session_id or summary.status not in ("running", "waiting"):
                continue
            await self._terminal.show(notice_view(f"Going on with: {summary.text}"))
            if await self._app.resume(run_id=summary.run_id):
                await self._follow(summary.run_id)

    def _interrupt(self) -> bool:
        """Ctrl-C: stops this session's runs; False if there are none."""
        if not self._board.active:
            return False
        self._run_beside(self._guarded(self.commands.run("/stop", "")))
        return True

    async def _watch(self, events: Subscription[Progress]) -> None:
        async for event in events:
            await self._see(event)

    async def _catch_up(self) -> None:
        """Takes in the events that were published before now."""
        for event in self._events.pending() if self._events else []:
            await self._see(event)

    async def _see(self, event: Progress) -> None:
        run = self._board.apply(event)
        await self._terminal.event(event, run)
        if isinstance(event, QuestionAsked):
            await self._show_question(event.question)
        if isinstance(event, RunEnded):
            await self._finish(run, event.answer)
        if isinstance(event, QuestionClosed):
            await self._show_next_question()

    async def _finish(self, run: RunBoard, answer: str) -> None:
        """Shows how a run ended, once: its plan as it stands now, and its answer."""
        if run.run_id in self._shown:
            return
        self._shown.add(run.run_id)
        self._board.forget(run.run_id)
        parts: list[RenderableType] = []
        if self._terminal.live and run.rows:
            parts += [Text(), run_view(run, self._board.now(), self._terminal.signs, live=False)]
        if answer:
            parts += [Text(), self._answer_view(answer)]
        await self._terminal.show(*parts)
        await self._show_notices()

    async def _show_notices(self) -> None:
        """What the person should know of damaged files that were set aside."""
        notices = self._app.take_notices()
        for notice in notices:
            await self._terminal.show(notice_view(notice, "yellow"))
        if notices and self._terminal.live:
            self._app.seen(notices)

    async def _keep_model_ready(self) -> None:
        """Has the model get ready while the person types."""
        profile = self._app.profile_of(self._person)
        if self._app.model.is_embedded(profile.model) and self._app.config.embedded.prepare:
            self._board.loading()

        async def ready() -> None:
            with suppress(ModelMissingError):  # told when the chat opened
                await self._app.keep_model_ready([profile], self._board.prepared)

        try:
            await self._guarded(ready())
        finally:
            self._board.prepared(None)

    async def _tell_of_plans(self) -> None:
        """Says which edits of plans count from now on, and which do not."""
        with self._app.events.subscribe(PlanNotice) as notices:
            async for notice in notices:
                for line in notice_of(notice):
                    await self._terminal.show(
                        notice_view(line, "dim" if isinstance(notice, PlansReloaded) else "yellow")
                    )

    def _answer_view(self, text: str) -> RenderableType:
        return answer_view(text, formatted=self._terminal.console.is_terminal)

    async def send_text(self, dest: dict[str, Any], text: str, *, key: str) -> None:  # noqa: ARG002 (Transport)
        """Shows the final answer of the run that `key` names; see `Transport`."""
        await self._catch_up()
        run = next((run for run in self._board.runs.values() if key.startswith(run.run_id)), None)
        if run is not None:
            await self._finish(run, text)
        elif key not in self._shown:
            self._shown.add(key)
            await self._terminal.show(Text(), self._answer_view(text))

    async def send_file(self, dest: dict[str, Any], path: Path, caption: str, *, key: str) -> None:  # noqa: ARG002 (Transport)
        """Shows where a file is; see `Transport`."""
        if key not in self._shown:
            self._shown.add(key)
            await self._terminal.show(Text(), file_view(path, caption, self._terminal.signs))

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:  # noqa: ARG002 (Transport)
        """Shows a question; the next line answers it. See `Transport`."""
        await self._catch_up()
        await self._show_question(question)

    async def _show_question(self, question: Question) -> None:
        """Shows the question that the next line answers; another one only as a notice, its turn comes.

        A run that goes on after a restart publishes its question again, but does not deliver it again.
        """
        first = next(iter(await self._app.questions(self._session_id)), question)
        if first.id == question.id:
            await self._show_first(question)
        elif question.id not in self._shown:
            self._shown.add(question.id)
            await self._terminal.show(notice_view(f"Another question comes after this one: {question.text}"))

    async def _show_first(self, question: Question) -> None:
        if question.id != self._asking:
            self._asking = question.id
            self._shown.add(question.id)
            await self._terminal.show(Text(), question_view(question, self._terminal.signs))

    async def _show_next_question(self) -> None:
        for question in (await self._app.questions(self._session_id))[:1]:
            await self._show_first(question)
