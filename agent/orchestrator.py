"""OrchestratorRunner: the run loop of one request, durable at every moment (seed 004)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol, cast

from agent.config import AppConfig
from agent.contracts import (
    Dest,
    ExecutorResponse,
    Incoming,
    Plan,
    PlanStep,
    RunOutcome,
    RunRequest,
    RunStatus,
    Usage,
    run_id_of,
)
from agent.plan_graph.identity import fingerprint
from agent.progress import PlanMade, RunEnded, RunStarted, StepEnded
from agent.questions.fitting import inputs_for, wanted_of
from agent.questions.records import QUESTION_TASK, answer_response, ask_args, is_approved
from agent.questions.service import QuestionService
from agent.references import resolve_references
from agent.run.activities import Activities
from agent.run.consents import approval_of, consent_for, options_from_outside, quoted_in
from agent.run.outcomes import RUN_TASK
from agent.run.state import LiveRun, Opened
from agent.run.steps import STEP_TASK, StepTask
from agent.run.turns import Turns
from aura_core.durable.protocol import Ctx, Engine, Json
from aura_core.errors import (
    AuraError,
    DurableError,
    HomeNotWritableError,
    TaskCancelledError,
    TaskFailedError,
)
from aura_core.ground.events import EventBus
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of, text_of

_log = get_logger("agent.orchestrator")
ASK_KEY, APPROVAL_KEY = "ask:", "approve:"
"""What the keys of a run's questions begin with."""


class SessionLike(Protocol):
    """Whatever a caller has as a session: it only needs an id."""

    id: str


