from __future__ import annotations

import pytest

from aura_core.errors import CoreError, DefinitionError
from aura_core.testing import plan_under_test, run_task
from tests.fixtures.project import Project


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def test_a_task_runs_without_an_event_loop_of_the_test(project):
    project.task("t", 'steps: []\nreturns: "{{ 1 + 1 }}"')
    assert run_task(project.plans / "p", "t").result == 2


async def test_asynchronous_tests_are_told_what_to_use(project):
    with pytest.raises(CoreError, match="plan_under_test"):
        run_task(project.plans / "p", "t")


def test_mistakes_of_the_plan_are_all_named(project):
    project.task("t", "steps: [{go_step: nowhere}, {action: ecko}]")
    with pytest.raises(DefinitionError, match=r"(?s)nowhere.*ecko"):
        run_task(project.plans / "p", "t")


async def test_questions_are_answered_in_order_and_kept(project):
    project.task(
        "t",
        """
        steps:
          - {ask: "Which city?", options: [Oslo, Rome], output_to: city}
          - {ask: "When?", output_to: day}
        returns: "{{ city }} {{ day }}"
        """,
    )
    async with plan_under_test(project.plans / "p", answers=["Rome", "today"]) as plan:
        assert (await plan.run("t")).result == "Rome today"
        assert plan.person.asked == [("Which city?", ["Oslo", "Rome"]), ("When?", [])]
        unanswered = await plan.run("p/t")
    assert unanswered.error is not None
    assert "no answer left" in unanswered.error.message


async def test_the_model_is_scripted(project):
    project.write(
        "p/actions/model.py",
        """
        from aura_core.api import action, requires_services

        @action("sum_up")
        @requires_services(llm="llm")
        async def sum_up(text, llm, context):
            return await llm.write("Sum it up.", data=text, run=context.run)
        """,
    )
    project.task("t", 'steps: [{action: sum_up, params: {text: long}, output_to: short}]\nreturns: "{{ short }}"')
    async with plan_under_test(project.plans / "p", replies=["brief"]) as plan:
        assert (await plan.run("t")).result == "brief"
        assert plan.model.calls == [{"instruction": "Sum it up.", "data": "long", "schema": None}]
        failed = await plan.run("t")
    assert failed.error is not None
    assert "no reply left" in failed.error.message


async def test_settings_services_data_and_files_are_the_tests_own(project):
    project.write("p/config.yaml", "greeting: Hello")
    project.write(
        "p/actions/more.py",
        """
        from aura_core.api import action, requires_services

        @action("keep")
        @requires_services(clock="clock")
        async def keep(clock, config, context):
            async with context.state.edit() as data:
                data["at"] = clock
            (context.run.files_folder / "made.txt").write_text(config("greeting"))
        """,
    )
    project.task("t", "steps: [{action: keep}]")
    options = {"settings": {"greeting": "Hi"}, "services": {"clock": "noon"}, "data": project.data}
    async with plan_under_test(project.plans / "p", **options) as plan:
        result = await plan.run("t")
        assert result.ok, result.error
        assert (plan.files / "made.txt").read_text() == "Hi"
    assert not plan.files.exists()
    assert "noon" in (project.data / "p.json").read_text()


def test_plans_that_it_requires_are_found_beside_it_and_so_on_and_no_others(project):
    project.write("q/plan.yaml", "requires: [r]")
    project.write("q/tasks/go.yaml", 'steps: [{run_task: r/go, output_to: x}]\nreturns: "{{ x }}"')
    project.write("r/plan.yaml", "requires: [aura_base]")
    project.write("r/tasks/go.yaml", "steps: []\nreturns: deep")
    project.write("broken/plan.yaml", "nonsense: [")
    project.write("p/plan.yaml", "requires: [q]")
    project.task("t", 'steps: [{run_task: q/go, output_to: x}]\nreturns: "{{ x }}"')
    assert run_task(project.plans / "p", "t").result == "deep"


@pytest.mark.parametrize("text", ["[", "- a", "requires: 3", "requires: [gone]"])
def test_a_plan_yaml_that_is_none_is_a_readable_mistake(project, text):
    project.write("p/plan.yaml", text)
    with pytest.raises(DefinitionError, match=r"plan\.yaml"):
        run_task(project.plans / "p", "t")
