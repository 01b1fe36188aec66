"""The tables of the local engine, and what an older Aura kept them in."""

from __future__ import annotations

import sqlite3

from aura_core.storage.schema import APPLICATION_ID, Part
from aura_core.storage.takeover import OldFile, has_table

DURABLE = Part(
    "durable",
    (
        """
        CREATE TABLE tasks (
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL UNIQUE,
          root TEXT NOT NULL,
          parent TEXT REFERENCES tasks (id) ON DELETE CASCADE,
          task TEXT NOT NULL,
          args TEXT NOT NULL,
          status TEXT NOT NULL CHECK (status IN ('pending', 'waiting', 'done', 'failed', 'cancelled')),
          cancelling INTEGER NOT NULL DEFAULT 0,
          waiting_for TEXT,
          result TEXT,
          error TEXT NOT NULL DEFAULT '',
          created_at REAL NOT NULL,
          updated_at REAL NOT NULL
        );
        CREATE INDEX tasks_by_parent ON tasks (parent);
        CREATE INDEX tasks_by_root ON tasks (root);
        CREATE TABLE records (
          seq INTEGER PRIMARY KEY,
          task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
          key TEXT NOT NULL,
          kind TEXT NOT NULL CHECK (kind IN ('step', 'choice')),
          value TEXT NOT NULL,
          at REAL NOT NULL,
          UNIQUE (task_id, kind, key)
        );
        CREATE TABLE signals (
          task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
          key TEXT NOT NULL,
          value TEXT NOT NULL,
          at REAL NOT NULL,
          PRIMARY KEY (task_id, key)
        ) WITHOUT ROWID;
        CREATE TABLE entries (
          task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
          key TEXT NOT NULL,
          value TEXT NOT NULL,
          PRIMARY KEY (task_id, key)
        ) WITHOUT ROWID;
        """,
    ),
)
"""Tasks, what was recorded of them, signals to them, and journal entries of what the unfinished ones have done."""

_TASK_COLUMNS = "id, root, parent, task, args, status, cancelling, waiting_for, result, error, created_at, updated_at"
_COPIED = (
    ("tasks", _TASK_COLUMNS, "ORDER BY seq"),
    ("records", "task_id, key, kind, value, at", "ORDER BY seq"),
    ("signals", "task_id, key, value, at", ""),
    ("entries", "task_id, key, value", ""),
)
"""Tables, their columns, and their order, which numbers that are given anew keep."""


def copy_state(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copies a state.db into the tables of `DURABLE`; one of its first version has no journal entries."""
    for table, columns, order in _COPIED:
        if has_table(old, table):
            rows = old.execute(f"SELECT {columns} FROM {table} {order}")  # noqa: S608 (constants)
            marks = ", ".join("?" * (columns.count(",") + 1))
            new.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608 (the same)


STATE_FILE = OldFile("state.db", copy_state, APPLICATION_ID)
"""The store of runs of an older Aura."""
