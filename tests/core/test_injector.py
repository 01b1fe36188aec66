"""How actions are called: parameters, injected things, threads, processes, middleware."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

from aura_core import orchestrator
from aura_core.api import ActionSpec
from aura_core.plugins import injector, middleware
from aura_core.plugins.middleware import ActionCall, Proceed
from aura_core.plugins.registry import problem_at
from aura_core.plugins.signature import SignatureError, read_signature
from aura_core.tasklet import Tasklet, TaskResult
from tests.fixtures.project import Project

TYPED = """
    from __future__ import annotations

    from datetime import date
    from typing import Annotated, Any, Literal, Optional

    from pydantic import BaseModel, Field
    from aura_core.api import action

    class Person(BaseModel):
        name: str
        born: date

    @action("typed", inline=True)
    def typed(
        count: int,
        day: Optional[date] = None,
        size: Annotated[float, Field(gt=0, le=10)] = 1.0,
        mode: Literal["short", "long"] = "short",
        text: str = "",
        person: Person | None = None,
    ) -> list[Any]:
        return [count, day, size, mode, text, person]

    @action("open", inline=True)
    def open_(message: str, **fields: Any) -> dict[str, Any]:
        return {"message": message, **fields}
"""


async def call(project: Project, name: str, params: str, **options: Any) -> TaskResult:
    text = f"steps: [{{action: {name}, params: '{{{{ inputs.params }}}}', output_to: got}}]\nreturns: '{{{{ got }}}}'"
    return await project.run(f"meta: {{inputs: {{params: {{type: object, default: {params}}}}}}}\n{text}", **options)


async def test_parameters_are_converted_to_their_types(project: Project):
    project.write("p/actions/typed.py", TYPED)
    result = await call(
        project,
        "typed",
        '{count: "7", day: "2026-12-24", size: 3, mode: long, text: 42, person: {name: Ann, born: "2000-01-01"}}',
    )
    count, day, size, mode, text, person = result.result
    assert (count, day.isoformat(), size, mode, text, person.born.year) == (7, "2026-12-24", 3.0, "long", "42", 2000)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ("{count: many}", ["Action p/typed", "parameter 'count'", "valid integer", "'many'"]),
        ("{}", ["parameter 'count' is missing", "it takes count, day, size"]),
        ("{count: 1, coutn: 2}", ["no parameter 'coutn'", "did you mean 'count'"]),
        ("{count: 1, zzz: 2}", ["no parameter 'zzz'", "it takes count"]),
        ("{count: 1, size: 11}", ["parameter 'size'", "less than or equal to 10"]),
        ("{count: 1, mode: tiny}", ["parameter 'mode'", "'short' or 'long'"]),
        ("{count: 1, person: {name: Ann}}", ["parameter \"person['born']\"", "required"]),
        ("{count: [1], size: 0}", ["parameter 'count'", "parameter 'size'"]),
        (f"{{count: {'x' * 200}}}", ["…"]),
    ],
)
async def test_wrong_parameters_name_the_action_the_parameter_and_what_is_allowed(
    project: Project, params: str, words: list[str]
):
    project.write("p/actions/typed.py", TYPED)
    error = (await call(project, "typed", params)).error
    assert error is not None
    assert error.type == "InputError"
    for word in words:
        assert word in error.message


async def test_a_parameter_without_a_type_takes_anything(project: Project):
    project.write(
        "p/actions/bare.py",
        """
        from aura_core.api import action

        @action("bare", inline=True)
        def bare(value, more=None):
            return [value, more]
        """,
    )
    assert (await call(project, "bare", "{value: {a: [1, x]}}")).result == [{"a": [1, "x"]}, None]


async def test_params_that_are_no_mapping_are_refused(project: Project):
    project.write("p/actions/typed.py", TYPED)
    result = await project.run("steps: [{set: {x: [1]}}, {action: typed, params: '{{ x }}'}]")
    assert result.error is not None
    assert "params must be a mapping of names to values, not [1]" in result.error.message


async def test_an_action_that_takes_anything_gets_everything(project: Project):
    project.write("p/actions/typed.py", TYPED)
    assert (await call(project, "open", "{message: hi, n: 1}")).result == {"message": "hi", "n": 1}


async def test_services_context_engine_and_config_are_injected_by_name(project: Project):
    project.write("p/config.yaml", "colour: red")
    project.write(
        "p/services/store.py",
        """
        from aura_core.api import service

        @service("store")
        class Store:
            def __init__(self, config):
                self.colour = config("colour")
        """,
    )
    project.write(
        "p/actions/all.py",
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING, Any
        from aura_core.api import action, requires_services
        from ..services.store import Store
        if TYPE_CHECKING:
            from aura_core.api import Context

        @requires_services(store="store", lent="clock")
        @action("all")
        async def all_(n: int, store: Store, lent: Any, context: Context, engine: Any, config: Any) -> list[Any]:
            kinds = [type(store) is Store, type(engine).__name__]
            return [n, store.colour, lent, context.plan, *kinds, config("colour"), config.get("none", 5)]
        """,
    )
    result = await project.run(
        "steps: [{action: all, params: {n: 1}, output_to: got}]\nreturns: '{{ got }}'", services={"clock": "tick"}
    )
    assert result.result == [1, "red", "tick", "p", True, "ExecutionEngine", "red", 5]


