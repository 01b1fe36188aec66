"""What the durable store says of a run: its outcome or how it stands, the same way for a live and an old one."""

from __future__ import annotations

from agent.contracts import ExecutorResponse, Plan, PlanStep, RunOutcome, RunRequest, RunStatus, RunSummary, Usage
from agent.durable.protocol import Engine, TaskRecord
from agent.questions import QUESTION_TASK, QuestionDesk, answer_response

MAX_CHILDREN = 1000


async def outcome_of(engine: Engine, desk: QuestionDesk, record: TaskRecord) -> RunOutcome:
    """Reads a run's outcome.

    Args:
        engine: the durable store.
        desk: knows the open questions.
        record: the run's own record.

    Returns:
        The recorded outcome of a run that ended well; otherwise what is known: latest plan, results so far, open
        questions.
    """
    if record.status == "done":
        return RunOutcome.model_validate(record.result)
    plan = await _latest_plan(engine, record.id)
    questions = await desk.open_questions(run_id=record.id) if record.status in ("pending", "waiting") else []
    results, usage = await _results(engine, record.id, {step.id: step for step in plan.steps})
    return RunOutcome(
        run_id=record.id,
        status=status_of(record, waiting=bool(questions)),
        answer=f"The request could not be finished: {record.error}" if record.status == "failed" else "",
        plan=plan.steps,
        results=results,
        replans=plan.revision,
        usage=usage,
        questions=questions,
    )


def summary_of(record: TaskRecord) -> RunSummary:
    """One line of `aura runs`."""
    request = RunRequest.model_validate(record.args)
    status = status_of(record)
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
    if record.status in ("pending", "waiting"):
        return "waiting" if waiting or record.status == "waiting" else "running"
    return {"done": "ok", "failed": "error", "cancelled": "cancelled"}[record.status]  # pyright: ignore[reportReturnType] (the three values are RunStatus)


async def _latest_plan(engine: Engine, run_id: str) -> Plan:
    steps = await engine.steps(run_id)
    plans = [value["plan"] for key, value in steps.items() if key.startswith("plan:") and "plan" in value]
    return Plan.model_validate(plans[-1]) if plans else Plan(steps=[])


async def _results(engine: Engine, run_id: str, steps: dict[str, PlanStep]) -> tuple[list[ExecutorResponse], Usage]:
    responses: list[ExecutorResponse] = []
    usage = Usage()
    children = await engine.list(parent=run_id, statuses=["done"], limit=MAX_CHILDREN)
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
