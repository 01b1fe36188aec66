"""Steps that overlap: what is planned twice is done once, and what is added to a part that is served already goes."""

from __future__ import annotations

from agent.contracts import PlanStep
from agent.plan_graph.draft import Draft
from agent.plan_graph.edges import needed_ids
from agent.plan_graph.grounding import is_grounded
from agent.plan_graph.identity import same_work
from agent.plan_graph.order import touched
from agent.plan_graph.quotes import Quoted, literals
from agent.references import Reference, find_references, replace_references


def repeats(step: PlanStep, earlier: list[PlanStep]) -> bool:
    """Whether a model goes in circles: a step says of the same words what an earlier one says, or goes on from that.

    "Translate both into German" is no circle: the second step is given something else than the first.
    """
    alike = [
        one
        for one in earlier
        if (one.kind, one.task, one.quote, literals(one)) == (step.kind, step.task, step.quote, literals(step))
    ]
    used = find_references([step.inputs, step.instruction])
    return any(same_work(one, step) or one.id in used for one in alike)


def merge_repeated_steps(draft: Draft) -> None:
    """Removes a step that does exactly what an earlier one does, unless what it touches was changed in between."""
    for step_id in [step.id for step in draft.steps]:
        place = draft.position(step_id)
        step = draft.steps[place]
        for twin in draft.steps[:place]:
            if same_work(twin, step) and not _changed_between(draft, twin, step):
                draft.remove(step.id, f"dropped, it repeats {twin.id}")
                _redirect(draft, step.id, twin.id)
                break


def drop_additions(draft: Draft) -> None:
    """Removes a step that nothing uses, whose words another step serves, and that was given what nobody said."""
    for step in reversed(draft.steps.copy()):
        quoted = Quoted(draft.world.known.request, draft.steps)
        served = [one for one in draft.steps if one.id != step.id and quoted.inside(step.id, one.id)]
        needed = set[str]().union(*(needed_ids(other) for other in draft.steps))
        if served and step.id not in needed and _is_invented(draft, step, served[0]):
            draft.remove(step.id, f"dropped, {served[0].id} serves these words and nobody said what it was given")


def _is_invented(draft: Draft, step: PlanStep, around: PlanStep) -> bool:
    """Whether a step adds nothing to the one whose words it shares: it was given what nobody said, or nothing."""
    if find_references([step.inputs, step.instruction]):
        return False
    said = literals(step)
    if step.kind != "task" or not said:
        return step.kind != "task" or (bool(around.inputs) and step.quote == around.quote)
    return not any(is_grounded(text, draft.world.known) for text in said)


def _changed_between(draft: Draft, first: PlanStep, second: PlanStep) -> bool:
    """Whether a step planned between the two writes what they touch, so that the second one sees something new."""
    between = draft.steps[draft.position(first.id) + 1 : draft.position(second.id)]
    return any(one.effects != "read" and touched(draft, one) & touched(draft, second) for one in between)


def _redirect(draft: Draft, old: str, new: str) -> None:
    def follow(reference: Reference) -> str:
        return str(Reference(new if reference.step == old else reference.step, reference.path))

    for step in list(draft.steps):
        needs = [new if need == old else need for need in step.depends_on]
        draft.change(
            step,
            inputs=replace_references(step.inputs, follow),
            question=str(replace_references(step.question, follow)),
            depends_on=[need for need in dict.fromkeys(needs) if need != step.id],
        )
