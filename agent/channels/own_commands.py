"""The names of the commands that the chats have themselves, beside those of plugins."""

from __future__ import annotations

import re

OWN_COMMANDS = {
    "/help": "what you can type",
    "/tasks": "everything I can do; /tasks WORD searches",
    "/files": "the files of this session",
    "/schedule": "what runs by itself for you; /schedule remove ID removes one",
    "/runs": "recent requests and how they ended",
    "/new": "begin a new conversation; files and memory stay",
    "/forget": "forget how earlier requests were planned; files and memory stay",
    "/ask": "a new request while a question waits: /ask TEXT",
    "/stop": "stop what is running",
    "/quit": "leave; what is unfinished goes on next time",
}
"""Of the terminal's chat."""
BUILT_IN = {
    "start": "What this is",
    "help": "How it works, and all commands",
    "new": "Begin a new conversation",
    "stop": "Stop what runs",
    "forget": "Forget how earlier requests were planned",
    "tasks": "What I can do",
    "schedule": "What runs by itself for you; remove ID removes one",
    "id": "Your Telegram id",
}
"""Of Telegram's."""
MAX_NAME = 32
INVALID = re.compile(r"[^a-z0-9_]+")


def menu_name(name: str) -> str:
    """A plugin's command as Telegram takes it: small letters, digits, underscores; empty if nothing is left."""
    return INVALID.sub("_", name.lower()).strip("_")[:MAX_NAME]
