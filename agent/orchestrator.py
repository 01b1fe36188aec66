"""OrchestratorRunner: the run loop of one request, durable at every moment (seed 004, DESIGN 2)."""

from __future__ import annotations

import time
import uuid
from typing import Any, Protocol, cast

from agent.config import AppConfig
from agent.contracts import (
    ExecutorRequest,
    ExecutorResponse,
    Incoming,
    Plan,
    PlanStep,
    RunOutcome,
    RunRequest,
    RunStatus,
    Usage,
)
from agent.executor import Executor
from agent.llm.meter import Ledger, Meter
from agent.plan_graph.identity import fingerprint
from agent.progress import PlanMade, RunEnded, RunStarted, StepEnded
from agent.questions.desk import QUESTION_TASK, QuestionDesk, answer_response, ask_args, is_approved
from agent.references import resolve_references
from agent.run.activities import Activities
from agent.run.live import LiveRun, Opened
from agent.run.outcomes import RUN_TASK
from agent.run.step_task import STEP_TASK, StepTask
from agent.run.turns import APPROVAL_KEY, ASK_KEY, Turns, is_question
from aura_core.durable.protocol import Ctx, Engine, Json
from aura_core.errors import (
    AuraError,
    DurableError,
    HomeNotWritableError,
    TaskCancelledError,
    TaskFailedError,
)
from aura_core.ground.logger import get_logger


class SessionLike(Protocol):
    """Whatever a caller has as a session: it only needs an id."""

    id: str


