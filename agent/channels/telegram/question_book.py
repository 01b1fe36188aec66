"""Which question stands in which message: kept over restarts, so that an old button still works."""

from __future__ import annotations

import time
from dataclasses import dataclass
from sqlite3 import Row

from agent.channels.telegram.keyboard import token_of
from agent.channels.telegram.store import Store
from agent.contracts import Question


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was shown.

    Attributes:
        question: the question.
        chat_id: where.
        message_id: in which message; None while that is not known.
        choice: what was tapped or written, as soon as it is known.
        awaited_from: the person who tapped "Other…", as `channel:id`; empty if nobody did.
        closed: whether its message shows that it is over.
    """

    question: Question
    chat_id: int
    message_id: int | None
    choice: str | None
    awaited_from: str
    closed: bool


class QuestionBook:
    """Remembers questions of this channel."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, question: Question, chat_id: int) -> None:
        """Remembers a question before it is shown; a second time changes nothing."""
        self._store.run(
            "INSERT OR IGNORE INTO questions (token, chat_id, body, at) VALUES (?, ?, ?, ?)",
            token_of(question.id),
            chat_id,
            question.model_dump_json(),
            time.time(),
        )

    def shown(self, question_id: str, message_id: int) -> None:
        """Remembers the question's message."""
        self._store.run("UPDATE questions SET message_id = ? WHERE token = ?", message_id, token_of(question_id))

    def by_token(self, token: str) -> Asked | None:
        """The question of a button."""
        return self._one("token = ?", token)

    def by_id(self, question_id: str) -> Asked | None:
        """The question of that id, if this channel showed it."""
        return self._one("token = ?", token_of(question_id))

    def by_message(self, chat_id: int, message_id: int) -> Asked | None:
        """The open question that a message shows."""
        return self._one("chat_id = ? AND message_id = ? AND NOT closed", chat_id, message_id)

    def awaited(self, chat_id: int, person: str) -> Asked | None:
        """The open question whose "Other…" this person tapped last."""
        return self._one("chat_id = ? AND awaited_from = ? AND NOT closed", chat_id, person)

    def open(self, run_id: str = "") -> list[Asked]:
        """Questions whose message does not show yet that they are over, of a run or of all."""
        found = [_asked(row) for row in self._store.rows("SELECT * FROM questions WHERE NOT closed ORDER BY at")]
        return [asked for asked in found if not run_id or asked.question.run_id == run_id]

    def choose(self, question_id: str, choice: str) -> None:
        """Remembers what was tapped, before the app is told, so that a restart in between can still show it."""
        self._store.run(
            "UPDATE questions SET choice = COALESCE(choice, ?) WHERE token = ?", choice, token_of(question_id)
        )

    def unchoose(self, question_id: str) -> None:
        """Forgets a tap that the app did not take."""
        self._store.run("UPDATE questions SET choice = NULL WHERE token = ? AND NOT closed", token_of(question_id))

    def await_words(self, question_id: str, chat_id: int, person: str) -> None:
        """The person's next plain text answers this question, and no other."""
        self._store.run(
            "UPDATE questions SET awaited_from = NULL WHERE chat_id = ? AND awaited_from = ?", chat_id, person
        )
        self._store.run("UPDATE questions SET awaited_from = ? WHERE token = ?", person, token_of(question_id))

    def close(self, question_id: str, answer: str) -> Asked | None:
        """Closes a question; None if it was closed before or is unknown. The answer that was given stays."""
        token = token_of(question_id)
        changed = self._store.run(
            "UPDATE questions SET closed = 1, choice = COALESCE(?, choice) WHERE token = ? AND NOT closed",
            answer or None,
            token,
        )
        return self.by_token(token) if changed else None

    def _one(self, condition: str, *values: object) -> Asked | None:
        row = self._store.row(f"SELECT * FROM questions WHERE {condition} ORDER BY at DESC LIMIT 1", *values)  # noqa: S608 (conditions are the fixed ones above)
        return _asked(row) if row else None


def _asked(row: Row) -> Asked:
    return Asked(
        Question.model_validate_json(row["body"]),
        row["chat_id"],
        row["message_id"],
        row["choice"],
        row["awaited_from"] or "",
        bool(row["closed"]),
    )
