"""`ask`: the person behind the run is asked, and the task holds no slot while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aura_core.execution.task_events import TaskChanged
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.project import Project


class Person:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[str, str, list[str]]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[str]] = {}

    async def ask(self, run: RunInfo, text: str, options: Sequence[str] = ()) -> str:
        answer = self._answers[text] = asyncio.get_running_loop().create_future()
        await self.asked.put((run.session_id, text, list(options)))
        return await answer

    def answer(self, text: str, answer: str | Exception) -> None:
        if isinstance(answer, Exception):
            self._answers[text].set_exception(answer)
        else:
            self._answers[text].set_result(answer)


ONE_AT_A_TIME = ExecutionLimits(concurrency=1)


def held(framework: Framework) -> int:
    return framework.execution_manager._global_sem.held


async def test_the_answer_is_the_result(project: Project):
    person = Person()
    project.task("t", 'steps: [{ask: "Which {{ 1 + 1 }}?", options: [a, 2], output_to: got}]\nreturns: "{{ got }}"')
    async with project.running(services={"chat": person}) as framework, asyncio.TaskGroup() as group:
        run = group.create_task(framework.submit(Tasklet("p/t", run=RunInfo(session_id="s1"))))
        assert await person.asked.get() == ("s1", "Which 2?", ["a", "2"])
        person.answer("Which 2?", "a")
        assert (await run).result == "a"


async def test_without_a_person_the_step_says_so(project: Project):
    result = await project.run("steps: [{ask: Anyone?}]")
    assert result.error is not None
    assert (result.error.type, "'chat' is not available" in result.error.message) == ("NotFoundError", True)


async def test_options_must_be_a_list(project: Project):
    result = await project.run("steps: [{ask: Which?, options: a}]", services={"chat": Person()})
    assert result.error is not None
    assert "`options` of ask must be a list" in result.error.message


async def test_a_task_outside_the_execution_manager_can_ask_too(project: Project):
    person = Person()
    project.task("t", "steps: [{ask: Who?, output_to: got}]\nreturns: '{{ got }}'")
    async with project.running(services={"chat": person}) as framework, asyncio.TaskGroup() as group:
        run = group.create_task(framework.orchestrator("p").execute_task("t"))
        await person.asked.get()
        person.answer("Who?", "me")
        assert (await run).result == "me"


async def test_a_waiting_task_lets_others_run_and_its_clock_stands_still(project: Project):
    person = Person()
    project.task(
        "t", "meta: {timeout: 0.2, resources: [desk]}\nsteps: [{ask: Who?, output_to: got}]\nreturns: '{{ got }}'"
    )
    project.task("other", "meta: {resources: [desk]}\nsteps: [{action: sleep, params: {seconds: 0.3}}]")
    async with project.running(services={"chat": person}, limits=ONE_AT_A_TIME) as framework:
        with framework.events.subscribe(TaskChanged, lambda event: event.task == "p/t") as phases:
            async with asyncio.TaskGroup() as group:
                run = group.create_task(framework.submit(Tasklet("p/t")))
                await person.asked.get()
                assert (await framework.submit(Tasklet("p/other"))).status == "success"
                person.answer("Who?", "me")
                result = await run
            assert [event.phase for event in phases.pending()] == ["queued", "running", "waiting", "running", "success"]
    assert (result.status, result.result) == ("success", "me")


async def test_a_task_goes_on_only_when_its_slot_is_free_again(project: Project):
    person = Person()
    project.task("t", "steps: [{ask: Who?}, {ask: Then?}]")
    project.task("other", "steps: [{ask: Hold?}, {action: sleep, params: {seconds: 0}}, {ask: Held?}]")
    async with project.running(services={"chat": person}, limits=ONE_AT_A_TIME) as framework:
        async with asyncio.TaskGroup() as group:
            group.create_task(framework.submit(Tasklet("p/t")))
            group.create_task(framework.submit(Tasklet("p/other")))
            for _ in range(2):
                await person.asked.get()
            assert held(framework) == 0
            for text in ("Who?", "Hold?"):
                person.answer(text, "yes")
            for _ in range(2):
                await person.asked.get()
            for text in ("Then?", "Held?"):
                person.answer(text, "yes")
        assert held(framework) == 0


async def test_the_slot_is_kept_while_another_branch_works(project: Project):
    person = Person()
    project.task(
        "t",
        """
        steps:
          - parallel:
              - [{ask: Who?}]
              - [{action: sleep, params: {seconds: 0.02}}, {ask: Where?}]
              - [{action: sleep, params: {seconds: 0.03}}]
        """,
    )
    async with project.running(services={"chat": person}, limits=ONE_AT_A_TIME) as framework:
        with framework.events.subscribe(TaskChanged) as phases:
            async with asyncio.TaskGroup() as group:
                group.create_task(framework.submit(Tasklet("p/t")))
                for text in ("Who?", "Where?"):
                    assert (await person.asked.get())[1] == text
                    assert held(framework) == 1
                assert [(await phases.next()).phase for _ in range(3)] == ["queued", "running", "waiting"]
                assert held(framework) == 0
                person.answer("Where?", "here")
                assert [(await phases.next()).phase for _ in range(2)] == ["running", "waiting"]
                person.answer("Who?", "me")
            assert [event.phase for event in phases.pending()] == ["running", "success"]
        assert held(framework) == 0


async def test_a_question_that_fails_takes_the_slot_again_before_the_task_goes_on(project: Project):
    person = Person()
    seen: list[int] = []
    project.task(
        "t",
        """
        meta: {timeout: 30}
        steps: [{parallel: [[{ask: Who?}], [{ask: Where?}], [{ask: When?}]]}]
        on_failure: {steps: [{ask: Sorry?, output_to: got}, {action: echo, params: {value: fine}}], recover: true}
        """,
    )
    running = project.running(services={"chat": person}, limits=ONE_AT_A_TIME)
    async with running as framework, asyncio.TaskGroup() as group:
        run = group.create_task(framework.submit(Tasklet("p/t")))
        for _ in range(3):
            await person.asked.get()
        seen.append(held(framework))
        person.answer("Who?", OSError("the chat is gone"))
        await person.asked.get()
        seen.append(held(framework))
        person.answer("Sorry?", "ok")
        result: TaskResult = await run
    assert (result.result, seen, held(framework)) == ("fine", [0, 0], 0)


async def test_cancelling_a_waiting_task_leaves_no_slot_behind(project: Project):
    person = Person()
    project.task("t", "steps: [{ask: Who?}]")
    async with project.running(services={"chat": person}, limits=ONE_AT_A_TIME) as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await person.asked.get()
        run.cancel()
        assert isinstance((await asyncio.gather(run, return_exceptions=True))[0], asyncio.CancelledError)
        assert held(framework) == 0
        assert framework.execution_manager.busy == 0


async def test_the_timeout_of_a_task_inside_stands_still_while_it_waits_for_the_person(project: Project):
    person = Person()
    project.task("inner", "meta: {timeout: 0.2}\nsteps: [{ask: Well?, output_to: said}]\nreturns: '{{ said }}'")
    project.task("t", "steps: [{run_task: inner, output_to: got}]\nreturns: '{{ got }}'")
    async with project.running(services={"chat": person}, limits=ONE_AT_A_TIME) as framework:
        run = asyncio.create_task(framework.submit(Tasklet("p/t")))
        await person.asked.get()
        await asyncio.sleep(0.3)
        person.answer("Well?", "yes")
        assert (await run).result == "yes"


MARKS = """
import asyncio

