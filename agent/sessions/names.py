"""Session ids as folder names: any text becomes a safe one, and two ids never share a folder."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"-?[a-z0-9][a-z0-9_-]{0,63}")
_OTHER = re.compile(r"[^a-z0-9]+")
_TAKEN = {"prompts", "plans", "plugins", "logs", "data", "state", "files", "models", "cache", "telegram"}
"""What AURA_HOME holds beside sessions."""
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
"""Names that Windows gives to devices."""


def folder_name(session_id: str) -> str:
    """The folder of a session inside AURA_HOME.

    Small letters, digits, `-` and `_` (so "main", and Telegram's "-100123") stay as they are. Everything else, capital
    letters included because some file systems do not tell them apart, becomes a readable part, `~` and a hash.
    """
    if _PLAIN.fullmatch(session_id) and session_id not in _TAKEN | _DEVICES:
        return session_id
    digest = hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    readable = _OTHER.sub("-", session_id.lower()[:40]).strip("-") or "session"
    return f"{readable}~{digest}"
