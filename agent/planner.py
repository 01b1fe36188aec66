"""plan_steps: a request and a catalogue become a validated plan; steps are read while the model still writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from agent.config import PlannerSettings
from agent.contracts import ExecutorResponse, Plan, PlanStep, Profile, TaskCard
from agent.errors import ModelOutputError, PlanningError
from agent.grounding import KnownWords, mentioned_files
from agent.llm.client import Message, ModelClient
from agent.llm.meter import Meter
from agent.plan_graph import PlanWorld, Repaired, repair_plan
from agent.plan_meaning import pointed_at, question_about
from agent.plan_prompt import MODEL_KINDS, catalogue_line, fitting_examples, plan_schema
from agent.plan_pruning import speaks_of
from agent.plan_stream import StepReader
from agent.prompts import render
from agent.rendering import summarize_output
from agent.shortlist import shortlist

PLAN_TOKENS = 2048
"""Upper bound of a plan's length in tokens; 30 steps fit."""
PROGRESS_CHARACTERS = 500
_SPEAKS_OF_FILES = re.compile(
    r"\b(?:files?|documents?|tables?|folder|datei|fichier|archivo)\b|файл|документ|таблиц|文件|文档|表格", re.IGNORECASE
)
WORDS = ("question", "instruction", "prompt")
"""Where a model puts the words of a question or an instruction."""
MEMORY_CHARACTERS = 2000
FILES_SHOWN = 40
KNOWN_RESULT_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class PlannerConfig:
    """Everything a plan depends on beside the request.

    Attributes:
        model: the model client.
        meter: whose budget pays; None counts nowhere.
        catalogue: the tasks that the profile may use.
        profile: whose limits hold.
        now: the clock; aware.
        memory: MEMORY.md; may be empty.
        files: names of the session's files.
        previous: results of earlier plans of this run, in order of ending.
        previous_steps: the steps they belong to, as far as known.
        revision: 0 for the first plan of a run.
        settings: limits on what the planner reads.
        on_step: gets each step as soon as the model has written it; the validated plan may differ.
    """

    model: ModelClient
    meter: Meter | None
    catalogue: Sequence[TaskCard]
    profile: Profile
    now: datetime
    memory: str = ""
    files: Sequence[str] = ()
    previous: Sequence[ExecutorResponse] = ()
    previous_steps: Sequence[PlanStep] = ()
    revision: int = 0
    settings: PlannerSettings = field(default_factory=PlannerSettings)
    on_step: Callable[[PlanStep], None] | None = None


async def plan_steps(config: PlannerConfig, user_text: str, context: str) -> Plan:
    """Plans a request (seed 004).

    Args:
        config: model, catalogue and what is known.
        user_text: the person's words.
        context: the conversation so far, as bounded text.

    Returns:
        The plan in a safe order, with what code changed in it. Never empty: talk is one step of kind `llm`.

    Raises:
        ModelError: the model cannot be asked.
        PlanningError: no valid plan, even after the model was told what was wrong.
    """
    cards = shortlist(config.catalogue, " ".join([user_text, context[-400:]]), config.settings.shortlist)
    world = _world(config, cards, user_text, context)
    messages = _messages(config, cards, user_text, context)
    raw = await _ask(config, cards, messages, world)
    repaired = _repaired(raw, world)
    if repaired.problems:
        wrote = Message(role="assistant", content=json.dumps({"steps": raw}, ensure_ascii=False))
        told = Message(role="user", content=render("plan_repair", problems=repaired.problems))
        second = _repaired(await _ask(config, cards, [*messages, wrote, told], world), world)
        repaired = replace(second, notes=[*(f"planned again: {line}" for line in repaired.problems), *second.notes])
    repaired = _asked_what_is_meant(repaired, config, user_text, context)
    if repaired.problems:
        raise PlanningError(f"No plan could be made for this request: {'; '.join(repaired.problems)}.")
    return Plan(steps=repaired.steps, revision=config.revision, repairs=repaired.notes)