@dataclass
class OrchestratorRunner:
    """Plans, runs side by side, asks, plans again, answers, remembers.

    Attributes:
        config: settings.
        engine: remembers every moment.
        events: progress of all runs.
        activities: what thinks or leaves a trace.
        steps: runs steps, and pays for them.
        questions: questions to the person.
        turns: one run of a session at a time.
        live: the runs of this process by id; filled here.
    """

    config: AppConfig
    engine: Engine
    events: EventBus
    activities: Activities
    steps: StepTask
    questions: QuestionService
    turns: Turns
    live: dict[str, LiveRun]

    def __post_init__(self) -> None:
        self.engine.task(RUN_TASK, self._run)

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
        incoming = Incoming(session_id=session.id, person=person, text=user_text, dest=Dest(dest))
        profile = self.config.profile_of(person)
        request = RunRequest(run_id=run_id_of(""), incoming=incoming, profile=profile.name, permissions=profile)
        await self.engine.start(RUN_TASK, request.model_dump(mode="json"), id=request.run_id)
        record = await self.engine.outcome(request.run_id)
        if record.status == "done":
            return RunOutcome.model_validate(record.result).answer
        return f"The request could not be answered: {record.error or record.status}"

    async def _run(self, ctx: Ctx, args: Json) -> Json:
        request = RunRequest.model_validate(args)
        profile = self.config.profile_for(request)
        run = LiveRun(request, profile, await self.steps.meter(ctx.id, profile))
        self.live[run.id] = run
        try:
            async with self.turns.turn(run):
                run.resumed = bool(await self.engine.steps(ctx.id))
                self.events.publish(RunStarted(run.id, run.session_id, run.text, run.resumed))
                run.opened = Opened.model_validate(await ctx.step("open", self.activities.open, run))
                problem = await self._drive(ctx, run)
                return await self._finish(ctx, run, problem)
        except (DurableError, HomeNotWritableError):
            raise  # the store cannot be written: the run is not over, it goes on later
        except Exception as error:
            _log.exception("the run broke off", corr_id=run.id)
            await self.questions.close_left(run.id)
            self.events.publish(RunEnded(run.id, run.session_id, "error", f"The request broke off: {reason_of(error)}"))
            raise
        finally:
            await run.speculation.close()
            del self.live[run.id]
            self.steps.forget(run.id)

    async def _drive(self, ctx: Ctx, run: LiveRun) -> str:
        """Plans and runs until nothing is left; returns what went wrong with the run as a whole, or nothing.

        When something did, nothing more is started, but what runs is waited for.
        """
        state, waits = run.state, 0
        problem = await self._plan(ctx, run, 0)
        while True:
            problem = problem or await self._start_ready(ctx, run)
            if not state.running or (problem and all(_is_question(child) for child in state.running)):
                if problem or not self._wants_replan(run):
                    return problem
                problem = await self._plan(ctx, run, state.replans + 1)
                continue
            ended = await self.turns.lending(run, ctx.wait_any(f"wait:{waits}", list(state.running)))
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
        self.events.publish(PlanMade(run.id, run.session_id, run.state.plan))
        return ""

    async def _planned(self, run: LiveRun, revision: int) -> Json:
        started, meter = time.monotonic(), run.meter.child()
        await run.speculation.close()
        try:
            record: dict[str, Json] = {"plan": await self.activities.plan(run, revision, meter)}
        except AuraError as error:
            _log.warning("planning failed", corr_id=run.id, error=str(error))
            record = {"problem": text_of(error)}
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
            quoted, options = quoted_in(run, step), _choices(words["options"])
            outside = options_from_outside(run, options, quoted)
            step = step.model_copy(update={"question": str(words["question"]), "options": options})
            wanted = wanted_of(self.activities.specs(run, inputs_for(step, run.state.plan.steps)))
            args = ask_args(run.request, step, wanted=wanted, quoted=quoted, outside_options=outside)
            child = await ctx.start(f"{ASK_KEY}{step.id}", QUESTION_TASK, args)
            run.state.running[child] = step
            return False
        settled = self._settled(run, step)
        if settled is not None:
            self._ended(run, step, settled)
            return True
        if (needed := consent_for(run, step)) is not None:
            args = ask_args(run.request, step, approval_of=approval_of(run, step, needed))
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
        request = run.step_request(
            step,
            results=run.state.outputs,
            context=run.opened.history,
            idempotency_key=f"{ctx.id}/step:{step.id}",
            untrusted=run.state.descends_from_untrusted(step),
            prompted=run.state.is_prompted(step),
            streams=step.kind == "llm" and len(run.state.plan.steps) == 1,
        )
        child = await ctx.start(f"step:{step.id}", STEP_TASK, request.model_dump(mode="json"))
        run.state.running[child] = step

    async def _collect(self, ctx: Ctx, run: LiveRun, child: str) -> None:
        step = run.state.running.pop(child)
        if run.resumed:
            await self.questions.close_left(run.id, inside=child)
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
            text = f"{step.offered_as or step.title or step.task}: not done, because you did not allow it."
            self._ended(run, step, ExecutorResponse(step_id=step.id, status="cancelled", error=text, summary=text))
        elif key.startswith(ASK_KEY):
            self._ended(run, step, answer_response(step, result))
        else:
            run.state.spend(Usage.model_validate(result["usage"]))
            self._ended(run, step, ExecutorResponse.model_validate(result["response"]))

    def _ended(self, run: LiveRun, step: PlanStep, response: ExecutorResponse) -> None:
        run.state.apply(step, response)
        self.events.publish(StepEnded(run.id, run.session_id, step, response))

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
        await self.questions.close_left(run.id)
        written = await ctx.step("answer", self.activities.answer, run, problem)
        answer: str = written["text"]
        run.state.spend(Usage.model_validate(written["usage"]))
        status: RunStatus = "error" if problem or _has_failed(run) else "ok"
        await ctx.step("record", self.activities.record, run, answer, status)
        await ctx.step("deliver", self.activities.deliver, run, answer)
        artifacts = list({item.path: item for r in run.state.responses.values() for item in r.artifacts}.values())
        for number, artifact in enumerate(artifacts):
            await ctx.step(f"file:{number}", self.activities.deliver_file, run, artifact)
        self.events.publish(RunEnded(run.id, run.session_id, status, answer, [item.path for item in artifacts]))
        remembered = await ctx.step("remember", self.activities.remember, run, answer)
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


def _has_failed(run: LiveRun) -> bool:
    """Whether a run brought nothing: a command did not do all that it is, or of a plan only questions succeeded."""
    state = run.state
    work = [name for name in state.responses if state.steps[name].kind != "ask_user"]
    done = [name for name in work if name in state.completed_ok]
    if run.request.command is not None:
        return len(done) < len(work)
    return not done and bool(work or set(state.responses) - state.completed_ok)


def _is_question(child: str) -> bool:
    """Whether a durable child of a run asks its person something; told from the child's id."""
    return child.rsplit("/", 1)[-1].startswith((ASK_KEY, APPROVAL_KEY))


def _choices(options: list[Any]) -> list[str]:
    """The options of a question; one that refers to a list stands for its items."""
    chosen: list[Any] = []
    for option in options:
        chosen += cast("list[Any]", option) if isinstance(option, list) else [option]
    return [str(item) for item in chosen]
