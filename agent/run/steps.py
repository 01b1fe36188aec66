"""StepTask: the durable task of one step: run once, recorded, paid by the meter of its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.config import AppConfig
from agent.contracts import ExecutorRequest, ExecutorResponse, Profile, RunRequest, Usage
from agent.errors import BudgetExceededError
from agent.executor import Executor
from agent.llm.meter import Ledger, Meter
from agent.progress import AnswerText, StepStarted
from agent.run.state import LiveRun, RunState
from aura_core.durable.protocol import Ctx, Engine, Json, StepJournal
from aura_core.ground.events import EventBus

STEP_TASK = "step"


@dataclass
class StepTask:
    """Runs steps for all runs of a process.

    Attributes:
        config: settings; they tell the profile of a step whose run has not begun again yet.
        engine: remembers what interrupted runs had spent.
        events: told when a step begins, and the text of one that is the answer.
        executor: runs the step.
        ledger: what was spent per profile and day.
        step_meters: where the meter of a step in flight is found, by idempotency key; filled here.
        live: the runs of this process by id; a step may begin before its run does.
    """

    config: AppConfig
    engine: Engine
    events: EventBus
    executor: Executor
    ledger: Ledger
    step_meters: dict[str, Meter]
    live: Mapping[str, LiveRun]
    _meters: dict[str, Meter] = field(default_factory=dict[str, Meter], init=False)

    def __post_init__(self) -> None:
        self.engine.task(STEP_TASK, self._run)

    async def _run(self, ctx: Ctx, args: Json) -> Json:
        """The durable task of one step: run once, recorded, never repeated after that."""
        return await ctx.step("execute", self._execute, ExecutorRequest.model_validate(args), ctx.journal)

    async def _execute(self, request: ExecutorRequest, journal: StepJournal) -> Json:
        """Runs the step; it knows only its request, since after a restart it may begin before the run itself."""
        self.events.publish(StepStarted(request.run_id, request.session_id, request.step))
        live = self.live.get(request.run_id)
        profile = live.profile if live is not None else await self._profile_of(request)
        meter = (await self.meter(request.run_id, profile)).child()
        self.step_meters[request.idempotency_key] = meter
        try:
            response = await self.executor.run_step(
                request, profile, meter, live and live.speculation, self._streamed(request), journal=journal
            )
        except BudgetExceededError as error:
            response = ExecutorResponse(step_id=request.step.id, status="error", error=str(error), summary=str(error))
        finally:
            self.step_meters.pop(request.idempotency_key, None)
        marks = {"untrusted": request.untrusted, "prompted": request.prompted}
        response = response.model_copy(update={name: True for name, is_set in marks.items() if is_set})
        return {"response": response.model_dump(mode="json"), "usage": meter.usage.model_dump()}

    def _streamed(self, request: ExecutorRequest) -> Callable[[str], None] | None:
        """Where the text of a step goes while it is written: to the person, if it is the answer."""
        if not request.streams:
            return None
        return lambda piece: self.events.publish(AnswerText(request.run_id, request.session_id, piece))

    async def _profile_of(self, request: ExecutorRequest) -> Profile:
        """The profile of a run that has not begun again yet."""
        run = await self.engine.get(request.run_id)
        if run is None:
            return self.config.profile(request.profile)
        return self.config.profile_for(RunRequest.model_validate(run.args))

    async def meter(self, run_id: str, profile: Profile) -> Meter:
        """The run's meter; it begins with what an interrupted run had spent."""
        if run_id not in self._meters:
            spent = await self._spent_before(run_id)
            self._meters.setdefault(run_id, Meter(profile, self.ledger, spent))
        return self._meters[run_id]

    def forget(self, run_id: str) -> None:
        """Drops the meter of a run that is over."""
        self._meters.pop(run_id, None)

    async def _spent_before(self, run_id: str) -> Usage:
        """What an interrupted run had spent, from its records."""
        records = list((await self.engine.steps(run_id)).values())
        records += [child.result for child in await self.engine.list(parent=run_id, limit=None)]
        spent = RunState()
        for record in records:
            if isinstance(record, dict) and "usage" in record:
                spent.spend(Usage.model_validate(record["usage"]))
        return spent.usage
