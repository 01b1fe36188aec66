"""plan_steps: a request and a catalogue become a validated plan; steps are read while the model still writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.contracts import Exchange, Plan, PlanStep, TaskCard
from agent.errors import ModelError, ModelOutputError, PlanningError
from agent.llm.client import Message
from agent.llm.structured import COMPACT
from agent.plan_graph.coverage import uncovered
from agent.plan_graph.grounding import KnownWords
from agent.plan_graph.overlap import repeats
from agent.plan_graph.quotes import PIECE
from agent.plan_graph.repair import REPEATED, PlanWorld, Repaired, repair_plan
from agent.planner.config import PlannerConfig
from agent.planner.conversation import last_exchange, with_answer
from agent.planner.examples import tasks_of_nearest
from agent.planner.messages import answers_of, first_number, plan_messages
from agent.planner.prompt import plan_schema
from agent.planner.readiness import PURPOSE
from agent.planner.stream import StepReader, is_left_out, step_from
from agent.prompts import render
from agent.rendering import summarize_output
from agent.shortlist import shortlist

PLAN_TOKENS = 2048
"""Upper bound of a plan's length in tokens; 30 steps fit."""
FIRST_TOKENS, TOKENS_A_PIECE = 160, 12
"""A small model's plan is bounded by the length of the request: so many tokens, and so many for each word."""
KNOWN_RESULT_CHARACTERS = 20_000


async def plan_steps(config: PlannerConfig, user_text: str, context: str) -> Plan:
    """Plans a request (seed 004).

    Args:
        config: model, catalogue and what is known.
        user_text: the person's words.
        context: the conversation so far, as bounded text.

    Returns:
        The plan in a safe order, with what code changed in it, and what of the request no step does. Never empty: talk
        is one step of kind `llm`.

    Raises:
        ModelError: the model cannot be asked.
        PlanningError: no valid plan, even after the model was told what was wrong.
    """
    words = " ".join([user_text, context[-400:]])
    used = {step.task for step in config.previous_steps if step.task} | tasks_of_nearest(config.past, user_text)
    cards = shortlist(config.catalogue, words, config.settings.shortlist, known=used)
    attempt = _Attempt(
        config, cards, user_text, _world(config, cards, user_text, context), before=_before(config, context)
    )
    messages = plan_messages(config, cards, user_text, context, attempt.before)
    raw = await attempt.ask(messages)
    if "coverage" not in config.without and not attempt.repaired(raw).problems:
        raw = await attempt.completed(messages, raw)
    repaired = attempt.repaired(raw)
    if repaired.problems:
        second = attempt.repaired(
            await attempt.ask(attempt.told(messages, raw, "plan_repair", problems=repaired.problems))
        )
        repaired = replace(second, notes=[*(f"planned again: {line}" for line in repaired.problems), *second.notes])
    if repaired.problems and all(REPEATED in problem for problem in repaired.problems):
        raise PlanningError("I found no other way to do it.")
    if repaired.problems:
        raise PlanningError(f"No plan could be made for this request: {'; '.join(repaired.problems)}.")
    unserved = attempt.gaps(repaired.steps, raw)
    return Plan(steps=repaired.steps, revision=config.revision, repairs=repaired.notes, unserved=unserved)


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
    called = frozenset({"confirm_refused"})  # whoever calls a task by name has not forbidden it
    repaired = repair_plan([step], PlanWorld({card.task: card}, known, without=called, deliberate=True))
    if repaired.problems:
        raise PlanningError(f"{card.task} cannot be run like this: {'; '.join(repaired.problems)}.")
    return Plan(steps=repaired.steps, repairs=repaired.notes)


class _EnoughError(Exception):
    """The model writes what it has written already, or more than is allowed: it is told to stop."""