def _asked_what_is_meant(repaired: Repaired, config: PlannerConfig, user_text: str, context: str) -> Repaired:
    """A question instead of a plan, where the request points at something and there is nothing that it could mean."""
    something_to_mean = context.strip() or config.previous or len(config.files) == 1
    word = None if something_to_mean else pointed_at(user_text)
    if word is None or (any(step.kind == "ask_user" for step in repaired.steps) and _fits(repaired, config, user_text)):
        return repaired
    note = f"asked what is meant instead of: {', '.join(step.task or step.kind for step in repaired.steps)}"
    return Repaired([question_about(user_text, word)], [*repaired.notes, note])


def _fits(repaired: Repaired, config: PlannerConfig, user_text: str) -> bool:
    """Whether a plan that asks has at least one step that the request speaks of, or asks and does no more."""
    cards = {card.task: card for card in config.catalogue}
    tasks = [cards[step.task] for step in repaired.steps if step.task in cards]
    return not tasks or any(speaks_of(user_text, card) for card in tasks)


def plan_command(card: TaskCard, inputs: dict[str, Any]) -> Plan:
    """A plan of one step for a task that the person called by name; what is missing becomes a question.

    Args:
        card: the task.
        inputs: what the person gave; their own words, so nothing of it is invented.

    Raises:
        PlanningError: the inputs cannot be made to fit.
    """
    known = KnownWords(" ".join(str(value) for value in inputs.values()))
    step = PlanStep(id="s1", task=card.task, inputs=inputs)
    repaired = repair_plan([step], PlanWorld({card.task: card}, known, commanded=True))
    if repaired.problems:
        raise PlanningError(f"{card.task} cannot be run like this: {'; '.join(repaired.problems)}.")
    return Plan(steps=repaired.steps, repairs=repaired.notes)


async def _ask(
    config: PlannerConfig, cards: Sequence[TaskCard], messages: list[Message], world: PlanWorld
) -> list[dict[str, Any]]:
    """The raw steps as the model writes them; `on_step` hears of each as soon as it is complete."""
    reader = StepReader()
    raw: list[dict[str, Any]] = []
    told: set[str] = set()

    def on_text(piece: str) -> None:
        for step in reader.feed(piece):
            raw.append(step)
            if config.on_step is not None:
                _tell_new(config.on_step, _repaired(raw, world).steps, told)

    schema = plan_schema(cards, max_steps=world.max_steps, agent=not config.model.embedded)
    try:
        completion = await config.model.complete(
            messages,
            purpose="plan",
            schema=schema,
            max_tokens=PLAN_TOKENS,
            model=config.profile.model,
            meter=config.meter,
            on_text=on_text,
        )
    except ModelOutputError as error:
        if raw and reader.complete:
            return raw
        raise PlanningError(f"No plan could be made for this request: {error}") from error
    plan: dict[str, list[dict[str, Any]]] = completion.value
    return plan["steps"]


def _tell_new(on_step: Callable[[PlanStep], None], steps: Sequence[PlanStep], told: set[str]) -> None:
    for step in steps:
        if step.id not in told:
            told.add(step.id)
            on_step(step)


def _repaired(raw: Sequence[dict[str, Any]], world: PlanWorld) -> Repaired:
    steps = [step_from(part, number) for number, part in enumerate(raw, start=1)]
    if not steps:
        steps = [PlanStep(id="s1", kind="llm")]
    if len(steps) == 1 and steps[0].kind == "llm":
        steps = [steps[0].model_copy(update={"instruction": world.known.request, "inputs": {}})]
    return repair_plan(steps, world)


def step_from(raw: dict[str, Any], number: int) -> PlanStep:
    """A step as a model wrote it, whatever it wrote.

    Args:
        raw: id, task (a task's name, or llm, ask_user, agent), inputs; a larger model also title, kind, depends_on,
            question, options and instruction.
        number: its place in the plan, from 1.
    """
    kind, task = str(raw.get("kind") or ""), str(raw.get("task") or "")
    if kind in MODEL_KINDS:
        task = kind
    given: object = raw.get("inputs")
    inputs = dict(cast("dict[str, Any]", given)) if isinstance(given, dict) else {}
    base = PlanStep(
        id=str(raw.get("id") or f"s{number}"),
        title=str(raw.get("title") or ""),
        depends_on=_texts(raw.get("depends_on")),
    )
    if task not in MODEL_KINDS:
        return base.model_copy(update={"task": task, "inputs": inputs})
    words = next((str(part[name]) for name in WORDS for part in (raw, inputs) if part.get(name)), "")
    if task == "ask_user":
        options = _texts(raw.get("options")) or _texts(inputs.get("options"))
        return base.model_copy(update={"kind": task, "question": words, "options": options})
    kept = {name: value for name, value in inputs.items() if name not in WORDS}
    return base.model_copy(update={"kind": task, "instruction": words, "inputs": kept})


