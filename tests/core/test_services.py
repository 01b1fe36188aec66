"""Services: made once, when first needed, with what they need; closed in reverse."""

from __future__ import annotations

import asyncio

import pytest

from aura_core.plugins import service_registry
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

SERVICES = """
    from __future__ import annotations
    import asyncio
    from aura_core.api import config, service

    log = []

    @service("disk")
    class Disk:
        def __init__(self, config, size=5, *more, **rest):
            self.name = config("disk")
            log.append(f"made {self.name} of {size}")

        async def start(self):
            await asyncio.sleep(0)
            log.append(f"started {config('disk')}")

        async def close(self):
            log.append(f"closed {config('disk')}")

    @service("store")
    class Store:
        def __init__(self, disk, clock):
            self.disk = disk
            self.clock = clock
            log.append("made store")

        def close(self):
            log.append("closed store")

    @service("typed")
    class Typed:
        def __init__(self, where: Disk):
            self.where = where
            log.append("made typed")

    @service("broken")
    class Broken:
        def __init__(self):
            raise OSError("no such device")

    @service("bad_close")
    class BadClose:
        def close(self):
            raise OSError("will not close")

    @service("slow_close")
    class SlowClose:
        async def close(self):
            await asyncio.sleep(60)
"""
ACTIONS = """
    from aura_core.api import action, requires_services
    from ..services.all import log

    @action("use")
    @requires_services(store="store", typed="typed")
    async def use(store, typed) -> list:
        return [store.disk is typed.where, store.clock, list(log)]

    @action("fragile")
    @requires_services(broken="broken")
    async def fragile(broken) -> None: ...

    @action("unclosable")
    @requires_services(a="bad_close", b="slow_close")
    async def unclosable(a, b) -> None: ...

    @action("model")
    @requires_services(llm="llm")
    async def model(llm) -> str:
        return llm
"""


@pytest.fixture
def services(project: Project) -> Project:
    project.write("p/config.yaml", "disk: ssd")
    project.write("p/services/all.py", SERVICES)
    project.write("p/actions/use.py", ACTIONS)
    return project


async def test_a_service_is_made_once_with_what_it_needs_and_closed_in_reverse(services: Project):
    services.task("t", "steps: [{action: use, output_to: got}]\nreturns: '{{ got }}'")
    async with services.running(services={"clock": "tick"}) as framework:
        results = await asyncio.gather(*(framework.submit(Tasklet("p/t")) for _ in range(5)))
        log = framework.plans.plans["p"].services["disk"].__init__.__globals__["log"]
    assert results[0].result == [True, "tick", ["made ssd of 5", "started ssd", "made store", "made typed"]]
    assert all(result.result == results[0].result for result in results)
    assert log[4:] == ["closed store", "closed ssd"]


async def test_a_service_that_cannot_start_fails_the_step_and_is_tried_anew(services: Project):
    result = await services.run("steps: [{action: fragile, retry: {attempts: 2}}]", services={"clock": "tick"})
    assert result.error is not None
    assert result.error.message == "The service p/broken cannot be started: OSError: no such device"


async def test_a_service_that_will_not_close_does_not_keep_the_others_open(
    services: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service_registry, "CLOSE_SECONDS", 0.05)
    services.task("t", "steps: [{action: use}, {action: unclosable}]")
    async with services.running(services={"clock": "tick"}) as framework:
        assert (await framework.submit(Tasklet("p/t"))).ok
        log = framework.plans.plans["p"].services["disk"].__init__.__globals__["log"]
    assert log[-1] == "closed ssd"


ENDS = ["SystemExit(3)", "KeyboardInterrupt", "asyncio.CancelledError", "BaseExceptionGroup('x', [SystemExit()])"]
LEAVING = """
    import asyncio
    from aura_core.api import action, requires_services, service

    log = []

    @service("first")
    class First:
        def close(self):
            log.append("first is closed")

    @service("leaving")
    class Leaving:
        def __init__(self, first): ...

        {form} {method}(self):
            raise {error}

    @action("need")
    @requires_services(leaving="leaving")
    async def need(leaving) -> list:
        return log
"""


