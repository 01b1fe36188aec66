"""An edit does not change a task in flight: after a restart it goes on with the text with which it began."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from textwrap import dedent

import pytest
from structlog.testing import capture_logs

from aura_core.errors import DefinitionError
from aura_core.tasklet import RunInfo, Tasklet
from tests.fixtures.crashing import ACTIONS, World, life
from tests.fixtures.project import Project

EARLIER = Path(__file__).parents[1] / "fixtures/homes/13e86e8/journal.json"
FIRST = "- {action: write, params: {name: first}}\n"
ASK = "- {ask: Go on?}\n"
LAST = "- {action: write, params: {name: last}}\n"
SEEN = """
from typing import Any
from aura_core.api import action, requires_services

class Seen:
    number = 0

@action("glimpse", inline=True)
@requires_services(world="world")
def glimpse(world: Any) -> Any:
    seen = Seen()
    seen.number = len(world.entries)
    return seen
"""


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("p/actions/world.py", ACTIONS)
    return project


def steps(text: str) -> str:
    return f"steps:\n{dedent(text)}"


async def answered(lab: Project, world: World) -> World:
    """What has happened once the question is answered and the task has ended."""
    world.answers["Go on?"] = "yes"
    result = await life(lab, world)
    assert result is not None
    assert result.ok, result.error
    return world


EDITS = {
    "other params": FIRST.replace("first", "other") + ASK + LAST.replace("last", "other"),
    "a step inserted": LAST + FIRST + ASK + LAST,
    "steps taken out": ASK,
    "another order": LAST + ASK + FIRST,
    "another question": FIRST + "- {ask: Really?}\n" + LAST,
    "another jump": FIRST + "- {stop: enough}\n",
}


@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS)
async def test_a_task_that_waits_goes_on_as_it_began(lab, edited):
    world = World()
    lab.task("t", steps(FIRST + ASK + LAST))
    await life(lab, world)
    lab.task("t", steps(edited))
    await life(lab, world)
    await answered(lab, world)
    assert world.happened == ["first", "last"]
    assert list(world.asked.values()) == ["Go on?"]


STUMBLE = """
import asyncio
from aura_core.api import action, requires_services

@action("stumble")
@requires_services(world="world")
async def stumble(world) -> None:
    world.dead.set()
    await asyncio.Event().wait()
"""


async def test_a_task_that_had_done_nothing_takes_the_edit(lab):
    lab.write("p/actions/stumble.py", STUMBLE)
    world = World()
    lab.task("t", steps("- {action: look}\n- {action: stumble}\n" + FIRST))
    assert await life(lab, world) is None
    lab.task("t", steps(LAST))
    assert await life(lab, world) is not None
    assert world.happened == ["last"]


async def test_the_tasks_that_a_task_leads_to_are_those_it_began_with(lab):
    world = World()
    lab.write("p/plan.yaml", "requires: [q]")
    lab.write("q/plan.yaml", "name: q")
    lab.write("q/actions/world.py", ACTIONS)
    part = "meta: {inputs: {n: {}}}\nsteps: [{action: write, params: {name: 'part {{ inputs.n }}'}}]"
    lab.write("q/tasks/part.yaml", part)
    lab.task("then/next", steps("- {run_task: q/part, pass_params: {n: 2}}\n- {action: write, params: {name: next}}"))
    lab.task("t", steps("- {run_task: q/part, pass_params: {n: 1}}\n" + ASK + "- {go_task: then/next}"))
    await life(lab, world)
    lab.write("q/tasks/part.yaml", "meta: {inputs: {m: {required: true}}}\nsteps: [{stop: no}]")
    (lab.plans / "p/tasks/then/next.yaml").unlink()
    lab.task("t", steps("- {run_task: q/part, pass_params: {m: 1}}\n"))
    await answered(lab, world)
    assert world.happened == ["part 1", "part 2", "next"]


async def test_a_task_that_is_gone_goes_on_all_the_same(lab):
    world = World()
    lab.task("t", steps(FIRST + ASK + LAST))
    await life(lab, world)
    (lab.plans / "p/tasks/t.yaml").unlink()
    await answered(lab, world)
    assert world.happened == ["first", "last"]


async def test_the_next_run_takes_the_edit_while_an_earlier_one_goes_on_without_it(lab):
    earlier, later = World(), World({"Go on?": "yes"})
    lab.task("t", steps(FIRST + ASK + LAST))
    await life(lab, earlier)
    lab.task("t", steps(LAST + ASK))
    await life(lab, later)
    await answered(lab, earlier)
    assert (earlier.happened, later.happened) == (["first", "last"], ["last"])


async def test_a_task_whose_action_is_gone_does_not_go_on_and_says_what_is_missing(lab):
    world = World()
    lab.task("t", steps(FIRST + ASK + LAST))
    await life(lab, world)
    lab.task("t", steps(ASK))
    lab.write("p/actions/world.py", ACTIONS.replace('@action("write"', '@action("scribble"'))
    result = await life(lab, world)
    assert result is not None
    assert result.error is not None
    assert "there is no action 'write'" in result.error.message
    async with lab.running(services={"world": world, "chat": world}) as framework:
        run = RunInfo(idempotency_key="r/step:s", journal=world)
        with pytest.raises(DefinitionError, match="no action 'write'"):
            framework.task("p/t", run)
        assert framework.task("p/t").steps[0].kind == "ask", "a run that begins now needs nothing of it"
    lab.write("p/actions/world.py", ACTIONS)
    await answered(lab, world)
    assert world.happened == ["first", "last"]


async def test_a_task_that_was_not_edited_is_the_one_that_the_plans_have(lab):
    world = World()
    lab.task("t", steps(FIRST + ASK + LAST))
    await life(lab, world)
    async with lab.running(services={"world": world, "chat": world}) as framework:
        assert framework.task("p/t", RunInfo(journal=world)) is framework.task("p/t")


async def test_a_file_is_recorded_once_however_many_of_its_tasks_run(lab):
    world = World()
    lab.task("both", f"t:\n  steps: [{{run_task: u}}]\nu:\n  steps:\n    {FIRST}")
    await life(lab, world, scope="call:1:")
    await life(lab, world, scope="call:2:")
    assert world.happened == ["first", "first"]
    assert len([key for key in world.entries if key.startswith("text ")]) == 1


async def test_what_an_earlier_version_recorded_without_a_text_counts_for_the_task_as_it_is_now(lab):
    earlier = json.loads(EARLIER.read_text())
    for name, text in earlier["tasks"].items():
        lab.task(name, text)
    world = World()
    world.entries, world.happened, world.once = earlier["entries"], earlier["happened"], earlier["once"]
    begun = len(world.happened)
    assert await life(lab, world) is None
    assert list(world.asked) == list(earlier["asked"])[-1:], "the question that waits is the same"
    await answered(lab, world)
    assert world.happened[begun:] == ["yes True"]
    assert len(world.once) == len(world.happened) - earlier["happened"].count("k")


async def test_an_effect_that_was_done_is_not_done_again_with_other_values(lab):
    lab.write("p/actions/seen.py", SEEN)
    lab.task("part", "meta: {inputs: {n: {}}}\nsteps: [{action: write, params: {name: 'part {{ inputs.n }}'}}]")
    world = World()
    lab.task(
        "t",
        """
        steps:
          - {action: glimpse, output_to: seen}
          - {action: write, params: {name: "{{ seen.number }}"}, output_to: done}
          - {run_task: part, pass_params: {n: "{{ seen.number }}"}}
          - {ask: Go on?}
        returns: "{{ done.name }}"
        """,
    )
    await life(lab, world)
    world.answers["Go on?"] = "yes"
    with capture_logs() as logs:
        result = await life(lab, world)
    assert result is not None
    assert result.result == "0"
    assert world.happened == ["0", "part 0"]
    assert [line["step"] for line in logs if line["event"] == "recorded_with_other_params"] == ["steps[1]", "steps[0]"]


BROKEN_OFF = """
from aura_core.api import Context, action, requires_services

