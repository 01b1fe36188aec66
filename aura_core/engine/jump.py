"""The step kinds `go_step` and `go_task`: both raise a JumpSignal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aura_core.engine.signals import JumpSignal
from aura_core.errors import InputError, NotFoundError
from aura_core.ground.suggestions import hint, sentence

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.interpreter import Interpreter
    from aura_core.language.steps import GoStepStep, GoTaskStep


async def execute_go_step(engine: Interpreter, step: GoStepStep, context: Context) -> None:  # noqa: ARG001 (one signature for all kinds)
    """Jumps to the top-level step that holds the target.

    Raises:
        JumpSignal: always, if the target exists.
        NotFoundError: no step has this id.
    """
    if step.go_step not in engine.step_map:
        advice = hint(step.go_step, engine.step_map, what="known ids")
        raise NotFoundError(sentence(f"No step has the id {step.go_step!r}", advice))
    raise JumpSignal("go_step", step.go_step)


async def execute_go_task(engine: Interpreter, step: GoTaskStep, context: Context) -> None:
    """Ends this task in favour of another one.

    Raises:
        JumpSignal: always, if the task exists.
        NotFoundError: it does not.
        InputError: `inputs` is not a mapping.
    """
    inputs = step.inputs.render(context.variables)
    if not isinstance(inputs, dict):
        raise InputError(f"`inputs` of go_task must be a mapping of names to values, not {inputs!r}.")
    task = engine.runtime.find_task(step.go_task)
    raise JumpSignal("go_task", task.ref, inputs)  # pyright: ignore[reportUnknownArgumentType] (values of YAML)
