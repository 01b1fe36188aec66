"""What every durable engine does, whichever store is behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest

from aura_core.durable.protocol import Ctx, Engine, Json
from aura_core.errors import DurableError, RunNotFoundError, TaskCancelledError, TaskFailedError


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (the condition is any engine's, it tells nobody)
            await asyncio.sleep(0.001)


async def until_status(engine: Engine, task: str, status: str) -> None:
    async with asyncio.timeout(20):
        while (record := await engine.get(task)) is None or record.status != status:  # noqa: ASYNC110 (the same)
            await asyncio.sleep(0.001)


class Journal:
    """What really happened, across engines."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    async def write(self, line: Any) -> Any:
        self.lines.append(line)
        return line


class Busy:
    """Work that never ends by itself, and tells what is inside."""

    def __init__(self) -> None:
        self.inside: list[str] = []

    async def task(self, ctx: Ctx, args: Json) -> Json:
        self.inside.append(args)
        try:
            await asyncio.Event().wait()
        finally:
            self.inside.remove(args)


async def nothing(ctx: Ctx, args: Json) -> Json:
    return args


async def test_the_result_of_a_task_is_recorded(launched, soon):
    async with launched(lambda engine: engine.task("echo", nothing)) as engine:
        assert await engine.start("echo", {"a": [1, None]}, id="r") == "r"
        record = await soon(engine.outcome("r"))
    assert (record.id, record.task, record.status, record.parent) == ("r", "echo", "done", None)
    assert record.args == record.result == {"a": [1, None]}
    assert record.created_at <= record.updated_at


async def test_starting_the_same_id_again_changes_nothing(launched, soon):
    journal = Journal()

    async def once(ctx: Ctx, args: Json) -> Json:
        return await journal.write(args)

    async with launched(lambda engine: engine.task("once", once)) as engine:
        await engine.start("once", 1, id="r")
        await engine.start("once", 2, id="r")
        await soon(engine.outcome("r"))
        await engine.start("once", 3, id="r")
        assert (await soon(engine.outcome("r"))).result == 1
    assert journal.lines == [1]


async def test_a_recorded_step_is_not_repeated_and_one_in_flight_is(launched, soon):
    journal = Journal()
    hold = asyncio.Event()

    async def second() -> Json:
        await journal.write("second")
        await hold.wait()
        return 2

    async def work(ctx: Ctx, args: Json) -> Json:
        first = await ctx.step("first", journal.write, "first")
        return [first, await ctx.step("second", second)]

    def declare(engine: Engine) -> None:
        engine.task("work", work)

    async with launched(declare) as engine:
        await engine.start("work", None, id="r")
        await until(lambda: "second" in journal.lines)
        assert await engine.steps("r") == {"first": "first"}
    hold.set()
    async with launched(declare) as engine:
        assert await engine.resume("r") is True
        assert (await soon(engine.outcome("r"))).result == ["first", 2]
        assert await engine.steps("r") == {"first": "first", "second": 2}
    assert journal.lines == ["first", "second", "second"]


async def test_nothing_goes_on_before_it_is_resumed(launched, soon):
    async def waits(ctx: Ctx, args: Json) -> Json:
        return await ctx.wait_signal("answer")

    def declare(engine: Engine) -> None:
        engine.task("waits", waits)

    async with launched(declare) as engine:
        await engine.start("waits", None, id="r")
        assert await engine.resume("r") is False
        await until_status(engine, "r", "waiting")
    async with launched(declare) as engine:
        assert (await engine.get("r")).status == "waiting"
        assert await engine.resume("r") is True
        assert await engine.resume("r") is False
        assert await engine.signal("r", "answer", "yes") is True
        assert (await soon(engine.outcome("r"))).result == "yes"
        assert await engine.resume("r") is False
        with pytest.raises(RunNotFoundError, match="nobody"):
            await engine.resume("nobody")


async def test_resuming_a_root_resumes_its_children(launched, soon):
    journal = Journal()

    async def child(ctx: Ctx, args: Json) -> Json:
        await ctx.step("told", journal.write, args)
        return [args, await ctx.wait_signal("go")]

    async def root(ctx: Ctx, args: Json) -> Json:
        ids = [await ctx.start(name, "child", name) for name in ("a", "b")]
        return [await ctx.result(child_id) for child_id in ids]

    def declare(engine: Engine) -> None:
        engine.task("child", child)
        engine.task("root", root)

    async with launched(declare) as engine:
        await engine.start("root", None, id="r")
        for name in ("a", "b"):
            await until_status(engine, f"r/{name}", "waiting")
    async with launched(declare) as engine:
        await engine.signal("r/a", "go", 1)
        await engine.resume("r")
        await engine.signal("r/b", "go", 2)
        record = await soon(engine.outcome("r"))
        assert record.result == [["a", 1], ["b", 2]]
        assert (await engine.get("r/a")).parent == "r"
    assert sorted(journal.lines) == ["a", "b"]


