"""A document that cannot be read is known for itself: the others can be read, and it can be put anew or deleted."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments, change


@pytest.mark.parametrize("stored", ["'{\"id\"'", "CAST(x'ff7b7d' AS TEXT)", "x'00ff'", f"'{'[' * 100_000}'"])
async def test_a_damaged_document_stops_no_other_and_can_be_replaced(tmp_path, stored):
    path = tmp_path / "aura.db"
    async with Database(path, [DOCUMENTS]) as database:
        documents = SqliteDocuments(database)
        await documents.put("n", "bad", {"x": 1})
        await documents.put("n", "good", {"x": 2})
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE documents SET value = {stored} WHERE key = 'bad'")
    async with Database(path, [DOCUMENTS]) as database:
        documents = SqliteDocuments(database)
        bad, good = await documents.list("n")
        assert (bad.value, good.value, good.damage) == (None, {"x": 2}, "")
        assert bad.damage
        assert await change(documents, "n", "bad", lambda value: value) == (None, None)
        assert await change(documents, "n", "bad", lambda _: {"x": 3}) == (None, {"x": 3})
        assert await documents.delete("n", "bad")


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (2, 2.0), ({"n": [1]}, {"n": [True]})])
async def test_a_change_between_values_that_only_python_takes_for_equal_is_kept(tmp_path, before, after):
    async with Database(tmp_path / "aura.db", [DOCUMENTS]) as database:
        documents = SqliteDocuments(database)
        await documents.put("n", "one", before)
        await change(documents, "n", "one", lambda _: after)
        found = await documents.get("n", "one")
        assert json.dumps(found.value) == json.dumps(after)
