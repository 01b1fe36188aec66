"""Executor: one PlanStep in, one ExecutorResponse out; a Tasklet, a model call or a tool loop in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic_core import to_jsonable_python

from agent.contracts import Artifact, ExecutorRequest, ExecutorResponse, PlanStep, Profile, TaskCard
from agent.dispatcher import Dispatcher
from agent.errors import BudgetExceededError
from agent.llm.client import ModelClient
from agent.llm.meter import Meter
from agent.plan_graph.identity import fingerprint
from agent.references import find_references, resolve_references
from agent.rendering import summarize_output
from agent.sessions import SessionStore
from agent.steps.speculation import Speculation
from agent.steps.tool_guard import NOT_ALLOWED, ToolGuard
from agent.taint.words import is_made_of
from aura_core.durable.protocol import StepJournal
from aura_core.errors import AuraError, DefinitionError, HomeNotWritableError, NotFoundError
from aura_core.framework import Framework
from aura_core.ground.half_done import with_done
from aura_core.ground.logger import get_logger
from aura_core.ground.reasons import reason_of
from aura_core.ground.secrets import masked
from aura_core.tasklet import FROM_OUTSIDE, Attachment, RunInfo, Tasklet, TaskResult

OnText = Callable[[str], None]
OWNER, NOBODY = "owner", "nobody"


class PluginWait(Protocol):
    """Knows why a task cannot go on (see `agent.run.missing_plugins.MissingPlugins`)."""

    async def wait_for(self, task: str, request: ExecutorRequest, run: RunInfo, journal: StepJournal) -> bool:
        """Waits until the task may go on; False if there is nothing to wait for."""
        ...


class CrashGuard(Protocol):
    """Knows with which steps the program crashed (see `agent.run.crash_loop.CrashLoopGuard`)."""

    def watched(self, request: ExecutorRequest, journal: StepJournal) -> AbstractAsyncContextManager[None]:
        """What is to be entered around a task of a step."""
        ...


class Consents(Protocol):
    """Asks the person (see `agent.questions.service.QuestionService`)."""

    async def allows(self, run: RunInfo, text: str) -> bool:
        """Whether the person allows what a text says."""
        ...


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs steps. It decides nothing about order, questions or planning again; that is the run loop's.

    Attributes:
        framework: where tasks run.
        model: for `llm` and `agent` steps.
        dispatcher: what a profile may use.
        sessions: where a session's files live.
        missing_plugins: waits for tasks that a step began with and that cannot go on now.
        crash_guard: refuses a step with which the program crashed too often.
        consents: asks before a tool call that strangers had a hand in.
        clock: gives the time of a profile's people for prompts; aware.
        agent_turns: upper bound of model calls in one `agent` step.
    """

    framework: Framework
    model: ModelClient
    dispatcher: Dispatcher
    sessions: SessionStore
    missing_plugins: PluginWait
    crash_guard: CrashGuard
    consents: Consents
    clock: Callable[[Profile], datetime]
    agent_turns: int

    async def run_step(
        self,
        req: ExecutorRequest,
        profile: Profile,
        meter: Meter | None = None,
        speculation: Speculation | None = None,
        on_text: OnText | None = None,
        *,
        journal: StepJournal | None = None,
    ) -> ExecutorResponse:
        """Runs one step to its end (seed 004, `run_step`).

        Args:
            req: the step, with references still in its inputs, and the results they refer to.
            profile: who asks; a task it does not allow is an error of the step.
            meter: the run's budget.
            speculation: results of read-only steps that were started while the plan was still being written.
            on_text: receives the pieces of an `llm` step's text.
            journal: what the step did before it was broken off; None for a step that is not repeated.

        Returns:
            The response; failures are in it, never raised, except cancellation, a budget that is used up, and a record
            of runs that cannot be written: the step goes on when there is room.
        """
        started = time.monotonic()
        step = req.step
        try:
            response = await self._dispatch(
                req, profile, meter=meter, speculation=speculation, on_text=on_text, journal=journal
            )
        except (BudgetExceededError, HomeNotWritableError):
            raise
        except AuraError as error:
            response = _failed(step, str(error))
        except Exception as error:  # noqa: BLE001 (a bug in a plugin fails its step, never the run)
            get_logger("agent.executor").exception("step failed unexpectedly", corr_id=req.run_id, step=step.id)
            response = _failed(step, f"{step.title or step.id} failed unexpectedly: {reason_of(error)}")
        mark = fingerprint(step, resolve_references(step.inputs, req.results))
        shown = {name: masked(getattr(response, name)) for name in ("output", "summary", "error")}
        return response.model_copy(update={**shown, "fingerprint": mark, "seconds": time.monotonic() - started})

    async def _dispatch(
        self,
        req: ExecutorRequest,
        profile: Profile,
        *,
        meter: Meter | None,
        speculation: Speculation | None,
        on_text: OnText | None,
        journal: StepJournal | None,
    ) -> ExecutorResponse:
        step = req.step
        if step.kind == "llm":
            from agent.steps.model_steps import run_llm_step  # noqa: PLC0415 (a task needs no model)

            return await run_llm_step(req, self.model, meter, self.clock(profile), on_text)
        if step.kind == "agent":
            return await self._agent_step(req, profile, meter, journal)
        inputs = resolve_references(step.inputs, req.results)
        if (
            speculation is not None
            and not step.depends_on
            and (early := await speculation.take(fingerprint(step, inputs))) is not None
        ):
            return early.model_copy(update={"step_id": step.id})
        return await self.run_task(step.task or "", inputs, req, profile, journal)

    async def run_task(
        self,
        task: str,
        inputs: dict[str, Any],
        req: ExecutorRequest,
        profile: Profile,
        journal: StepJournal | None = None,
        *,
        scope: str = "",
    ) -> ExecutorResponse:
        """Runs one plugin task for a step.

        Args:
            task: `plan/name`.
            inputs: resolved values.
            req: the step behind it, for ids and the session.
            profile: who asks.
            journal: what the step did before it was broken off.
            scope: tells the task from others of the same step.

        Raises:
            NotAllowedError: the profile does not allow the task.
            NotFoundError: there is no such task.
            TaskGoneError: there is none any more.
            CrashLoopError: the program crashed with it too often.
        """
        run = self._run_info(req, profile, journal, scope)
        card = await self._card(task, req, profile, run, journal)
        run.untrusted = req.untrusted or card.untrusted
        async with nullcontext() if journal is None else self.crash_guard.watched(req, journal):
            result = await self.framework.submit(Tasklet(task=card.task, inputs=inputs, run=run))
        return _response(req.step.id, card, result, run)

    def _run_info(self, req: ExecutorRequest, profile: Profile, journal: StepJournal | None, scope: str) -> RunInfo:
        return RunInfo(
            corr_id=req.run_id,
            session_id=req.session_id,
            person=req.person,
            whose=whose_data(req.person, profile),
            timezone=profile.timezone,
            dest=req.dest.root,
            files_folder=self.sessions.files(req.session_id) if req.session_id else None,
            source=req.source,
            idempotency_key=req.idempotency_key,
            journal=journal,
            scope=scope,
        )

    async def _card(
        self, task: str, req: ExecutorRequest, profile: Profile, run: RunInfo, journal: StepJournal | None
    ) -> TaskCard:
        while True:
            try:
                return self.dispatcher.card(task, profile, run)
            except (NotFoundError, DefinitionError):
                if journal is None or not await self.missing_plugins.wait_for(task, req, run, journal):
                    raise

    async def _agent_step(
        self, req: ExecutorRequest, profile: Profile, meter: Meter | None, journal: StepJournal | None
    ) -> ExecutorResponse:
        cards = self.dispatcher.catalogue(profile)
        guard = ToolGuard.of(req, profile.approve)
        calls = 0
        done: list[str] = []

        async def call(task: str, inputs: dict[str, Any]) -> ExecutorResponse:
            nonlocal calls
            calls += 1
            key = f"call:{calls}"
            inner = req.model_copy(
                update={"idempotency_key": f"{req.idempotency_key}/{key}", "untrusted": guard.untrusted}
            )
            try:
                card = self.dispatcher.card(task, profile)
                if refusal := guard.refusal(card, inputs):
                    return ExecutorResponse(step_id=req.step.id, status="error", error=refusal)
                question = guard.question(card, inputs)
                asking = self._run_info(req, profile, None, "consent")
                if question and not await self.consents.allows(asking, question):
                    return ExecutorResponse(step_id=req.step.id, status="error", error=f"{task}: {NOT_ALLOWED}")
                response = await self.run_task(task, inputs, inner, profile, journal, scope=f"{key}:")
            except HomeNotWritableError:
                raise
            except AuraError as error:
                return ExecutorResponse(step_id=req.step.id, status="error", error=str(error))
            guard.learn(card, response)
            if response.ok and card.effects != "read":
                done.append(card.title or task)
            return response

        from agent.steps.model_steps import run_agent_step  # noqa: PLC0415 (a task needs no model)

        try:
            response = await run_agent_step(
                req, cards, self.model, meter=meter, now=self.clock(profile), turns=self.agent_turns, call=call
            )
        except HomeNotWritableError:
            raise
        except AuraError as error:
            response = ExecutorResponse(step_id=req.step.id, status="error", error=str(error), summary=str(error))
        if response.ok or not done:
            return response
        text = with_done(response.error or response.summary, done)
        return response.model_copy(update={"error": text, "summary": text})