async def test_the_choice_of_wait_any_is_recorded(launched, soon):
    """After a restart both children have ended; the first choice must still be the one that was made."""
    chosen = Journal()

    async def child(ctx: Ctx, args: Json) -> Json:
        return await ctx.wait_signal("go")

    async def root(ctx: Ctx, args: Json) -> Json:
        ids = [await ctx.start(name, "child", None) for name in ("a", "b")]
        first = await ctx.wait_any("first", ids)
        await chosen.write(first)
        return [first, await ctx.wait_signal("end")]

    def declare(engine: Engine) -> None:
        engine.task("child", child)
        engine.task("root", root)

    async with launched(declare) as engine:
        await engine.start("root", None, id="r")
        await until_status(engine, "r/b", "waiting")
        await engine.signal("r/b", "go", None)
        await until(lambda: chosen.lines)
        await until_status(engine, "r", "waiting")
        await engine.signal("r/a", "go", None)
        await soon(engine.outcome("r/a"))
    async with launched(declare) as engine:
        await engine.resume("r")
        await engine.signal("r", "end", "done")
        assert (await soon(engine.outcome("r"))).result == ["r/b", "done"]
    assert chosen.lines == ["r/b", "r/b"]


async def test_the_first_signal_counts_also_when_it_comes_before_the_wait(launched, soon):
    late = asyncio.Event()

    async def waits(ctx: Ctx, args: Json) -> Json:
        await late.wait()
        return [await ctx.wait_signal("a"), await ctx.wait_signal("b")]

    async with launched(lambda engine: engine.task("waits", waits)) as engine:
        await engine.start("waits", None, id="r")
        assert await engine.signal("r", "a", {"n": 1}) is True
        assert await engine.signal("r", "a", {"n": 2}) is False
        assert await engine.signals("r") == {"a": {"n": 1}}
        late.set()
        await until_status(engine, "r", "waiting")
        assert await engine.signal("r", "b", None) is True
        assert (await soon(engine.outcome("r"))).result == [{"n": 1}, None]
        assert await engine.signal("r", "c", 1) is False
        assert await engine.signal("nobody", "a", 1) is False
        assert await engine.signals("r") == {"a": {"n": 1}, "b": None}
        assert await engine.signals("nobody") == {}


async def test_a_waiting_task_is_listed_as_waiting_until_its_signal_comes(launched, soon):
    hold = asyncio.Event()

    async def waits(ctx: Ctx, args: Json) -> Json:
        await ctx.wait_signal("go")
        await hold.wait()
        return None

    async with launched(lambda engine: engine.task("waits", waits)) as engine:
        await engine.start("waits", None, id="r")
        await until_status(engine, "r", "waiting")
        await engine.signal("r", "go", 1)
        assert (await engine.get("r")).status == "pending"
        hold.set()
        assert (await soon(engine.outcome("r"))).status == "done"


async def test_an_exception_ends_the_task_as_failed_with_its_text(launched, soon):
    async def fails(ctx: Ctx, args: Json) -> Json:
        raise ValueError("no such city")

    async def root(ctx: Ctx, args: Json) -> Json:
        child = await ctx.start("child", "fails", None)
        try:
            return await ctx.result(child)
        except TaskFailedError as error:
            return str(error)

    def declare(engine: Engine) -> None:
        engine.task("fails", fails)
        engine.task("root", root)

    async with launched(declare) as engine:
        await engine.start("root", None, id="r")
        assert "no such city" in (await soon(engine.outcome("r"))).result
        record = await engine.get("r/child")
    assert record.status == "failed"
    assert "no such city" in record.error
    assert record.result is None


async def test_a_step_that_failed_may_be_tried_again_under_its_key(launched, soon):
    journal = Journal()

    async def flaky() -> Json:
        await journal.write("try")
        if len(journal.lines) < 3:
            raise ConnectionError("down")
        return "up"

    async def work(ctx: Ctx, args: Json) -> Json:
        while True:
            try:
                return await ctx.step("call", flaky)
            except ConnectionError:
                continue

    async with launched(lambda engine: engine.task("work", work)) as engine:
        await engine.start("work", None, id="r")
        assert (await soon(engine.outcome("r"))).result == "up"
    assert len(journal.lines) == 3


