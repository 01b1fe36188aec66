"""What an older Aura's Telegram channel kept in `telegram/channel.db`, copied into the documents that it is now."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable

from aura_core.ground.logger import get_logger
from aura_core.storage.documents import Json, insert_document
from aura_core.storage.takeover import OldFile, has_table

SUPERGROUPS_BELOW = -(10**12)
Row = tuple[str, str, Json, float]
"""Namespace, key, value, and the time of the last change in seconds since the epoch."""


def copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copies updates, messages, questions, cards and strangers; a row that cannot be read stays in the old file alone.

    See `OldFile`.
    """
    for table, (columns, documents_of) in _TABLES.items():
        if not has_table(old, table):
            continue
        for row in old.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608 (constants)
            try:
                documents = documents_of(*row)
            except (LookupError, TypeError, ValueError) as error:
                get_logger(__name__).error("row_not_taken_over", table=table, key=row[0], reason=repr(error))
                continue
            for namespace, key, value, at in documents:
                insert_document(new, f"telegram/{namespace}", key, value, at)


def _update(update_id: int, body: str, done: int) -> list[Row]:
    return [("inbox", f"{update_id:020d}", None if done else json.loads(body), time.time())]


def _sending(key: str, after: int, message_id: int | None, at: float) -> list[Row]:
    return [("sendings", key, {"after": after, "message_id": message_id}, at)]


def _message(chat_id: int, message_id: int, at: float) -> list[Row]:
    numbering = chat_id if chat_id < SUPERGROUPS_BELOW else "shared"
    return [("messages", f"{numbering}/{10**12 - message_id:012d}", message_id, at)]


def _question(  # noqa: PLR0917 (the columns of the table)
    token: str,
    chat_id: int,
    message_id: int | None,
    body: str,
    choice: str | None,
    awaited_from: str | None,
    closed: int,
    at: float,
) -> list[Row]:
    question = json.loads(body)
    asked = {"question": question, "chat_id": chat_id, "message_id": message_id, "choice": choice}
    rows = [("questions", token, {**asked, "awaited_from": awaited_from or "", "closed": bool(closed)}, at)]
    return rows if closed else [*rows, ("open_questions", f"{chat_id}/{token}", question["run_id"], at)]


def _card(run_id: str, text: str, folded: int, at: float) -> list[Row]:
    dest = json.loads(text)
    return [] if folded else [("cards", run_id, {"chat_id": dest["chat_id"], "thread_id": dest.get("thread_id")}, at)]


def _guest(user_id: int, told_at: float) -> list[Row]:
    return [("guests", str(user_id), True, told_at)]


_TABLES: dict[str, tuple[str, Callable[..., list[Row]]]] = {
    "inbox": ("update_id, body, done", _update),
    "sendings": ("key, after, message_id, at", _sending),
    "messages": ("chat_id, message_id, at", _message),
    "questions": ("token, chat_id, message_id, body, choice, awaited_from, closed, at", _question),
    "cards": ("run_id, dest, folded, at", _card),
    "guests": ("user_id, told_at", _guest),
}
"""The columns of each table, and the documents of one of its rows."""

CHANNEL_FILE = OldFile("telegram/channel.db", copy)
