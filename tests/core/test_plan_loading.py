"""The start: a plan whose Python hangs or breaks out is a broken plan like any other; the rest loads, Aura starts."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aura_core.execution.plan_modules import PREFIX
from aura_core.generations.plan_loading import check_folders
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

HEAD = "from aura_core.api import action, hook, service\n\n"
LINE = HEAD.count("\n") + 1
SECONDS = 0.5
"""Enough for a plan that does nothing, on a busy machine too."""
ENDLESS = "while True:\n    pass\n"
ends_threads = pytest.mark.skipif(
    sys.gettrace() is not None, reason="a traced thread is not told to end (see run_patiently)"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.task("t", "steps: [{action: echo, params: {value: well}, output_to: it}]\nreturns: '{{ it }}'")
    return project


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    before = {name for name in sys.modules if name.startswith(PREFIX)}
    yield
    assert {name for name in sys.modules if name.startswith(PREFIX)} == before


async def broken(project: Project, text: str, *, seconds: float = 30.0) -> tuple[str, int, str]:
    """Starts Aura with a plan `bad` of one Python file, and gives file, line and text of what is wrong with it."""
    project.write("bad/plan.yaml", "name: bad")
    project.write("bad/actions/a.py", text)
    async with project.running_with_problems(load_seconds=seconds) as framework:
        assert (await framework.submit(Tasklet("p/t"))).result == "well"
        assert list(framework.plans.plans) == ["p"]
        problem, *rest = framework.problems
        assert not rest
    return Path(problem.path).name, problem.line, f"{problem.message}: {problem.hint}"


@ends_threads
@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "x = 0\nwhile True:\n    try: x += 1\n    except Exception: pass",
        (
            "class T:\n    def __get_pydantic_core_schema__(*_):\n        while True: pass\n"
            "@action('a')\ndef a(x: T) -> None: ..."
        ),
        "class L:\n    def __call__(self): ...\n    def __getattr__(self, name):\n        while True: pass\nit = L()",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
    ],
)
async def test_a_plan_that_loops_while_it_is_loaded_is_given_up_and_the_others_start(project: Project, loop: str):
    text = HEAD + loop + "\n"
    name, line, said = await broken(project, text, seconds=SECONDS)
    assert (name, line in range(LINE, text.count("\n") + 1)) == ("a.py", True)
    if "def __str__" not in loop:
        assert "loading this plan did not end within 0.5 s" in said
        assert "do what waits or loops inside an action" in said


async def test_a_plan_that_waits_outside_python_at_the_start_is_left_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    release = threading.Event()
    monkeypatch.setattr(threading, "loading_test_waits", release.wait, raising=False)
    name, line, said = await broken(project, "import threading\n\nthreading.loading_test_waits()\n", seconds=SECONDS)
    assert (name, line) == ("a.py", 3)
    assert "did not end within 0.5 s" in said
    threads = [thread for thread in threading.enumerate() if thread.name == "aura-load"]
    release.set()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await asyncio.sleep(0)


@pytest.mark.parametrize("error", ["RuntimeError('outside of it')", "SystemExit(3)", "KeyboardInterrupt"])
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("class L:\n    def __call__(self): ...\n    def __getattr__(self, n): raise {error}\nit = L()", "'it'"),
        (
            (
                "class L:\n    def __call__(self): ...\n    @property\n    def __class__(self): raise {error}\n"
                "class H:\n    def __call__(self): ...\nit = H()\nit.__aura__ = L()"
            ),
            "'it'",
        ),
        ("class D:\n    def __get__(self, *_): raise {error}\nclass H:\n    __aura__ = D()\n", "'H'"),
        (
            (
                "class T:\n    @classmethod\n    def __get_pydantic_core_schema__(cls, *_): raise {error}\n"
                "@action('a')\ndef a(x: T) -> None: ..."
            ),
            "'a'",
        ),
        ("def boom(): raise {error}\n@action('a')\ndef a(x: 'boom()') -> None: ...", "a"),
        (
            (
                "class M(type):\n    def __getattribute__(cls, n):\n        if n == '__init__': raise {error}\n"
                "        return super().__getattribute__(n)\n@service('s')\nclass S(metaclass=M): ..."
            ),
            "'S'",
        ),
        (
            (
                "class H:\n    def __call__(self): ...\n    @property\n    def __signature__(self): raise {error}\n"
                "h = H()\nhook('before_task_run')(h)"
            ),
            "'h'",
        ),
        ("class H:\n    __hash__ = None\n    def __call__(self): ...\nh = H()\nhook('before_task_run')(h)", "'h'"),
        ("class N(str):\n    def __hash__(self): raise {error}\n@action(N('n'))\ndef a() -> None: ...", "'a'"),
        ("@action(object())\ndef a() -> None: ...", "'a'"),
        ("class E(Exception):\n    def __str__(self): raise {error}\nraise E", "E, which cannot be shown"),
        ("raise {error}", "this file cannot be imported"),
        ("import sys\nsys.modules[__name__] = 5", "this file cannot be imported"),
    ],
)
async def test_whatever_a_plan_raises_while_aura_looks_at_it_breaks_that_plan_alone(
    project: Project, text: str, what: str, error: str
):
    text = text.replace("__aura__", "__aura_spec__").format(error=error)
    name, line, said = await broken(project, HEAD + text + "\n")
    assert name == "a.py"
    assert line in {0, *range(LINE, LINE + text.count("\n") + 1)}
    assert what in said


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit(3)", "KeyboardInterrupt"])
async def test_an_edit_that_breaks_out_of_its_schema_is_refused_like_any_other(project: Project, error: str):
    async with project.running() as framework:
        project.write(
            "p/actions/more.py",
            f"{HEAD}class T:\n    @classmethod\n    def __get_pydantic_core_schema__(cls, *_): raise {error}\n\n\n"
            "@action('more')\ndef more(x: T) -> None: ...\n",
        )
        (problem,) = (await framework.reload()).refused["p"]
        assert (Path(problem.path).name, problem.line) == ("more.py", LINE + 2)
        assert (await framework.submit(Tasklet("p/t"))).result == "well"


@ends_threads
async def test_who_requires_a_plan_that_hangs_is_told_that_it_has_problems(project: Project):
    project.write("needs/plan.yaml", "requires: [bad]")
    project.write("needs/tasks/t.yaml", "steps: [{run_task: bad/t}]")
    project.write("bad/tasks/t.yaml", "steps: []")
    project.write("bad/plan.yaml", "")
    project.write("bad/actions/a.py", ENDLESS)
    async with project.running_with_problems(load_seconds=SECONDS) as framework:
        said = [problem.message for problem in framework.problems]
    assert said[1:] == ["it requires the plan 'bad', which has problems"]


@ends_threads
async def test_a_plan_that_hung_at_the_start_is_taken_once_it_is_mended(project: Project):
    project.write("bad/plan.yaml", "")
    project.write("bad/actions/a.py", ENDLESS)
    async with project.running_with_problems(load_seconds=SECONDS) as framework:
        framework.reloader.seconds = 30.0
        project.write("bad/actions/a.py", HEAD)
        assert (await framework.reload()).added == ("bad",)
        assert framework.problems == []


@ends_threads
async def test_a_check_tells_of_a_plan_that_hangs_and_of_the_mistakes_of_the_others(project: Project):
    project.write("bad/plan.yaml", "")
    project.write("bad/actions/a.py", ENDLESS)
    project.write("wrong/plan.yaml", "titel: x")
    found = await check_folders([project.plans], seconds=SECONDS)
    assert [plan.name for plan in found.plans] == ["p"]
    assert {Path(problem.path).parent.name for problem in found.problems} == {"actions", "wrong"}


@pytest.mark.parametrize("asked", ["links", "links/p", "plans/p"])
async def test_a_plan_that_is_linked_into_a_folder_of_plans_is_checked_as_any_other(project: Project, asked: str):
    links = project.plans.parent / "links"
    links.mkdir()
    (links / "p").symlink_to(project.plans / "p", target_is_directory=True)
    folder = project.plans.parent / asked
    found = await check_folders([folder], known=[links])
    assert ([plan.name for plan in found.plans], found.problems) == (["p"], [])
    project.write("p/tasks/wrong.yaml", "stepps: []")
    found = await check_folders([folder], known=[links])
    assert [(Path(problem.path).name, problem.message) for problem in found.problems] == [
        ("wrong.yaml", "'stepps' is neither a part of a task nor a task of its own")
    ]