async def test_plain_functions_run_in_threads_inline_ones_on_the_loop_and_cpu_ones_in_processes(project: Project):
    project.write(
        "p/actions/where.py",
        """
        import os
        import threading
        from aura_core.api import action

        @action("thread")
        def thread() -> list:
            return [threading.current_thread().name, os.getpid()]

        @action("inline", inline=True)
        def inline() -> list:
            return [threading.current_thread().name, os.getpid()]

        @action("process", cpu=True)
        def process() -> list:
            return [threading.current_thread().name, os.getpid()]
        """,
    )
    result = await project.run("""
        steps:
          - {action: thread, output_to: a}
          - {action: inline, output_to: b}
          - {action: process, output_to: c}
        returns: "{{ [a, b, c] }}"
    """)
    (thread, its_pid), (inline, own_pid), (_, other_pid) = result.result
    assert thread.startswith("aura-io")
    assert inline == threading.current_thread().name
    assert its_pid == own_pid == os.getpid() != other_pid


CPU = """
    from __future__ import annotations

    import os
    import signal
    import threading
    from dataclasses import dataclass
    from aura_core.api import action

    @dataclass
    class Pair:
        left: int
        right: int

    class Odd(Exception):
        def __init__(self, left, right):
            super().__init__(f"{left} and {right}")

    @action("swap", cpu=True)
    def swap(pair: Pair) -> Pair:
        return Pair(pair.right, pair.left)

    @action("die", cpu=True)
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @action("odd", cpu=True)
    def odd() -> None:
        raise Odd(1, 2)

    @action("plain_error", cpu=True)
    def plain_error() -> None:
        raise ValueError("plain")

    @action("unpicklable", cpu=True)
    def unpicklable() -> object:
        return threading.Lock()

    @action("take", cpu=True)
    def take(value: object) -> str:
        return "taken"

    class Trap:
        def __reduce__(self):
            return (_trap, (os.getpid(),))

    def _trap(pid):
        if os.getpid() != pid:
            raise ValueError("trapped")
        return Trap()

    @action("trap", cpu=True)
    def trap() -> object:
        return Trap()
"""


async def test_values_of_a_plans_own_classes_travel_to_a_process_and_back(project: Project):
    project.write("p/actions/cpu.py", CPU)
    result = await project.run("""
        steps: [{action: swap, params: {pair: {left: 1, right: 2}}, output_to: got}]
        returns: "{{ [got.left, got.right] }}"
    """)
    assert result.result == [2, 1]


