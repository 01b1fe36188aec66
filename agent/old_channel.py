"""What an older Aura's Telegram channel kept in `telegram/channel.db`, copied into the documents that it is now."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator

from aura_core.storage.documents import Json, insert_document
from aura_core.storage.takeover import OldFile, has_table

SUPERGROUPS_BELOW = -(10**12)
Row = tuple[str, str, Json, float]
"""Namespace, key, value, and the time of the last change in seconds since the epoch."""


def copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copies updates, messages, questions, cards and strangers; see `OldFile`."""
    readers = {
        "inbox": _updates,
        "sendings": _sendings,
        "messages": _messages,
        "questions": _questions,
        "cards": _cards,
        "guests": _guests,
    }
    for table, documents_of in readers.items():
        if has_table(old, table):
            for namespace, key, value, at in documents_of(old):
                insert_document(new, f"telegram/{namespace}", key, value, at)


CHANNEL_FILE = OldFile("telegram/channel.db", copy)


def _updates(old: sqlite3.Connection) -> Iterator[Row]:
    now = time.time()
    for update_id, body, done in old.execute("SELECT update_id, body, done FROM inbox"):
        yield "inbox", f"{update_id:020d}", None if done else json.loads(body), now


def _sendings(old: sqlite3.Connection) -> Iterator[Row]:
    for key, after, message_id, at in old.execute("SELECT key, after, message_id, at FROM sendings"):
        yield "sendings", key, {"after": after, "message_id": message_id}, at


def _messages(old: sqlite3.Connection) -> Iterator[Row]:
    for chat_id, message_id, at in old.execute("SELECT chat_id, message_id, at FROM messages"):
        numbering = chat_id if chat_id < SUPERGROUPS_BELOW else "shared"
        yield "messages", f"{numbering}/{10**12 - message_id:012d}", message_id, at


def _questions(old: sqlite3.Connection) -> Iterator[Row]:
    query = "SELECT token, chat_id, message_id, body, choice, awaited_from, closed, at FROM questions"
    for token, chat_id, message_id, body, choice, awaited_from, closed, at in old.execute(query):
        question = json.loads(body)
        asked = {"question": question, "chat_id": chat_id, "message_id": message_id, "choice": choice}
        yield "questions", token, {**asked, "awaited_from": awaited_from or "", "closed": bool(closed)}, at
        if not closed:
            yield "open_questions", f"{chat_id}/{token}", question["run_id"], at


def _cards(old: sqlite3.Connection) -> Iterator[Row]:
    for run_id, text, at in old.execute("SELECT run_id, dest, at FROM cards WHERE NOT folded"):
        dest = json.loads(text)
        yield "cards", run_id, {"chat_id": dest["chat_id"], "thread_id": dest.get("thread_id")}, at


def _guests(old: sqlite3.Connection) -> Iterator[Row]:
    for user_id, told_at in old.execute("SELECT user_id, told_at FROM guests"):
        yield "guests", str(user_id), True, told_at
