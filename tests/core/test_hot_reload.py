"""Hot reload: real files, real edits, runs that are really in flight while they are edited."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_core.errors import NotFoundError
from aura_core.execution.limits import ExecutionLimits
from aura_core.execution.plan_modules import PREFIX
from aura_core.framework import Framework
from aura_core.generations.events import PlanNotice, notice_of
from aura_core.tasklet import Tasklet, TaskResult
from tests.fixtures.project import Project


class Gate:
    """Holds runs in the middle: each says that it is there, and goes on when it is let go."""

    def __init__(self) -> None:
        self.here = asyncio.Semaphore(0)
        self.go = asyncio.Event()

    async def passed(self) -> None:
        self.here.release()
        await self.go.wait()


class Diary:
    """What services and hooks of plans write down."""

    def __init__(self) -> None:
        self.lines: list[str] = []

        self.due = asyncio.Event()
        self.handled = asyncio.Event()

    def write(self, line: str) -> None:
        self.lines.append(line)


GATE = """
from typing import Any
from aura_core.api import action, requires_services

@action("held")
@requires_services(gate="gate")
async def held(gate: Any) -> None:
    await gate.passed()
"""
SPEAKER = """
from typing import Any
from aura_core.api import action, config, requires_services, service

@service("voice")
class Voice:
    def __init__(self, diary: Any) -> None:
        self.diary = diary
        self.closed = False
        diary.write("{word} opens")

    def say(self) -> str:
        assert not self.closed
        return "{word}"

    async def close(self) -> None:
        self.closed = True
        self.diary.write("{word} closes")

@action("speak")
@requires_services(voice="voice")
async def speak(voice: Voice) -> str:
    return "{word} " + voice.say() + " " + config("sign")

@action("count", cpu=True)
def count() -> str:
    from ..numbers import NUMBER
    return "{word} " + NUMBER
"""
TALK = """
meta: {{title: "{word}"}}
steps:
  - {{action: speak, output_to: before}}
  - {{action: held}}
  - {{action: speak, output_to: after}}
  - {{run_task: detail, output_to: detail}}