@pytest.mark.slow
async def test_a_process_that_is_killed_fails_its_task_and_is_replaced(project: Project):
    project.write("p/actions/cpu.py", CPU)
    project.task("die", "steps: [{action: die}]")
    project.task("swap", "steps: [{action: swap, params: {pair: {left: 1, right: 2}}}]")
    async with project.running() as framework:
        error = (await framework.submit(Tasklet("p/die"))).error
        assert error is not None
        assert error.type == "WorkerDiedError"
        assert "action die" in error.message
        assert (await framework.submit(Tasklet("p/swap"))).ok


@pytest.mark.slow
async def test_a_worker_killed_from_outside_is_replaced_too(project: Project):
    project.write(
        "p/actions/wait.py",
        """
        import os, time
        from aura_core.api import action

        @action("wait", cpu=True)
        def wait(mark: str) -> str:
            if os.path.exists(mark):
                return "second time"
            with open(mark, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(60)
            return "never"
        """,
    )
    mark = project.root / "mark"
    project.task(
        "t",
        f"""
        steps:
          - action: wait
            params: {{mark: "{mark}"}}
            retry: {{attempts: 2, on: [WorkerDiedError]}}
            output_to: a
        returns: "{{{{ a }}}}"
        """,
    )

    def kill_when_it_runs() -> None:
        while not mark.exists() or not mark.read_text():
            threading.Event().wait(0.01)
        os.kill(int(mark.read_text()), signal.SIGKILL)

    async with project.running() as framework:
        killer = threading.Thread(target=kill_when_it_runs)
        killer.start()
        result = await framework.submit(Tasklet("p/t"))
        killer.join()
    assert result.result == "second time"


async def test_an_inline_action_gets_its_context(project: Project):
    result = await project.run("steps: [{action: note, params: {text: a}}]\nreturns: '{{ log }}'")
    assert result.result == ["a"]


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        ("odd", "WorkerActionError", "Odd: 1 and 2"),
        ("plain_error", "ValueError", "ValueError: plain [action p/plain_error"),
        ("unpicklable", "ActionError", "cannot leave its process"),
        ("trap", "ActionError", "cannot be read here: trapped"),
    ],
)
async def test_errors_of_another_process_arrive_in_words(project: Project, step: str, kind: str, words: str):
    project.write("p/actions/cpu.py", CPU)
    error = (await project.run(f"steps: [{{action: {step}}}]")).error
    assert error is not None
    assert error.type == kind
    assert words in error.message


async def test_an_exception_that_cannot_travel_still_counts_for_retry_on(project: Project):
    project.write("p/actions/cpu.py", CPU)
    error = (await project.run("steps: [{action: odd, retry: {attempts: 2, on: [Odd]}}]")).error
    assert error is not None
    assert error.attempts == 2


async def test_a_parameter_that_cannot_travel_is_named_as_such(project: Project):
    project.write("p/actions/cpu.py", CPU)
    project.write(
        "p/actions/lock.py",
        """
        import threading
        from aura_core.api import action

        @action("lock", inline=True)
        def lock() -> object:
            return threading.Lock()
        """,
    )
    error = (
        await project.run("steps: [{action: lock, output_to: l}, {action: take, params: {value: '{{ l }}'}}]")
    ).error
    assert error is not None
    assert "A parameter of cpu action take cannot travel" in error.message


async def test_middleware_wraps_every_call_and_sees_validated_parameters(project: Project):
    project.write("p/actions/typed.py", TYPED)
    seen: list[Any] = []

    async def watch(call: ActionCall, proceed: Proceed) -> Any:
        seen.append((call.action.ref, dict(call.params)))
        return await proceed(call)

    async def double(call: ActionCall, proceed: Proceed) -> Any:
        return (await proceed(call)) * 2

    project.task("t", "steps: [{action: typed, params: {count: '3'}, output_to: got}]\nreturns: '{{ got }}'")
    async with project.running(middleware=[watch]) as framework:
        once = await framework.submit(Tasklet("p/t"))
    async with project.running(middleware=[watch, double]) as framework:
        twice = await framework.submit(Tasklet("p/t"))
    assert seen == [("p/typed", {"count": 3})] * 2
    assert len(once.result) * 2 == len(twice.result)


