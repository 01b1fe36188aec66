"""RunHistory: what the durable store says of runs, the same way for a live, an interrupted and an old one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.config import AppConfig
from agent.contracts import ExecutorResponse, Plan, PlanStep, RunOutcome, RunRequest, RunStatus, RunSummary, Usage
from agent.home import home_database
from agent.questions.records import QUESTION_TASK, answer_response, open_records, question_in
from aura_core.durable.protocol import UNFINISHED, Records, TaskRecord
from aura_core.durable.store import Store
from aura_core.errors import RunNotFoundError
from aura_core.storage.home_lock import HomeLock
from aura_core.storage.losses import Losses

RUN_TASK = "run"


@asynccontextmanager
async def run_history(config: AppConfig, say: Callable[[list[str]], None]) -> AsyncGenerator[RunHistory]:
    """The runs of an AURA_HOME for the block, also while another program works on it.

    Args:
        config: says where it is.
        say: told what was damaged and set aside.
    """
    async with home_database(config.home, HomeLock(config.home, "aura runs")) as database:
        say(list(dict.fromkeys([*database.take_notices(), *Losses(config.home).unseen()])))
        yield RunHistory(Store(database))


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The runs of a durable store, live or only read."""

    records: Records

    async def runs(self, limit: int = 20) -> list[RunSummary]:
        """The latest runs, newest first, and behind them every older one that has not ended."""
        records = [*await self.records.list(task=RUN_TASK, limit=limit)]
        latest = {record.id for record in records}
        unfinished = await self.records.list(task=RUN_TASK, statuses=UNFINISHED, limit=None)
        records += [record for record in unfinished if record.id not in latest]
        waiting = {record.args["run_id"] for record in await open_records(self.records)}
        return [summary_of(record, waiting=record.id in waiting) for record in records]

    async def record(self, run_id: str) -> TaskRecord:
        """A run's durable record.

        Raises:
            RunNotFoundError: no such run.
        """
        record = await self.records.get(run_id)
        if record is None or record.task != RUN_TASK:
            raise RunNotFoundError(f"There is no run {run_id!r}; `aura runs` lists them.")
        return record

    async def outcome(self, run_id: str) -> RunOutcome:
        """How a run ended; of one that has not: its latest plan, results so far and open questions.

        Raises:
            RunNotFoundError: no such run.
        """
        record = await self.record(run_id)
        if record.status == "done":
            return RunOutcome.model_validate(record.result)
        plan = await self._latest_plan(run_id)
        unfinished = record.status in UNFINISHED
        asked = await open_records(self.records, run_id=run_id) if unfinished else []
        results, usage = await self._results(run_id, {step.id: step for step in plan.steps})
        return RunOutcome(
            run_id=run_id,
            status=status_of(record, waiting=bool(asked)),
            answer=f"The request could not be finished: {record.error}" if record.status == "failed" else "",
            plan=plan.steps,
            results=results,
            replans=plan.revision,
            usage=usage,
            questions=[question_in(question) for question in asked],
        )

    async def _latest_plan(self, run_id: str) -> Plan:
        steps = await self.records.steps(run_id)
        plans = [value["plan"] for key, value in steps.items() if key.startswith("plan:") and "plan" in value]
        return Plan.model_validate(plans[-1]) if plans else Plan(steps=[])

    async def _results(self, run_id: str, steps: dict[str, PlanStep]) -> tuple[list[ExecutorResponse], Usage]:
        responses: list[ExecutorResponse] = []
        usage = Usage()
        children = await self.records.list(parent=run_id, statuses=["done"], limit=None)
        for child in sorted(children, key=lambda record: record.updated_at):
            if child.task == QUESTION_TASK:
                step_id = str(child.args["step_id"])
                step = steps.get(step_id, PlanStep(id=step_id, kind="ask_user"))
                if child.args["purpose"] == "input":
                    responses.append(answer_response(step, child.result))
                continue
            responses.append(ExecutorResponse.model_validate(child.result["response"]))
            spent = Usage.model_validate(child.result["usage"])
            usage = Usage(tokens=usage.tokens + spent.tokens, money=usage.money + spent.money)
        return responses, usage


def summary_of(record: TaskRecord, *, waiting: bool) -> RunSummary:
    """One line of `aura runs`."""
    request = RunRequest.model_validate(record.args)
    status = status_of(record, waiting=waiting)
    if record.status == "done":
        status = RunOutcome.model_validate(record.result).status
    return RunSummary(
        run_id=record.id,
        session_id=request.incoming.session_id,
        status=status,
        text=request.incoming.text,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def status_of(record: TaskRecord, *, waiting: bool = False) -> RunStatus:
    """The run's status in the words of the contract."""
    if record.status in UNFINISHED:
        return "waiting" if waiting else "running"
    return {"done": "ok", "failed": "error", "cancelled": "cancelled"}[record.status]  # pyright: ignore[reportReturnType] (the three values are RunStatus)
