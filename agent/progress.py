"""What a run tells those who watch: one frozen dataclass per moment, published on the event bus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agent.contracts import ExecutorResponse, Plan, PlanStep, Question, RunStatus


@dataclass(frozen=True, slots=True)
class Progress:
    """Base of all: `run_id` and `session_id` say whose it is."""

    run_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class RunStarted(Progress):
    """A run begins, or goes on after a restart."""

    text: str
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class PhaseChanged(Progress):
    """What the run does now; `detail` is one line for a person."""

    phase: Literal["queued", "planning", "running", "waiting", "answering", "remembering"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepDrafted(Progress):
    """The model has written this step; the plan is not validated yet."""

    step: PlanStep


@dataclass(frozen=True, slots=True)
class PlanMade(Progress):
    """A validated plan; replaces the one before."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class StepStarted(Progress):
    """A step runs now."""

    step: PlanStep


@dataclass(frozen=True, slots=True)
class StepEnded(Progress):
    """A step ended, one way or another."""

    step: PlanStep
    response: ExecutorResponse


@dataclass(frozen=True, slots=True)
class QuestionAsked(Progress):
    """A question is open."""

    question: Question


@dataclass(frozen=True, slots=True)
class QuestionClosed(Progress):
    """It was answered or the run ended."""

    question_id: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class AnswerText(Progress):
    """The next piece of the answer, while the model writes it. Never the record: RunEnded has the whole text."""

    text: str


@dataclass(frozen=True, slots=True)
class RunEnded(Progress):
    """The run is over; the answer was handed to the transport."""

    status: RunStatus
    answer: str
    artifacts: list[str] = field(default_factory=list[str])
