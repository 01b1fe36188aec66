"""The Framework: plans in, working tasks out; settings, broken plans, the way out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aura_core.errors import NotFoundError
from aura_core.framework import Framework
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project


async def test_a_broken_plan_is_a_problem_and_the_others_work(project: Project):
    project.task("t", "steps: []\nreturns: fine")
    path = project.write("broken/plan.yaml", "name: broken").parent
    project.write("broken/actions/bad.py", "import no_such_module_anywhere\n")
    project.write("unparsable/plan.yaml", "name: unparsable")
    project.write("unparsable/actions/bad.py", "def broken(:\n")
    project.write("raises/plan.yaml", "name: raises")
    project.write("raises/services/bad.py", "x = 1\ny = x / 0\n")
    project.write("null/plan.yaml", "name: null")
    project.write("null/actions/bad.py", "x = '\0'\n")
    project.write("hooked/plan.yaml", "name: hooked")
    project.write("hooked/actions/bad.py", "from aura_core.api import hook\n\n@hook('befor_task_run')\ndef h(): ...\n")
    async with project.running_with_problems() as framework:
        problems = {Path(problem.path).parts[-3]: problem for problem in framework.problems}
        assert (await framework.submit(Tasklet("p/t"))).result == "fine"
        assert set(framework.plans.plans) == {"p"}
    assert "no_such_module_anywhere" in problems["broken"].hint
    assert (problems["broken"].path, problems["broken"].line) == (str(path / "actions" / "bad.py"), 1)
    assert (problems["unparsable"].line, "not valid Python" in problems["unparsable"].message) == (1, True)
    assert "cannot be imported" in problems["null"].message
    assert (problems["hooked"].line, problems["hooked"].hint) == (3, "did you mean 'before_task_run'?")
    assert (problems["raises"].line, "ZeroDivisionError" in problems["raises"].message) == (2, True)


async def test_an_unknown_plan_is_named_with_the_nearest(project: Project):
    async with project.running() as framework:
        with pytest.raises(NotFoundError, match="There is no plan 'pp'; did you mean 'p'"):
            framework.orchestrator("pp")


def test_before_it_is_entered_there_is_no_plan(project: Project):
    framework = Framework([project.plans], project.data)
    with pytest.raises(NotFoundError, match="none is loaded"):
        framework.orchestrator("p")


async def test_the_embedder_and_the_environment_override_a_plans_settings(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    project.write("p/config.yaml", "a: {x: 1, y: 1, z: 1}\nb: 1")
    monkeypatch.setenv("AURA_PLANS__P__A__Z", "[3, 4]")
    monkeypatch.setenv("aura_plans__p__c", "{not yaml")
    project.task("t", "steps: []\nreturns: [\"{{ config('a') }}\", \"{{ config('b') }}\", \"{{ config('c') }}\"]")
    async with project.running(settings={"p": {"a": {"y": 2}, "b": {"deep": 2}}}) as framework:
        result = await framework.submit(Tasklet("p/t"))
    assert result.result == [{"x": 1, "y": 2, "z": [3, 4]}, {"deep": 2}, "{not yaml"]


async def test_nothing_of_a_plan_stays_in_the_process(project: Project):
    before = set(sys.modules)
    async with project.running() as framework:
        package = framework.plans.plans["p"].code.package
        assert f"{package}.actions.basic" in sys.modules
    assert not [name for name in set(sys.modules) - before if name.startswith("aura_plan")]


async def test_two_frameworks_side_by_side_do_not_disturb_each_other(project: Project, tmp_path: Path):
    other = Project(tmp_path / "other")
    for its, word in ((project, "one"), (other, "two")):
        its.write("p/config.yaml", f"word: {word}")
        its.task("t", "steps: []\nreturns: \"{{ config('word') }}\"")
    async with project.running() as first, other.running() as second:
        assert (await first.submit(Tasklet("p/t"))).result == "one"
        assert (await second.submit(Tasklet("p/t"))).result == "two"


async def test_modules_of_a_plan_import_each_other(project: Project):
    project.write("p/actions/_private.py", "WORD = 'shared'\n")
    project.write(
        "p/actions/uses.py",
        """
        from __future__ import annotations
        from aura_core.api import action
        from ._private import WORD
        from .basic import echo

        @action("uses", inline=True)
        def uses() -> str:
            return echo(WORD)
        """,
    )
    assert (await project.run("steps: [{action: uses, output_to: a}]\nreturns: '{{ a }}'")).result == "shared"
