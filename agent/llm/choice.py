"""Which model a name means: an embedded one with its weights, or one at the configured endpoint.

Needs neither the SDK nor the runtime, so that a chat can greet before either is loaded.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.config import EMBEDDED_MODEL
from agent.errors import ModelMissingError
from agent.llm.known_models import MODELS
from agent.llm.weights import cut_short, find_weights, is_path

if TYPE_CHECKING:
    from agent.config import AppConfig, LlmSettings

LOCAL = "embedded:"
"""Before a name: the embedded model of that name, also where an endpoint is configured."""
OPENAI = "https://api.openai.com/v1"
OTHER_MODELS = (
    "set OPENAI_API_KEY, or OPENAI_BASE_URL for another endpoint than OpenAI's; or set llm.model (AURA_MODEL) to the "
    "path of a GGUF file"
)


def runtime_installed() -> bool:
    """Whether the runtime of embedded models is there."""
    return importlib.util.find_spec("xllamacpp") is not None


def is_local(settings: LlmSettings, name: str | None) -> bool:
    """Whether the name (None: the configured model) means an embedded model."""
    name = name or settings.model
    if name is not None and (name.startswith(LOCAL) or is_path(name)):
        return True
    return settings.base_url is None and settings.api_key is None


def label(name: str | None) -> str:
    """A short name of an embedded model, for the person: a path's file name without its ending."""
    bare = _bare(name)
    return Path(bare).stem if is_path(bare) else bare


def host(settings: LlmSettings) -> str:
    """Where the configured endpoint is."""
    return urlsplit(settings.base_url or OPENAI).hostname or "?"


def weights_of(config: AppConfig, name: str | None) -> Path:
    """The weights of an embedded model, where everything it needs is there.

    Raises:
        ModelMissingError: runtime or weights are missing, or there is no such model; names the ways on.
    """
    wanted, short = _bare(name), label(name)
    if not is_path(wanted) and wanted not in MODELS:
        raise ModelMissingError(
            f"There is no embedded model {short!r}, and no endpoint is configured that could have it. Three ways on: "
            f"choose an embedded one ({', '.join(MODELS)}); {OTHER_MODELS}."
        )
    weights = find_weights(config, wanted)
    if weights is None:
        fetch = "aura model pull" if short == EMBEDDED_MODEL else f"aura model pull {short}"
        raise ModelMissingError(
            f"There is no language model to ask: {_missing(config, wanted)}. Three ways on: run `{fetch}`; "
            f"{OTHER_MODELS}."
        )
    if not runtime_installed():
        raise ModelMissingError(
            "The embedded model needs its runtime, which is not installed. Three ways on: run `pip install "
            f"'aura-assistant[local]'`, then `aura model pull`; {OTHER_MODELS}."
        )
    return weights


def _bare(name: str | None) -> str:
    """The name without its prefix; the default for none."""
    return (name or EMBEDDED_MODEL).removeprefix(LOCAL)


def _missing(config: AppConfig, wanted: str) -> str:
    if is_path(wanted):
        return f"{wanted} does not exist"
    if found := cut_short(config, wanted):
        path, have, whole = found
        return f"{path} is not whole ({have / 1e6:,.0f} of {whole / 1e6:,.0f} MB); fetching replaces it"
    return f"the embedded model {label(wanted)} is not here yet"
