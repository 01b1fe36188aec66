"""The step kind `while`: runs its body as long as a condition holds, within a bound."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aura_core.errors import LoopLimitError

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import WhileStep

BREATH = 127


async def execute(engine: Interpreter, step: WhileStep, context: Context) -> None:
    """Runs `do` while the condition holds.

    Raises:
        LoopLimitError: it still holds after `max_iterations` turns.
    """
    scope = context.variables
    condition, body, limit = step.while_.render, step.do, step.max_iterations
    turns = 0
    while condition(scope):
        if turns == limit:
            raise LoopLimitError(
                f"`while` went on for {limit} turns and its condition still holds; "
                "change what it tests, or raise max_iterations."
            )
        turns += 1
        await engine.run_block(body, context)
        engine.turns += 1
        if not engine.turns & BREATH:
            await asyncio.sleep(0)
