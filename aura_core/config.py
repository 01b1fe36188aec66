"""ConfigService: a plan's settings, its defaults overridden by aura.yaml and the environment; `config("a.b")`."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from aura_core.asynccontext import current_scope
from aura_core.errors import NotFoundError
from aura_core.ground.secrets import hold, names_secret, secrets_in, stripped

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MISSING: Any = object()


class ConfigService:
    """Holds the settings of all plans and answers for the plan that is current (seed 003).

    Order, later wins: the plan's config.yaml, `plans.<plan>.*` of aura.yaml, the environment
    `AURA_PLANS__<PLAN>__<KEY>__<KEY>`.
    """

    def __init__(self) -> None:
        self._settings: dict[str, dict[str, Any]] = {}

    def set_plan(
        self, plan: str, defaults: Mapping[str, Any], *overrides: Mapping[str, Any], secrets: Collection[str] = ()
    ) -> None:
        """Merges `overrides` over `defaults`, key by key and deeply, and keeps the result for `plan`.

        Secrets among them are held (`aura_core.ground.secrets`), and lose white space at their ends.

        Args:
            plan: whose settings.
            defaults: its config.yaml.
            overrides: what goes over them, later ones over earlier ones.
            secrets: dotted names of settings that are secret, beside those whose names say so.
        """
        merged: dict[str, Any] = copy.deepcopy(dict(defaults))
        for override in overrides:
            _merge(merged, override)

        def is_secret(name: str) -> bool:
            return name in secrets or names_secret(name)

        hold(secrets_in(merged, is_secret))
        self._settings[plan] = stripped(merged, is_secret)

    def settings(self, plan: str) -> Mapping[str, Any]:
        """All settings of a plan, merged; read only."""
        return self._settings.get(plan, {})

    def get(self, path: str, default: Any = _MISSING, *, plan: str | None = None) -> Any:
        """The setting at a dotted path; a list or mapping is the caller's own.

        Args:
            path: e.g. "limits.pages".
            default: returned if there is none; without it a missing setting is an error.
            plan: whose settings; the current plan's if left out.

        Raises:
            NotFoundError: no such setting and no default, or no plan is current.
        """
        name = plan or current_scope.get().plan
        if name is None:
            raise NotFoundError(f"config({path!r}) was asked outside any plan; use it inside a task or action.")
        value: Any = self._settings.get(name, {})
        for part in path.split("."):
            if not isinstance(value, dict) or part not in value:
                if default is not _MISSING:
                    return default
                raise NotFoundError(f"The plan {name} has no setting {path!r}; add it to its config.yaml.")
            value = value[part]  # pyright: ignore[reportUnknownVariableType] (settings are JSON-like)
        found = cast("object", value)
        return copy.deepcopy(found) if isinstance(found, dict | list) else found  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] (settings are JSON-like)


def _merge(target: dict[str, Any], override: Mapping[str, Any]) -> None:
    for key, value in override.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], cast("Mapping[str, Any]", value))
        else:
            target[key] = copy.deepcopy(cast("Any", value))


class PlanSettings:
    """The settings of one plan, injected as `config`: `config("limits.pages", 10)`."""

    __slots__ = ("_plan", "_service")

    def __init__(self, service: ConfigService, plan: str) -> None:
        self._service = service
        self._plan = plan

    def __call__(self, path: str, default: Any = _MISSING) -> Any:
        """The setting at a dotted path; see `ConfigService.get`."""
        return self._service.get(path, default, plan=self._plan)

    get = __call__


def config(path: str, default: Any = _MISSING) -> Any:
    """The current plan's setting at a dotted path; see `ConfigService.get`."""
    settings = current_scope.get().settings
    if settings is None:
        raise NotFoundError(f"config({path!r}) was asked outside a running task.")
    return settings.get(path, default)
