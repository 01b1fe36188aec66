"""RunState: what one run knows so far; a pure value rebuilt on every replay from what was recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from agent.contracts import ExecutorResponse, Plan, PlanStep, Usage
from agent.plan_graph.frontier import Frontier
from agent.plan_graph.graph import apply_step_result
from agent.references import Reference, find_references, replace_references, resolve_references

PROGRESS_LIMIT = 25
PROGRESS_TEXT_LIMIT = 600


@dataclass(slots=True)
class RunState:
    """The plan, the responses, and what of the plan may start now.

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
    def running_ids(self) -> frozenset[str]:
        """Ids of the steps that run or wait now."""
        return frozenset(step.id for step in self.running.values())

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

    def title_of(self, step_id: str) -> str:
        """How a person would name a step."""
        step = self.steps.get(step_id)
        return (step.title if step else "") or step_id

    def resolved_inputs(self, step: PlanStep) -> dict[str, Any]:
        """The step's inputs with every reference replaced by what it refers to."""
        return resolve_references(step.inputs, self.outputs)

    def descends_from_untrusted(self, step: PlanStep) -> bool:
        """Whether words of strangers reach the step: by reference, by dependency of an llm step, or a tainted plan."""
        sources = find_references(step.inputs) | find_references(step.instruction)
        if step.kind in ("llm", "agent"):
            sources |= set(step.depends_on)
        return self.plan.tainted or any(self.responses[name].untrusted for name in sources if name in self.responses)

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
        self.frontier = Frontier(self.plan.steps, self.completed_ok, self.completed_fail, self.running_ids)


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