class OrchestratorRunner:
    """Plans, runs side by side, asks, plans again, answers, remembers.

    Args:
        config: settings.
        engine: remembers every moment.
        activities: what thinks or leaves a trace.
        executor: runs steps.
        desk: questions to the person.
        ledger: what was spent per profile and day.
        step_meters: where the meter of a step in flight is found, by idempotency key; filled here.
    """

    def __init__(
        self,
        config: AppConfig,
        *,
        engine: Engine,
        activities: Activities,
        executor: Executor,
        desk: QuestionDesk,
        ledger: Ledger,
        step_meters: dict[str, Meter],
    ) -> None:
        self._config = config
        self._engine = engine
        self._activities = activities
        self._dispatcher = activities.dispatcher
        self._desk = desk
        self._events = activities.events
        self._log = get_logger("agent.orchestrator")
        self.live: dict[str, LiveRun] = {}
        self._turns = Turns(self.live, desk, activities.events)
        self._steps = StepTask(
            config,
            engine=engine,
            activities=activities,
            executor=executor,
            ledger=ledger,
            step_meters=step_meters,
            live=self.live,
        )
        engine.task(RUN_TASK, self._run)
        engine.task(STEP_TASK, self._steps.run)
        engine.task(QUESTION_TASK, desk.run_question)
        desk.on_change = self._turns.update

    async def run(self, session: SessionLike, user_text: str, bot: Any, context: Any, dest: dict[str, Any]) -> str:  # noqa: ARG002 (seed 004's signature)
        """Runs one request to its answer (seed 004).

        Args:
            session: has the session's `id`.
            user_text: the person's words.
            bot: the transport; not used here, since `dest["channel"]` names it durably. May be None.
            context: not used; the seed keeps it for callers.
            dest: where the answer goes, e.g. {"channel": "telegram", "chat_id": 1}.

        Returns:
            The final answer. Failures are told in it, not raised.
        """
        person = f"{dest.get('channel', 'terminal')}:{dest.get('user_id', '*')}"
        incoming = Incoming(session_id=session.id, person=person, text=user_text, dest=dest)
        profile = self._config.profile_of(person)
        run_id = f"run-{uuid.uuid4().hex[:12]}"
        request = RunRequest(run_id=run_id, incoming=incoming, profile=profile.name, permissions=profile)
        await self._engine.start(RUN_TASK, request.model_dump(mode="json"), id=request.run_id)
        record = await self._engine.outcome(request.run_id)
        if record.status == "done":
            return RunOutcome.model_validate(record.result).answer
        return f"The request could not be answered: {record.error or record.status}"

    def update_waiting(self, run_id: str) -> None:
        """Looks again whether all that is left of a run waits for its person."""
        self._turns.update(run_id)

    async def _run(self, ctx: Ctx, args: Json) -> Json:
        request = RunRequest.model_validate(args)
        profile = self._config.profile_for(request)
        run = LiveRun(request, profile, await self._steps.meter(ctx.id, profile))
        self.live[run.id] = run
        try:
            async with self._turns.turn(run):
                run.resumed = bool(await self._engine.steps(ctx.id))
                self._events.publish(RunStarted(run.id, run.session_id, run.text, run.resumed))
                run.opened = Opened.model_validate(await ctx.step("open", self._activities.open, run))
                problem = await self._drive(ctx, run)
                return await self._finish(ctx, run, problem)
        except (DurableError, HomeNotWritableError):
            raise  # the store cannot be written: the run is not over, it goes on later
        except Exception as error:
            self._log.exception("the run broke off", corr_id=run.id)
            await self._desk.close_left(run.id)
            self._events.publish(RunEnded(run.id, run.session_id, "error", f"The request broke off: {error}"))
            raise
        finally:
            await run.speculation.close()
            del self.live[run.id]
            self._steps.forget(run.id)

    async def _drive(self, ctx: Ctx, run: LiveRun) -> str:
        """Plans and runs until nothing is left; returns what went wrong with the run as a whole, or nothing.

        When something did, nothing more is started, but what runs is waited for.
        """
        state, waits = run.state, 0
        problem = await self._plan(ctx, run, 0)
        while True:
            problem = problem or await self._start_ready(ctx, run)
            if not state.running or (problem and all(is_question(child) for child in state.running)):
                if problem or not self._wants_replan(run):
                    return problem
                problem = await self._plan(ctx, run, state.replans + 1)
                continue
            ended = await self._turns.lending(run, ctx.wait_any(f"wait:{waits}", list(state.running)))
            waits += 1
            await self._collect(ctx, run, ended)

    async def _plan(self, ctx: Ctx, run: LiveRun, revision: int) -> str:
        started = time.monotonic()
        record = await ctx.step(f"plan:{revision}", self._planned, run, revision)
        run.seconds += time.monotonic() - started
        run.state.spend(Usage.model_validate(record["usage"]))
        run.state.work_seconds += record["seconds"]
        if record.get("problem"):
            return record["problem"]
        run.state.adopt(Plan.model_validate(record["plan"]))
        self._events.publish(PlanMade(run.id, run.session_id, run.state.plan))
        return ""

    async def _planned(self, run: LiveRun, revision: int) -> Json:
        started, meter = time.monotonic(), run.meter.child()
        await run.speculation.close()
        try:
            record: dict[str, Json] = {"plan": await self._activities.plan(run, revision, meter)}
        except AuraError as error:
            self._log.warning("planning failed", corr_id=run.id, error=str(error))
            record = {"problem": str(error)}
        return {**record, "usage": meter.usage.model_dump(), "seconds": time.monotonic() - started}

    async def _start_ready(self, ctx: Ctx, run: LiveRun) -> str:
        """Starts every step that can start now; returns the budget that is used up, if one is."""
        state = run.state
        while True:
            ready, skipped = state.frontier.take()
            for response in skipped:
                self._ended(run, state.steps[response.step_id], response)
            settled = False
            for step in ready:
                if problem := self._over_budget(run):
                    return problem
                settled = await self._start(ctx, run, step) or settled
            if not settled:
                return ""

    def _over_budget(self, run: LiveRun) -> str:
        budgets = run.profile.budgets
        if len(run.state.responses) + len(run.state.running) >= budgets.steps:
            return f"The limit of {budgets.steps} steps for one request is reached."
        if budgets.seconds_per_run is not None and run.state.work_seconds > budgets.seconds_per_run:
            return f"The limit of {budgets.seconds_per_run:g} seconds for one request is reached."
        return ""

    async def _start(self, ctx: Ctx, run: LiveRun, step: PlanStep) -> bool:
        """Starts one step side by side; True if it was settled at once (a result was reused, or it was refused)."""
        if step.kind == "ask_user":
            words = {
                name: resolve_references(getattr(step, name), run.state.outputs) for name in ("question", "options")
            }
            step = step.model_copy(update={"question": str(words["question"]), "options": _choices(words["options"])})
            child = await ctx.start(f"{ASK_KEY}{step.id}", QUESTION_TASK, ask_args(run.request, step))
            run.state.running[child] = step
            return False
        settled = self._settled(run, step)
        if settled is not None:
            self._ended(run, step, settled)
            return True
        if step.effects in run.profile.approve and run.state.descends_from_untrusted(step):
            args = ask_args(run.request, step, approval_of=_approval_text(step, run))
            child = await ctx.start(f"{APPROVAL_KEY}{step.id}", QUESTION_TASK, args)
            run.state.running[child] = step
            return False
        await self._launch(ctx, run, step)
        return False

    def _settled(self, run: LiveRun, step: PlanStep) -> ExecutorResponse | None:
        """A finished result with the same fingerprint, or the refusal to repeat a failed step unchanged."""
        try:
            mark = fingerprint(step, run.state.resolved_inputs(step))
        except AuraError as error:
            return ExecutorResponse(step_id=step.id, status="blocked", error=str(error), summary=str(error))
        if (done := run.state.finished_like(mark)) is not None and run.state.replans:
            return done.model_copy(update={"step_id": step.id, "seconds": 0.0, "artifacts": []})
        if (failed := run.state.failed_like(mark)) is not None:
            text = f"Not tried again unchanged; it failed before: {failed.error}"
            return ExecutorResponse(step_id=step.id, status="blocked", error=text, summary=text, fingerprint=mark)
        return None

    async def _launch(self, ctx: Ctx, run: LiveRun, step: PlanStep) -> None:
        request = ExecutorRequest(
            run_id=run.id,
            session_id=run.session_id,
            profile=run.profile.name,
            person=run.request.incoming.person,
            dest=run.request.incoming.dest,
            step=step,
            user_text=run.text,
            results=run.state.outputs,
            context=run.opened.history,
            source=run.request.source,
            idempotency_key=f"{ctx.id}/step:{step.id}",
            untrusted=run.state.descends_from_untrusted(step),
            streams=step.kind == "llm" and len(run.state.plan.steps) == 1,
        )
        child = await ctx.start(
            f"step:{step.id}",
            STEP_TASK,
            request.model_dump(mode="json"),
        )
        run.state.running[child] = step

    async def _collect(self, ctx: Ctx, run: LiveRun, child: str) -> None:
        step = run.state.running.pop(child)
        self._desk.answered.discard(child)
        if run.resumed:
            await self._desk.close_left(run.id, inside=child)
        try:
            result = await ctx.result(child)
        except (TaskFailedError, TaskCancelledError) as error:
            status = "cancelled" if isinstance(error, TaskCancelledError) else "error"
            text = f"{step.title or step.id} did not finish: {error}"
            self._ended(run, step, ExecutorResponse(step_id=step.id, status=status, error=text, summary=text))
            return
        key = child.rsplit("/", 1)[-1]
        if key.startswith(APPROVAL_KEY):
            if is_approved(result):
                await self._launch(ctx, run, step)
                return
            text = f"{step.title or step.task}: not done, because you did not allow it."
            self._ended(run, step, ExecutorResponse(step_id=step.id, status="cancelled", error=text, summary=text))
        elif key.startswith(ASK_KEY):
            self._ended(run, step, answer_response(step, result))
        else:
            run.state.spend(Usage.model_validate(result["usage"]))
            self._ended(run, step, ExecutorResponse.model_validate(result["response"]))

    def _ended(self, run: LiveRun, step: PlanStep, response: ExecutorResponse) -> None:
        run.state.apply(step, response)
        self._events.publish(StepEnded(run.id, run.session_id, step, response))

    def _wants_replan(self, run: LiveRun) -> bool:
        """Whether to plan again: a step failed or asks for it, or the person answered a question nobody uses."""
        state = run.state
        if run.request.command is not None or state.replans >= run.profile.budgets.replans:
            return False
        current = [(step, state.responses[step.id]) for step in state.plan.steps if step.id in state.responses]
        if any(response.replan for _, response in current):
            return True
        if any(response.status == "error" for _, response in current):
            return True
        used = {name for step in state.plan.steps for name in step.depends_on}
        return any(step.kind == "ask_user" and response.ok and step.id not in used for step, response in current)

    async def _finish(self, ctx: Ctx, run: LiveRun, problem: str) -> Json:
        await self._desk.close_left(run.id)
        written = await ctx.step("answer", self._activities.answer, run, problem)
        answer: str = written["text"]
        run.state.spend(Usage.model_validate(written["usage"]))
        failed = problem or (run.state.responses and not run.state.completed_ok)
        status: RunStatus = "error" if failed else "ok"
        await ctx.step("record", self._activities.record, run, answer, status)
        await ctx.step("deliver", self._activities.deliver, run, answer)
        artifacts = list({item.path: item for r in run.state.responses.values() for item in r.artifacts}.values())
        for number, artifact in enumerate(artifacts):
            await ctx.step(f"file:{number}", self._activities.deliver_file, run, artifact)
        self._events.publish(RunEnded(run.id, run.session_id, status, answer, [item.path for item in artifacts]))
        remembered = await ctx.step("remember", self._activities.remember, run, answer)
        run.state.spend(Usage.model_validate(remembered["usage"]))
        return RunOutcome(
            run_id=run.id,
            status=status,
            answer=answer,
            plan=run.state.plan.steps,
            results=list(run.state.responses.values()),
            replans=run.state.replans,
            usage=run.state.usage.model_copy(update={"seconds": round(run.seconds, 3)}),
        ).model_dump(mode="json")


def _choices(options: list[Any]) -> list[str]:
    """The options of a question; one that refers to a list stands for its items."""
    chosen: list[Any] = []
    for option in options:
        chosen += cast("list[Any]", option) if isinstance(option, list) else [option]
    return [str(item) for item in chosen]


def _approval_text(step: PlanStep, run: LiveRun) -> str:
    sources = [name for name, response in run.state.responses.items() if response.untrusted]
    titles = ", ".join(run.state.title_of(name) for name in sources) or "an earlier result"
    return f"“{step.title or step.task}” would use text that came from outside ({titles}). Shall I go on with it?"
