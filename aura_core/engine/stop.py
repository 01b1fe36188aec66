"""The step kind `stop`: ends the task as stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aura_core.engine.signals import StopTaskException

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import StopStep


async def execute(engine: Interpreter, step: StopStep, context: Context) -> None:  # noqa: ARG001 (one signature for all kinds)
    """Ends the task with a message.

    Raises:
        StopTaskException: always.
    """
    message = step.stop.render(context.variables)
    raise StopTaskException("" if message is None else str(message))
