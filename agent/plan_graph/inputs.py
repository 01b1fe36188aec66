"""Inputs of a step against the task's own schema: names are mapped, values made to fit, the rest is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from agent.contracts import TaskCard
from agent.plan_graph.values import MisfitError, allows_null, fit_value, short
from agent.references import NEAR_ENOUGH, references_in


@dataclass(slots=True)
class FittedInputs:
    """What became of a step's inputs.

    Attributes:
        inputs: those that fit, or hold references.
        notes: what was changed, one line each.
        wrong: input name -> why its value cannot be used. It is not in `inputs`.
    """

    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    notes: list[str] = field(default_factory=list[str])
    wrong: dict[str, str] = field(default_factory=dict[str, str])


def fit_inputs(card: TaskCard, inputs: Mapping[str, Any]) -> FittedInputs:
    """Makes inputs fit the task's schema: names, types, enums, bounds. Inputs that hold references stay as they are.

    Used on a plan, and again on the resolved inputs just before a step runs (a list into a text input becomes lines).

    Args:
        card: the task.
        inputs: values by name, as a model or a person gave them.
    """
    fitted = FittedInputs()
    named, fitted.notes = renamed(card, inputs)
    for name, value in named.items():
        schema = card.properties[name]
        if value is None and not allows_null(schema):
            continue
        if next(references_in(value), None) is not None:
            fitted.inputs[name] = value
            continue
        try:
            fitted.inputs[name] = fit_value(value, schema)
        except MisfitError as error:
            fitted.wrong[name] = str(error)
        else:
            if fitted.inputs[name] != value or type(fitted.inputs[name]) is not type(value):
                fitted.notes.append(f"{name}: {short(value)} became {short(fitted.inputs[name])}")
    return fitted


def renamed(card: TaskCard, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Inputs under names that the task has, and notes; a name it does not have is mapped, or dropped."""
    notes: list[str] = []
    known = {name: value for name, value in inputs.items() if name in card.properties}
    unknown = {name: value for name, value in inputs.items() if name not in card.properties}
    for name in list(unknown):
        free = {other.casefold(): other for other in card.properties if other not in known}
        near = get_close_matches(name.casefold(), free, n=1, cutoff=NEAR_ENOUGH)
        if near:
            known[free[near[0]]] = unknown.pop(name)
            notes.append(f"{name} became {free[near[0]]}")
    missing = [other for other in card.required if other not in known]
    if len(missing) == 1 and len(unknown) == 1 and _fits(next(iter(unknown.values())), card.properties[missing[0]]):
        name, known[missing[0]] = unknown.popitem()
        notes.append(f"{name} became {missing[0]}")
    notes += [f"{card.task} has no input {name!r}; dropped" for name in unknown]
    return known, notes


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    try:
        fit_value(value, schema)
    except MisfitError:
        return False
    return True
