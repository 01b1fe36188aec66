"""What is known of each run of this session, kept up to date by the events of the run; draws nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agent.progress import (
    AnswerText,
    PhaseChanged,
    PlanMade,
    Progress,
    QuestionAsked,
    QuestionClosed,
    RunEnded,
    RunStarted,
    StepDrafted,
    StepEnded,
    StepStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.contracts import ExecutorResponse, Plan, PlanStep, Question, RunStatus

ALMOST = 0.99
"""As much as is ever said to be read before the last word of it."""
StepState = Literal[
    "drafted", "pending", "running", "waiting", "ok", "partial", "error", "blocked", "needs_input", "cancelled"
]


@dataclass(slots=True)
class StepRow:
    """One step as it stands.

    Attributes:
        step: the step.
        state: where it is in its life; the last five are the step's final status.
        since: when it started, in seconds of the board's clock.
        seconds: how long it took, once it ended.
        note: why it failed; empty otherwise.
    """

    step: PlanStep
    state: StepState = "pending"
    since: float = 0.0
    seconds: float = 0.0
    note: str = ""

    @property
    def title(self) -> str:
        """What a person reads: the title, else what the step does."""
        return self.step.title or self.step.question or self.step.task or self.step.instruction or self.step.id


@dataclass(slots=True)
class RunBoard:
    """One run as it stands."""

    run_id: str
    text: str = ""
    since: float = 0.0
    resumed: bool = False
    phase: str = "queued"
    detail: str = ""
    revision: int = 0
    rows: dict[str, StepRow] = field(default_factory=dict[str, StepRow])
    questions: dict[str, Question] = field(default_factory=dict[str, "Question"])
    answer: str = ""
    status: RunStatus = "running"

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self.status in ("ok", "error", "cancelled")


@dataclass(slots=True)
class Readiness:
    """How far the model is with getting ready, while it is not.

    Attributes:
        part: how much of its instructions it had read at `at`, from 0 to 1; None while it is loaded.
        at: when that was said, in seconds of the board's clock.
        since: when it began to read.
        begun: what was read then.
    """

    part: float | None = None
    at: float = 0.0
    since: float = 0.0
    begun: float = 0.0

    def read(self, now: float) -> tuple[float, float | None]:
        """How much is read by now, from 0 to 1, and the seconds it will still take; None while that cannot be said.

        It reads in pieces of seconds, so what it reads since the last word of it is taken to be as quick as before.
        """
        part = self.part or 0.0
        if part <= self.begun or self.at <= self.since:
            return part, None
        pace = (part - self.begun) / (self.at - self.since)
        part = max(part, min(ALMOST, part + pace * (now - self.at)))
        return part, (1 - part) / pace


class Board:
    """All runs that were seen, in order of their start, and whether the model is ready for more.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.runs: dict[str, RunBoard] = {}
        self.readiness: Readiness | None = None

    def now(self) -> float:
        """The board's clock, in seconds."""
        return self._clock()

    @property
    def active(self) -> list[RunBoard]:
        """Runs that have not ended, oldest first."""
        return [run for run in self.runs.values() if not run.over]

    def loading(self) -> None:
        """Takes in that the model is loaded."""
        self.readiness = Readiness()

    def prepared(self, part: float | None) -> None:
        """Takes in how much of its instructions the model has read, from 0 to 1; None once it is ready."""
        if part is None:
            self.readiness = None
            return
        now, known = self._clock(), self.readiness
        if known is None or known.part is None or part < known.part:
            self.readiness = Readiness(part, at=now, since=now, begun=part)
        else:
            known.part, known.at = part, now

    def forget(self, run_id: str) -> None:
        """Drops a run that was shown to its end."""
        self.runs.pop(run_id, None)

    def apply(self, event: Progress) -> RunBoard:
        """Takes one event into account and returns the run it belongs to."""
        run = self.runs.get(event.run_id)
        if run is None:
            run = self.runs[event.run_id] = RunBoard(event.run_id, since=self._clock())
        if not self._apply_to_steps(run, event):
            self._apply_to_run(run, event)
        return run

    def _apply_to_steps(self, run: RunBoard, event: Progress) -> bool:
        match event:
            case StepDrafted():
                run.rows.setdefault(event.step.id, StepRow(event.step, "drafted"))
            case PlanMade():
                self._take_plan(run, event.plan)
            case StepStarted():
                row = self._row(run, event.step)
                row.state, row.since = "running", self._clock()
                run.phase = "running"
            case StepEnded():
                self._end_step(run, event.step, event.response)
            case _:
                return False
        return True

    def _apply_to_run(self, run: RunBoard, event: Progress) -> None:
        match event:
            case RunStarted():
                run.text, run.resumed = event.text, event.resumed
            case PhaseChanged():
                run.phase, run.detail = event.phase, event.detail
            case QuestionAsked() | QuestionClosed():
                self._question(run, event)
            case AnswerText():
                run.answer += event.text
            case RunEnded():
                self._end_run(run, event)
            case _:
                return

    def _end_run(self, run: RunBoard, event: RunEnded) -> None:
        run.status = event.status
        run.answer = event.answer or run.answer
        for row in run.rows.values():
            if row.state in ("running", "waiting"):
                row.state = "cancelled"

    def _take_plan(self, run: RunBoard, plan: Plan) -> None:
        """A new plan: steps that ended stay, the rest is replaced."""
        kept = {name: row for name, row in run.rows.items() if row.state not in ("drafted", "pending")}
        rows = dict(kept)
        for step in plan.steps:
            rows[step.id] = kept.get(step.id) or StepRow(step)
            rows[step.id].step = step
        run.rows, run.revision = rows, plan.revision

    def _row(self, run: RunBoard, step: PlanStep) -> StepRow:
        return run.rows.setdefault(step.id, StepRow(step))

    def _end_step(self, run: RunBoard, step: PlanStep, response: ExecutorResponse) -> None:
        row = self._row(run, step)
        row.state, row.seconds = response.status, response.seconds
        row.note = "" if response.ok else response.error or response.summary

    def _question(self, run: RunBoard, event: QuestionAsked | QuestionClosed) -> None:
        if isinstance(event, QuestionAsked):
            run.questions[event.question.id] = event.question
            row = run.rows.get(event.question.step_id)
            if row is not None and row.state in ("pending", "running"):
                row.state, row.since = "waiting", row.since or self._clock()
            return
        question = run.questions.pop(event.question_id, None)
        if run.phase == "waiting" and not run.questions:
            run.phase, run.detail = "running", ""
        row = run.rows.get(question.step_id) if question else None
        if row is not None and row.state == "waiting":
            row.state = "running"