returns: "{word}: {{{{ before }}}} / {{{{ after }}}} / {{{{ detail }}}}"
"""


def version(project: Project, word: str, plan: str = "talk") -> None:
    """Writes every file of a plan anew, so that each says `word`."""
    project.write(f"{plan}/plan.yaml", f"name: {plan}\ndescription: {word}\n")
    project.write(f"{plan}/actions/gate.py", GATE)
    project.write(f"{plan}/actions/speaker.py", SPEAKER.format(word=word))
    project.write(f"{plan}/numbers.py", f"NUMBER = {word!r}\n")
    project.write(f"{plan}/config.yaml", f"sign: {word}\n")
    project.write(f"{plan}/tasks/say.yaml", TALK.format(word=word))
    project.write(f"{plan}/tasks/detail.yaml", f"steps: [{{action: speak}}]\nreturns: {word} detail\n")
    project.write(
        f"{plan}/tasks/count.yaml", "steps: [{action: held}, {action: count, output_to: it}]\nreturns: '{{ it }}'\n"
    )


def said(word: str) -> str:
    return f"{word}: {word} {word} {word} / {word} {word} {word} / {word} detail"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def diary() -> Diary:
    return Diary()


@asynccontextmanager
async def running(project: Project, gate: Gate, diary: Diary, **options: Any) -> AsyncGenerator[Framework]:
    before = modules()
    async with project.running_with_problems(services={"gate": gate, "diary": diary}, **options) as framework:
        yield framework
    assert modules() == before


def modules(plan: str = "") -> set[str]:
    """The packages of plans that stand in this process."""
    return {name for name in sys.modules if name.startswith(f"{PREFIX}{plan}") and "." not in name}


@contextmanager
def told(framework: Framework) -> Generator[Callable[[], list[str]]]:
    """The notices of reloads, as a person reads them."""
    with framework.events.subscribe(PlanNotice) as events:
        yield lambda: [line for event in events.pending() for line in notice_of(event)]


async def result(run: asyncio.Task[TaskResult]) -> Any:
    ended = await run
    assert ended.error is None
    return ended.result


async def test_the_next_run_uses_the_edit_and_the_run_in_flight_what_it_began_with(
    project: Project, gate: Gate, diary: Diary
):
    version(project, "one")
    async with running(project, gate, diary) as framework:
        first = asyncio.create_task(framework.submit(Tasklet("talk/say")))
        await gate.here.acquire()
        version(project, "two")
        with told(framework) as notices:
            report = await framework.reload()
            assert notices() == ["plan talk reloaded"]
        assert (report.reloaded, report.added, report.removed, report.refused) == (("talk",), (), (), {})
        assert framework.plans.task("talk/say").meta.title == "two"
        assert framework.config.get("sign", plan="talk") == "two"
        second = asyncio.create_task(framework.submit(Tasklet("talk/say")))
        await gate.here.acquire()
        assert diary.lines == ["one opens", "two opens"]
        gate.go.set()
        assert await result(first) == said("one")
        assert await result(second) == said("two")
        await framework.generations.settled()
        assert diary.lines == ["one opens", "two opens", "one closes"]
        assert len(modules("talk")) == 1
    assert diary.lines == ["one opens", "two opens", "one closes", "two closes"]


async def test_a_broken_edit_leaves_the_last_good_version_and_is_told_once(project: Project, gate: Gate, diary: Diary):
    gate.go.set()
    version(project, "one")
    async with running(project, gate, diary) as framework:
        with told(framework) as notices:
            path = project.write("talk/tasks/say.yaml", "steps:\n  - action: shout\n")
            report = await framework.reload()
            (problem,) = report.refused["talk"]
            assert (problem.path, problem.line) == (str(path), 2)
            (notice,) = notices()
            assert notice.startswith("plan talk: edit not taken, still the version of ")
            assert "tasks/say.yaml:2:13: error: there is no action 'shout'" in notice
            assert str(project.root) not in notice
            assert framework.problems == [problem]
            assert (await framework.submit(Tasklet("talk/say"))).result == said("one")

            assert (await framework.reload()).refused == report.refused
            project.write("p/plan.yaml", "name: p\ndescription: edited")
            assert (await framework.reload()).reloaded == ("p",)
            assert notices() == ["plan p reloaded"]

            version(project, "two")
            assert (await framework.reload()).reloaded == ("talk",)
            assert notices() == ["plan talk reloaded"]
            assert framework.problems == []
            assert (await framework.submit(Tasklet("talk/say"))).result == said("two")


async def test_an_edit_that_is_taken_back_is_told_too(project: Project, gate: Gate, diary: Diary):
    version(project, "one")
    async with running(project, gate, diary) as framework:
        current = framework.plans.current
        with told(framework) as notices:
            project.write("talk/config.yaml", "- no mapping\n")
            await framework.reload()
            notices()
            version(project, "one")
            assert (await framework.reload()).refused == {}
            assert notices() == ["plan talk reloaded"]
            assert framework.plans.current is current
            assert (await framework.reload()) == await framework.reload()
            assert notices() == []


async def test_plans_come_and_go(project: Project, gate: Gate, diary: Diary):
    gate.go.set()
    async with running(project, gate, diary) as framework:
        with told(framework) as notices:
            version(project, "new", plan="fresh")
            assert (await framework.reload()).added == ("fresh",)
            assert (await framework.submit(Tasklet("fresh/say"))).result == said("new")
            for path in sorted((project.plans / "fresh").rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            assert (await framework.reload()).removed == ("fresh",)
            assert notices() == ["plan fresh loaded", "plan fresh removed"]
            assert (await framework.submit(Tasklet("fresh/say"))).error is not None
        await framework.generations.settled()
        assert diary.lines == ["new opens", "new closes"]
        assert modules("fresh") == set()


async def test_a_plan_that_was_broken_at_the_start_is_there_once_it_is_mended(
    project: Project, gate: Gate, diary: Diary
):
    project.write("late/plan.yaml", "name: late")
    project.write("late/tasks/t.yaml", "steps: [{action: nothing}]")
    async with running(project, gate, diary) as framework:
        with told(framework) as notices:
            assert [Path(problem.path).name for problem in framework.problems] == ["t.yaml"]
            await framework.reload()
            assert notices() == []
            project.write("late/tasks/t.yaml", "steps: [{action: nothings}]")
            assert list((await framework.reload()).refused) == ["late"]
            (notice,) = notices()
            assert notice.startswith("plan late: edit not taken, it is not there yet: tasks/t.yaml:1:")
            project.write("late/tasks/t.yaml", "steps: []\nreturns: there")
            await framework.reload()
            assert notices() == ["plan late loaded"]
            assert (framework.problems, (await framework.submit(Tasklet("late/t"))).result) == ([], "there")


async def test_an_edit_that_breaks_another_plan_is_refused_with_the_place_there(
    project: Project, gate: Gate, diary: Diary
):
    project.write("lib/plan.yaml", "name: lib")
    library = project.write("lib/tasks/help.yaml", "steps: []\nreturns: helped")
    project.write("p/plan.yaml", "name: p\nrequires: [lib]")
    project.task("t", "steps: [{run_task: lib/help, output_to: it}]\nreturns: '{{ it }}'")
    async with running(project, gate, diary) as framework:
        with told(framework) as notices:
            library.rename(library.with_name("assist.yaml"))
            assert list((await framework.reload()).refused) == ["lib"]
            (notice,) = notices()
            assert ": p/tasks/t.yaml:1:20: error: the plan 'lib' has no task 'help'" in notice
            assert (await framework.submit(Tasklet("p/t"))).result == "helped"

            project.task("t", "steps: [{run_task: lib/assist, output_to: it}]\nreturns: '{{ it }}'")
            assert (await framework.reload()).reloaded == ("lib", "p")
            assert notices() == ["plan lib reloaded", "plan p reloaded"]
            assert (await framework.submit(Tasklet("p/t"))).result == "helped"

            library.with_name("assist.yaml").unlink()
            (project.plans / "lib/plan.yaml").unlink()
            (project.plans / "lib/tasks").rmdir()
            (project.plans / "lib").rmdir()
            assert list((await framework.reload()).refused) == ["lib"]
            assert "there is no plan 'lib'" in notices()[0]
            assert (await framework.submit(Tasklet("p/t"))).result == "helped"


async def test_of_several_edits_the_good_ones_are_taken(project: Project, gate: Gate, diary: Diary):
    for plan in ("a", "b", "c"):
        project.write(f"{plan}/plan.yaml", f"name: {plan}\nrequires: [{'b' if plan == 'c' else ''}]")
        project.write(f"{plan}/tasks/t.yaml", "steps: []\nreturns: old")
    async with running(project, gate, diary) as framework:
        for plan in ("a", "b", "c"):
            project.write(f"{plan}/tasks/t.yaml", "steps: []\nreturns: new")
        project.write("b/tasks/u.yaml", "stepz: []\n")
        report = await framework.reload()
        assert (report.reloaded, list(report.refused)) == (("a", "c"), ["b"])
        results = [(await framework.submit(Tasklet(f"{plan}/t"))).result for plan in ("a", "b", "c")]
        assert results == ["new", "old", "new"]


async def test_a_good_edit_is_not_refused_for_what_a_bad_one_takes_from_it(project: Project, gate: Gate, diary: Diary):
    project.write("lib/plan.yaml", "name: lib")
    project.write("lib/tasks/help.yaml", "steps: []\nreturns: old help")
    project.write("p/plan.yaml", "name: p\nrequires: [lib]")
    user = "steps: [{{run_task: lib/help, output_to: it}}]\nreturns: '{word} {{{{ it }}}}'"
    project.task("t", user.format(word="old"))
    async with running(project, gate, diary) as framework:
        (project.plans / "lib/tasks/help.yaml").unlink()
        project.write("lib/tasks/other.yaml", "steps: [{run_task: nowhere/to_be_found}]")
        project.task("t", user.format(word="new"))
        report = await framework.reload()
        assert (report.reloaded, list(report.refused)) == (("p",), ["lib"])
        assert [Path(problem.path).name for problem in report.refused["lib"]] == ["other.yaml"]
        assert (await framework.submit(Tasklet("p/t"))).result == "new old help"


async def test_plans_that_come_to_require_each_other_in_a_circle_are_refused(
    project: Project, gate: Gate, diary: Diary
):
    project.write("q/plan.yaml", "name: q\nrequires: [p]")
    async with running(project, gate, diary) as framework:
        project.write("p/plan.yaml", "name: p\nrequires: [q]")
        assert list((await framework.reload()).refused) == ["p"]
        project.write("q/plan.yaml", "name: q\nrequires: [p]\ndescription: edited")
        assert sorted((await framework.reload()).refused) == ["p", "q"]
        project.write("q/plan.yaml", "name: q")
        assert (await framework.reload()).reloaded == ("p", "q")


async def test_limits_that_contradict_each_other_are_refused_and_others_count_at_once(
    project: Project, gate: Gate, diary: Diary
):
    project.write("other/plan.yaml", "name: other\nresources: {net: 2}")
    project.write("p/plan.yaml", "name: p\nresources: {net: 2, disk: 3}")
    project.task("t", "meta: {resources: [disk]}\nsteps: []")
    async with running(project, gate, diary) as framework:
        assert (await framework.submit(Tasklet("p/t"))).ok
        semaphores = framework.execution_manager.resources.semaphores
        assert semaphores["disk"].limit == 3
        project.write("p/plan.yaml", "name: p\nresources: {net: 4, disk: 5}")
        (problem,) = (await framework.reload()).refused["p"]
        assert "'net' has the limit 4 here, but 2 in plan other" in problem.message
        assert semaphores["disk"].limit == 3
        project.write("other/plan.yaml", "name: other\nresources: {net: 4}")
        assert (await framework.reload()).reloaded == ("other", "p")
        assert semaphores["disk"].limit == 5
        assert (await framework.submit(Tasklet("p/t", resources=("net:4",)))).ok


async def test_hooks_follow_the_edit_and_those_of_others_stay(project: Project, gate: Gate, diary: Diary):
    hook = """
        from aura_core.api import config, hook

        @hook("before_task_run")
        async def before(tasklet):
            tasklet.run.marks.add(config("sign") + {word!r})
    """
    project.write("p/actions/hooks.py", hook.format(word="old"))
    project.write("p/config.yaml", "sign: 'first '")
    project.task("t", "steps: []")
    async with running(project, gate, diary) as framework:
        seen: list[Any] = []

        def look(tasklet: Tasklet) -> None:
            seen.extend(tasklet.run.marks)

        framework.hooks.register("before_task_run", look)
        await framework.submit(Tasklet("p/t"))
        project.write("p/actions/hooks.py", hook.format(word="new"))
        project.write("p/config.yaml", "sign: 'then '")
        await framework.reload()
        await framework.submit(Tasklet("p/t"))
        assert seen == ["first old", "then new"]


async def test_a_service_lives_on_while_nothing_it_is_made_of_has_changed(project: Project, gate: Gate, diary: Diary):
    service = """
        from typing import Any
        from aura_core.api import action, requires_services, service

        @service("{name}")
        class Made:
            def __init__(self, diary: Any{needs}) -> None:
                self.diary = diary
                diary.write("{name} opens")

            def close(self) -> None:
                self.diary.write("{name} closes")

        @action("use_{name}")
        @requires_services(it="{name}")
        async def use(it: Any) -> int:
            return {number}
    """
    tools = service.format(name="tool", needs="", number="{number}")
    project.write("aura_base/plan.yaml", "name: aura_base")
    project.write("aura_base/services/tool.py", tools.format(number=1))
    project.write("p/services/user.py", service.format(name="user", needs=", tool: Any", number=1))
    task = project.task("t", "steps: [{action: use_user}]")

    async def lines_after_a_run(framework: Framework) -> list[str]:
        await framework.reload()
        assert (await framework.submit(Tasklet("p/t"))).ok
        await framework.generations.settled()
        lines, diary.lines = diary.lines, []
        return lines

    async with running(project, gate, diary) as framework:
        assert await lines_after_a_run(framework) == ["tool opens", "user opens"]
        task.write_text("meta: {title: Edited}\nsteps: [{action: use_user}]")
        assert await lines_after_a_run(framework) == []
        project.write("aura_base/tasks/new.yaml", "steps: []")
        assert await lines_after_a_run(framework) == []
        project.write("p/config.yaml", "a: 1")
        assert await lines_after_a_run(framework) == ["user closes", "user opens"]
        project.write("aura_base/services/tool.py", tools.format(number=2))
        assert await lines_after_a_run(framework) == ["user closes", "tool closes", "tool opens", "user opens"]


async def test_a_process_runs_the_new_function_in_the_next_run_and_the_old_one_in_flight(
    project: Project, gate: Gate, diary: Diary
):
    version(project, "one")
    limits = ExecutionLimits(processes=1)
    async with running(project, gate, diary, limits=limits) as framework:
        first = asyncio.create_task(framework.submit(Tasklet("talk/count")))
        await gate.here.acquire()
        runs = [first]
        for word in ("two", "three", "four"):
            version(project, word)
            await framework.reload()
            runs.append(asyncio.create_task(framework.submit(Tasklet("talk/count"))))
            await gate.here.acquire()
        version(project, "gone")
        gate.go.set()
        for run, word in zip(runs, ("one", "two", "three", "four"), strict=True):
            assert await result(run) == f"{word} {word}"
        again = [asyncio.create_task(framework.submit(Tasklet("talk/count"))) for _ in range(3)]
        assert [await result(run) for run in again] == ["four four"] * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise SystemExit(1)\n", "actions/bad.py:1:1: error: this file cannot be imported: SystemExit: 1"),
        ("raise KeyboardInterrupt\n", "actions/bad.py:1:1: error: this file cannot be imported: KeyboardInterrupt"),
        ("def f(:\n", "actions/bad.py:1:7: error: this is not valid Python"),
        ("import nothing_of_this_name\n", "actions/bad.py:1:1: error: this file cannot be imported"),
        ("\0", "actions/bad.py"),
    ],
)
async def test_python_that_breaks_off_breaks_nothing_else(
    project: Project, gate: Gate, diary: Diary, text: str, words: str
):
    gate.go.set()
    version(project, "one")
    async with running(project, gate, diary) as framework:
        with told(framework) as notices:
            project.write("talk/actions/bad.py", text)
            await framework.reload()
            assert words in notices()[0]
            assert (await framework.submit(Tasklet("talk/say"))).result == said("one")
            assert len(modules("talk")) == 1


async def test_python_that_never_ends_is_ended_and_its_place_told(
    project: Project, gate: Gate, diary: Diary, monkeypatch: pytest.MonkeyPatch
):
    release = threading.Event()
    monkeypatch.setattr(threading, "reload_test_ends", release.is_set, raising=False)
    version(project, "one")
    async with running(project, gate, diary) as framework:
        framework.reloader.seconds = 0.05
        project.write(
            "talk/actions/bad.py",
            """
            import threading
            x = 0
            while not threading.reload_test_ends():
                try:
                    x += 1
                except Exception:
                    pass
            """,
        )
        (problem, *_) = (await framework.reload()).refused["talk"]
        assert Path(problem.path).name == "bad.py"
        assert problem.line in range(1, 9)
        assert "TooLong" in problem.message or "did not end within" in problem.message
        release.set()
        for thread in [thread for thread in threading.enumerate() if thread.name == "aura-load"]:
            await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)
        assert len(modules("talk")) == 1


async def test_python_that_waits_outside_python_is_left_alone(
    project: Project, gate: Gate, diary: Diary, monkeypatch: pytest.MonkeyPatch
):
    release = threading.Event()
    monkeypatch.setattr(threading, "reload_test_waits", release.wait, raising=False)
    version(project, "one")
    async with running(project, gate, diary) as framework:
        framework.reloader.seconds = 0.05
        project.write("talk/actions/bad.py", "import threading\n\nthreading.reload_test_waits()\n")
        (problem,) = (await framework.reload()).refused["talk"]
        assert (Path(problem.path).name, problem.line) == ("bad.py", 3)
        assert "did not end within 0.05 s" in problem.message
        loads = [thread for thread in threading.enumerate() if thread.name == "aura-load"]
        release.set()
        for thread in loads:
            await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)
        assert len(modules("talk")) == 1


async def test_files_that_change_while_they_are_read_are_read_again(project: Project, gate: Gate, diary: Diary):
    gate.go.set()
    version(project, "one")
    own = project.plans / "talk" / "tasks" / "say.yaml"
    async with running(project, gate, diary) as framework:
        version(project, "two")
        text = f"from pathlib import Path\nPath({str(own)!r}).write_text({TALK.format(word='late')!r})\n"
        project.write("talk/actions/writes.py", text)
        await framework.reload()
        assert (await framework.submit(Tasklet("talk/say"))).result == said("two").replace("two:", "late:")
        assert len(modules("talk")) == 1


async def test_a_plan_is_reloaded_by_name_although_nothing_was_edited(project: Project, gate: Gate, diary: Diary):
    version(project, "one")
    async with running(project, gate, diary) as framework:
        before = modules("talk")
        assert (await framework.reload(["talk"])).reloaded == ("talk",)
        await framework.generations.settled()
        assert len(modules("talk")) == 1
        assert modules("talk") != before
        with pytest.raises(NotFoundError, match="did you mean 'talk'"):
            await framework.reload(["tlk"])


async def test_what_a_plan_keeps_stays(project: Project, gate: Gate, diary: Diary):
    keep = """
        from aura_core.api import Context, action

        @action("keep")
        async def keep(context: Context) -> int:
            async with context.state.edit() as data:
                data["times"] = data.get("times", 0) + {by}
            return context.state["times"]
    """
    project.write("p/actions/keep.py", keep.format(by=1))
    project.task("t", "steps: [{action: keep, output_to: times}]\nreturns: '{{ times }}'")
    async with running(project, gate, diary) as framework:
        assert (await framework.submit(Tasklet("p/t"))).result == 1
        project.write("p/actions/keep.py", keep.format(by=10))
        await framework.reload()
        assert (await framework.submit(Tasklet("p/t"))).result == 11


async def test_the_event_loop_goes_on_while_plans_are_read(project: Project, gate: Gate, diary: Diary):
    project.write(
        "p/actions/where.py",
        "import threading\nNAME = threading.current_thread().name\n"
        "from aura_core.api import action\n\n@action('where', inline=True)\ndef where() -> str:\n    return NAME\n",
    )
    project.task("t", "steps: [{action: where, output_to: it}]\nreturns: '{{ it }}'")
    async with running(project, gate, diary) as framework:
        assert (await framework.submit(Tasklet("p/t"))).result == "aura-load"
        await framework.reload(["p"])
        assert (await framework.submit(Tasklet("p/t"))).result == "aura-load"


async def test_a_cancelled_reload_leaves_everything_as_it_was(project: Project, gate: Gate, diary: Diary):
    gate.go.set()
    version(project, "one")
    async with running(project, gate, diary) as framework:
        version(project, "two")
        reload = asyncio.create_task(framework.reload())
        for _ in range(3):
            await asyncio.sleep(0)
        reload.cancel()
        await asyncio.wait([reload])
        assert (await framework.submit(Tasklet("talk/say"))).result == said("one")
        await framework.reload()
        assert (await framework.submit(Tasklet("talk/say"))).result == said("two")
        await framework.generations.settled()
        assert len(modules("talk")) == 1


GUARD = """
from typing import Any
from aura_core.api import action, requires_services

