"""Notes: kept, found in other word forms, added once although a step is repeated, deleted only when meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.tasklet import RunInfo, Tasklet
from plans.notes.actions.search import alike, matching


async def test_a_note_is_kept_and_listed(done):
    added = await done("notes/add", text="  The plumber comes on Friday ")
    assert added["id"] == 1
    assert added["text"] == "The plumber comes on Friday"
    listed = await done("notes/list")
    assert listed["count"] == 1
    assert listed["notes"][0]["text"] == "The plumber comes on Friday"
    assert "1. The plumber comes on Friday" in listed["text"]


async def test_notes_survive_a_restart(done, framework, tmp_path: Path):
    await done("notes/add", text="milk")
    stored = json.loads((tmp_path / "data" / "notes.json").read_text("utf-8"))
    assert [note["text"] for note in stored["notes"]] == ["milk"]


async def test_the_same_step_repeated_after_a_crash_adds_once(run):
    first = await run("notes/add", key="run1/s1", text="milk")
    again = await run("notes/add", key="run1/s1", text="milk")
    assert first.result["id"] == again.result["id"] == 1
    other = await run("notes/add", key="run1/s2", text="milk")
    assert other.result["id"] == 2


async def test_a_loop_that_adds_two_equal_notes_adds_two_and_its_repetition_none(done, framework):
    for _attempt in range(2):
        info = RunInfo(corr_id="r", idempotency_key="run1/s1")
        for _ in range(2):
            await framework.submit(Tasklet("notes/add", {"text": "egg"}, run=info))
    assert (await done("notes/list"))["count"] == 2


async def test_everybody_has_notes_of_their_own_and_the_owner_those_that_were_there_before(framework):
    async def result(task: str, whose: str, **inputs: str):
        done = await framework.submit(Tasklet(task, inputs, run=RunInfo(whose=whose)))
        return done.result if done.ok else done.error.message

    await result("notes/add", "", text="the safe is behind the picture")
    assert (await result("notes/add", "telegram:7", text="buy a picture"))["id"] == 1
    for whose, text in {"": "the safe is behind the picture", "telegram:7": "buy a picture"}.items():
        for task, inputs in (("notes/list", {}), ("notes/find", {"query": "picture"})):
            assert [note["text"] for note in (await result(task, whose, **inputs))["notes"]] == [text]
    assert (await result("notes/list", "telegram:8"))["count"] == 0
    assert "no note" in await result("notes/delete", "telegram:7", note="safe")
    await result("notes/delete", "telegram:7", note="1")
    assert (await result("notes/list", ""))["count"] == 1


async def test_an_id_is_never_given_twice(done):
    await done("notes/add", text="one")
    await done("notes/add", text="two")
    await done("notes/delete", note="2")
    assert (await done("notes/add", text="three"))["id"] == 3


async def test_deleting_by_words_needs_one_note_that_is_meant(done, refused):
    await done("notes/add", text="Buy milk")
    await done("notes/add", text="Buy bread")
    message = await refused("notes/delete", note="buy")
    assert "fits 2 notes" in message
    assert (await done("notes/delete", note="bread"))["id"] == 2
    assert [note["id"] for note in (await done("notes/list"))["notes"]] == [1]


async def test_deleting_a_number_never_means_a_note_that_only_mentions_it(done, refused):
    await done("notes/add", text="Buy 3 apples")
    assert "no note" in await refused("notes/delete", note="3")
    assert (await done("notes/delete", note="#1"))["text"] == "Buy 3 apples"


async def test_empty_and_endless_notes_are_refused(refused, done):
    assert "needs some text" in await refused("notes/add", text="   ")
    assert "at most 10,000" in await refused("notes/add", text="x" * 10_001)
    assert (await done("notes/list"))["text"] == "There are no notes yet."


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("plumbers", "The plumber comes on Friday"),
        ("PLUMBER friday", "The plumber comes on Friday"),
        ("party", "Two parties in May"),
        ("plumer", "The plumber comes"),
        ("cafe", "Meet at the Café"),
        ("сантехнику", "Позвонить сантехник в пятницу"),
        ("牛奶", "明天买牛奶"),
        ("note about the plumber", "The plumber comes"),
    ],
)
async def test_a_note_is_found_in_another_form_of_the_word(done, query: str, text: str):
    await done("notes/add", text=text)
    await done("notes/add", text="Water the flowers")
    found = await done("notes/find", query=query)
    assert [note["text"] for note in found["notes"]] == [text]


@pytest.mark.parametrize(("first", "second"), [("card", "care"), ("art", "party"), ("sun", "sunday"), ("milk", "silk")])
def test_other_words_are_not_forms_of_one(first: str, second: str):
    assert not alike(first, second)


@given(st.lists(st.text(min_size=1, max_size=30), max_size=6), st.text(max_size=30))
def test_searching_never_fails_and_keeps_the_order(texts: list[str], query: str):
    notes = [{"id": number, "text": text} for number, text in enumerate(texts)]
    found = [note["id"] for note in matching(notes, query)]
    assert found == sorted(found)


@given(st.text(max_size=12), st.text(max_size=12))
def test_alike_is_symmetric(first: str, second: str):
    assert alike(first, second) == alike(second, first)