@dataclass(slots=True)
class _Attempt:
    """One request on its way to a plan."""

    config: PlannerConfig
    cards: Sequence[TaskCard]
    request: str
    world: PlanWorld
    before: Exchange | None
    told_steps: set[str] = field(default_factory=set[str])

    async def ask(
        self, messages: list[Message], before: Sequence[dict[str, Any]] = (), parts: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """The raw steps as the model writes them; `on_step` hears of each as soon as it is complete.

        A model that repeats itself is stopped: what it has written by then is the plan.

        Args:
            messages: what the model is told.
            before: the steps that are planned already.
            parts: the words that are still to be planned; all of the request if there are none.
        """
        config, reader = self.config, StepReader()
        raw: list[dict[str, Any]] = []

        def on_text(piece: str) -> None:
            for step in reader.feed(piece):
                if self._repeats(step, [*before, *raw]):
                    raise _EnoughError
                raw.append(with_answer(step, self.before))
                if len(raw) > self.world.max_steps:
                    raise _EnoughError  # `repair_plan` says that it is too long
                self._tell([*before, *raw])

        try:
            completion = await config.model.complete(
                messages,
                purpose=PURPOSE,
                schema=self._schema(before, parts),
                max_tokens=self._max_tokens(),
                model=config.profile.model,
                meter=config.meter,
                on_text=on_text,
            )
        except _EnoughError:
            return raw
        except ModelOutputError as error:
            if before or (raw and (reader.complete or config.model.embedded)):
                return raw
            raise PlanningError(f"No plan could be made for this request: {error}") from error
        plan: dict[str, list[dict[str, Any]]] = completion.value
        return [with_answer(step, self.before) for step in plan["steps"]]

    def _schema(self, before: Sequence[dict[str, Any]], parts: Sequence[str]) -> dict[str, Any]:
        """What the model may write; a task that was planned and takes nothing is not offered again."""
        done = {part.get("task") for part in before if not part.get("inputs")}
        return plan_schema(
            [card for card in self.cards if card.task not in done],
            [self.world.known.request, *((self.before.say, self.before.answer) if self.before else ())],
            parts or [self.request],
            max_steps=self.world.max_steps,
            small=self.config.model.embedded,
            without=self.config.without,
        )

    def _max_tokens(self) -> int:
        bound = FIRST_TOKENS + TOKENS_A_PIECE * len(PIECE.findall(self.request))
        return min(PLAN_TOKENS, bound) if self.config.model.embedded else PLAN_TOKENS

    async def completed(self, messages: list[Message], raw: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The steps with those that were forgotten: what no step quotes or uses is asked for once more.

        If the model cannot be asked again, the plan is what there is; the answer says what is missing.
        """
        gaps = self.gaps(self.repaired(raw).steps, raw)
        if not gaps or any(step.kind == "ask_user" for step in self._steps(raw)):
            return raw
        number = first_number(self.world.steps) + len(raw)
        more = self.told(messages, raw, "plan_more", parts=gaps, first_id=f"s{number}")
        try:
            longer = [*raw, *await self.ask(more, raw, gaps)]
        except ModelError:
            return raw
        return raw if self.repaired(longer).problems else longer

    def told(self, messages: list[Message], raw: Sequence[dict[str, Any]], prompt: str, **parts: Any) -> list[Message]:
        """The conversation in which the model sees its own plan and what is to be done about it."""
        wrote = json.dumps({"steps": list(raw)}, ensure_ascii=False, separators=COMPACT)
        return [
            *messages,
            Message(role="assistant", content=wrote),
            Message(role="user", content=render(prompt, **parts)),
        ]

    def repaired(self, raw: Sequence[dict[str, Any]]) -> Repaired:
        """The raw steps as a plan."""
        steps = self._steps(raw) or [PlanStep(id="s1", kind="llm")]
        if len(steps) == 1 and steps[0].kind == "llm":
            steps = [steps[0].model_copy(update={"instruction": self.world.known.request, "inputs": {}})]
        return repair_plan(steps, replace(self.world, left_out=self._left_out(raw)))

    def gaps(self, steps: Sequence[PlanStep], raw: Sequence[dict[str, Any]]) -> list[str]:
        """Parts of the request that no step quotes or uses."""
        if len(steps) == 1 and steps[0].kind in ("llm", "agent") and not steps[0].inputs and not steps[0].quote:
            return []
        done = [step for step in self.config.previous_steps if step.id in self.world.done]
        return uncovered(self.request, [*done, *steps], self._left_out(raw))

    def _steps(self, raw: Sequence[dict[str, Any]]) -> list[PlanStep]:
        first = first_number(self.world.steps)
        return [step_from(part, number) for number, part in enumerate(raw, start=first) if not is_left_out(part)]

    def _left_out(self, raw: Sequence[dict[str, Any]]) -> list[str]:
        return [str(part.get("for") or "") for part in raw if is_left_out(part)]

    def _repeats(self, part: dict[str, Any], earlier: Sequence[dict[str, Any]]) -> bool:
        first = first_number(self.world.steps)
        steps = [step_from(one, number) for number, one in enumerate([*earlier, part], start=first)]
        return bool(part.get("for")) and repeats(steps[-1], steps[:-1])

    def _tell(self, raw: Sequence[dict[str, Any]]) -> None:
        """Tells of a new step; only the plan up to it is looked at, and no step twice."""
        if self.config.on_step is None:
            return
        for step in self.repaired(raw).steps:
            if step.id not in self.told_steps:
                self.told_steps.add(step.id)
                self.config.on_step(step)


def _before(config: PlannerConfig, context: str) -> Exchange | None:
    """The last request and its whole answer; of a context that is only a text, what that shows of it."""
    if config.before is None:
        return last_exchange(context)
    return config.before if config.before.answer else None


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
        without=config.without,
        deliberate=not config.model.embedded,
    )
