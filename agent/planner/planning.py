"""plan_steps: a request and a catalogue become a validated plan; steps are read while the model still writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from agent.contracts import Plan, PlanStep, TaskCard
from agent.errors import ModelOutputError, PlanningError
from agent.llm.client import Message
from agent.llm.structured import COMPACT
from agent.plan_graph.grounding import KnownWords
from agent.plan_graph.pruning import speaks_of
from agent.plan_graph.repair import REPEATED, PlanWorld, Repaired, repair_plan
from agent.planner.config import PlannerConfig
from agent.planner.meaning import pointed_at, question_about
from agent.planner.messages import answers_of, first_number, plan_messages
from agent.planner.prompt import plan_schema
from agent.planner.readiness import PURPOSE
from agent.planner.stream import StepReader, step_from
from agent.prompts import render
from agent.rendering import summarize_output
from agent.shortlist import shortlist

PLAN_TOKENS = 2048
"""Upper bound of a plan's length in tokens; 30 steps fit."""
KNOWN_RESULT_CHARACTERS = 20_000


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
    messages = plan_messages(config, cards, user_text, context)
    raw = await _ask(config, cards, messages, world)
    repaired = _repaired(raw, world)
    if repaired.problems:
        wrote = Message(role="assistant", content=json.dumps({"steps": raw}, ensure_ascii=False, separators=COMPACT))
        told = Message(role="user", content=render("plan_repair", problems=repaired.problems))
        second = _repaired(await _ask(config, cards, [*messages, wrote, told], world), world)
        repaired = replace(second, notes=[*(f"planned again: {line}" for line in repaired.problems), *second.notes])
    repaired = _asked_what_is_meant(repaired, config, user_text, context)
    if repaired.problems and all(REPEATED in problem for problem in repaired.problems):
        raise PlanningError("I found no other way to do it.")
    if repaired.problems:
        raise PlanningError(f"No plan could be made for this request: {'; '.join(repaired.problems)}.")
    return Plan(steps=repaired.steps, revision=config.revision, repairs=repaired.notes)


def _asked_what_is_meant(repaired: Repaired, config: PlannerConfig, user_text: str, context: str) -> Repaired:
    """A question instead of a plan, where the request points at something and there is nothing that it could mean.

    Small models guess there; a large one asks by itself.
    """
    something_to_mean = not config.model.embedded or context.strip() or config.previous or len(config.files) == 1
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
    repaired = repair_plan([step], PlanWorld({card.task: card}, known, deliberate=True))
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
            purpose=PURPOSE,
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
    steps = [step_from(part, number) for number, part in enumerate(raw, start=first_number(world.steps))]
    if not steps:
        steps = [PlanStep(id="s1", kind="llm")]
    if len(steps) == 1 and steps[0].kind == "llm":
        steps = [steps[0].model_copy(update={"instruction": world.known.request, "inputs": {}})]
    return repair_plan(steps, world)


def _world(config: PlannerConfig, cards: Sequence[TaskCard], user_text: str, context: str) -> PlanWorld:
    results = [summarize_output(response.output, limit=KNOWN_RESULT_CHARACTERS) for response in config.previous]
    said = "\n".join([user_text, *(answer for _, answer in answers_of(config).values())])
    known = KnownWords(said, "\n".join([config.memory, context, *results]), tuple(config.files))
    return PlanWorld(
        cards={card.task: card for card in cards},
        known=known,
        steps={step.id: step for step in config.previous_steps},
        results={response.step_id: response for response in config.previous},
        max_steps=config.profile.budgets.steps,
        deliberate=not config.model.embedded,
    )
