"""Where the built-in plans and prompts are: in the checkout, or in the installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_ROOT = Path(__file__).resolve().parents[2]


def builtin_folder(kind: Literal["plans", "prompts"]) -> Path:
    """The folder of the built-in plans (one of them is `aura_base`, which every plan may use) or prompts."""
    checkout = _ROOT / kind
    return checkout if checkout.is_dir() else _ROOT / "aura_builtin" / kind