from aura_core.api import action, requires_services


@action("mark", effects="write")
@requires_services(marks="marks")
async def mark(name: str, marks: list[str], seconds: float = 0.0) -> None:
    marks.append(f"{name} begins")
    await asyncio.sleep(seconds)
    marks.append(f"{name} ends")
"""


async def test_a_task_inside_that_is_ended_while_a_branch_waits_for_the_person_goes_on_with_its_places(
    project: Project,
):
    marks: list[str] = []
    project.write("p/actions/marks.py", MARKS)
    nap = "{action: mark, params: {name: a, seconds: 5}}"
    project.task("inner", f"meta: {{timeout: 0.1}}\nsteps: [{{parallel: [[{nap}], [{{ask: Well?}}]]}}]")
    project.task(
        "t", "steps: [{run_task: inner}]\non_failure: {steps: [{action: mark, params: {name: b, seconds: 0.1}}]}"
    )
    project.task("u", "steps: [{action: mark, params: {name: c, seconds: 0.1}}]")
    services = {"chat": Person(), "marks": marks}
    async with project.running(services=services, limits=ONE_AT_A_TIME) as framework:
        await asyncio.gather(framework.submit(Tasklet("p/t")), framework.submit(Tasklet("p/u")))
    assert sorted(marks) == ["a begins", "b begins", "b ends", "c begins", "c ends"]
    assert [mark for mark in marks if mark[0] in "bc"] in (
        ["b begins", "b ends", "c begins", "c ends"],
        ["c begins", "c ends", "b begins", "b ends"],
    )


async def test_a_branch_that_fails_beside_one_that_asks_leaves_the_task_its_places(project: Project):
    marks: list[str] = []
    project.write("p/actions/marks.py", MARKS)
    project.task(
        "t",
        "steps: [{parallel: [[{action: fail, wait_before: 0.05}], [{ask: Well?}]]}]\n"
        "on_failure: {steps: [{action: mark, params: {name: b, seconds: 0.1}}]}",
    )
    project.task("u", "steps: [{action: mark, params: {name: c, seconds: 0.1}}]")
    services = {"chat": Person(), "marks": marks}
    async with project.running(services=services, limits=ONE_AT_A_TIME) as framework:
        await asyncio.gather(framework.submit(Tasklet("p/t")), framework.submit(Tasklet("p/u")))
    assert [mark.split()[1] for mark in marks] == ["begins", "ends", "begins", "ends"]
