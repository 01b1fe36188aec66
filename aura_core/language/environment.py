"""Settings of plans in the environment: `AURA_PLANS__<PLAN>__<KEY>__<KEY>`, values as a YAML file would have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aura_core.language.yaml_nodes import read_value

PREFIX = "AURA_PLANS__"


def plan_settings(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What the environment sets for plans, by plan; an empty variable sets nothing.

    Args:
        environment: variables; letters count without case.

    Returns:
        Settings under the plan's name as it is written there: small letters, `_` for `-`.
    """
    plans: dict[str, dict[str, Any]] = {}
    for variable, text in sorted(environment.items()):
        plan, *path = variable.upper().removeprefix(PREFIX).lower().split("__")
        if not variable.upper().startswith(PREFIX) or not path or not text.strip():
            continue
        target = plans.setdefault(plan, {})
        for part in path[:-1]:
            inner: Any = target.get(part)
            target[part] = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
            target = target[part]
        target[path[-1]] = read_value(text)
    return plans


def settings_of(plan: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the environment sets for one plan; `-` in its name is written `_` there."""
    return plan_settings(environment).get(plan.lower().replace("-", "_"), {})
