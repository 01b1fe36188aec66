"""What the planner's model is told: rules and catalogue first, which stay the same, then the request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from agent.contracts import Exchange, ExecutorResponse, PlanExample, PlanStep, TaskCard
from agent.llm.client import Message
from agent.plan_graph.grounding import KnownWords, mentioned_files
from agent.planner.config import PlannerConfig
from agent.planner.conversation import shortened
from agent.planner.examples import example_of, nearest_examples, standing_examples
from agent.planner.prompt import catalogue_line, example_lines
from agent.prompts import render
from agent.rendering import summarize_output

PROGRESS_CHARACTERS = 500
MEMORY_CHARACTERS = 2000
FILES_SHOWN = 40


def planner_rules(cards: Sequence[TaskCard], examples: Sequence[PlanExample], *, full: bool) -> str:
    """The system prompt: rules, catalogue and examples, the same for every request with the same tasks.

    Args:
        cards: the tasks.
        examples: of several steps, as the plugins give them.
        full: with everything that a large model reads quickly.
    """
    return render(
        "plan_system",
        cards=[catalogue_line(card, full=full) for card in cards],
        examples=example_lines(standing_examples(cards, examples)),
        agent=full,
    )


def plan_messages(
    config: PlannerConfig, cards: Sequence[TaskCard], user_text: str, context: str, before: Exchange | None
) -> list[Message]:
    """The messages for one request; the first is the same for every request with the same tasks."""
    full = not config.model.embedded
    answers = answers_of(config)
    results = [response for response in config.previous if response.step_id not in answers]
    standing = standing_examples(cards, config.examples)
    past = [] if "past" in config.without else [example_of(one) for one in config.past]
    pool = [*config.examples, *past]
    near = [] if "nearest" in config.without else nearest_examples(cards, pool, standing, user_text)
    request = render(
        "plan_request",
        near=example_lines(near),
        now=f"{config.now:%A, %Y-%m-%d %H:%M}" if full else "",
        files=config.files[:FILES_SHOWN] if full else _meant_files(config.files, user_text, context)[:FILES_SHOWN],
        memory=config.memory.strip()[-MEMORY_CHARACTERS:],
        history=context if full else "",
        before=None if full or before is None else shortened(before),
        progress=progress_lines(results, config.previous_steps, config.settings.progress),
        example_id=next((response.step_id for response in reversed(results) if response.ok), "s1"),
        first_id=f"s{first_number(step.id for step in config.previous_steps)}",
        request=user_text,
        answers=list(answers.values()),
    )
    return [
        {"role": "system", "content": planner_rules(cards, config.examples, full=full)},
        {"role": "user", "content": request},
    ]


def first_number(known: Iterable[str]) -> int:
    """The number of a plan's first step, whose id is `s` and that number: behind those of the steps before it.

    Args:
        known: ids of the steps that were planned before.
    """
    numbers = [int(name[1:]) for name in known if name[:1] == "s" and name[1:].isdecimal()]
    return max(numbers, default=0) + 1


def _meant_files(files: Sequence[str], user_text: str, context: str) -> list[str]:
    """The files that a small model shall see: one that reads of files puts them into plans that need none."""
    return mentioned_files(KnownWords(user_text, context, tuple(files)))


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


def answers_of(config: PlannerConfig) -> dict[str, tuple[str, str]]:
    """What the person was asked in this run and said, by step id: their own words, as good as the request."""
    questions = {step.id: step.question for step in config.previous_steps if step.kind == "ask_user"}
    return {
        response.step_id: (questions[response.step_id], summarize_output(response.output, limit=PROGRESS_CHARACTERS))
        for response in config.previous
        if response.ok and response.step_id in questions
    }