@action("is_due")
@requires_services(diary="diary")
async def is_due(diary: Any) -> bool:
    return diary.due.is_set() and not diary.handled.is_set()

@action("handle")
@requires_services(diary="diary")
async def handle(diary: Any, who: str) -> None:
    diary.write("{word} action for " + who)
    diary.handled.set()

@action("is_ready")
@requires_services(diary="diary")
async def is_ready(diary: Any, of: str) -> bool:
    diary.write("{word} action looks, " + of)
    return True
"""


def guarded(project: Project, word: str) -> None:
    project.write("talk/actions/guard.py", GUARD.format(word=word))
    project.write(
        "talk/interrupts.yaml",
        f"{word}:\n  condition: {{action: is_due}}\n  task: handle_{word}\n  every: 0.01\n  mode: beside\n",
    )
    project.write("talk/states.yaml", f"states: {{ready: {{check: {word}_ready}}}}\ntransitions: []\n")
    for old in project.plans.glob("talk/tasks/*"):
        old.unlink()
    project.write(f"talk/tasks/handle_{word}.yaml", f"steps: [{{action: handle, params: {{who: {word} task}}}}]\n")
    look = f"{{action: is_ready, params: {{of: {word} task}}, output_to: it}}"
    project.write(f"talk/tasks/{word}_ready.yaml", f"steps: [{look}]\nreturns: '{{{{ it }}}}'\n")
    meta = f"meta: {{requires_initial_state: ready, activates_interrupts: [{word}]}}\n"
    project.write("talk/tasks/t.yaml", f"{meta}steps: [{{action: held}}, {{action: held}}]\nreturns: {word}\n")


async def test_states_and_interrupts_of_a_run_are_those_it_began_with(project: Project, gate: Gate, diary: Diary):
    project.write("talk/plan.yaml", "name: talk")
    project.write("talk/actions/gate.py", GATE)
    guarded(project, "old")
    async with running(project, gate, diary) as framework:
        first = asyncio.create_task(framework.submit(Tasklet("talk/t")))
        await gate.here.acquire()
        guarded(project, "new")
        assert (await framework.reload()).reloaded == ("talk",)
        diary.due.set()
        await diary.handled.wait()
        gate.go.set()
        assert await result(first) == "old"
        assert diary.lines == ["old action looks, old task", "old action for old task"]
        diary.lines.clear()
        assert (await framework.submit(Tasklet("talk/t"))).result == "new"
        assert diary.lines == ["new action looks, new task"]


async def test_the_old_version_leaves_the_memory(project: Project, gate: Gate, diary: Diary):
    gate.go.set()
    version(project, "one")
    async with running(project, gate, diary) as framework:
        assert (await framework.submit(Tasklet("talk/say"))).ok
        generation = weakref.ref(framework.generations.current)
        function = weakref.ref(framework.plans.plans["talk"].actions["speak"])
        version(project, "two")
        await framework.reload()
        assert (await framework.submit(Tasklet("talk/say"))).ok
        async with asyncio.timeout(20):
            while generation() is not None or function() is not None:
                await asyncio.sleep(0.01)
                gc.collect()
