"""Documents are a dictionary that lasts, whoever of several programs changes it, and with revisions."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aura_core.storage.database import Database
from aura_core.storage.documents import DOCUMENTS, SqliteDocuments
from tests.fixtures.examples import FULL

namespaces = st.sampled_from(["n", "m"])
keys = st.text(st.sampled_from("ab/\0\ud7ff\U0010ffff"), max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
programs = st.sampled_from([0, 1])


class DocumentsMachine(RuleBasedStateMachine):
    """Two programs on one file, beside a dictionary of (namespace, key) -> (value, revision)."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="aura-documents-"))
        self.runner = asyncio.Runner()
        self.model: dict[tuple[str, str], tuple[Any, int]] = {}
        self.highest = {"n": 0, "m": 0}
        self.databases = [self.open(), self.open()]

    def do(self, work: Any) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(20):
                return await work

        return self.runner.run(bounded())

    def open(self) -> Database:
        return Database(self.folder / "aura.db", [DOCUMENTS])

    def documents(self, program: int) -> SqliteDocuments:
        return SqliteDocuments(self.databases[program])

    def revision_of(self, namespace: str, key: str) -> int:
        return self.model.get((namespace, key), (None, 0))[1]

    @rule(program=programs, namespace=namespaces, key=keys, value=values)
    def put(self, program: int, namespace: str, key: str, value: Any) -> None:
        document = self.do(self.documents(program).put(namespace, key, value))
        assert document.revision > self.highest[namespace]
        self.highest[namespace] = document.revision
        self.model[namespace, key] = (value, document.revision)

    @rule(program=programs, namespace=namespaces, key=keys, value=values, off=st.integers(-1, 1))
    def put_expected(self, program: int, namespace: str, key: str, value: Any, off: int) -> None:
        there = self.revision_of(namespace, key)
        document = self.do(self.documents(program).put(namespace, key, value, expected=there + off))
        assert (document is not None) == (off == 0)
        if document is not None:
            self.highest[namespace] = document.revision
            self.model[namespace, key] = (value, document.revision)

    @rule(program=programs, namespace=namespaces, key=keys, off=st.integers(-1, 1) | st.none())
    def delete(self, program: int, namespace: str, key: str, off: int | None) -> None:
        there = self.revision_of(namespace, key)
        deleted = self.do(self.documents(program).delete(namespace, key, expected=None if off is None else there + off))
        assert deleted == (there > 0 and off in (0, None))
        if deleted:
            del self.model[namespace, key]
            self.highest[namespace] = self.do(self.documents(program).revision(namespace))

    @rule(program=programs, namespace=namespaces, prefix=keys)
    def forget(self, program: int, namespace: str, prefix: str) -> None:
        gone = [one for one in self.model if one[0] == namespace and one[1].startswith(prefix)]
        assert self.do(self.documents(program).forget(namespace, 1e12, prefix=prefix)) == len(gone)
        for one in gone:
            del self.model[one]
        self.highest[namespace] = self.do(self.documents(program).revision(namespace))

    @rule(program=programs)
    def restart(self, program: int) -> None:
        self.do(self.databases[program].close())
        self.databases[program] = self.open()

    @rule(program=programs, namespace=namespaces, prefix=keys, limit=st.integers(0, 3) | st.none())
    def listing(self, program: int, namespace: str, prefix: str, limit: int | None) -> None:
        listed = self.do(self.documents(program).list(namespace, prefix=prefix, limit=limit))
        expected = sorted(key for name, key in self.model if name == namespace and key.startswith(prefix))
        assert [one.key for one in listed] == expected[:limit]

    @invariant()
    def every_program_sees_what_is_there(self) -> None:
        for program in (0, 1):
            for namespace, highest in self.highest.items():
                listed = self.do(self.documents(program).list(namespace))
                found = {(one.namespace, one.key): (one.value, one.revision) for one in listed}
                assert found == {one: value for one, value in self.model.items() if one[0] == namespace}
                assert self.do(self.documents(program).revision(namespace)) >= highest

    def teardown(self) -> None:
        if hasattr(self, "databases"):
            for database in self.databases:
                self.do(database.close())
            self.runner.close()
            shutil.rmtree(self.folder)


DocumentsMachine.TestCase.settings = settings(max_examples=25 if FULL else 8, stateful_step_count=20, deadline=None)
test_documents_are_a_dictionary_that_lasts = DocumentsMachine.TestCase
