"""Services that the core lends to plans but does not provide: whoever embeds the core registers them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aura_core.tasklet import RunInfo


@runtime_checkable
class LanguageModelService(Protocol):
    """A language model for actions; registered as service `llm`."""

    async def write(
        self,
        instruction: str,
        *,
        data: str = "",
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        run: RunInfo | None = None,
    ) -> Any:
        """One model call.

        Args:
            instruction: what to do, from a trusted source: the task's author or the person.
            data: text to work on; it is marked as data in the prompt and never obeyed.
            schema: JSON Schema of the wanted answer; None asks for plain text.
            max_tokens: upper bound of the answer's length in tokens.
            run: the run whose budget pays for the call.

        Returns:
            The text, or with a `schema` the parsed and validated JSON value.

        Raises:
            IncompleteTextError: the model stopped before the end, e.g. at `max_tokens`.
        """
        ...


@runtime_checkable
class ChatService(Protocol):
    """The person behind a run; registered as service `chat`."""

    async def ask(self, run: RunInfo, text: str, options: Sequence[str] = (), *, strict: bool = False) -> str:
        """Asks the person and waits, durably, for the answer.

        Args:
            run: the run.
            text: the question.
            options: choices.
            strict: only the choices count; else any words do.
        """
        ...


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job that runs by itself, as a plan sees it.

    Attributes:
        id: what `ScheduleService.remove` takes.
        task: reference of what runs.
        when: its rule in words, e.g. "every 15m".
        timezone: name of the zone that it goes by, or of the person's where a rule needs none.
        next_at: when it is due next, in that zone; None if an event starts it.
        inputs: what the task gets.
        title: one line for people; may be empty.
        repeats: whether it is due more than once.
        from_outside: words of strangers are in it.
    """

    id: str
    task: str
    when: str
    timezone: str
    next_at: datetime | None
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    title: str = ""
    repeats: bool = False
    from_outside: bool = False


@runtime_checkable
class ScheduleService(Protocol):
    """Tasks that run later, or again and again, for the person behind a run; registered as service `schedule`.

    What such a task returns is delivered to the chat that the run belongs to. People see and remove only jobs of
    their own.
    """

    async def add(
        self,
        run: RunInfo,
        task: str,
        inputs: Mapping[str, Any],
        *,
        cron: str | None = None,
        every: float | None = None,
        at: datetime | None = None,
        on_event: str | None = None,
        timezone: str | None = None,
        missed: Literal["skip", "once", "all"] = "once",
        title: str = "",
    ) -> ScheduledJob:
        """Adds a job; exactly one of `cron`, `every`, `at` and `on_event` says when.

        Adding again for the same durable step adds nothing.

        Args:
            run: the run that asks for it.
            task: reference of what shall run.
            inputs: what it gets; checked now.
            cron: five fields, as in crontab.
            every: seconds.
            at: one moment; without a zone of its own it is meant in `timezone`.
            on_event: name of an event, e.g. "task.failed".
            timezone: for `cron` and `at`; that of the person behind the run if left out.
            missed: what becomes of moments at which Aura was not running.
            title: one line for people.

        Raises:
            ScheduleError: it would never run.
            InputError: the task does not take these inputs.
            NotFoundError: there is no such task.
        """
        ...

    async def list(self, run: RunInfo, task: str = "") -> list[ScheduledJob]:
        """The person's jobs, the next one first; of one task, or of all."""
        ...

    async def remove(self, run: RunInfo, id: str) -> ScheduledJob:  # noqa: A002 (the protocol's word)
        """Removes a job.

        Raises:
            NotFoundError: the person has none of this id.
        """
        ...