class Recorder(trace.NoOpTracer):
    def __init__(self) -> None:
        self.names: list[str] = []

    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Any:
        self.names.append(name)
        return super().start_as_current_span(name, *args, **kwargs)


async def test_spans_are_opened_only_while_somebody_traces(project: Project, monkeypatch: pytest.MonkeyPatch):
    recorder = Recorder()
    monkeypatch.setattr(middleware, "_tracer", recorder)
    monkeypatch.setattr(orchestrator, "_tracer", recorder)
    project.task("t", "steps: [{action: echo}]")
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/t"))).ok
    assert recorder.names == []
    monkeypatch.setattr(injector, "somebody_traces", lambda: True)
    async with project.running() as framework:
        assert (await framework.submit(Tasklet("p/t"))).ok
    assert recorder.names == ["task p/t", "action p/echo"]


def test_nobody_traces_unless_a_provider_was_installed(monkeypatch: pytest.MonkeyPatch):
    assert not middleware.somebody_traces()
    monkeypatch.setattr(trace, "get_tracer_provider", object)
    assert middleware.somebody_traces()


def positional(a: int, /) -> int:
    return a


def many(*a: int) -> tuple[int, ...]:
    return a


def plain(a: int) -> int:
    return a


class NotAType:
    pass


@pytest.mark.parametrize(
    ("function", "services", "words"),
    [
        (positional, {}, "positional"),
        (many, {}, "positional"),
        (plain, {"b": "store"}, "'b', which is not a parameter"),
    ],
)
def test_signatures_that_no_step_could_call_are_refused(
    function: Callable[..., Any], services: dict[str, str], words: str
):
    with pytest.raises(SignatureError, match=words):
        read_signature(function, services)


def test_a_problem_without_source_names_what_it_can():
    assert problem_at(print, "wrong", Path("plans/p")).path == "plans/p"


def test_what_an_action_says_of_itself_is_kept():
    spec = ActionSpec("plain")
    signature = read_signature(plain, spec.services)
    assert (signature.parameters, signature.required, signature.open) == (("a",), frozenset({"a"}), False)


BAD = """
    from __future__ import annotations
    from typing import TYPE_CHECKING, Annotated
    from pydantic import Field
    from aura_core.api import action, requires_services
    if TYPE_CHECKING:
        from datetime import date

    @action("hidden")
    async def hidden(day: date) -> None: ...

    @action("default")
    async def default(n: int = Field(3, gt=1)) -> None: ...

    @action("cpu_async", cpu=True)
    async def cpu_async() -> None: ...

    @action("cpu_context", cpu=True)
    def cpu_context(context) -> None: ...

    @action("twice")
    async def one() -> None: ...

    @action("twice")
    async def two() -> None: ...

    @action("unknown_service")
    @requires_services(store="stoer")
    async def unknown_service(store) -> None: ...

    @action("strange", inline=True)
    def strange(value: Annotated[int, Field(discriminator="kind")]) -> None: ...

    @action("broken", inline=True)
    def broken(value: 1 / 0) -> None: ...
"""


async def test_actions_that_cannot_work_are_problems_of_their_plan_with_their_place(project: Project):
    path = project.write("p/actions/bad.py", BAD)
    async with project.running_with_problems() as framework:
        problems = {problem.message: problem for problem in framework.problems}
        assert "p" not in framework.plans.plans
    text = "\n".join(problems)
    for words in (
        "action 'hidden': the type of parameter 'day' is not known",
        "action 'default': parameter 'n' has Field(…) as its default",
        "action 'cpu_async': a cpu action is a plain `def`",
        "action 'cpu_context': a cpu action runs in another process, where there is no 'context'",
        "action 'twice': the plan has two actions named 'twice'",
        "there is no service 'stoer'",
        "action 'strange': its parameters cannot be validated",
        "action 'broken': the type of parameter 'value' cannot be read",
    ):
        assert words in text
    assert {Path(problem.path) for problem in problems.values()} == {path}
    assert all(problem.line > 1 for problem in problems.values())
