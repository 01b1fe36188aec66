"""Who sits at the terminal, and the name of that channel."""

from __future__ import annotations

import getpass
import os

from agent.addresses import TERMINAL

CHANNEL = TERMINAL


def terminal_person() -> str:
    """Who sits at this terminal, as `channel:id`."""
    try:
        return f"{CHANNEL}:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"{CHANNEL}:{os.getuid()}"
