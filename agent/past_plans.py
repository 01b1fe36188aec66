"""Past plans: requests that were served well, with the plans that served them; the nearest show the way to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.contracts import ExecutorResponse, PastPlan, Plan, PlanStep
from agent.plan_graph.grounding import KnownWords, is_grounded
from agent.plan_graph.quotes import literals
from agent.references import Reference, find_references, replace_references
from aura_core.storage.documents import Documents

NAMESPACE = "past-plans"
KEPT = 200
"""Plans that are kept of one person; the oldest go."""
LONGEST = 400
"""Characters of a request that is kept: longer ones are texts, and no examples."""


@dataclass(frozen=True, slots=True)
class PastPlans:
    """The plans of each person that ended well.

    Attributes:
        documents: where they are kept.
    """

    documents: Documents

    async def of(self, person: str) -> list[PastPlan]:
        """The plans of a person, `channel:id`."""
        found = await self.documents.list(NAMESPACE, prefix=f"{person}/")
        return [PastPlan.model_validate(document.value) for document in found if not document.damage]

    async def keep(self, person: str, past: PastPlan) -> None:
        """Keeps a plan in the place of an earlier one for the same words."""
        words = " ".join(past.request.casefold().split())
        key = f"{person}/{hashlib.sha256(words.encode()).hexdigest()[:16]}"
        await self.documents.put(NAMESPACE, key, past.model_dump(mode="json"))
        known = await self.documents.list(NAMESPACE, prefix=f"{person}/")
        for document in sorted(known, key=lambda one: one.updated_at)[:-KEPT]:
            await self.documents.delete(NAMESPACE, document.key)

    async def forget(self, person: str) -> int:
        """Forgets all plans of a person; how many it was."""
        known = await self.documents.list(NAMESPACE, prefix=f"{person}/")
        return sum([await self.documents.delete(NAMESPACE, document.key) for document in known])


def worth_keeping(request: str, plan: Plan, responses: Mapping[str, ExecutorResponse]) -> PastPlan | None:
    """A plan as it is kept; None if it teaches nothing or did not end well.

    Kept is a first plan that did all that was asked without a question, with tasks, untouched by words of strangers.

    Args:
        request: the person's words.
        plan: the latest plan.
        responses: how its steps ended, by id.
    """
    ended = [responses.get(step.id) for step in plan.steps]
    well = all(response is not None and response.ok and not response.untrusted for response in ended)
    plain = all(step.kind in ("task", "llm") and not step.confirm for step in plan.steps)
    useful = any(step.kind == "task" for step in plan.steps) and len(request) <= LONGEST
    if not (well and plain and useful) or plan.revision or plan.unserved or plan.tainted:
        return None
    said = KnownWords(request)
    if not all(is_grounded(text, said) for step in plan.steps if step.kind == "task" for text in literals(step)):
        return None  # it would teach to write what nobody says
    names = {step.id: f"s{number}" for number, step in enumerate(plan.steps, start=1)}
    if not find_references([[step.inputs, step.instruction] for step in plan.steps]) <= names.keys():
        return None
    return PastPlan(request=request, steps=[_written(step, names, plan.steps) for step in plan.steps])


def _written(step: PlanStep, names: Mapping[str, str], steps: Sequence[PlanStep]) -> dict[str, Any]:
    """A step as a model writes it."""

    def renamed(reference: Reference) -> str:
        return str(Reference(names[reference.step], reference.path))

    inputs: dict[str, Any] = replace_references(step.inputs, renamed)
    quote = step.quote or next((other.quote for other in steps if step.id in other.depends_on), "")
    if step.kind == "llm":
        texts = " ".join(str(value) for value in inputs.values())
        inputs = {"instruction": f"{step.instruction} {texts}".strip()} if len(steps) > 1 else {}
    return {"for": quote, "task": step.task or step.kind, "inputs": inputs}