async def test_cancel_ends_the_work_of_the_task_and_of_all_below_before_it_returns(launched, soon):
    started: list[str] = []
    cleaned: list[str] = []

    async def leaf(ctx: Ctx, args: Json) -> Json:
        started.append(ctx.id)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(ctx.id)

    async def branch(ctx: Ctx, args: Json) -> Json:
        return await ctx.result(await ctx.start("leaf", "leaf", None))

    async def root(ctx: Ctx, args: Json) -> Json:
        ids = [await ctx.start(str(number), "branch", None) for number in range(3)]
        return await ctx.wait_any("any", ids)

    def declare(engine: Engine) -> None:
        for name, function in (("leaf", leaf), ("branch", branch), ("root", root)):
            engine.task(name, function)

    async with launched(declare) as engine:
        await engine.start("root", None, id="r")
        await until(lambda: len(started) == 3)
        assert await soon(engine.cancel("r")) is True
        assert sorted(cleaned) == [f"r/{number}/leaf" for number in range(3)]
        assert {record.status for record in await engine.list()} == {"cancelled"}
        assert len(await engine.list()) == 7
        assert await engine.cancel("r") is False
        assert await engine.cancel("nobody") is False
        assert await engine.signal("r", "x", 1) is False


async def test_a_cancelled_child_is_told_apart_from_a_failed_one(launched, soon):
    busy = Busy()

    async def root(ctx: Ctx, args: Json) -> Json:
        child = await ctx.start("child", "busy", "child")
        try:
            await ctx.result(child)
        except TaskCancelledError:
            return "cancelled"

    def declare(engine: Engine) -> None:
        engine.task("busy", busy.task)
        engine.task("root", root)

    async with launched(declare) as engine:
        await engine.start("root", None, id="r")
        await until(lambda: busy.inside)
        assert await engine.cancel("r/child") is True
        assert (await soon(engine.outcome("r"))).result == "cancelled"


async def test_what_was_not_resumed_can_be_cancelled(launched, soon):
    async def waits(ctx: Ctx, args: Json) -> Json:
        return await ctx.wait_signal("go")

    async def root(ctx: Ctx, args: Json) -> Json:
        return await ctx.result(await ctx.start("child", "waits", None))

    def declare(engine: Engine) -> None:
        engine.task("waits", waits)
        engine.task("root", root)

    async with launched(declare) as engine:
        await engine.start("root", None, id="r")
        await until_status(engine, "r/child", "waiting")
    async with launched(declare) as engine:
        waiter = asyncio.create_task(engine.outcome("r"))
        await asyncio.sleep(0)
        assert await engine.cancel("r") is True
        assert (await soon(waiter)).status == "cancelled"
        assert (await engine.get("r/child")).status == "cancelled"
        assert await engine.resume("r") is False


async def test_a_cancelled_task_cannot_go_on_by_catching_its_cancellation(launched, soon):
    journal = Journal()
    entered = asyncio.Event()

    async def stubborn(ctx: Ctx, args: Json) -> Json:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await ctx.step("after", journal.write, "after")
        return "went on"

    async with launched(lambda engine: engine.task("stubborn", stubborn)) as engine:
        await engine.start("stubborn", None, id="r")
        await entered.wait()
        assert await soon(engine.cancel("r")) is True
        record = await engine.get("r")
    assert (record.status, record.result) == ("cancelled", None)
    assert journal.lines == []


async def test_a_task_that_ends_cancels_what_it_left_behind(launched, soon):
    busy = Busy()

    async def root(ctx: Ctx, args: Json) -> Json:
        await ctx.start("child", "busy", "child")
        await until(lambda: busy.inside)
        return "ended"

    def declare(engine: Engine) -> None:
        engine.task("busy", busy.task)
        engine.task("root", root)

    async with launched(declare) as engine:
        await engine.start("root", None, id="r")
        assert (await soon(engine.outcome("r"))).result == "ended"
        assert (await engine.get("r/child")).status == "cancelled"
        assert busy.inside == []


async def test_a_second_durable_call_at_a_time_is_refused(launched, soon):
    async def work(ctx: Ctx, args: Json) -> Json:
        async def slow() -> Json:
            await asyncio.sleep(0.01)
            return "slow"

        first = asyncio.create_task(ctx.step("a", slow))
        await asyncio.sleep(0)
        with pytest.raises(DurableError, match=r"'b'.*'a'.*one durable call"):
            await ctx.step("b", slow)
        return await first

    async with launched(lambda engine: engine.task("work", work)) as engine:
        await engine.start("work", None, id="r")
        record = await soon(engine.outcome("r"))
    assert (record.status, record.result) == ("done", "slow"), record.error