def whose_data(person: str, profile: Profile) -> str:
    """Whose notes and the like a run reads and writes: empty for the owner's, which all the owner's channels share."""
    return "" if profile.name == OWNER or profile.shares_data else person or NOBODY


def prefetchable(step: PlanStep, card: TaskCard, user_text: str) -> bool:
    """Whether a step may be started before its plan is complete: it only reads, and all it needs is known.

    What leaves, and what is marked `grounded`, must stand in the person's own words: nothing is fetched that a model
    made up, and nothing is sent that a page put into its head.
    """
    if step.kind != "task" or card.effects != "read" or step.depends_on or "llm" in card.resources:
        return False
    if any(name not in step.inputs for name in card.required):
        return False
    if find_references(step.inputs):
        return False
    told = [name for name in step.inputs if name in card.leaves or card.properties.get(name, {}).get("grounded")]
    return all(is_made_of(step.inputs[name], [user_text]) for name in told)


def _plain(value: object) -> Any:
    """A task's result as JSON that every program reads: NaN and what is beyond every number are null."""
    return to_jsonable_python(value, fallback=str, inf_nan_mode="null")


def _failed(step: PlanStep, text: str) -> ExecutorResponse:
    return ExecutorResponse(step_id=step.id, status="error", error=text, summary=text, untrusted=step.untrusted)


def _response(step_id: str, card: TaskCard, result: TaskResult, run: RunInfo) -> ExecutorResponse:
    files, untrusted = run.files_folder, card.untrusted or FROM_OUTSIDE in run.marks
    if result.ok:
        stopped = result.status == "stopped"
        output = result.message if stopped and result.result is None else result.result
        told = "" if output is result.message else summarize_output(output)
        return ExecutorResponse(
            step_id=step_id,
            status="partial" if stopped else "ok",
            output=_plain(output),
            summary="\n\n".join(part for part in (result.message, told) if part),
            artifacts=[_artifact(item, files) for item in result.attachments if files],
            seconds=result.seconds,
            untrusted=untrusted,
        )
    message = result.error.message if result.error else f"{card.task} ended as {result.status}."
    return ExecutorResponse(
        step_id=step_id,
        status="error",
        error=message,
        summary=message,
        seconds=result.seconds,
        untrusted=untrusted,
    )


def _artifact(attachment: Attachment, files: Path) -> Artifact:
    path = attachment.path.resolve()
    return Artifact(
        path=path.relative_to(files.resolve()).as_posix(), caption=attachment.caption, bytes=path.stat().st_size
    )
