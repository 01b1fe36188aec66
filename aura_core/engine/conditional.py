"""The step kind `if`: runs `then` or `else`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import IfStep


async def execute(engine: Interpreter, step: IfStep, context: Context) -> None:
    """Runs the block that the condition chooses, in this context."""
    await engine.run_block(step.then if step.if_.render(context.variables) else step.else_, context)