async def test_a_key_that_was_used_before_is_refused(launched, soon):
    async def work(ctx: Ctx, args: Json) -> Json:
        for _ in range(2):
            await ctx.step("same", slow)

    async def slow() -> Json:
        return None

    async with launched(lambda engine: engine.task("work", work)) as engine:
        await engine.start("work", None, id="r")
        record = await soon(engine.outcome("r"))
    assert record.status == "failed"
    assert "'same'" in record.error


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({1: "a"}, "key 1"),
        ({"a": [0, {"b": {3}}]}, r"set at a\[1\]\.b"),
        ((1, 2), "tuple"),
        (float("nan"), "nan"),
        ({"deep": [float("inf")]}, r"inf at deep\[0\]"),
        (object(), "object"),
        (b"bytes", "bytes"),
    ],
)
async def test_a_value_that_is_not_json_is_refused_with_the_key_that_holds_it(launched, soon, value, place):
    async def work(ctx: Ctx, args: Json) -> Json:
        async def give() -> Json:
            return value

        return await ctx.step("measure", give)

    async with launched(lambda engine: engine.task("work", work)) as engine:
        await engine.start("work", None, id="r")
        record = await soon(engine.outcome("r"))
        assert record.status == "failed"
        assert "'measure'" in record.error
        assert re.search(place, record.error)
        with pytest.raises(DurableError, match="arguments"):
            await engine.start("work", value, id="other")
        with pytest.raises(DurableError, match="'key'"):
            await engine.signal("r", "key", value)


async def test_a_step_hands_out_copies_so_that_first_run_and_replay_see_the_same(launched, soon):
    shared = {"list": [1]}

    async def work(ctx: Ctx, args: Json) -> Json:
        async def give() -> Json:
            return shared

        value = await ctx.step("give", give)
        value["list"].append(2)
        return [value, shared]

    async with launched(lambda engine: engine.task("work", work)) as engine:
        await engine.start("work", None, id="r")
        assert (await soon(engine.outcome("r"))).result == [{"list": [1, 2]}, {"list": [1]}]
        assert await engine.steps("r") == {"give": {"list": [1]}}


async def test_unknown_functions_and_tasks_are_named(launched, soon):
    problems: list[str] = []

    async def root(ctx: Ctx, args: Json) -> Json:
        attempts: Sequence[Any] = (
            lambda: ctx.start("a", "nothing like it", None),
            lambda: ctx.wait_any("c", ["r/nobody"]),
            lambda: ctx.wait_any("d", []),
        )
        for attempt in attempts:
            try:
                await attempt()
            except DurableError as error:
                problems.append(str(error))
        return None

    async with launched(lambda engine: engine.task("root", root)) as engine:
        await engine.start("root", None, id="r")
        await soon(engine.outcome("r"))
        with pytest.raises(DurableError, match="unheard"):
            await engine.start("unheard", None, id="x")
        with pytest.raises(RunNotFoundError, match="nobody"):
            await engine.outcome("nobody")
        assert await engine.get("nobody") is None
    for problem, word in zip(problems, ("nothing like it", "r/nobody", "'d'"), strict=True):
        assert word in problem


async def test_records_are_listed_newest_first_and_filtered(launched, soon):
    async def root(ctx: Ctx, args: Json) -> Json:
        return await ctx.result(await ctx.start("child", "echo", 1))

    async def waits(ctx: Ctx, args: Json) -> Json:
        return await ctx.wait_signal("never")

    def declare(engine: Engine) -> None:
        for name, function in (("echo", nothing), ("root", root), ("waits", waits)):
            engine.task(name, function)

    async with launched(declare) as engine:
        for id_ in ("one", "two"):
            await engine.start("root", None, id=id_)
            await soon(engine.outcome(id_))
        await engine.start("waits", None, id="three")
        await until_status(engine, "three", "waiting")
        ids = [record.id for record in await engine.list()]
        assert ids == ["three", "two/child", "two", "one/child", "one"]
        assert [record.id for record in await engine.list(task="root")] == ["two", "one"]
        assert [record.id for record in await engine.list(parent="one")] == ["one/child"]
        assert [record.id for record in await engine.list(statuses=["waiting", "failed"])] == ["three"]
        assert [record.id for record in await engine.list(limit=1)] == ["three"]
        assert await engine.list(task="nobody") == []


async def test_many_tasks_at_once_each_get_their_own_results(launched, soon):
    async def work(ctx: Ctx, args: Json) -> Json:
        async def double(value: int) -> Json:
            await asyncio.sleep(0)
            return value * 2

        return [await ctx.step(str(number), double, args + number) for number in range(3)]

    async with launched(lambda engine: engine.task("work", work)) as engine:
        for number in range(100):
            await engine.start("work", number, id=f"r{number}")
        records = await asyncio.gather(*(soon(engine.outcome(f"r{number}")) for number in range(100)))
    for number, record in enumerate(records):
        assert record.result == [number * 2, number * 2 + 2, number * 2 + 4]
