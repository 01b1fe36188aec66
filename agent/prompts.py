"""Loads prompts: `prompts/<name>.j2`, each replaceable by a file of the same name in the person's own folder."""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agent.errors import ConfigError
from aura_core.plugins.builtin import builtin_folder

_OWN_FOLDER: ContextVar[Path | None] = ContextVar("own_prompts", default=None)


def use_prompts_from(folder: Path | None) -> None:
    """From here on, in this task and those it starts, a prompt in `folder` replaces the built-in one of its name."""
    _OWN_FOLDER.set(folder)


def render(name: str, **values: Any) -> str:
    """The prompt with its values filled in.

    Args:
        name: file name without `.j2`; the header of the file says who fills what.
        values: what the prompt's header lists. A value that is missing is an error, never an empty string.

    Raises:
        ConfigError: there is no such prompt, or it cannot be filled; says where it stands.
    """
    own = _OWN_FOLDER.get()
    try:
        return _environment(own).get_template(f"{name}.j2").render(values).strip()
    except (TemplateError, OSError, UnicodeDecodeError) as error:
        place = f"{own} or {builtin_folder('prompts')}" if own else str(builtin_folder("prompts"))
        line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        raise ConfigError(f"The prompt {name}.j2{line} (in {place}) cannot be used: {error}") from error


def as_data(text: str) -> str:
    """Text of strangers for a prompt, unable to close the marks that say that it is data."""
    return text.replace("</data", "<\u200b/data").replace("<data", "<\u200bdata")


@lru_cache(maxsize=8)
def _environment(own: Path | None) -> Environment:
    loader = FileSystemLoader([folder for folder in (own, builtin_folder("prompts")) if folder])
    environment = ImmutableSandboxedEnvironment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["as_data"] = as_data
    return environment
