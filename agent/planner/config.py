"""PlannerConfig: everything a plan depends on beside the request itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.config import PlannerSettings
from agent.contracts import Exchange, ExecutorResponse, PastPlan, PlanExample, PlanStep, Profile, TaskCard
from agent.llm.client import ModelClient
from agent.llm.meter import Meter
from agent.plan_graph.repair import RULES


@dataclass(frozen=True, slots=True)
class PlannerConfig:
    """Everything a plan depends on beside the request.

    Attributes:
        model: the model client.
        meter: whose budget pays; None counts nowhere.
        catalogue: the tasks that the profile may use.
        profile: whose limits hold.
        now: the clock; aware.
        examples: of several steps, as the plugins give them; those of single tasks are on their cards.
        past: plans that ended well before, the latest last.
        before: the last request of the conversation and its whole answer; without one if none may be
            used. None where the conversation is known as text alone.
        memory: MEMORY.md; may be empty.
        files: names of the session's files.
        previous: results of earlier plans of this run, in order of ending.
        previous_steps: the steps they belong to, as far as known.
        revision: 0 for the first plan of a run.
        settings: limits on what the planner reads.
        on_step: gets each step as soon as the model has written it; the validated plan may differ.
        without: names of parts that are left out, to measure what they are worth; see `PARTS`.
    """

    model: ModelClient
    meter: Meter | None
    catalogue: Sequence[TaskCard]
    profile: Profile
    now: datetime
    examples: Sequence[PlanExample] = ()
    past: Sequence[PastPlan] = ()
    before: Exchange | None = None
    memory: str = ""
    files: Sequence[str] = ()
    previous: Sequence[ExecutorResponse] = ()
    previous_steps: Sequence[PlanStep] = ()
    revision: int = 0
    settings: PlannerSettings = field(default_factory=PlannerSettings)
    on_step: Callable[[PlanStep], None] | None = None
    without: frozenset[str] = frozenset()


PARTS = ("coverage", "nearest", "past", "quotes", "typed-schema", *RULES)
"""What `PlannerConfig.without` may name."""
