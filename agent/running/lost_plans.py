"""LostPlans: a step that began before a restart waits while its plan cannot be read, and ends if its task is gone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from agent.contracts import ExecutorRequest
from agent.durable.protocol import StepJournal
from agent.errors import TaskGoneError
from agent.running.deliveries import Deliveries, Parcel
from agent.running.questions import QuestionDesk, waits_for_answer
from aura_core.framework import Framework
from aura_core.hot_reload import PlanNotice
from aura_core.journal import fingerprint
from aura_core.model.display import in_short
from aura_core.model.plan_files import found_plans

LOOK_SECONDS = 5.0
"""Between two looks at a plan that cannot be read, if no reload tells of it: its folder may be gone."""


class LostPlans:
    """Knows which plans are there but cannot be read, and what waits for them.

    Args:
        framework: where the plans are.
        desk: knows what waits for a person.
        deliveries: tell the person, in the chat that asked.

    Attributes:
        held: what the person was told of a run with a step that waits for its plan, by the run's id.
    """

    def __init__(self, framework: Framework, desk: QuestionDesk, deliveries: Deliveries) -> None:
        self._framework = framework
        self._desk = desk
        self._deliveries = deliveries
        self.held: dict[str, str] = {}

    async def wait_for(self, task: str, request: ExecutorRequest, journal: StepJournal) -> bool:
        """Waits until the plan of a task that is not there can be read again.

        A plan is mended by a hot reload, or before the next start; until then the step waits as for its person.

        Args:
            task: `plan/name`.
            request: the step that needs it.
            journal: what the step has done.

        Returns:
            True once the plan is there; False if the step did nothing and asked nothing before, and need not wait.

        Raises:
            TaskGoneError: the step had begun, and the plan is gone, or has no such task any more.
        """
        if not (journal.length or await waits_for_answer(self._desk.engine, request)):
            return False
        plan = task.split("/", 1)[0]
        with self._framework.events.subscribe(PlanNotice) as notices:
            folder = await self._folder(plan)
            if folder is not None:
                self.held[request.run_id] = await self._tell(plan, folder, request)
                try:
                    with self._desk.waiting(request.run_id, request.idempotency_key):
                        while await self._folder(plan) is not None:
                            with suppress(TimeoutError):
                                async with asyncio.timeout(LOOK_SECONDS):
                                    await notices.next()
                finally:
                    self.held.pop(request.run_id, None)
        if any(known.ref == task for known in self._framework.plans.tasks()):
            return True
        raise TaskGoneError(
            f"The task {task} is gone: while it waited, its plan was removed or renamed, or the task in it. "
            f"What it had done before stays done; the rest is not done."
        )

    async def _folder(self, plan: str) -> Path | None:
        """The folder of a plan that is there but cannot be used; None if it can be, or is gone."""
        if plan in self._framework.plans.plans:
            return None
        found = await asyncio.to_thread(found_plans, self._framework.plans.folders)
        return None if plan in self._framework.plans.plans else found.get(plan)

    def _reasons(self, folder: Path) -> str:
        known = self._framework.problems
        problems = [problem for problem in known if Path(problem.path).resolve().is_relative_to(folder)]
        return "; ".join(in_short(problems)) or "see `aura check`"

    async def _tell(self, plan: str, folder: Path, request: ExecutorRequest) -> str:
        """Says once for the same problems that the step waits, and why."""
        reasons = self._reasons(folder)
        text = (
            f"**{request.step.title or request.step.task}** waits: its plan {plan!r} cannot be read now ({reasons}). "
            f"Once it is mended, it goes on from where it was, and so does its question."
        )
        key = f"waits:{request.idempotency_key}:{fingerprint(reasons)}"
        await self._deliveries.hand_over(Parcel(key=key, session_id=request.session_id, dest=request.dest, text=text))
        return text
