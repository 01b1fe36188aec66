"""Laws of sessions: any id is a safe folder of its own; any order of calls keeps what the rules say is kept."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.sessions import SessionStore
from agent.sessions.file import DamagedSessionError, NewerSessionError, parse_session, session_text
from agent.sessions.names import folder_name
from tests.fixtures.examples import examples

ids = st.text(max_size=90) | st.from_regex(r"-?[0-9]{1,14}", fullmatch=True) | st.text("aA-_~./\\:", max_size=8)


@given(ids, ids)
@example("Ann", "ann")
@example("telegram:1", "telegram-1")
@example("a", "a ")
@example("\ud800", "\ud801")
def test_two_ids_never_share_a_folder_even_where_case_does_not_count(one, other):
    if one != other:
        assert folder_name(one).casefold() != folder_name(other).casefold()


@given(ids)
def test_a_folder_name_is_safe_everywhere(session_id):
    name = folder_name(session_id)
    assert name == folder_name(session_id)
    assert 0 < len(name.encode()) < 100
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_~")
    assert Path("/home/x", name).parent == Path("/home/x")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 5), texts),
        st.tuples(st.just("append to"), st.integers(0, 5), texts),
        st.tuples(st.just("new"), st.just(0), st.just("")),
        st.tuples(st.just("restart"), st.just(0), st.just("")),
    ),
    max_size=25,
)


class Expected:
    """What the rules say, in the plainest form."""

    def __init__(self) -> None:
        self.conversations: dict[str, list[dict[str, Any]]] = {}

    @property
    def current(self) -> str:
        return list(self.conversations)[-1] if self.conversations else "main"

    def append(self, key: str, entry: dict[str, Any]) -> None:
        if key not in self.conversations:
            self.conversations = {key: [], **self.conversations}
        entries = self.conversations[key]
        ids_ = [old["run_id"] for old in entries]
        if entry["run_id"] in ids_:
            entries[ids_.index(entry["run_id"])] = entry
        else:
            entries.append(entry)


@given(operations)
@settings(max_examples=examples(40))
def test_any_order_of_calls_keeps_what_was_said(plays):
    async def play(home: Path) -> None:
        store, expected = SessionStore(home), Expected()
        for kind, number, text in plays:
            entry = {"run_id": f"run{number}", "user": text}
            if kind == "append":
                expected.append(expected.current, entry)
                await store.append("s", entry)
            elif kind == "append to":
                expected.append("main", entry)
                await store.append("s", entry, "main")
            elif kind == "new":
                key = await store.new_conversation("s")
                assert key == expected.current or key not in expected.conversations
                expected.conversations.setdefault(key, [])
            else:
                store = SessionStore(home)
            assert await store.current_task_key("s") == expected.current
            assert await store.history("s", 99) == expected.conversations.get(expected.current, [])
        assert (await store.load("s"))["orchestrator_by_task"] == expected.conversations

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(json_values | st.dictionaries(st.sampled_from(["version", "orchestrator_by_task", "x"]), json_values))
def test_any_json_is_either_a_session_that_comes_back_or_damage(value):
    text = json.dumps(value)
    try:
        data = parse_session(text)
    except (DamagedSessionError, NewerSessionError):
        return
    assert parse_session(session_text(data)) == data
    assert {key: data[key] for key in value} == value


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_but_never_breaks(text):
    try:
        parse_session(text)
    except (DamagedSessionError, NewerSessionError):
        return
