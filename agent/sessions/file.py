"""SESSION.json as text and back: what a sound file looks like, and what one more entry changes."""

from __future__ import annotations

import json
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import AgentError
from aura_core.ground.json_text import parse_json

VERSION = 1
CONVERSATIONS = "orchestrator_by_task"
FIRST_CONVERSATION = "main"
KEPT_ENTRIES = 50
"""The last entries of a conversation that are kept."""
KEPT_CONVERSATIONS = 200
"""The last conversations that are kept; `aura ask` begins one per request."""


class DamagedSessionError(AgentError):
    """The text is not a SESSION.json; the message says what is wrong with it.

    Attributes:
        sound: a session of what is sound in it.
    """

    def __init__(self, message: str, sound: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.sound = sound or empty_session()


class NewerSessionError(AgentError):
    """A newer Aura wrote the file. Never set aside and never overwritten."""


def empty_session() -> dict[str, Any]:
    """A session in which nothing was said."""
    return {"version": VERSION, CONVERSATIONS: {}}


def parse_session(text: str) -> dict[str, Any]:
    """SESSION.json as a value; keys that this version does not know are kept.

    Raises:
        DamagedSessionError: it is not JSON, or it does not have the shape of a session.
        NewerSessionError: its version is higher than this one's.
    """
    try:
        loaded = parse_json(text)
    except ValueError as error:
        raise DamagedSessionError(f"it is not JSON: {error}") from error
    if not isinstance(loaded, dict):
        raise DamagedSessionError("it holds no JSON object")
    data = cast("dict[str, Any]", loaded)
    version = data.setdefault("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DamagedSessionError(f"its version is {version!r}")
    if version > VERSION:
        raise NewerSessionError(f"it was written by a newer Aura (version {version}, this one knows {VERSION})")
    sound, wrong = _sound_conversations(data.setdefault(CONVERSATIONS, {}))
    if wrong:
        raise DamagedSessionError(wrong, {**data, CONVERSATIONS: sound})
    return data


def session_text(data: dict[str, Any]) -> str:
    """The text of SESSION.json, readable for a person."""
    return json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8", "replace").decode("utf-8") + "\n"


def current_key(data: dict[str, Any]) -> str:
    """The conversation that goes on: the last one, "main" if there is none."""
    return next(reversed(conversations(data)), FIRST_CONVERSATION)


def conversations(data: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Entries by conversation, oldest conversation first."""
    return data[CONVERSATIONS]


def add_entry(data: dict[str, Any], key: str, entry: dict[str, Any]) -> None:
    """Appends an entry to a conversation, in place; an entry of the same run is replaced, and old ones go.

    A conversation that is not there any more comes back as the oldest, so that the current one stays current.
    """
    found = conversations(data)
    if key not in found:
        data[CONVERSATIONS] = found = {key: [], **found}
    run_id = entry.get("run_id")
    entries = found[key]
    place = next((index for index, old in enumerate(entries) if run_id and old.get("run_id") == run_id), None)
    if place is None:
        entries.append(entry)
    else:
        entries[place] = entry
    del entries[:-KEPT_ENTRIES]


def add_conversation(data: dict[str, Any]) -> str:
    """Begins a new conversation, in place, and returns its key; one in which nothing was said yet is taken again."""
    found = conversations(data)
    key = current_key(data)
    if key in found and not found[key]:
        return key
    number = max(2, len(found) + 1)
    while f"conversation-{number}" in found:
        number += 1
    key = f"conversation-{number}"
    found[key] = []
    for old in list(found)[:-KEPT_CONVERSATIONS]:
        del found[old]
    return key


class _Entry(BaseModel):
    """What the keys of an entry hold that Aura reads; others are kept as they are."""

    model_config = ConfigDict(strict=True)

    run_id: str = ""
    user: str = ""
    answer: str = ""
    untrusted: bool = False
    artifacts: list[str] = Field(default_factory=list)


def _sound_conversations(found: object) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """The entries that are what they should be, and what is wrong with the first that is not; empty if none is."""
    if not isinstance(found, dict):
        return {}, f"{CONVERSATIONS} is no JSON object"
    sound: dict[str, list[dict[str, Any]]] = {}
    wrong = ""
    for key, entries in cast("dict[str, object]", found).items():
        if not isinstance(entries, list):
            wrong = wrong or f"the conversation {key[:40]!r} is no list of entries"
            continue
        sound[key] = []
        for number, entry in enumerate(cast("list[object]", entries), 1):
            odd = _odd(entry)
            if not odd:
                sound[key].append(cast("dict[str, Any]", entry))
            wrong = wrong or (odd and f"entry {number} of the conversation {key[:40]!r} {odd}")
    return sound, wrong


def _odd(entry: object) -> str:
    if not isinstance(entry, dict):
        return "is no JSON object"
    try:
        _Entry.model_validate(entry)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_url=False, include_input=False)[0]["loc"]))
        return f"has a {place!r} of another kind"
    return ""
