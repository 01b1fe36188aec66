"""What goes over the socket: orders and answers to the program that works, progress, questions and the end from it."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from agent import progress
from agent.contracts import Contract, Question, RunOutcome
from agent.progress import Progress
from aura_core.tasklet import TaskResult


class AskOrder(Contract):
    """One request in the person's own words; see `aura ask`."""

    kind: Literal["ask"] = "ask"
    text: str
    session: str | None = None
    profile: str | None = None


class RunOrder(Contract):
    """One task without a model; see `aura run`. `pairs` are its `key=value` words."""

    kind: Literal["run"] = "run"
    task: str
    pairs: list[str]
    session: str
    profile: str | None = None


class ResumeOrder(Contract):
    """Go on with a run; see `aura runs resume`."""

    kind: Literal["resume"] = "resume"
    run_id: str


class CancelOrder(Contract):
    """Cancel a run; see `aura runs cancel`."""

    kind: Literal["cancel"] = "cancel"
    run_id: str


class Answer(Contract):
    """What the person says to the question that was asked last; None if nobody answers."""

    kind: Literal["answer"] = "answer"
    text: str | None


class Stop(Contract):
    """The person wants it ended: Ctrl-C."""

    kind: Literal["stop"] = "stop"


class Hello(Contract):
    """The first message: which program works on this AURA_HOME."""

    kind: Literal["hello"] = "hello"
    program: str
    pid: int

    def __str__(self) -> str:
        """As it is named to a person."""
        return f"{self.program} (process {self.pid})"


class Began(Contract):
    """The request is stored as this run, and goes on whatever becomes of the command."""

    kind: Literal["began"] = "began"
    run_id: str


class Happened(Contract):
    """One event of the run: the name of its class, and its fields."""

    kind: Literal["happened"] = "happened"
    name: str
    fields: dict[str, Any]

    @classmethod
    def of(cls, event: Progress) -> Happened:
        """The message that tells of an event."""
        return cls(name=type(event).__name__, fields=_adapter(type(event)).dump_python(event, mode="json"))

    def event(self) -> Progress:
        """The event that it tells of.

        Raises:
            ValueError: it is none that this program knows.
        """
        kind = getattr(progress, self.name, None)
        if not (isinstance(kind, type) and issubclass(kind, Progress)):
            raise ValueError(f"There is no event {self.name!r}.")  # noqa: TRY004 (the name comes from outside)
        return _adapter(kind).validate_python(self.fields)


class Asked(Contract):
    """A question that the command answers, or leaves open."""

    kind: Literal["asked"] = "asked"
    question: Question


class Said(Contract):
    """A line for standard error, and how rich would draw it."""

    kind: Literal["said"] = "said"
    text: str
    style: str = ""


class Lost(Contract):
    """What was damaged and set aside, and nobody has seen yet; see `aura_core.storage.losses`."""

    kind: Literal["lost"] = "lost"
    notices: list[str]


class RunEnded(Contract):
    """How a run ended, or stands, and the files that it made, as absolute paths with captions."""

    kind: Literal["run_ended"] = "run_ended"
    outcome: RunOutcome
    files: list[tuple[Path, str]]


class TaskEnded(Contract):
    """How a task ended, or the question at which it was stopped because nobody answers."""

    kind: Literal["task_ended"] = "task_ended"
    ended: TaskResult | Question


class Cancelled(Contract):
    """Whether there was something to cancel."""

    kind: Literal["cancelled"] = "cancelled"
    cancelled: bool


class Failed(Contract):
    """It could not be done; the words say why."""

    kind: Literal["failed"] = "failed"
    message: str


Order = AskOrder | RunOrder | ResumeOrder | CancelOrder
Ending = RunEnded | TaskEnded | Cancelled
Reply = Answer | Stop
News = Hello | Began | Happened | Asked | Said | Lost | Ending | Failed
_LATE = ConfigDict(defer_build=True)
ORDERS: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="kind")], config=_LATE)
REPLIES: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="kind")], config=_LATE)
NEWS: TypeAdapter[News] = TypeAdapter(Annotated[News, Field(discriminator="kind")], config=_LATE)


@cache
def _adapter(kind: type[Progress]) -> TypeAdapter[Progress]:
    return TypeAdapter(kind)


def plain(message: Contract) -> dict[str, Any]:
    """A message as JSON values; what a task returned may hold others, which become text as `--json` prints them."""
    if isinstance(message, TaskEnded) and isinstance(message.ended, TaskResult):
        return {"kind": message.kind, "ended": asdict(message.ended)}
    return message.model_dump(mode="json")