@action("pay", effects="external")
@requires_services(world="world")
async def pay(world, context: Context) -> None:
    await world.happen("paid", context.run.once_key("pay"))
    if "Go on?" not in world.answers:
        world.dead.set()
    await world.happen("and told")
"""


@pytest.mark.parametrize("before", ["", FIRST, "- {action: look}\n"])
async def test_an_effect_that_was_broken_off_has_its_key_again_after_an_edit(lab, before):
    lab.write("p/actions/pay.py", BROKEN_OFF)
    world = World()
    lab.task("t", steps(before + "- {action: pay}\n" + ASK))
    await life(lab, world)
    lab.task("t", steps("- {action: pay}\n" + LAST))
    await answered(lab, world)
    assert world.happened.count("paid") == 2, "nobody knows how far it came"
    assert list(world.once.values()).count("paid") == 1
    assert "last" not in world.happened


KEEPER = """
from aura_core.api import action, requires_services, service

@service("keeper")
class Keeper:
    state = "open"

    async def close(self) -> None:
        self.state = "closed"

@action("tell", effects="write")
@requires_services(world="world", keeper="keeper")
async def tell(world, keeper) -> None:
    await world.happen(keeper.state)
"""


class Chat:
    """A person who answers when the test does."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.get_running_loop().create_future()

    async def ask(self, run: RunInfo, text: str, options: object = ()) -> str:
        self.asked.set()
        return await self.answer


async def test_a_task_that_goes_on_as_it_began_keeps_its_services_through_a_reload(lab):
    lab.write("p/services/keeper.py", KEEPER)
    world = World()
    lab.task("t", steps("- {action: tell}\n" + ASK + "- {action: tell}\n"))
    await life(lab, world)
    lab.task("t", steps(FIRST))
    chat, world.dead = Chat(), asyncio.Event()
    async with lab.running(services={"world": world, "chat": chat}) as framework:
        run = RunInfo(corr_id="r", idempotency_key="r/step:s", journal=world)
        work = asyncio.create_task(framework.submit(Tasklet("p/t", run=run)))
        await chat.asked.wait()
        lab.write("p/services/keeper.py", KEEPER.replace('"open"', '"another"'))
        assert (await framework.reload()).reloaded
        await framework.generations.settled()
        chat.answer.set_result("yes")
        assert (await work).ok
    assert world.happened == ["open", "open"]
