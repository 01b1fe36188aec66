"""What one run knows: RunState is rebuilt on every replay from what was recorded, LiveRun lives with the process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import Field

from agent.contracts import (
    Contract,
    Dest,
    Exchange,
    ExecutorRequest,
    ExecutorResponse,
    Plan,
    PlanStep,
    Profile,
    RunRequest,
    Usage,
)
from agent.llm.meter import Meter
from agent.plan_graph.frontier import Frontier, apply_step_result
from agent.references import Reference, as_text, find_references, replace_references, resolve_references
from agent.steps.speculation import Speculation
from agent.taint.words import texts_in

PROGRESS_LIMIT = 25
PROGRESS_TEXT_LIMIT = 600


@dataclass(slots=True)
class RunState:
    """The plan, the responses, and what of the plan may start now; a pure value.

    Attributes:
        plan: the latest plan.
        steps: every step of every plan, by id.
        responses: one per step that ended, by step id, in order of ending.
        completed_ok: ids of steps that succeeded.
        completed_fail: ids of steps that did not.
        running: durable child id -> the step it works for.
        frontier: what of the plan may start; told by `adopt` and `apply`.
        usage: what was spent, as recorded.
        replans: how often it was planned again.
        work_seconds: seconds of planning and of all steps, as recorded; steps side by side count each.
    """

    plan: Plan = field(default_factory=lambda: Plan(steps=[]))
    steps: dict[str, PlanStep] = field(default_factory=dict[str, PlanStep])
    responses: dict[str, ExecutorResponse] = field(default_factory=dict[str, ExecutorResponse])
    completed_ok: set[str] = field(default_factory=set[str])
    completed_fail: set[str] = field(default_factory=set[str])
    running: dict[str, PlanStep] = field(default_factory=dict[str, PlanStep])
    frontier: Frontier = field(default_factory=lambda: Frontier(()), repr=False)
    usage: Usage = field(default_factory=Usage)
    replans: int = 0
    work_seconds: float = 0.0

    @property
    def outputs(self) -> dict[str, Any]:
        """Outputs of the steps that succeeded, by step id."""
        return {name: response.output for name, response in self.responses.items() if response.ok}

    def apply(self, step: PlanStep, response: ExecutorResponse) -> None:
        """Takes in how a step ended."""
        self.responses[step.id] = response
        self.work_seconds += response.seconds
        apply_step_result(step, response, self.completed_ok, self.completed_fail)
        self.frontier.ended(step.id, response)

    def spend(self, usage: Usage) -> None:
        """Adds what a recorded step has spent."""
        self.usage = Usage(
            tokens=self.usage.tokens + usage.tokens,
            money=self.usage.money + usage.money,
            seconds=self.usage.seconds + usage.seconds,
        )

    def resolved_inputs(self, step: PlanStep) -> dict[str, Any]:
        """The step's inputs with every reference replaced by what it refers to."""
        return resolve_references(step.inputs, self.outputs)

    def descends_from_untrusted(self, step: PlanStep) -> bool:
        """Whether words of strangers reach the step: by reference, by dependency of an llm step, or a tainted plan."""
        return self.plan.tainted or any(response.untrusted for response in self._behind(step))

    def is_prompted(self, step: PlanStep) -> bool:
        """Whether an answer reaches the step that words of strangers asked for."""
        return any(response.prompted for response in self._behind(step))

    def sources_of(self, step: PlanStep) -> set[str]:
        """Ids of the steps whose results reach a step."""
        sources = find_references(step.inputs) | find_references(step.instruction)
        return sources | set(step.depends_on) if step.kind in ("llm", "agent") else sources

    def answers(self) -> list[str]:
        """What the person answered in their own words to questions in which strangers had no hand."""
        return [
            as_text(response.output)
            for name, response in self.responses.items()
            if self.steps[name].kind == "ask_user" and response.ok and not (response.untrusted or response.prompted)
        ]

    def _behind(self, step: PlanStep) -> list[ExecutorResponse]:
        return [self.responses[name] for name in self.sources_of(step) if name in self.responses]

    def finished_like(self, fingerprint: str) -> ExecutorResponse | None:
        """A successful response with this fingerprint: it need not run again."""
        return next((r for r in self.responses.values() if r.ok and r.fingerprint == fingerprint), None)

    def failed_like(self, fingerprint: str) -> ExecutorResponse | None:
        """A failed response with this fingerprint: repeating it unchanged is refused."""
        return next((r for r in self.responses.values() if r.status == "error" and r.fingerprint == fingerprint), None)

    def fitted(self, plan: Plan) -> Plan:
        """The plan with ids that no earlier step has; fitting it again changes nothing."""
        taken = set(self.responses)
        names = {step.id: _free_name(step.id, plan.revision, taken) for step in plan.steps}
        return plan.model_copy(update={"steps": [_renamed(step, names) for step in plan.steps]})

    def adopt(self, plan: Plan) -> None:
        """Makes `plan` the current one; ids that earlier steps already use are renamed, with their references."""
        self.plan = self.fitted(plan)
        self.steps |= {step.id: step for step in self.plan.steps}
        self.replans = plan.revision
        running = frozenset(step.id for step in self.running.values())
        self.frontier = Frontier(self.plan.steps, self.completed_ok, self.completed_fail, running)


