"""Laws of the durable engine: random programs, signals, cancellations and restarts in any order."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent.errors import AgentError
from aura_core.durable.local import LocalEngine
from aura_core.durable.protocol import Ctx, Json
from aura_core.durable.schema import DURABLE
from aura_core.errors import DurableError, TaskCancelledError, TaskFailedError
from aura_core.storage.database import Database
from aura_core.storage.json_values import decode, encode

ENDED = ("done", "failed", "cancelled")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_every_json_value_comes_back_as_it_went_in(value):
    assert decode(encode(value, "x")) == value
    assert repr(decode(encode(value, "x"))) == repr(value)


@given(
    json_values,
    st.sampled_from([{1, 2}, (1,), b"x", float("nan"), float("-inf"), {2: "a"}, {None: 1}, object(), complex(1)]),
    st.text(min_size=1),
)
def test_what_is_not_json_is_refused_wherever_it_hides(value, odd, where):
    for hidden in (odd, [value, odd], {"a": value, "b": [{"c": odd}]}):
        with pytest.raises(DurableError) as caught:
            encode(hidden, where)
        assert where in str(caught.value)


def test_a_value_that_holds_itself_is_refused():
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(DurableError, match="holds itself"):
        encode(endless, "x")


nodes = st.recursive(
    st.fixed_dictionaries({"do": st.sampled_from(["steps", "ask", "fail", "hold"]), "steps": st.integers(0, 3)}),
    lambda inner: st.fixed_dictionaries(
        {
            "do": st.just("children"),
            "steps": st.integers(0, 2),
            "children": st.lists(inner, min_size=1, max_size=3),
            "all": st.booleans(),
        }
    ),
    max_leaves=6,
)


class World:
    """What really happened, beside what the engine says."""

    def __init__(self) -> None:
        self.executed: dict[str, int] = {}
        self.recorded: set[str] = set()
        self.working: set[str] = set()
        self.cancelled: set[str] = set()
        self.hold = asyncio.Event()
        self.broken: list[str] = []

    def claim(self, true: bool, what: str) -> None:
        if not true:
            self.broken.append(what)

    async def node(self, ctx: Ctx, args: Json) -> Json:
        """One task: steps, then what `do` says."""
        self.claim(ctx.id not in self.cancelled, f"{ctx.id} works though it was cancelled")
        self.claim(ctx.id not in self.working, f"{ctx.id} works twice at once")
        self.working.add(ctx.id)
        try:
            total = 0
            for number in range(args["steps"]):
                total += await ctx.step(f"s{number}", self.step, f"{ctx.id} s{number}")
                self.recorded.add(f"{ctx.id} s{number}")
            if args["do"] == "ask":
                return [total, await ctx.wait_signal("answer")]
            if args["do"] == "hold":
                await self.hold.wait()
            if args["do"] == "fail":
                raise AgentError("as planned")
            return [total, *(await self.children(ctx, args) if args["do"] == "children" else [])]
        finally:
            self.working.discard(ctx.id)

    async def step(self, name: str) -> Json:
        self.claim(name not in self.recorded, f"the recorded step {name} ran again")
        self.executed[name] = self.executed.get(name, 0) + 1
        await asyncio.sleep(0)
        return 1

    async def children(self, ctx: Ctx, args: Json) -> list[Json]:
        ids = [await ctx.start(f"c{number}", "node", child) for number, child in enumerate(args["children"])]
        results: list[Json] = []
        left = list(ids)
        while left and (args["all"] or not results):
            ended = await ctx.wait_any(f"w{len(left)}", left)
            left.remove(ended)
            try:
                results.append(await ctx.result(ended))
            except TaskFailedError:
                results.append("failed")
            except TaskCancelledError:
                results.append("cancelled")
        return results


class EngineMachine(RuleBasedStateMachine):
    """Everything a program may do to an engine, in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="aura-durable-"))
        self.runner = asyncio.Runner()
        self.world = World()
        self.ended: dict[str, tuple[str, Any]] = {}
        self.roots = 0
        self.engine = self.do(self.open())

    def do(self, work: Any) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(20):
                return await work

        return self.runner.run(bounded())

    async def open(self) -> LocalEngine:
        self.database = Database(self.folder / "aura.db", [DURABLE])
        engine = LocalEngine(self.database)
        engine.task("node", self.world.node)
        await engine.launch()
        return engine

    async def close(self) -> None:
        await self.engine.close()
        await self.database.close()

    @rule(node=nodes)
    def start(self, node: dict[str, Any]) -> None:
        self.roots += 1
        self.do(self.engine.start("node", node, id=f"r{self.roots}"))

    @rule(turns=st.integers(1, 40))
    def let_run(self, turns: int) -> None:
        async def turn() -> None:
            for _ in range(turns):
                await asyncio.sleep(0.0002)

        self.do(turn())

    @rule(which=st.integers(0, 1000))
    def answer(self, which: int) -> None:
        waiting = sorted(record.id for record in self.do(self.engine.list(statuses=["waiting"], limit=1000)))
        if waiting:
            chosen = waiting[which % len(waiting)]
            if not self.do(self.engine.signal(chosen, "answer", "yes")):
                assert self.do(self.engine.outcome(chosen)).status in ENDED, "an open question took no answer"
            assert self.do(self.engine.signal(chosen, "answer", "no")) is False

    @rule(which=st.integers(0, 1000))
    def cancel(self, which: int) -> None:
        records = self.do(self.engine.list(limit=1000))
        if not records:
            return
        chosen = sorted(record.id for record in records)[which % len(records)]
        before = {record.id: record.status for record in records}
        assert self.do(self.engine.cancel(chosen)) or self.do(self.engine.get(chosen)).status in ENDED
        for id_ in list(self.world.working):
            assert not f"{id_}/".startswith(f"{chosen}/"), f"{id_} works after the cancel of {chosen}"
        after = {record.id: record.status for record in self.do(self.engine.list(limit=1000))}
        assert after[chosen] in ENDED
        if before[chosen] not in ENDED and after[chosen] == "cancelled":
            self.world.cancelled.add(chosen)

    @rule(node=nodes, turns=st.integers(0, 5))
    def all_at_once(self, node: dict[str, Any], turns: int) -> None:
        """Start, signals, cancellations and resumes in flight together."""
        self.roots += 1
        name = f"r{self.roots}"

        async def cancel_later() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await self.engine.cancel(f"{name}/c0")
            await self.engine.cancel(name)

        async def storm() -> None:
            await self.engine.start("node", node, id=name)
            await asyncio.gather(
                cancel_later(),
                self.engine.cancel(name),
                self.engine.resume(name),
                self.engine.signal(name, "answer", "at once"),
                self.engine.outcome(name),
            )

        self.do(storm())
        self.world.cancelled.add(name)

    @rule(resume=st.booleans())
    def restart(self, resume: bool) -> None:
        self.do(self.close())
        assert self.world.working == set()
        self.engine = self.do(self.open())
        if resume:
            self.resume_all()

    @rule()
    def resume_all(self) -> None:
        for record in self.do(self.engine.list(statuses=["pending", "waiting"], limit=1000)):
            if record.parent is None:
                self.do(self.engine.resume(record.id))

    @invariant()
    def what_has_ended_stays_as_it_ended(self) -> None:
        records = {record.id: record for record in self.do(self.engine.list(limit=1000))}
        for id_, (status, result) in self.ended.items():
            assert (records[id_].status, json.dumps(records[id_].result)) == (status, result)
        for id_, record in records.items():
            if record.status in ENDED:
                self.ended[id_] = (record.status, json.dumps(record.result))
            above = records.get(record.parent or "")
            assert above is None or above.status not in ENDED or record.status in ENDED, f"{id_} outlived its parent"
        assert self.world.broken == []

    def teardown(self) -> None:
        if not hasattr(self, "engine"):
            return
        try:
            self.finish()
        finally:
            self.do(self.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def finish(self) -> None:
        """Whatever happened before: resumed and answered, everything comes to an end."""
        self.world.hold.set()
        self.resume_all()
        for _ in range(2000):
            unfinished = self.do(self.engine.list(statuses=["pending", "waiting"], limit=1000))
            if not unfinished:
                break
            for record in unfinished:
                if record.status == "waiting":
                    self.do(self.engine.signal(record.id, "answer", "yes"))
            self.do(asyncio.sleep(0.001))
        assert {record.status for record in self.do(self.engine.list(limit=1000))} <= set(ENDED)
        assert self.world.working == set()
        assert self.world.broken == []


EngineMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=15, suppress_health_check=list(HealthCheck)
)
test_engine_in_any_order = pytest.mark.slow(EngineMachine.TestCase)
