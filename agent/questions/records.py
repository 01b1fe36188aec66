"""What a question is in the durable store: the arguments of its task, its answer as a signal, and how both are read."""

from __future__ import annotations

from collections.abc import Sequence

from agent.contracts import ExecutorRequest, ExecutorResponse, PlanStep, Question, RunRequest
from agent.taint.questions import quoting
from aura_core.durable.protocol import UNFINISHED, Json, Records, TaskRecord
from aura_core.ground.secrets import masked

QUESTION_TASK = "question"
ANSWER_SIGNAL = "answer"
ASKED_BY = "asked_by"
"""In a question's arguments: the scope of the step or action inside a task that asks; missing in older records."""
WANTED = "wanted"
"""In a question's arguments: the inputs that its answer is for, as their tasks describe them."""
QUOTED, OUTSIDE_OPTIONS = "quoted", "outside_options"
"""In a question's arguments: whether strangers had a hand in it, and which of its choices are their words."""
_NOT_SHOWN = frozenset({"dest", ASKED_BY, WANTED, QUOTED, OUTSIDE_OPTIONS})
ALLOW, DENY = "Allow", "Don't allow"


def ask_args(
    request: RunRequest,
    step: PlanStep,
    *,
    approval_of: str = "",
    wanted: Sequence[Json] = (),
    quoted: Sequence[str] = (),
    outside_options: Sequence[str] = (),
) -> dict[str, Json]:
    """Arguments of the durable question task for a step.

    Args:
        request: the run.
        step: the `ask_user` step, or the step that needs approval.
        approval_of: what is about to happen; empty for an ordinary question.
        wanted: what the answer has to fit; see `agent.questions.fitting.wanted_of`.
        quoted: titles of what strangers wrote and the question may quote.
        outside_options: those of its choices that are their words.
    """
    text = step.question or step.title or "What exactly do you mean?"
    args = {
        "run_id": request.run_id,
        "step_id": step.id,
        "session_id": request.incoming.session_id,
        "dest": request.incoming.dest.root,
        "text": approval_of or (quoting(text, quoted) if quoted else text),
        "options": [ALLOW, DENY] if approval_of else step.options,
        "purpose": "approval" if approval_of else "input",
        "strict": bool(step.options) and any(step.options == _choices(spec) for spec in wanted) and not approval_of,
        WANTED: list(wanted),
        QUOTED: bool(quoted),
        OUTSIDE_OPTIONS: list(outside_options),
    }
    return without_secrets(args)


def without_secrets(args: dict[str, Json]) -> dict[str, Json]:
    """Arguments of a question whose words hold no secret: they are kept, and shown in a chat."""
    words = {name: masked(args[name]) for name in ("text", "options", OUTSIDE_OPTIONS)}
    return {**args, **words}


def answer_value(record: TaskRecord, text: str, *, person: str, key: str, untrusted: bool) -> dict[str, Json]:
    """An answer as it is kept: what the text means, who gave it with which message, and whose words it is.

    Args:
        record: the question's.
        text: a choice, its number, or free text.
        person: who answers.
        key: unique per message.
        untrusted: somebody else wrote the text: it was forwarded.
    """
    words = chosen(question_in(record), text)
    return {
        "text": words,
        "person": person,
        "key": key,
        "untrusted": untrusted or words in record.args.get(OUTSIDE_OPTIONS, ()),
        "prompted": bool(record.args.get(QUOTED)),
    }


def _choices(spec: Json) -> list[str]:
    return [str(choice) for choice in spec.get("enum") or ()]


def answer_response(step: PlanStep, answer: Json) -> ExecutorResponse:
    """What an `ask_user` step gives: the person's words, which are trusted, or a choice that strangers wrote."""
    text = str(answer["text"])
    return ExecutorResponse(
        step_id=step.id,
        status="ok",
        output=text,
        summary=f"The person answered: {text}",
        untrusted=bool(answer.get("untrusted")),
        prompted=bool(answer.get("prompted")),
    )


def is_approved(answer: Json) -> bool:
    """Whether the person allowed the step, in words of their own."""
    words = str(answer["text"]).strip().casefold()
    return not answer.get("untrusted") and words in {
        ALLOW.casefold(),
        "yes",
        "y",
        "ok",
        "да",
        "是",
        "好",
    }


def chosen(question: Question, text: str) -> str:
    """The answer that a text means: a number picks the choice of that number, any case picks a choice by name."""
    words = text.strip()
    if question.options and words.isdecimal() and 1 <= int(words) <= len(question.options):
        return question.options[int(words) - 1]
    return next((option for option in question.options if option.casefold() == words.casefold()), words)


def question_of(question_id: str, args: Json, asked_at: float) -> Question:
    """The question that a durable question task asks."""
    return Question(
        id=question_id, asked_at=asked_at, **{key: value for key, value in args.items() if key not in _NOT_SHOWN}
    )


def question_in(record: TaskRecord) -> Question:
    """The question that a record stands for."""
    return question_of(record.id, record.args, record.created_at)


async def answer_to(records: Records, record: TaskRecord) -> Json | None:
    """The answer to a question, `{"text", "person", "key"}`, from the moment at which it was given; None before."""
    if record.status == "waiting":
        return None
    return (await records.signals(record.id)).get(ANSWER_SIGNAL)


async def open_records(records: Records, session_id: str = "", run_id: str = "") -> list[TaskRecord]:
    """The records of questions that have no answer, of a session, a run or all, oldest first."""
    unfinished = await unfinished_records(records, session_id, run_id)
    return [record for record in unfinished if await answer_to(records, record) is None]


async def unfinished_records(records: Records, session_id: str = "", run_id: str = "") -> list[TaskRecord]:
    """The records of questions that are open, or whose answer has not reached who asked; oldest first."""
    found = await records.list(task=QUESTION_TASK, statuses=UNFINISHED, limit=None)
    wanted = [record for record in found if session_id in ("", record.args["session_id"])]
    wanted = [record for record in wanted if run_id in ("", record.args["run_id"])]
    return sorted(wanted, key=lambda record: (record.created_at, record.id))


async def waits_for_answer(records: Records, request: ExecutorRequest) -> bool:
    """Whether a step has asked something whose answer has not reached it."""
    asked = await unfinished_records(records, run_id=request.run_id)
    return any(record.id.startswith(f"{request.idempotency_key}/") for record in asked)
