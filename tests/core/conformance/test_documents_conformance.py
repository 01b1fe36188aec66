"""What every store of documents does, whichever database is behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from aura_core.errors import DurableError
from aura_core.storage.documents import Document, change


def keys(documents: Sequence[Document]) -> list[str]:
    return [document.key for document in documents]


async def test_what_was_put_is_there_after_a_restart(opened):
    before = time.time()
    async with opened() as documents:
        put = await documents.put("jobs", "tea", {"at": "16:00", "for": ["ann", None]})
    async with opened() as documents:
        found = await documents.get("jobs", "tea")
    assert found == put
    assert (found.namespace, found.key, found.value) == ("jobs", "tea", {"at": "16:00", "for": ["ann", None]})
    assert before <= found.updated_at <= time.time()


async def test_namespaces_and_keys_are_apart(opened):
    async with opened() as documents:
        await documents.put("jobs", "tea", 1)
        await documents.put("jobs/tea", "", 2)
        assert await documents.get("guests", "tea") is None
        assert await documents.get("jobs", "Tea") is None
        assert (await documents.get("jobs/tea", "")).value == 2
        assert await documents.delete("jobs/tea", "")
        assert keys(await documents.list("jobs")) == ["tea"]


async def test_a_value_is_a_copy_of_ones_own(opened):
    value = {"list": [1]}
    async with opened() as documents:
        put = await documents.put("n", "k", value)
        value["list"].append(2)
        put.value["list"].append(3)
        assert (await documents.get("n", "k")).value == {"list": [1]}


@pytest.mark.parametrize("value", [{1: "a"}, (1,), float("nan"), {"a": {1, 2}}, object()])
async def test_what_is_not_json_is_refused_and_changes_nothing(opened, value):
    async with opened() as documents:
        await documents.put("n", "k", "there")
        with pytest.raises(DurableError, match="document 'k' of 'n'"):
            await documents.put("n", "k", value)
        assert (await documents.get("n", "k")).value == "there"


async def test_compare_and_set_between_two_programs(opened):
    async with opened() as mine, opened() as theirs:
        first = await mine.put("n", "k", "first", expected=0)
        assert await theirs.put("n", "k", "late", expected=0) is None
        second = await theirs.put("n", "k", "second", expected=first.revision)
        assert second.revision > first.revision
        assert await mine.put("n", "k", "late", expected=first.revision) is None
        assert await mine.delete("n", "k", expected=first.revision) is False
        assert await mine.get("n", "k") == second
        assert await mine.delete("n", "k", expected=second.revision) is True
        assert await mine.delete("n", "k") is False
        assert await theirs.get("n", "k") is None


async def test_a_revision_is_never_used_twice_so_a_document_that_was_made_anew_is_another_one(opened):
    async with opened() as documents:
        old = await documents.put("n", "k", 1)
        await documents.delete("n", "k")
        new = await documents.put("n", "k", 1)
        assert new.revision > old.revision
        assert await documents.put("n", "k", 2, expected=old.revision) is None


async def test_of_many_who_count_at_once_none_is_lost(opened, soon):
    async with opened() as mine, opened() as theirs:
        both = [mine, theirs] * 20
        results = await soon(
            asyncio.wait_for(asyncio.gather(*(change(one, "n", "k", lambda old: (old or 0) + 1) for one in both)), 20)
        )
        assert (await mine.get("n", "k")).value == 40
    assert sorted(after for _, after in results) == list(range(1, 41))
    assert all(after == before + 1 for before, after in results if before is not None)


async def test_a_change_may_edit_what_it_is_given_delete_it_or_leave_it(opened):
    def append(old):
        old.append(2)
        return old

    async with opened() as documents:
        assert await change(documents, "n", "k", lambda old: [1] if old is None else old) == (None, [1])
        assert await change(documents, "n", "k", append) == ([1], [1, 2])
        there = await documents.get("n", "k")
        assert await change(documents, "n", "k", lambda old: old) == ([1, 2], [1, 2])
        assert await documents.get("n", "k") == there
        assert await change(documents, "n", "k", lambda _: None) == ([1, 2], None)
        assert await change(documents, "n", "k", lambda _: None) == (None, None)
        assert await documents.get("n", "k") is None


async def test_a_change_that_others_never_let_through_gives_up(opened):
    async with opened() as documents:
        there = await documents.put("n", "k", 0)

        class Meddled:
            """Somebody else changes the document after every look at it."""

            async def get(self, namespace: str, key: str) -> Document | None:
                return there

            put, delete = documents.put, documents.delete

        await documents.put("n", "k", 1)
        with pytest.raises(DurableError, match="changed by others"):
            await change(Meddled(), "n", "k", lambda old: old + 1)
        assert (await documents.get("n", "k")).value == 1


async def test_listing_is_by_prefix_in_the_order_of_keys(opened):
    names = ["b", "a", "a/2", "a/10", "ab", "A", "a%", "a_", "aé", "a\U0010ffff", "\U0010ffff", "\ud7ff", "\ue000"]
    async with opened() as documents:
        for name in names:
            await documents.put("n", name, name)
        await documents.put("other", "a/3", None)
        assert keys(await documents.list("n")) == sorted(names)
        for prefix in [*names, "a/", "x"]:
            assert keys(await documents.list("n", prefix=prefix)) == sorted(k for k in names if k.startswith(prefix))
        assert keys(await documents.list("n", prefix="a", limit=2)) == ["a", "a%"]
        assert await documents.list("n", limit=0) == []


async def test_listing_and_forgetting_by_time(opened):
    async with opened() as documents:
        old = await documents.put("n", "old", 1)
        await documents.put("n", "card/old", 1)
        await asyncio.sleep(0.01)
        between = time.time()
        await asyncio.sleep(0.01)
        new = await documents.put("n", "card/new", 2)
        assert keys(await documents.list("n", since=between)) == ["card/new"]
        assert keys(await documents.list("n", until=between)) == ["card/old", "old"]
        assert keys(await documents.list("n", since=old.updated_at, until=new.updated_at)) == ["card/old", "old"]
        assert await documents.forget("n", between, prefix="card/") == 1
        assert await documents.forget("other", between) == 0
        assert keys(await documents.list("n")) == ["card/new", "old"]
        assert await documents.forget("n", between) == 1
        assert keys(await documents.list("n")) == ["card/new"]


async def test_the_revision_of_a_namespace_tells_other_programs_of_every_change_and_of_nothing_else(opened):
    async with opened() as mine, opened() as theirs:
        seen = [await mine.revision("n")]
        assert seen == [0]

        async def changed() -> bool:
            seen.append(await mine.revision("n"))
            return seen[-1] != seen[-2]

        await theirs.put("n", "k", 1)
        assert await changed()
        await theirs.put("n", "k", 1)
        assert await changed()
        await theirs.put("n", "k", 2, expected=0)
        await theirs.put("other", "k", 2)
        await theirs.delete("n", "unknown")
        await theirs.forget("n", 0)
        await theirs.get("n", "k")
        assert not await changed()
        await theirs.delete("n", "k")
        assert await changed()
        await theirs.put("n", "k", 1)
        await changed()
        await theirs.forget("n", time.time() + 1)
        assert await changed()
        assert len(set(seen)) == len(seen) - 1
