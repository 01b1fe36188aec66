"""What a person reads before something happens: the catalogue's words and real values, never only a model's title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.references import as_text
from agent.taint.consent import Needed

VALUE_CHARACTERS = 300
"""Of one input that are shown."""
MOST_SHOWN = 8
"""Inputs that are shown, the longest values cut first."""
EFFECTS = {
    "read": "it reads",
    "write": "it changes what is kept here",
    "external": "it acts outside this machine",
}
OUTSIDE = "a text from outside"


def approval_text(
    title: str, task: str, needed: Needed, inputs: Mapping[str, Any], sources: Mapping[str, Sequence[str]]
) -> str:
    """The question before a step that strangers had a hand in.

    Args:
        title: the catalogue's title of the task.
        task: `plan/name`.
        needed: what would happen.
        inputs: with every reference replaced.
        sources: input, or "" for the step as a whole -> titles of the results that its value was made of.
    """
    effect = "it sends words out of this machine that you did not write" if needed.leaving else EFFECTS[needed.effects]
    lines = [f"May I do this? {title} ({task}): {effect}."]
    shown = list(inputs.items())
    lines += [_line(name, value, name in needed.leaving, sources.get(name, ())) for name, value in shown[:MOST_SHOWN]]
    if len(shown) > MOST_SHOWN:
        lines.append(f"• and {len(shown) - MOST_SHOWN} more: {', '.join(name for name, _ in shown[MOST_SHOWN:])}"[:200])
    why = f"you wrote: “{needed.refused}”" if needed.refused else "of what came from outside: "
    lines.append(f"I ask because {why}{'' if needed.refused else _named(sources.get('', ()))}.")
    return "\n".join(lines)


def quoting(question: str, sources: Sequence[str]) -> str:
    """A question that words of strangers had a hand in, with who asks, as far as that is known."""
    who = f"{_named(sources)}, from outside, asks" if sources else "With words from outside"
    return f"{who}: {question}\n(Your answer is sent nowhere before I ask you again.)"


def _line(name: str, value: Any, leaves: bool, sources: Sequence[str]) -> str:
    text = " ".join(as_text(value).split())
    shown = text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}… ({len(text)} characters)"
    notes = [*(["leaves this machine"] if leaves else []), *([f"from {_named(sources)}"] if sources else [])]
    return f"• {name}: {shown}" + (f" [{'; '.join(notes)}]" if notes else "")


def _named(sources: Sequence[str]) -> str:
    return ", ".join(f"“{source}”" for source in dict.fromkeys(sources)) or OUTSIDE
