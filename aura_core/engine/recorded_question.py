"""RecordedQuestion: a question of a recorded task is answered once, whatever its words are after an edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aura_core.engine.recording import mark, scoped, step_label
from aura_core.engine.replay_key import here
from aura_core.ground.journal import NotKeptError, kept, revived

if TYPE_CHECKING:
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import AskStep
    from aura_core.tasklet import RunInfo


class RecordedQuestion:
    """One execution of one `ask` step; its answer is found by the step, not by its text.

    Args:
        engine: runs the step.
        step: the step.

    Attributes:
        known: whether it was answered before.
        answer: what the answer was.
    """

    def __init__(self, engine: Interpreter, step: AskStep) -> None:
        self._engine, self._step, self._journal = engine, step, here().journal
        self._key = here().key(step_label(engine, step))
        entry = self._journal.recall(self._answer_key)
        self.known = entry is not None
        self.answer: Any = None if entry is None else revived(entry["result"])

    @property
    def _answer_key(self) -> str:
        return f"{self._key}:answer"

    async def before(self, run: RunInfo) -> RunInfo:
        """Records what the question may depend on; returns the run under which the same question is found again."""
        mark(self._engine, self._step, "open")
        await self._journal.flush(shapes=True)
        return scoped(run, self._key)

    async def done(self, answer: Any) -> None:
        """Records the answer, before the engine goes on."""
        try:
            self._journal.note(self._answer_key, {"result": kept(answer)})
        except NotKeptError:
            return  # no text, and no answer of a person then: it is for its service to keep
        mark(self._engine, self._step, "done")
        await self._journal.flush()
