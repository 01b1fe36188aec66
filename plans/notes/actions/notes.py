"""Notes of a person: added once, listed, found by words in any form, deleted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from aura_core.api import ActionError, Context, action, local_now

from .search import matching

KEYS_KEPT = 200
OUTSIDE = "from_outside"
"""In a note that holds words of strangers, such as one made of a page: they stay theirs."""
_NUMBER = re.compile(r"(?:note |number |no\.? |#)*(\d{1,9})\.?")


def _of(state: Mapping[str, Any], whose: str) -> Mapping[str, Any]:
    """What is kept of one person; the owner's stands at the top."""
    return state.get("people", {}).get(whose, {}) if whose else state


def _to_edit(data: dict[str, Any], whose: str) -> dict[str, Any]:
    return data.setdefault("people", {}).setdefault(whose, {}) if whose else data


def _notes(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    return state.get("notes", [])


def _shown(notes: list[dict[str, Any]], nothing: str, context: Context) -> dict[str, Any]:
    if any(note.get(OUTSIDE) for note in notes):
        context.mark_from_outside()
    lines = [f"{note['id']}. {note['text']} ({note['created'][:10]})" for note in notes]
    return {"count": len(notes), "notes": notes, "text": "\n".join(lines) or nothing}


@action("add", effects="write")
async def add(text: str, context: Context, config: Callable[..., Any]) -> dict[str, Any]:
    """Keeps a note. The same step repeated after a crash keeps it once.

    Args:
        text: the note.
        context: the running task's.
        config: the plan's settings.

    Returns:
        `{id, text, message}`.

    Raises:
        ActionError: the text is empty or too long, or there are too many notes.
    """
    text = text.strip()
    longest: int = config("limits.note_chars", 10_000)
    if not text:
        raise ActionError("A note needs some text.")
    if len(text) > longest:
        raise ActionError(f"The note has {len(text):,} characters; at most {longest:,} are kept. Save it as a file.")
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    key = context.run.once_key(f"notes/add:{digest}")
    async with context.state.edit() as everything:
        data = _to_edit(everything, context.run.whose)
        number = data.get("added", {}).get(key)
        if number is None:
            number = _keep(data, _note(text, context), key, config("limits.notes", 5_000))
    return {"id": number, "text": text, "message": f"Noted as number {number}: {text}"}


def _note(text: str, context: Context) -> dict[str, Any]:
    created = local_now().isoformat(timespec="seconds")
    return {"text": text, "created": created} | ({OUTSIDE: True} if context.from_outside else {})


def _keep(data: dict[str, Any], note: dict[str, Any], key: str, most: int) -> int:
    notes: list[dict[str, Any]] = data.setdefault("notes", [])
    if len(notes) >= most:
        raise ActionError(f"There are {len(notes)} notes already; delete some first.")
    number: int = data.get("next_id", 1)
    data["next_id"] = number + 1
    notes.append({"id": number, **note})
    if key:
        added = {**data.get("added", {}), key: number}
        data["added"] = dict(list(added.items())[-KEYS_KEPT:])
    return number


@action("list")
def list_notes(context: Context) -> dict[str, Any]:
    """All notes of whoever asks, oldest first.

    Args:
        context: the running task's.

    Returns:
        `{count, notes: [{id, text, created}], text}`.
    """
    return _shown(_notes(_of(context.state, context.run.whose)), "There are no notes yet.", context)


@action("find")
def find(query: str, context: Context) -> dict[str, Any]:
    """Notes in which all the words stand, in this or a near form; if there is none, those with most of them.

    Args:
        query: words to look for; a note's number finds that note.
        context: the running task's.

    Returns:
        `{count, notes, text}`, oldest first.
    """
    notes = _notes(_of(context.state, context.run.whose))
    found = _numbered(notes, query) or matching(notes, query)
    return _shown(found, f"No note speaks of “{query.strip()}”.", context)


def _numbered(notes: list[dict[str, Any]], text: str) -> list[dict[str, Any]] | None:
    """The note of the number that `text` is; None if it is not a number."""
    match = _NUMBER.fullmatch(text.strip().casefold())
    return [note for note in notes if note["id"] == int(match[1])] if match else None


@action("delete", effects="write")
async def delete(note: str, context: Context) -> dict[str, Any]:
    """Deletes one note for good.

    Args:
        note: its number, or words that only this note holds.
        context: the running task's.

    Returns:
        `{id, text, message}` of the note that is gone.

    Raises:
        ActionError: no note, or more than one, is meant.
    """
    async with context.state.edit() as everything:
        data = _to_edit(everything, context.run.whose)
        numbered = _numbered(_notes(data), note)
        found = matching(_notes(data), note) if numbered is None else numbered
        if not found:
            raise ActionError(f"There is no note “{note.strip()}”; /notes shows all of them with their numbers.")
        if len(found) > 1:
            listed = "; ".join(f"{each['id']}: {each['text'][:40]}" for each in found[:5])
            raise ActionError(f"“{note.strip()}” fits {len(found)} notes; say the number. {listed}")
        gone = found[0]
        if gone.get(OUTSIDE):
            context.mark_from_outside()
        data["notes"] = [each for each in data["notes"] if each["id"] != gone["id"]]
    return {"id": gone["id"], "text": gone["text"], "message": f"Deleted note {gone['id']}: {gone['text']}"}
