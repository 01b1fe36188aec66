"""When a step or a tool call asks first: what it does, what of it leaves, and who had a hand in that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.contracts import Effects
from agent.references import REFERENCE, find_references, parse_reference
from agent.taint.words import is_made_of, texts_in, words_are_of


@dataclass(frozen=True, slots=True)
class Call:
    """A task that is about to run.

    Attributes:
        effects: what may come of it.
        leaves: names of inputs whose values may leave this machine.
        grounded: names of inputs that no model may make up.
        planned: its inputs as they were planned, references included.
        inputs: the same with every reference replaced.
    """

    effects: Effects
    leaves: Collection[str]
    grounded: Collection[str]
    planned: Mapping[str, Any]
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Who had a hand in a call.

    Attributes:
        said: what the person wrote.
        known: earlier results, as text.
        untrusted: words of strangers reach it, or whoever planned it had read some.
        prompted: an answer reaches it that words of strangers asked for.
        verbatim: names of inputs that are one whole value of a page or file, in a plan of the person's words alone.
    """

    said: Sequence[str]
    known: Sequence[str] = ()
    untrusted: bool = False
    prompted: bool = False
    verbatim: Collection[str] = field(default_factory=frozenset[str])


@dataclass(frozen=True, slots=True)
class Needed:
    """Consent is needed.

    Attributes:
        effects: what would happen.
        leaving: names of inputs that would leave with words that the person did not write.
        refused: what the person wrote that may forbid it.
    """

    effects: Effects
    leaving: tuple[str, ...] = ()
    refused: str = ""


def consent_needed(call: Call, around: Surroundings, approve: Collection[Effects]) -> Needed | None:
    """Whether a person must allow a call first; what the person wrote themself never asks.

    Args:
        call: what is about to run.
        around: who had a hand in it.
        approve: effects that need approval, from the profile.
    """
    composed = _composed_anew(call, around)
    leaving = (*_leaving(call, around), *(name for name in composed if name in call.leaves))
    if leaving and "external" in approve:
        return Needed("external", leaving)
    influenced = around.untrusted or composed or (around.prompted and call.effects == "external")
    return Needed(call.effects) if influenced and call.effects in approve else None


def ungrounded(call: Call, around: Surroundings) -> list[str]:
    """Names of grounded inputs whose values nobody said and no result holds."""
    texts = [*around.said, *around.known]
    return [name for name in call.grounded if not is_made_of(call.inputs.get(name), texts)]


def _leaving(call: Call, around: Surroundings) -> list[str]:
    """Inputs that would leave although strangers had a hand in them, and hold what the person did not write."""
    if not (around.untrusted or around.prompted):
        return []
    names = [name for name in call.leaves if name not in around.verbatim]
    return [name for name in names if not is_made_of(call.inputs.get(name), around.said)]


def _composed_anew(call: Call, around: Surroundings) -> list[str]:
    """Grounded inputs that a model put together of results and words which are neither the person's nor a result's.

    Where strangers had no hand in it, the person's own words around a result are no invention: the address of a
    service, with a town from a list behind it.
    """
    composed = [name for name in call.grounded if _is_composed(call.planned.get(name))]
    doubtful = ungrounded(Call(call.effects, (), composed, call.planned, call.inputs), around)
    return [
        name
        for name in doubtful
        if name not in _leaving(call, around) and not words_are_of(_literal(call.planned[name]), around.said)
    ]


def _is_composed(planned: Any) -> bool:
    whole = parse_reference(planned) is not None if isinstance(planned, str) else False
    return bool(find_references(planned)) and not whole


def _literal(planned: Any) -> str:
    """What stands around the references of an input."""
    return " ".join(REFERENCE.sub(" ", text) for text in texts_in(planned))
