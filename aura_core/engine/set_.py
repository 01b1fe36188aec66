"""The step kind `set`: gives variables values, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import SetStep


async def execute(engine: Interpreter, step: SetStep, context: Context) -> None:  # noqa: ARG001 (one signature for all kinds)
    """Sets the variables in the order of the file; a later one may use an earlier one."""
    scope = context.variables
    for name, template in step.set.items():
        scope[name] = template.render(scope)
