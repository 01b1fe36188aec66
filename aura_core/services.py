"""Services that the core lends to plans but does not provide: whoever embeds the core registers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aura_core.tasklet import RunInfo


@runtime_checkable
class LanguageModelService(Protocol):
    """A language model for actions; registered as service `llm`."""

    async def write(
        self,
        instruction: str,
        *,
        data: str = "",
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        run: RunInfo | None = None,
    ) -> Any:
        """One model call.

        Args:
            instruction: what to do, from a trusted source: the task's author or the person.
            data: text to work on; it is marked as data in the prompt and never obeyed.
            schema: JSON Schema of the wanted answer; None asks for plain text.
            max_tokens: upper bound of the answer's length in tokens.
            run: the run whose budget pays for the call.

        Returns:
            The text, or with a `schema` the parsed and validated JSON value.
        """
        ...


@runtime_checkable
class ChatService(Protocol):
    """The person behind a run; registered as service `chat`."""

    async def ask(self, run: RunInfo, text: str, options: Sequence[str] = ()) -> str:
        """Asks the person and waits, durably, for the answer."""
        ...
