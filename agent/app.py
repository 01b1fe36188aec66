"""App: what a channel sees of Aura; `agent.wiring` makes the parts behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from agent.config import AppConfig
from agent.contracts import (
    Command,
    Incoming,
    PlanExample,
    Profile,
    Question,
    RunOutcome,
    RunSummary,
    TaskCard,
    Transport,
)
from agent.home import RUNS_KEPT_SECONDS, home_database
from agent.llm.client import ModelClient
from agent.planner.readiness import keep_ready, make_ready
from agent.prompts import use_prompts_from
from agent.questions.records import QUESTION_TASK
from agent.secrets import hold_secrets
from agent.wiring import Parts
from aura_core.storage.atomic_file import remove_unfinished
from aura_core.storage.forgetting import forgetting
from aura_core.storage.home_lock import HomeLock
from aura_core.storage.losses import Losses


class App:
    """What a channel sees of Aura. Make one with `App.open`.

    Args:
        config: settings.
        parts: what does the work.
    """

    def __init__(self, config: AppConfig, parts: Parts) -> None:
        self.config = config
        self.events = parts.events
        self.framework = parts.framework
        self.model = parts.model
        self.sessions = parts.sessions
        self.engine = parts.engine
        self.documents = parts.documents
        self._past_plans = parts.past_plans
        self.dispatcher = parts.dispatcher
        self.runner = parts.runner
        self.schedules = parts.schedules
        self._database = parts.database
        self._channels = parts.channels
        self._questions = parts.questions
        self._runs = parts.runs
        self._history = parts.runs.history
        self._missing_plugins = parts.runs.missing_plugins
        self._jobs = parts.jobs
        self._messages: dict[int, int] = {}
        self._losses = Losses(config.home)
        self._told: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: AppConfig, *, program: str = "aura", durable: bool = True, model: ModelClient | None = None
    ) -> AsyncGenerator[App]:
        """Wires everything, for the block.

        Args:
            config: settings.
            program: who holds AURA_HOME, for the message that a second program gets.
            durable: False for commands that run nothing durable: AURA_HOME is not locked, and its database is opened
                only if something is read or written there.
            model: a client that is there already, e.g. since its model is being loaded; whoever made it closes it.

        Raises:
            HomeInUseError: another program works on this AURA_HOME.
            HomeNotWritableError: AURA_HOME cannot be written.
        """
        hold_secrets(config)
        async with AsyncExitStack() as stack:
            lock = HomeLock(config.home, program)
            if durable:
                stack.enter_context(lock)
            database = home_database(config.home, lock)
            stack.push_async_callback(database.close)
            use_prompts_from(config.home / "prompts")
            if model is None:
                model = await ModelClient.open(config)
                stack.push_async_callback(model.close)
            app = cls(config, Parts(config, database, model))
            await stack.enter_async_context(app.framework)
            if durable:
                await app.engine.launch()
                stack.push_async_callback(app.engine.close)
                old = partial(app.engine.prune, RUNS_KEPT_SECONDS)
                unfinished = lambda: asyncio.to_thread(remove_unfinished, config.home)  # noqa: E731
                await stack.enter_async_context(forgetting(old, unfinished))
            yield app

    def add_transport(self, transport: Transport) -> None:
        """Makes a channel reachable under its name; what waited for it to be shown or delivered now is."""
        self._channels.add(transport)
        self.schedules.jobs.wake()

    async def make_model_ready(self, profiles: Sequence[Profile], report: Callable[[float | None], None]) -> None:
        """Makes an embedded model ready for requests of these profiles; see `planner.readiness`."""
        await make_ready(self.model, self.dispatcher, profiles, settings=self.config.planner, report=report)

    async def keep_model_ready(self, profiles: Sequence[Profile], report: Callable[[float | None], None]) -> None:
        """Keeps an embedded model ready for requests of these profiles, until cancelled; see `planner.readiness`."""
        if self.config.embedded.prepare:
            await keep_ready(
                self.model, self.dispatcher, profiles, settings=self.config.planner, events=self.events, report=report
            )

    def running_jobs(self) -> AbstractAsyncContextManager[None]:
        """Runs jobs when they are due, for the block; see `agent.schedules.running.running_jobs`."""
        from agent.schedules.running import running_jobs  # noqa: PLC0415 (only a program that stays open runs jobs)

        return running_jobs(self.schedules.jobs, self._jobs, self.framework)

    async def submit(self, incoming: Incoming, *, profile: Profile | None = None) -> str | None:
        """Takes a message: it is stored durably before this returns, and its run begins.

        Args:
            incoming: the message.
            profile: under which it runs; None is the person's.

        Returns:
            The run's id; None if a message with this key was taken before.

        Raises:
            NotAllowedError: the profile may use nothing.
        """
        return await self._runs.begin(incoming, profile=profile)

    async def submit_command(
        self, incoming: Incoming, task: str, inputs: dict[str, Any], *, profile: Profile | None = None
    ) -> str | None:
        """Runs one task that the person called by name; missing inputs become questions of the run.

        Args:
            incoming: the message.
            task: `plan/name`.
            inputs: as the person gave them.
            profile: under which it runs; None is the person's.

        Raises:
            NotAllowedError: the profile does not allow the task.
            InputError: an input does not fit; says what is wanted.
        """
        card = self.dispatcher.card(task, profile or self.profile_of(incoming.person))
        checked = self.dispatcher.checked_inputs(card, inputs)
        return await self._runs.begin(incoming, Command(task=card.task, inputs=checked), profile=profile)

    async def answer(self, question_id: str, text: str, *, person: str, key: str = "", untrusted: bool = False) -> bool:
        """Answers a question; answering twice is harmless.

        Args:
            question_id: the question.
            text: a choice, its number, or free text.
            person: who answers, as `channel:id`.
            key: unique per message; kept with the answer, so that the same message is known when it comes again.
            untrusted: somebody else wrote the text: it was forwarded.

        Returns:
            False if the question is unknown, closed, or not this person's; True once who asked goes on with the answer.

        Raises:
            AnswerMisfitError: the question cannot take this answer, and stays open; says what is wrong, and asks again.
        """
        return await self._questions.answer(question_id, text, person=person, key=key, untrusted=untrusted)

    async def resolve_question(self, question_id: str, answer: str) -> bool:
        """Answers a question in the name of whoever is behind its run (seed 004)."""
        record = await self.engine.get(question_id)
        run = await self.engine.get(record.args["run_id"]) if record and record.task == QUESTION_TASK else None
        return run is not None and await self.answer(question_id, answer, person=run.args["incoming"]["person"])

    async def reply(self, session_id: str, text: str, *, person: str, key: str = "", untrusted: bool = False) -> bool:
        """Takes a plain text as the answer to the only open question of the session.

        Args:
            session_id: the session.
            text: the words.
            person: who wrote them.
            key: unique per message; a repetition gives the first verdict again.
            untrusted: somebody else wrote the words: they were forwarded.

        Returns:
            True if it was taken as an answer; False if it is something else.
        """
        return await self._questions.reply(session_id, text, person=person, key=key, untrusted=untrusted)

    async def questions(self, session_id: str) -> list[Question]:
        """The session's open questions, oldest first."""
        return await self._questions.open(session_id)

    async def outcome(self, run_id: str) -> RunOutcome:
        """Waits until the run has ended, or until all that is left of it waits for a person, or for its broken plan.

        Raises:
            RunNotFoundError: no such run.
        """
        return await self._runs.settled(run_id)

    def waits_for_plan(self, run_id: str) -> str:
        """What the person was told of a run that waits because a plan of it cannot be read now; empty of any other."""
        return self._missing_plugins.told(run_id)

    async def stop(self, session_id: str) -> int:
        """Cancels the session's runs; returns when their work has really ended.

        Returns:
            How many were stopped.
        """
        return await self._runs.stop(session_id)

    async def cancel(self, run_id: str) -> bool:
        """Cancels one run and closes its questions; False if it had ended.

        Raises:
            RunNotFoundError: no such run.
        """
        return await self._runs.cancel(run_id)

    async def new_conversation(self, session_id: str) -> None:
        """Begins a new conversation; files, memory and the old conversation stay."""
        await self.sessions.new_conversation(session_id)

    async def resume(self, *, channel: str | None = None, run_id: str | None = None) -> list[str]:
        """Goes on with unfinished runs after a restart, and with answers that could not be delivered before it.

        Args:
            channel: only runs whose answer goes to this channel (`dest["channel"]`).
            run_id: only this run.

        Returns:
            Ids of the runs that go on now and did not before.
        """
        return await self._runs.resume(channel=channel, run_id=run_id)

    async def runs(self, limit: int = 20) -> list[RunSummary]:
        """The latest runs, newest first, and behind them every older one that has not ended."""
        return await self._history.runs(limit)

    async def run_detail(self, run_id: str) -> RunOutcome:
        """A run as it stands.

        Raises:
            RunNotFoundError: no such run.
        """
        return await self._history.outcome(run_id)

    async def incoming(self, run_id: str) -> Incoming:
        """The message that a run answers.

        Raises:
            RunNotFoundError: no such run.
        """
        record = await self._history.record(run_id)
        return Incoming.model_validate(record.args["incoming"])

    async def destination(self, run_id: str) -> dict[str, Any]:
        """Where a run's answer goes, its channel's name under "channel".

        Raises:
            RunNotFoundError: no such run.
        """
        return (await self.incoming(run_id)).dest.root

    def take_notices(self) -> list[str]:
        """What the person should know of damaged files that were set aside; each is given once by this App.

        What no person has `seen` is given again by the next one.
        """
        found = [*self.sessions.take_notices(), *self._database.take_notices(), *self._losses.unseen()]
        notices = [notice for notice in dict.fromkeys(found) if notice not in self._told]
        self._told.update(notices)
        return notices

    def unseen_losses(self) -> list[str]:
        """What was damaged and set aside and no person has `seen`, whoever was told of it."""
        return self._losses.unseen()

    def seen(self, notices: Sequence[str]) -> None:
        """A person has seen these notices; they are not given again."""
        self._losses.seen(notices)

    def profile_of(self, person: str) -> Profile:
        """The profile of a person, `channel:id`; `guest` for strangers."""
        return self.config.profile_of(person)

    def commands(self, profile: Profile) -> dict[str, TaskCard]:
        """Plugin commands by name that the profile may use."""
        return self.dispatcher.get_plugin_commands(profile)

    def tasks(self, profile: Profile) -> list[TaskCard]:
        """The catalogue of the profile."""
        return self.dispatcher.catalogue(profile)

    def examples(self, profile: Profile) -> list[PlanExample]:
        """Requests of several steps that the profile's tasks answer, for the planner and for people."""
        return self.dispatcher.examples(profile)

    async def forget_plans(self, person: str) -> int:
        """Forgets the plans that were kept of a person as examples for later ones; how many it was."""
        return await self._past_plans.forget(person)

    def record_message(self, chat_id: int, message_id: int) -> None:
        """Remembers the latest message shown in a chat, so that it can be edited instead of sent again (seed 004)."""
        self._messages[chat_id] = message_id

    def recorded_message(self, chat_id: int) -> int | None:
        """The message that `record_message` remembered last for the chat."""
        return self._messages.get(chat_id)

    def clear_session_cache(self, session_id: str) -> None:
        """Forgets what is kept in memory of a session; its files stay (seed 004)."""
        self.sessions.clear_cache(session_id)
