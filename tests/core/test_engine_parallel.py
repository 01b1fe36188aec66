"""Branches side by side, each in a fork."""

from __future__ import annotations

from tests.fixtures.project import Project


async def test_branches_wait_for_each_other_and_leave_their_variables(project: Project):
    result = await project.run("""
        steps:
          - {set: {shared: before, kept: kept}}
          - parallel:
              - - {action: sleep, params: {seconds: 0.02}, output_to: a}
                - {set: {shared: first}}
              - - {set: {b: "{{ shared }}"}}
                - {set: {shared: second}}
        returns: {a: "{{ a }}", b: "{{ b }}", shared: "{{ shared }}", kept: "{{ kept }}"}
    """)
    assert result.result == {"a": "slept", "b": "before", "shared": "second", "kept": "kept"}


async def test_branches_really_run_side_by_side(project: Project):
    """Each branch waits for what the other one does; one after the other would never end."""
    project.write(
        "p/actions/meet.py",
        """
        import asyncio
        from aura_core.api import Context, action

        @action("meet")
        async def meet(name: str, other: str, context: Context) -> None:
            doors = context.variables["doors"]
            doors.setdefault(name, asyncio.Event()).set()
            await doors.setdefault(other, asyncio.Event()).wait()
        """,
    )
    result = await project.run("""
        meta: {timeout: 20}
        steps:
          - {set: {doors: {}}}
          - parallel:
              - [{action: meet, params: {name: a, other: b}}]
              - [{action: meet, params: {name: b, other: a}}]
    """)
    assert result.status == "success"


async def test_a_stop_counts_more_than_a_failure_at_the_same_time(project: Project):
    result = await project.run("""
        steps:
          - parallel:
              - [{action: fail}]
              - [{stop: enough}]
    """)
    assert (result.status, result.message) == ("stopped", "enough")


async def test_the_first_failure_of_a_branch_fails_the_step(project: Project):
    result = await project.run("""
        steps:
          - parallel:
              - [{action: sleep, params: {seconds: 60}}]
              - [{id: bad, action: fail}]
    """)
    assert result.error is not None
    assert result.error.step == "bad"


async def test_go_task_travels_out_of_a_branch(project: Project):
    project.task("other", "steps: []\nreturns: other")
    result = await project.run("steps: [{parallel: [[{go_task: other}], [{action: sleep, params: {seconds: 60}}]]}]")
    assert result.result == "other"


async def test_of_branches_that_set_the_same_the_later_counts_also_where_it_sets_what_was_there(project: Project):
    project.write(
        "p/actions/bump.py",
        """
        from aura_core.api import Context, action

        @action("bump", inline=True)
        def bump(context: Context) -> None:
            context.variables.update(y=2, z=3)
            assert context.variables.setdefault("z", 9) == 3
            context.variables.setdefault("w", 4)
        """,
    )
    result = await project.run("""
        steps:
          - {set: {x: 0, y: 0}}
          - parallel:
              - [{set: {x: 5}}]
              - [{set: {x: 9}}, {set: {x: 0}}]
              - [{action: bump}]
        returns: ["{{ x }}", "{{ y }}", "{{ z }}", "{{ w }}"]
    """)
    assert result.result == [0, 2, 3, 4]
