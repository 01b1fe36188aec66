"""Names of files that came from outside: the planner reads another name in their place, and means the real one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, cast

from agent.contracts import Plan, PlanStep
from agent.taint.words import is_made_of

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}")


def stand_ins(files: Sequence[str], from_outside: Collection[str], said: Sequence[str]) -> dict[str, str]:
    """What stands in a prompt for each file whose name strangers chose: a name that says nothing, with its ending.

    Args:
        files: all names.
        from_outside: those that strangers chose.
        said: what the person wrote; a name that they wrote themself is theirs.

    Returns:
        Stand-in -> real name.
    """
    taken, found = set(files), dict[str, str]()
    for file in files:
        if file not in from_outside or is_made_of(file, said):
            continue
        ending = PurePosixPath(file).suffix
        number = len(found) + 1
        while (name := f"file-{number}{ending if _ENDING.fullmatch(ending) else ''}") in taken:
            number += 1
        taken.add(name)
        found[name] = file
    return found


def with_real_names(plan: Plan, names: Mapping[str, str]) -> Plan:
    """The plan with the real names in the place of their stand-ins.

    Args:
        plan: as it was made.
        names: stand-in -> real name.
    """
    return plan.model_copy(update={"steps": [_real(step, names) for step in plan.steps]}) if names else plan


def _real(step: PlanStep, names: Mapping[str, str]) -> PlanStep:
    return step.model_copy(update={"inputs": _replaced(step.inputs, names), "options": _replaced(step.options, names)})


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {name: _replaced(part, names) for name, part in cast("dict[str, Any]", value).items()}
    return [_replaced(part, names) for part in cast("list[Any]", value)] if isinstance(value, list) else value