@pytest.mark.parametrize("form", ["def", "async def"])
@pytest.mark.parametrize("error", ENDS)
async def test_a_service_that_ends_as_a_program_does_when_it_is_closed_ends_nothing(
    project: Project, form: str, error: str
):
    project.write("p/services/leaving.py", LEAVING.format(form=form, method="close", error=error))
    project.task("t", "steps: [{action: need, output_to: it}]\nreturns: '{{ it }}'")
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/t"))).ok
        log = framework.plans.plans["p"].services["leaving"].close.__globals__["log"]
    assert log == ["first is closed"]


@pytest.mark.parametrize("form", ["def", "async def"])
@pytest.mark.parametrize("error", ENDS)
async def test_a_service_that_ends_as_a_program_does_when_it_starts_fails_the_step_alone(
    project: Project, form: str, error: str
):
    project.write("p/services/leaving.py", LEAVING.format(form=form, method="start", error=error))
    result = await project.run("steps: [{action: need}]")
    assert result.error is not None
    assert result.error.message.startswith("The service p/leaving cannot be started: ")


async def test_a_service_of_an_edited_plan_that_calls_exit_when_it_is_closed_ends_nothing(project: Project):
    project.write("p/services/leaving.py", LEAVING.format(form="def", method="close", error="SystemExit"))
    project.task("t", "steps: [{action: need}]")
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/t"))).ok
        project.write("p/services/leaving.py", LEAVING.format(form="def", method="start", error="SystemExit(4)"))
        await framework.reload()
        await framework.generations.settled()
        assert not (await framework.submit(Tasklet("p/t"))).ok


async def test_a_lent_service_may_be_absent_until_it_is_needed(services: Project):
    text = "steps: [{action: model, output_to: got}]\nreturns: '{{ got }}'"
    result = await services.run(text, services={"clock": "tick"})
    assert result.error is not None
    assert "'llm' is not available here" in result.error.message
    assert (await services.run(text, services={"clock": "tick", "llm": "a model"})).result == "a model"


async def test_services_of_another_plan_are_reached_by_its_name(project: Project):
    project.write("q/plan.yaml", "name: q")
    project.write(
        "q/services/store.py",
        """
        from aura_core.api import service

        @service("store")
        class Store:
            plan = "q"
        """,
    )
    project.write("p/plan.yaml", "name: p\nrequires: [q]")
    project.write(
        "p/actions/use.py",
        """
        from aura_core.api import action, requires_services

        @action("use")
        @requires_services(store="q/store")
        async def use(store) -> str:
            return store.plan
        """,
    )
    assert (await project.run("steps: [{action: use, output_to: a}]\nreturns: '{{ a }}'")).result == "q"


async def test_needs_that_go_in_a_circle_or_nowhere_are_problems_at_load(project: Project):
    path = project.write(
        "p/services/round.py",
        """
        from aura_core.api import service

        @service("a")
        class A:
            def __init__(self, b): ...

        @service("b")
        class B:
            def __init__(self, c: "A"): ...

        @service("lonely")
        class Lonely:
            def __init__(self, nobody): ...

        @service("lonely")
        class Again: ...
        """,
    )
    async with project.running_with_problems() as framework:
        texts = [str(problem) for problem in framework.problems]
    assert any(("need each other in a circle" in text and "a → b → a" in text) or "b → a → b" in text for text in texts)
    assert any("needs 'nobody', but there is no service 'nobody'" in text for text in texts)
    assert any("two services named 'lonely'" in text for text in texts)
    assert all(text.startswith(str(path)) for text in texts)


async def test_services_of_a_plan_that_is_not_required_are_out_of_reach(project: Project):
    project.write("q/plan.yaml", "name: q")
    project.write(
        "q/services/box.py",
        """
        from aura_core.api import service

        @service("box")
        class Box:
            content = "gold"
        """,
    )
    project.write(
        "p/actions/open.py",
        """
        from aura_core.api import action, requires_services

        @action("open")
        @requires_services(box="q/box")
        def open_it(box):
            return box.content
        """,
    )
    project.task("t", "steps: [{action: open, output_to: x}]\nreturns: '{{ x }}'")
    async with project.running_with_problems() as framework:
        (problem,) = [str(problem) for problem in framework.problems]
    assert "requires: [q]" in problem
    project.write("p/plan.yaml", "requires: [q]")
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/t"))).result == "gold"
