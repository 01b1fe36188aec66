"""MissingPlugins: a step that began before a restart waits while its plan cannot be used, and ends if it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.contracts import ExecutorRequest
from agent.delivery import Deliveries, Parcel
from agent.errors import TaskGoneError
from agent.questions.records import waits_for_answer
from agent.questions.waits import Waits
from aura_core.durable.protocol import Records, StepJournal
from aura_core.errors import DefinitionError, NotFoundError
from aura_core.framework import Framework
from aura_core.generations.events import PlanNotice
from aura_core.ground.journal import fingerprint
from aura_core.language.display import in_short
from aura_core.language.plan_files import found_plans
from aura_core.tasklet import RunInfo

LOOK_SECONDS = 5.0
"""Between two looks at a plan that cannot be read, if no reload tells of it: its folder may be gone."""


@dataclass(frozen=True, slots=True)
class Held:
    """Why a task cannot go on now, though its plan is not gone.

    Attributes:
        why: for the person, as the end of "its plan …".
        remedy: what has to happen first, as the end of "once …".
    """

    why: str
    remedy: str


class MissingPlugins:
    """Knows which plans cannot be read, or lack what a task began with, and what waits for them.

    Args:
        framework: where the plans are.
        records: say what was asked.
        waits: told which steps wait, as for their person.
        deliveries: tell the person, in the chat that asked.
    """

    def __init__(self, framework: Framework, records: Records, waits: Waits, deliveries: Deliveries) -> None:
        self._framework = framework
        self._records = records
        self._waits = waits
        self._deliveries = deliveries
        self._held: dict[str, dict[str, str]] = {}

    def told(self, run_id: str) -> str:
        """What the person was told of a run whose steps wait for their plans; empty if none does."""
        return "\n".join(dict.fromkeys(self._held.get(run_id, {}).values()))

    async def wait_for(self, task: str, request: ExecutorRequest, run: RunInfo, journal: StepJournal) -> bool:
        """Waits until a task that cannot go on can: its plan can be read again, and has what the task began with.

        A plan is mended by a hot reload, or before the next start; until then the step waits as for its person. So it
        does while a whole folder of plans is away, such as a drive: then nobody can tell whether its plan is gone.

        Args:
            task: `plan/name`.
            request: the step that needs it.
            run: the step's run as the task sees it.
            journal: what the step has done.

        Returns:
            True once the task can go on; False if the step did nothing and asked nothing before, and need not wait.

        Raises:
            TaskGoneError: the step had begun, and its plan is gone, or the task is and its text was not recorded.
        """
        if not (journal.length or await waits_for_answer(self._records, request)):
            return False
        with self._framework.events.subscribe(PlanNotice) as notices:
            held = await self._held_by(task, run)
            if held is not None:
                text = await self._tell(task, held, request)
                with self._noted(request, text), self._waits.waiting(request.idempotency_key):
                    while await self._held_by(task, run) is not None:
                        with suppress(TimeoutError):
                            async with asyncio.timeout(LOOK_SECONDS):
                                await notices.next()
        return True

    @contextmanager
    def _noted(self, request: ExecutorRequest, text: str) -> Generator[None]:
        """Keeps what the person was told, for the block; other steps of the run may wait too."""
        steps = self._held.setdefault(request.run_id, {})
        steps[request.idempotency_key] = text
        try:
            yield
        finally:
            del steps[request.idempotency_key]
            if not steps:
                self._held.pop(request.run_id, None)

    async def _held_by(self, task: str, run: RunInfo) -> Held | None:
        """Why a task cannot go on now; None if it can.

        Raises:
            TaskGoneError: it never will.
        """
        plans, plan = self._framework.plans, task.split("/", 1)[0]
        away = await asyncio.to_thread(lambda: [folder for folder in plans.folders if not folder.is_dir()])
        found = await asyncio.to_thread(found_plans, plans.folders)
        try:
            self._framework.task(task, run)
        except DefinitionError as error:
            missing = "; ".join(in_short(error.problems))
            return Held(f"no longer has what this step began with ({missing})", "that is back")
        except NotFoundError as error:
            if plan not in plans.plans and plan in found:
                return Held(f"cannot be read now ({self._reasons(found[plan])})", "it is mended")
            if plan not in plans.plans and away:
                return Held(f"is not there, and {' and '.join(map(str, away))} is away", "it is back")
            raise TaskGoneError(
                f"The task {task} is gone: while it waited, its plan was removed or renamed, or the task in it. "
                f"What it had done before stays done; the rest is not done."
            ) from error
        return None

    def _reasons(self, folder: Path) -> str:
        known = self._framework.problems
        problems = [problem for problem in known if Path(problem.path).resolve().is_relative_to(folder)]
        return "; ".join(in_short(problems)) or "see `aura check`"

    async def _tell(self, task: str, held: Held, request: ExecutorRequest) -> str:
        """Says once for the same reasons that the step waits, and why."""
        text = (
            f"**{request.step.title or request.step.task}** waits: its plan {task.split('/', 1)[0]!r} {held.why}. "
            f"Once {held.remedy}, it goes on from where it was, and so does its question."
        )
        key = f"waits:{request.idempotency_key}:{fingerprint(held.why)}"
        await self._deliveries.hand_over(Parcel(key=key, session_id=request.session_id, dest=request.dest, text=text))
        return text
