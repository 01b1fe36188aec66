"""The activities of a run that think or leave a trace: open, plan, answer, deliver, record, remember.

Each is one function that the run loop calls inside a durable step: it takes JSON-able values and gives them back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.config import AppConfig
from agent.contracts import Artifact, Exchange, ExecutorResponse, PlanStep, Profile
from agent.delivery import Deliveries, Parcel
from agent.dispatcher import Dispatcher
from agent.executor import Executor, prefetchable
from agent.llm.client import ModelClient
from agent.llm.meter import Meter
from agent.past_plans import PastPlans, worth_keeping
from agent.plan_graph.identity import fingerprint
from agent.progress import AnswerText, PhaseChanged, StepDrafted
from agent.run.state import LiveRun, Opened
from agent.sessions import SessionStore
from agent.taint.described import described
from agent.taint.file_names import stand_ins, with_real_names
from agent.taint.words import is_made_of
from aura_core.data.files import resolve_inside
from aura_core.data.outside_names import names_from_outside
from aura_core.durable.protocol import Json
from aura_core.errors import AuraError
from aura_core.ground.events import EventBus
from aura_core.ground.logger import get_logger
from aura_core.language.input_spec import InputSpec

HISTORY_TEXT_LIMIT = 400
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Activities:
    """Everything the activities need; one for all runs of a process."""

    config: AppConfig
    model: ModelClient
    dispatcher: Dispatcher
    executor: Executor
    sessions: SessionStore
    events: EventBus
    deliveries: Deliveries
    past_plans: PastPlans
    clock: Callable[[Profile], datetime]

    async def open(self, run: LiveRun) -> Json:
        """Reads the session: history, memory, files; the clock is read here and nowhere else in the loop."""
        from agent.memory import read_memory  # noqa: PLC0415 (only a run needs it)

        task_key = await self.sessions.current_task_key(run.session_id)
        session_data = await self.sessions.load(run.session_id)
        folder = self.sessions.folder(run.session_id)
        memory = await read_memory(folder, self.sessions.lost) if run.profile.memory else ""
        files = await self.sessions.file_names(run.session_id)
        outside = await asyncio.to_thread(names_from_outside, self.sessions.files(run.session_id))
        opened = Opened(
            history=build_orchestrator_context(session_data, task_key, self.config.planner.history),
            memory=memory,
            before=last_turn(session_data, task_key),
            files=files,
            stand_ins=stand_ins(files, outside, run.said),
            now=self.clock(run.profile).isoformat(),
            task_key=task_key,
        )
        return opened.model_dump(mode="json")

    async def plan(self, run: LiveRun, revision: int, meter: Meter) -> Json:
        """Asks the planner; read-only steps start while it still writes."""
        from agent.planner import PlannerConfig, plan_command, plan_steps  # noqa: PLC0415 (only a run needs it)

        self.events.publish(PhaseChanged(run.id, run.session_id, "planning"))
        settings = PlannerConfig(
            model=self.model,
            meter=meter,
            catalogue=self.dispatcher.catalogue(run.profile),
            profile=run.profile,
            examples=self.dispatcher.examples(run.profile),
            past=await self.past_plans.of(run.request.incoming.person) if run.profile.memory else (),
            before=run.opened.before,
            memory=run.opened.memory,
            files=_shown_files(run.opened),
            now=datetime.fromisoformat(run.opened.now),
            previous=list(run.state.responses.values()),
            previous_steps=list(run.state.steps.values()),
            revision=revision,
            settings=self.config.planner,
            on_step=lambda step: self._drafted(run, step),
        )
        command, card = run.request.command, None
        if command is not None:
            card = self.dispatcher.card(command.task, run.profile)
            plan = plan_command(card, command.inputs)
        else:
            plan = await plan_steps(settings, run.text, run.opened.history)
        known = [*settings.catalogue, *([] if card is None else [card])]
        plan = with_real_names(described(plan, {one.task: one for one in known}), run.opened.stand_ins)
        tainted = run.request.incoming.untrusted or any(response.untrusted for response in run.state.responses.values())
        return run.state.fitted(plan.model_copy(update={"tainted": tainted})).model_dump(mode="json")

    def specs(self, run: LiveRun, inputs: Sequence[tuple[str, str]]) -> list[InputSpec]:
        """What the tasks of a run say about some of their inputs, (task, name), as far as they are there."""
        found = (self.dispatcher.input_spec(task, name, run.profile) for task, name in inputs)
        return [spec for spec in found if spec is not None]

    def _drafted(self, run: LiveRun, step: PlanStep) -> None:
        self.events.publish(StepDrafted(run.id, run.session_id, step))
        if step.kind != "task":
            return
        try:
            card = self.dispatcher.card(step.task or "", run.profile)
        except AuraError:
            return
        incoming = run.request.incoming
        if not prefetchable(step, card, "\n".join([*run.said, *([] if incoming.untrusted else incoming.files)])):
            return
        request = run.step_request(step)
        mark = fingerprint(step, step.inputs)
        if run.state.finished_like(mark) or run.state.failed_like(mark):
            return
        run.speculation.start(
            mark,
            lambda: self.executor.run_step(request, run.profile, run.meter),
        )

    async def answer(self, run: LiveRun, problem: str) -> Json:
        """Writes the answer from the results; without a model the step summaries are the answer."""
        from agent.answer import compose_final_answer  # noqa: PLC0415 (only a run needs it)

        self.events.publish(PhaseChanged(run.id, run.session_id, "answering"))
        responses = list(run.state.responses.values())
        meter = run.meter.child()
        text = await compose_final_answer(
            run.text,
            run.state.plan.steps,
            responses,
            [artifact for response in responses for artifact in response.artifacts],
            model=self.model if run.request.command is None else None,
            meter=meter,
            now=datetime.fromisoformat(run.opened.now),
            history=run.opened.history,
            problem=problem,
            unserved=run.state.plan.unserved,
            on_text=lambda piece: self.events.publish(AnswerText(run.id, run.session_id, piece)),
        )
        return {"text": text, "usage": meter.usage.model_dump()}

    async def deliver(self, run: LiveRun, answer: str) -> Json:
        """Hands the answer to the person."""
        parcel = Parcel(key=f"{run.id}/answer", session_id=run.session_id, dest=run.dest, text=answer)
        return {"delivered": await self.deliveries.hand_over(parcel)}

    async def deliver_file(self, run: LiveRun, artifact: Artifact) -> Json:
        """Hands one file to the person, if it is still there."""
        if not resolve_inside(self.sessions.files(run.session_id), artifact.path).is_file():
            return {"delivered": False}
        parcel = Parcel(
            key=f"{run.id}/file/{artifact.path}",
            session_id=run.session_id,
            dest=run.dest,
            file=artifact.path,
            caption=artifact.caption,
        )
        return {"delivered": await self.deliveries.hand_over(parcel)}

    async def record(self, run: LiveRun, answer: str, status: str) -> Json:
        """Writes the entry of SESSION.json; the same run is written once."""
        entry: dict[str, Any] = {
            "run_id": run.id,
            "at": run.opened.now,
            "user": run.text,
            "answer": answer,
            "status": status,
            "steps": [_step_entry(response, run.state.steps) for response in run.state.responses.values()],
            "artifacts": [item.path for response in run.state.responses.values() for item in response.artifacts],
            "untrusted": run.request.incoming.untrusted or any(one.untrusted for one in run.state.responses.values()),
            **({"forwarded": True} if run.request.incoming.untrusted else {}),
        }
        try:
            await self.sessions.append(run.session_id, entry, run.opened.task_key)
        except AuraError as error:
            _log.warning("the turn was not written to SESSION.json", corr_id=run.id, error=str(error))
            return {"recorded": False}
        return {"recorded": True}

    async def remember(self, run: LiveRun, answer: str) -> Json:
        """Updates MEMORY.md if there is something worth keeping (seed 004, `_maybe_update_memory`)."""
        if not run.profile.memory or run.request.command is not None or run.request.incoming.untrusted:
            return {"remembered": "", "usage": {}}
        from agent.memory import maybe_update_memory  # noqa: PLC0415 (only a run needs it)

        past = worth_keeping(run.text, run.state.plan, run.state.responses)
        if past is not None and not run.request.incoming.untrusted:
            await self.past_plans.keep(run.request.incoming.person, past)
        self.events.publish(PhaseChanged(run.id, run.session_id, "remembering"))
        meter = run.meter.child()
        try:
            added = await maybe_update_memory(
                run.text,
                answer,
                run.opened.memory,
                self.sessions.folder(run.session_id),
                model=self.model,
                meter=meter,
                now=self.clock(run.profile),
                lost=self.sessions.lost,
            )
        except AuraError as error:
            _log.warning("memory was not updated", corr_id=run.id, error=str(error))
            added = None
        return {"remembered": added or "", "usage": meter.usage.model_dump()}


def last_turn(session_data: dict[str, Any], task_key: str) -> Exchange:
    """The last request and its whole answer; nothing where there is none, or where strangers had a hand in it."""
    entries: list[dict[str, Any]] = session_data.get("orchestrator_by_task", {}).get(task_key, [])
    last: dict[str, Any] = entries[-1] if entries else {}
    if last.get("untrusted") or last.get("forwarded"):
        last = {}
    return Exchange(say=str(last.get("user", "")), answer=str(last.get("answer", "")))


def build_orchestrator_context(session_data: dict[str, Any], task_key: str, limit: int) -> str:
    """The conversation so far as bounded text (seed 004, `_build_orchestrator_context`).

    Args:
        session_data: SESSION.json.
        task_key: which conversation.
        limit: how many of the latest turns.

    Returns:
        Lines "Person: …" and "Aura: …", oldest first; empty when there is nothing. What strangers wrote, or what
        descends from it, is left out: it could smuggle instructions into the next plan.
    """
    entries: list[dict[str, Any]] = session_data.get("orchestrator_by_task", {}).get(task_key, [])
    lines: list[str] = []
    for entry in entries[-limit:] if limit else []:
        said = "(sent on a text from outside)" if entry.get("forwarded") else entry.get("user", "")
        lines.append(f"Person: {_short(said)}")
        answer = "(told what a text from outside says)" if entry.get("untrusted") else entry.get("answer", "")
        lines.append(f"Aura: {_short(answer)}")
        if files := _files_made(entry):
            lines.append(f"(files made: {files})")
    return "\n".join(lines)


def _files_made(entry: dict[str, Any]) -> str:
    names: list[str] = entry.get("artifacts") or []
    if not entry.get("untrusted") or (not entry.get("forwarded") and is_made_of(names, [entry.get("user", "")])):
        return ", ".join(names)
    return str(len(names)) if names else ""


def _shown_files(opened: Opened) -> list[str]:
    """The files as the planner reads of them."""
    real = {name: stand_in for stand_in, name in opened.stand_ins.items()}
    return [real.get(name, name) for name in opened.files]


def _step_entry(response: ExecutorResponse, titles: dict[str, PlanStep]) -> dict[str, Any]:
    step = titles.get(response.step_id)
    return {
        "id": response.step_id,
        "title": step.title if step else "",
        "task": (step.task or step.kind) if step else "",
        "status": response.status,
        "summary": _short(response.summary),
    }


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= HISTORY_TEXT_LIMIT else f"{flat[:HISTORY_TEXT_LIMIT]}…"