class Opened(Contract):
    """What a run knows when it begins; recorded, so that a replay plans from the same knowledge.

    Attributes:
        history: the conversation so far, as bounded text.
        memory: MEMORY.md, bounded; empty where the profile has none.
        before: the last request and its whole answer; without an answer if strangers had a hand in it.
        files: names of the session's files.
        stand_ins: what the planner reads in the place of names that strangers chose -> the name.
        now: local date and time, ISO 8601 with offset.
        task_key: the conversation that the run belongs to.
    """

    history: str = ""
    memory: str = ""
    before: Exchange | None = None
    files: list[str] = Field(default_factory=list)
    stand_ins: dict[str, str] = Field(default_factory=dict)
    now: str = ""
    task_key: str = "main"


@dataclass(slots=True)
class LiveRun:
    """One run while it is in this process.

    Attributes:
        request: its durable arguments.
        profile: under which it runs.
        meter: counts what all of its steps spend, side by side ones together.
        state: rebuilt on replay.
        opened: set by the first step.
        speculation: read-only steps started early.
        waiting: whether all that is left waits for a person.
        seconds: working seconds so far, waiting for the person not counted.
        has_turn: whether it is the session's turn to work.
        resumed: whether it began in an earlier process.
    """

    request: RunRequest
    profile: Profile
    meter: Meter
    state: RunState = field(default_factory=RunState)
    opened: Opened = field(default_factory=Opened)
    speculation: Speculation = field(default_factory=Speculation)
    waiting: bool = False
    seconds: float = 0.0
    has_turn: bool = False
    resumed: bool = False

    @property
    def id(self) -> str:
        """The run's id, which is also its correlation id."""
        return self.request.run_id

    @property
    def session_id(self) -> str:
        """The session it belongs to."""
        return self.request.incoming.session_id

    @property
    def dest(self) -> Dest:
        """Where its answer goes."""
        return self.request.incoming.dest

    def step_request(self, step: PlanStep, **known: Any) -> ExecutorRequest:
        """What the executor needs to run a step of this run; `known` adds what depends on the plan so far."""
        return ExecutorRequest(
            run_id=self.id,
            session_id=self.session_id,
            profile=self.profile.name,
            person=self.request.incoming.person,
            dest=self.dest,
            step=step,
            user_text=self.text,
            source=self.request.source,
            said=self.said,
            **known,
        )

    @property
    def said(self) -> list[str]:
        """What the person wrote themself: the request, what stood behind a command, answers."""
        incoming, command = self.request.incoming, self.request.command
        if incoming.untrusted:
            return self.state.answers()
        return [incoming.text, *texts_in(command.inputs if command else {}), *self.state.answers()]

    @property
    def text(self) -> str:
        """The person's words, with the files that came along named."""
        incoming = self.request.incoming
        if not incoming.files:
            return incoming.text
        return f"{incoming.text}\n(attached files: {', '.join(incoming.files)})".strip()


def progress_context(responses: list[ExecutorResponse], limit: int = PROGRESS_LIMIT) -> str:
    """A bounded text of the latest results for planning again (seed 004, `_progress_context`).

    Args:
        responses: in order of ending.
        limit: how many of the latest are shown.

    Returns:
        A JSON list of {id, status, summary, error}; an empty string when there is nothing.
    """
    if not responses:
        return ""
    rows = [
        {
            "id": response.step_id,
            "status": response.status,
            "summary": response.summary[:PROGRESS_TEXT_LIMIT],
            "error": response.error[:PROGRESS_TEXT_LIMIT],
        }
        for response in responses[-limit:]
    ]
    return json.dumps([{key: value for key, value in row.items() if value} for row in rows], ensure_ascii=False)


def _free_name(name: str, revision: int, taken: set[str]) -> str:
    candidate = name
    while candidate in taken:
        candidate = f"{name}_r{revision}" if candidate == name else f"{candidate}x"
    taken.add(candidate)
    return candidate


def _renamed(step: PlanStep, names: dict[str, str]) -> PlanStep:
    if all(old == new for old, new in names.items()):
        return step

    def renamed(reference: Reference) -> str:
        return str(replace(reference, step=names.get(reference.step, reference.step)))

    return step.model_copy(
        update={
            "id": names[step.id],
            "depends_on": [names.get(name, name) for name in step.depends_on],
            "inputs": replace_references(step.inputs, renamed),
            "instruction": replace_references(step.instruction, renamed),
            "question": replace_references(step.question, renamed),
        }
    )
