"""Repairs a model's plan in code, rule after rule; what no rule can repair is told back to the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from agent.contracts import PlanStep
from agent.errors import UnknownReferenceError
from agent.plan_graph.draft import Draft, PlanWorld
from agent.plan_graph.edges import order_steps_safely
from agent.plan_graph.identity import fingerprint, same_work
from agent.plan_graph.links import link_steps
from agent.plan_graph.listings import add_listings
from agent.plan_graph.names import keep_fields_of_kind, name_steps, resolve_tasks
from agent.plan_graph.order import break_cycles, keep_planned_order
from agent.plan_graph.overlap import drop_additions, merge_repeated_steps
from agent.plan_graph.own_words import keep_to_own_words
from agent.plan_graph.questions import complete_inputs, drop_superfluous_questions, name_inputs
from agent.plan_graph.readers import read_first, read_named, read_with_the_right_task, use_what_is_read
from agent.plan_graph.refusals import confirm_refused
from agent.plan_graph.types import supply_needs
from agent.references import find_references, resolve_references

__all__ = ["PlanWorld", "Repaired", "repair_plan"]
COMPLETING = (read_with_the_right_task, read_first, read_named, use_what_is_read, keep_to_own_words, add_listings)
"""What a small model leaves out or mixes up is put right."""
PRUNING = (merge_repeated_steps, drop_additions, drop_superfluous_questions)
"""Each may make work for the others, so they go round until nothing is taken out any more."""
RULES = (*(rule.__name__ for rule in (*COMPLETING, *PRUNING)), "supply_needs", "confirm_refused")
"""What `PlanWorld.without` may name."""
REPEATED = "just this failed before"
"""What a problem says that is nothing but a repetition."""
SHOWN_INPUTS, TITLE_VALUE = 2, 40
"""How many inputs a made-up title shows, and how many characters of them."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A plan after repair.

    Attributes:
        steps: in a safe order, every edge declared in `depends_on`; usable only if there are no problems.
        notes: what code changed, one line each.
        problems: what it could not repair, one line each, written for the model.
    """

    steps: list[PlanStep] = field(default_factory=list[PlanStep])
    notes: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])


def repair_plan(steps: Sequence[PlanStep], world: PlanWorld) -> Repaired:
    """Applies every rule to a plan. Pure; repairing a repaired plan changes nothing.

    Args:
        steps: as a model, or a command, planned them.
        world: tasks, known words and earlier results that it must fit.
    """
    if len(steps) > world.max_steps:
        return Repaired(problems=[f"the plan has {len(steps)} steps; at most {world.max_steps} are allowed"])
    draft = Draft(world, list(steps))
    name_steps(draft)
    keep_fields_of_kind(draft)
    resolve_tasks(draft)
    if draft.problems:
        return Repaired(notes=draft.notes, problems=draft.problems)
    name_inputs(draft)
    link_steps(draft)
    break_cycles(draft)
    draft.steps[:] = order_steps_safely(draft.steps)
    _apply(draft, [merge_repeated_steps, *(() if world.deliberate else COMPLETING), supply_needs])
    complete_inputs(draft)
    link_steps(draft)  # what was completed may be what another step reads, or does as well
    _apply(draft, [merge_repeated_steps])
    if not world.deliberate:
        _prune(draft)
    if not draft.problems:
        break_cycles(draft)
        keep_planned_order(draft)
    _apply(draft, [confirm_refused])
    _refuse_repetition(draft)
    _title(draft)
    return Repaired(draft.steps, draft.notes, draft.problems)


def _prune(draft: Draft) -> None:
    before = 0
    while before != len(draft.steps):
        before = len(draft.steps)
        _apply(draft, PRUNING)


def _apply(draft: Draft, rules: Iterable[Callable[[Draft], None]]) -> None:
    for rule in rules:
        if rule.__name__ not in draft.world.without:
            rule(draft)


def _refuse_repetition(draft: Draft) -> None:
    """A step that failed before is not planned again unchanged."""
    failed = {response.fingerprint: response for response in draft.world.results.values() if response.status == "error"}
    unchanged = {step_id: step for step_id, step in draft.world.steps.items() if step_id in draft.world.results}
    for step in draft.steps:
        twin = next((old for old in unchanged.values() if same_work(old, step)), None)
        before = draft.world.results[twin.id] if twin else failed.get(_fingerprint(draft, step))
        if before is not None and before.status == "error":
            draft.problems.append(f"{step.id}: {REPEATED} ({before.error}); do something else")


def _fingerprint(draft: Draft, step: PlanStep) -> str:
    done = draft.world.done
    if not find_references(step.inputs) <= set(done):
        return ""
    try:
        return fingerprint(step, resolve_references(step.inputs, done))
    except UnknownReferenceError:
        return ""


def _title(draft: Draft) -> None:
    for step in list(draft.steps):
        if not step.title:
            draft.change(step, title=_title_of(draft, step))


def _title_of(draft: Draft, step: PlanStep) -> str:
    card = draft.card(step)
    if card is None:
        return step.question or step.instruction or {"llm": "Answer", "agent": "Work it out"}.get(step.kind, step.id)
    title = card.title or card.task.rsplit("/", 1)[-1].replace("_", " ").capitalize()
    literals = [
        str(value) for value in step.inputs.values() if isinstance(value, str | int | float) and value is not True
    ]
    plain = [value for value in literals if value.strip() and "${" not in value and "\n" not in value]
    shown = ", ".join(plain[:SHOWN_INPUTS])
    if not shown:
        return title
    return f"{title}: {shown if len(shown) <= TITLE_VALUE else shown[: TITLE_VALUE - 1] + '…'}"
