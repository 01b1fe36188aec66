"""Which of a program's settings are secrets: told to the one masker before anything else is done with them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr

from aura_core.ground.secrets import hold, secrets_in

if TYPE_CHECKING:
    from agent.config import AppConfig


def hold_secrets(config: AppConfig, environment: Mapping[str, str] | None = None) -> None:
    """Lets this process mask what is secret in the settings and in the environment.

    Settings of plans are held when their plan is loaded, which knows which of them are secret.

    Args:
        config: the settings.
        environment: variables; the process's own if left out. Their names, and passwords inside addresses, tell.
    """
    hold(_marked(config))
    hold(secrets_in(config.model_dump(mode="json", exclude={"plans", "profiles"})))
    hold(secrets_in(config.plans))
    hold(secrets_in(os.environ if environment is None else environment))


def _marked(settings: BaseModel) -> Iterator[str]:
    """Every secret of the configuration, nested sections included."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _marked(value)
