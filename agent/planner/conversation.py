"""What a small model needs to know of the conversation: the last exchange, to which a request may be a reply."""

from __future__ import annotations

import re
from typing import Any

from agent.contracts import Exchange
from agent.references import Reference, escape_references, replace_references

SHOWN = 400
"""Characters of what was said before that a model is shown; `${before}` is all of it."""
BEFORE = "before"
"""The name under which a step takes the last answer: `${before}`."""
_TURN = re.compile(r"^(Person|Aura): ", re.MULTILINE)


def last_exchange(context: str) -> Exchange | None:
    """The last request of a conversation and its answer; None where nothing was said yet.

    Args:
        context: lines "Person: …" and "Aura: …", oldest first (`build_orchestrator_context`).
    """
    parts = _TURN.split(context)
    turns = list(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    said = [place for place, (who, _) in enumerate(turns) if who == "Person"]
    if not said:
        return None
    answers = [text for who, text in turns[said[-1] :] if who == "Aura"]
    return Exchange(say=turns[said[-1]][1], answer="\n".join(answers))


def shortened(exchange: Exchange) -> Exchange:
    """An exchange as a model is shown it: on one line each, and cut."""
    texts = (" ".join(text.split()) for text in (exchange.say, exchange.answer))
    say, answer = (text if len(text) <= SHOWN else f"{text[:SHOWN]}…" for text in texts)
    return Exchange(say=say, answer=answer)


def with_answer(value: Any, exchange: Exchange | None) -> Any:
    """A value in which `${before}` is the last answer itself."""
    if exchange is None:
        return value

    def fill(reference: Reference) -> str:
        return escape_references(exchange.answer) if reference.step == BEFORE else str(reference)

    return replace_references(value, fill)
