"""Variables that nothing sets: a name in an expression that neither the task nor one that runs it gives a value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, cast

from jinja2 import Environment, TemplateSyntaxError, nodes

from aura_core.errors import Problem
from aura_core.expressions.names import GLOBALS
from aura_core.ground.suggestions import hint
from aura_core.language.steps import ActionStep, AskStep, ForStep, Place, RunTaskStep, SetStep, StepBase
from aura_core.language.task import TaskDefinition

_ALWAYS = GLOBALS | {"inputs", "state", "loop"}
_FORGIVING = frozenset({"default", "d"})
_ASKING = frozenset({"defined", "undefined"})
_PARSER = Environment(autoescape=False)  # noqa: S701 (it only parses)


def unset_variables(tasks: Iterable[TaskDefinition], setters: Collection[str]) -> Iterator[Problem]:
    """Names in expressions that have no value when they are asked for, whichever way a task goes.

    Args:
        tasks: all tasks: one that is run by another sees the variables of that.
        setters: plans whose Python gives variables values by itself; nothing can be told of what they take part in.
    """
    by_ref = {task.ref: task for task in tasks}
    sets = {ref: set(_set_by(task.steps)) for ref, task in by_ref.items()}
    callers = _callers(by_ref)
    for ref, task in by_ref.items():
        above = _above(ref, callers)
        if any(_plans_of(by_ref[name]) & set(setters) for name in above):
            continue
        known = _ALWAYS.union(*(sets[name] for name in above))
        raw = _raw_of(task)
        for key in ("steps", "returns", "outputs"):
            yield from _unset_in(raw.get(key), (key,), known, task)
        failing = task.on_failure.steps if task.on_failure else []
        handler = _ALWAYS | {"error"} | set(_set_by(failing))
        yield from _unset_in(raw.get("on_failure"), ("on_failure",), handler, task)


def _set_by(steps: Iterable[StepBase]) -> Iterator[str]:
    """The variables that steps give values."""
    for step in (inner for first in steps for inner in first.walk()):
        match step:
            case ActionStep() | RunTaskStep() | AskStep() if step.output_to is not None:
                yield step.output_to
            case SetStep():
                yield from step.set
            case ForStep():
                yield from (name for name in (step.as_, step.collect) if name is not None)
            case _:
                pass


def _callers(by_ref: Mapping[str, TaskDefinition]) -> dict[str, set[str]]:
    """Task -> the tasks that run it with `run_task`."""
    callers: dict[str, set[str]] = {}
    for task in by_ref.values():
        for step in task.walk():
            if isinstance(step, RunTaskStep):
                inside = f"{task.plan}/{step.run_task}"
                callers.setdefault(inside if inside in by_ref else step.run_task, set()).add(task.ref)
    return callers


def _above(ref: str, callers: Mapping[str, set[str]]) -> set[str]:
    """A task, those that run it, those that run these, and so on."""
    found, new = set[str](), {ref}
    while new:
        found |= new
        new = set[str]().union(*(callers.get(name, set()) for name in new)) - found
    return found


def _plans_of(task: TaskDefinition) -> set[str]:
    """The plans whose Python a task calls: its own, and those that its actions name."""
    actions = (step.action for step in task.walk() if isinstance(step, ActionStep))
    return {task.plan, *(action.partition("/")[0] for action in actions if "/" in action)}


def _raw_of(task: TaskDefinition) -> dict[str, Any]:
    value: Any = task.source.load()
    for part in task.root:
        value = value[part]
    return cast("dict[str, Any]", value)


def _unset_in(raw: Any, place: Place, known: Collection[str], task: TaskDefinition) -> Iterator[Problem]:
    if isinstance(raw, str):
        for name in sorted(_names_in(raw) - set(known)):
            line, column = task.source.position((*task.root, *place), offset=max(raw.find(name), 0))
            own = set(known) - GLOBALS - {"loop"}
            advice = hint(name, own, what="it knows")
            text = f"nothing gives the variable {name!r} a value"
            yield Problem(str(task.source.path), line, column, text, advice, task.ref)
    elif isinstance(raw, dict):
        for key, value in cast("dict[Any, Any]", raw).items():
            yield from _unset_in(value, (*place, key), known, task)
    elif isinstance(raw, list):
        for index, value in enumerate(cast("list[Any]", raw)):
            yield from _unset_in(value, (*place, index), known, task)


def _names_in(text: str) -> set[str]:
    """The variables that a text needs; not those for which it says what is to be done if they are missing."""
    if "{" not in text:
        return set()
    try:
        tree = _PARSER.parse(text)
    except TemplateSyntaxError:
        return set()  # a mistake that is told elsewhere
    stored = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    return set(_needed(tree)) - stored


def _needed(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Filter) and node.name in _FORGIVING:
        children: Iterable[nodes.Node] = node.args
    elif (isinstance(node, nodes.Test) and node.name in _ASKING) or (
        isinstance(node, nodes.CondExpr | nodes.If | nodes.And | nodes.Or) and _asks(node)
    ):
        children = ()
    else:
        children = node.iter_child_nodes()
        if isinstance(node, nodes.Name) and node.ctx == "load":
            yield node.name
    for child in children:
        yield from _needed(child)


def _asks(node: nodes.Node) -> bool:
    """Whether what happens in a part of an expression depends on what is defined."""
    return any(test.name in _ASKING for test in node.find_all(nodes.Test))