def _texts(value: object) -> list[str]:
    return [str(item) for item in cast("list[object]", value)] if isinstance(value, list) else []


def _answers(config: PlannerConfig) -> dict[str, tuple[str, str]]:
    """What the person was asked in this run and said, by step id: their own words, as good as the request."""
    questions = {step.id: step.question for step in config.previous_steps if step.kind == "ask_user"}
    return {
        response.step_id: (questions[response.step_id], summarize_output(response.output, limit=PROGRESS_CHARACTERS))
        for response in config.previous
        if response.ok and response.step_id in questions
    }


def _world(config: PlannerConfig, cards: Sequence[TaskCard], user_text: str, context: str) -> PlanWorld:
    results = [summarize_output(response.output, limit=KNOWN_RESULT_CHARACTERS) for response in config.previous]
    said = "\n".join([user_text, *(answer for _, answer in _answers(config).values())])
    known = KnownWords(said, "\n".join([config.memory, context, *results]), tuple(config.files))
    return PlanWorld(
        cards={card.task: card for card in cards},
        known=known,
        steps={step.id: step for step in config.previous_steps},
        results={response.step_id: response for response in config.previous},
        max_steps=config.profile.budgets.steps,
    )


def _messages(config: PlannerConfig, cards: Sequence[TaskCard], user_text: str, context: str) -> list[Message]:
    full = not config.model.embedded
    answers = _answers(config)
    results = [response for response in config.previous if response.step_id not in answers]
    system = render(
        "plan_system",
        cards=[catalogue_line(card, full=full) for card in cards],
        examples=fitting_examples(cards),
        agent=full,
    )
    request = render(
        "plan_request",
        now=f"{config.now:%A, %Y-%m-%d %H:%M}" if full else "",
        files=config.files[:FILES_SHOWN] if full else _meant_files(config.files, user_text, context)[:FILES_SHOWN],
        memory=config.memory.strip()[-MEMORY_CHARACTERS:],
        history=context,
        progress=progress_lines(results, config.previous_steps, config.settings.progress),
        example_id=next((response.step_id for response in reversed(results) if response.ok), "s1"),
        request=user_text,
        answers=list(answers.values()),
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": request}]


def _meant_files(files: Sequence[str], user_text: str, context: str) -> list[str]:
    """The files that a small model shall see: one that reads of files puts them into plans that need none."""
    known = KnownWords(user_text, context, tuple(files))
    return mentioned_files(known) or (list(files) if _SPEAKS_OF_FILES.search(user_text) else [])


def progress_lines(previous: Sequence[ExecutorResponse], steps: Sequence[PlanStep], limit: int) -> list[str]:
    """The latest results for planning again, one line each, bounded (seed 004, `_progress_context`).

    Args:
        previous: in order of ending.
        steps: the steps they belong to, as far as known.
        limit: how many of the latest are shown.
    """
    by_id = {step.id: step for step in steps}
    return [_progress_line(response, by_id.get(response.step_id)) for response in previous[-limit:]]


def _progress_line(response: ExecutorResponse, step: PlanStep | None) -> str:
    work = f" {step.task or step.kind}({json.dumps(step.inputs, ensure_ascii=False)[:200]})" if step else ""
    said = response.error or response.summary or summarize_output(response.output)
    text = " ".join(said.split())
    shown = text if len(text) <= PROGRESS_CHARACTERS else f"{text[:PROGRESS_CHARACTERS]}…"
    return f"{response.step_id}{work}: {response.status}: {shown}"
