"""ToolGuard: what stands before each call of a tool loop; it knows what the loop was told and has read so far."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.contracts import Effects, ExecutorRequest, ExecutorResponse, TaskCard
from agent.references import as_text
from agent.taint.consent import Call, Surroundings, consent_needed, ungrounded
from agent.taint.described import grounded_inputs
from agent.taint.questions import approval_text

NOT_ALLOWED = "the person did not allow it; do not try it again."


@dataclass(slots=True)
class ToolGuard:
    """The guard of one tool loop.

    Attributes:
        approve: effects that need approval, from the profile.
        said: what the person wrote.
        known: what the loop was given and has read, as texts.
        untrusted: words of strangers are among it.
        prompted: so is an answer that words of strangers asked for.
        sources: titles of the tasks that brought them.
    """

    approve: Collection[Effects]
    said: Sequence[str]
    known: list[str]
    untrusted: bool
    prompted: bool
    sources: list[str] = field(default_factory=list[str])

    @classmethod
    def of(cls, request: ExecutorRequest, approve: Collection[Effects]) -> ToolGuard:
        """The guard of a step before its first call."""
        known = [request.context, *(as_text(value) for value in request.results.values())]
        return cls(approve, request.said, known, request.untrusted, request.prompted)

    def refusal(self, card: TaskCard, inputs: dict[str, Any]) -> str:
        """Why a call may not be made as it is, for the model; empty if it may."""
        made_up = ungrounded(self._call(card, inputs), self._around())
        if not made_up:
            return ""
        values = ", ".join(f"{name}={inputs[name]!r}"[:200] for name in made_up)
        return f"{card.task}: {values} was not said by anybody and stands in no result. Use a value that does."

    def question(self, card: TaskCard, inputs: dict[str, Any]) -> str:
        """What the person is asked before a call; empty if nothing."""
        needed = consent_needed(self._call(card, inputs), self._around(), self.approve)
        if needed is None:
            return ""
        return approval_text(card.title or card.task, card.task, needed, inputs, {"": self.sources})

    def learn(self, card: TaskCard, response: ExecutorResponse) -> None:
        """Takes in what a call gave."""
        self.known.append(as_text(response.output) if response.ok else response.error)
        if response.untrusted:
            self.untrusted = True
            self.sources.append(card.title or card.task)

    def _call(self, card: TaskCard, inputs: dict[str, Any]) -> Call:
        return Call(card.effects, card.leaves, grounded_inputs(card), inputs, inputs)

    def _around(self) -> Surroundings:
        return Surroundings(self.said, self.known, untrusted=self.untrusted, prompted=self.prompted)
