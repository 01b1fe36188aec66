"""Arguments: what a step gives by name to an action or a task, held against what that takes."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from aura_core.expressions.pieces import is_constant
from aura_core.ground.suggestions import hint, nearest
from aura_core.language.inputs import value_mistake
from aura_core.language.steps import ActionStep, GoTaskStep, Place, RunTaskStep

if TYPE_CHECKING:
    from aura_core.expressions import Template
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.registry import ActionDefinition

Mistake = tuple[Place, str, str, bool]
"""Place inside a step, message, advice, whether the key is meant."""


def action_mistakes(step: ActionStep, action: ActionDefinition) -> Iterator[Mistake]:
    """What is wrong with the parameters of an action step, as far as that can be seen before it runs."""
    given = _given(step.params)
    if given is None:
        yield from _no_mapping("params", step.params)
        return
    signature = action.signature
    known = f"its parameters are: {', '.join(signature.parameters) or 'none'}"
    meant: set[str] = set()
    for name in given:
        if name not in signature.parameters and not signature.open:
            near = _nearest(name, signature.parameters, meant)
            advice = f"did you mean {near!r}?" if near else known
            yield ("params", name), f"the action {step.action!r} has no parameter {name!r}", advice, True
    missing = [name for name in signature.parameters if name in signature.required]
    if names := _not_given(missing, given, meant):
        yield ("action",), f"the action {step.action!r} needs {names}", known, False


def input_mistakes(step: RunTaskStep | GoTaskStep, task: TaskDefinition) -> Iterator[Mistake]:
    """What is wrong with the inputs that a step gives to another task, as far as that can be seen before it runs.

    Args:
        step: the step.
        task: what it runs, or goes on with.
    """
    kind, key = ("run_task", "pass_params") if isinstance(step, RunTaskStep) else ("go_task", "inputs")
    template = step.pass_params if isinstance(step, RunTaskStep) else step.inputs
    given, specs = _given(template), task.meta.inputs
    if given is None:
        yield from _no_mapping(key, template)
        return
    meant: set[str] = set()
    for name, value in given.items():
        if name not in specs:
            _nearest(name, specs, meant)
            advice = hint(str(name), specs, what="its inputs are") or "it takes none"
            yield (key, name), f"the task {task.ref} has no input {name!r}", advice, True
        elif value is not None and is_constant(value) and (reason := value_mistake(specs[name], value)):
            yield (key, name), f"the input {name!r} of {task.ref} does not fit: {reason}", "", False
    missing = [name for name, spec in specs.items() if spec.required and not spec.has_default]
    if names := _not_given(missing, given, meant):
        yield (kind,), f"the task {task.ref} needs {names}", f"give it under `{key}`", False


def _nearest(name: object, known: Collection[str], meant: set[str]) -> str | None:
    """The known name that is probably meant; noted, so that it is not missed as well."""
    near = nearest(str(name), known)
    meant |= {near} if near else set()
    return near


def _not_given(needed: Iterable[str], given: Container[Any], meant: Container[str]) -> str:
    return ", ".join(repr(name) for name in needed if name not in given and name not in meant)


def _given(template: Template) -> Mapping[Any, Any] | None:
    """What is written for each name; None if no names are."""
    return cast("Mapping[Any, Any]", template.raw) if isinstance(template.raw, dict) else None


def _no_mapping(key: str, template: Template) -> Iterator[Mistake]:
    """A value without names: one expression may give a mapping, and all else is none."""
    if not template.is_expression:
        yield (key,), f"{key} is a mapping", f"write `{key}: {{name: value}}`", False
