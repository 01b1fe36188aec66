"""`for` over lists, mappings and numbers, one after the other and side by side."""

from __future__ import annotations

import pytest

from aura_core.engine.for_ import items_of
from aura_core.errors import ExpressionError
from tests.fixtures.project import Project


async def test_a_loop_knows_where_it_stands(project: Project):
    result = await project.run("""
        steps:
          - for: [a, b, c]
            as: letter
            do: [{action: echo, params: {value: "{{ [letter, loop.index, loop.first, loop.last, loop.length] }}"}}]
            collect: all
        returns: "{{ all }}"
    """)
    assert result.result == [["a", 1, True, False, 3], ["b", 2, False, False, 3], ["c", 3, False, True, 3]]


async def test_a_loop_over_a_mapping_gives_keys_and_values(project: Project):
    result = await project.run("""
        steps:
          - {set: {ages: {ann: 3, bob: 5}, told: []}}
          - for: "{{ ages }}"
            do: [{set: {told: "{{ told + [item.key ~ '=' ~ item.value] }}"}}]
        returns: "{{ told }}"
    """)
    assert result.result == ["ann=3", "bob=5"]


async def test_after_the_loop_its_names_are_what_they_were(project: Project):
    result = await project.run("""
        steps:
          - {set: {item: mine, seen: []}}
          - for: 2
            do:
              - {for: 2, as: inner, do: []}
              - {set: {seen: "{{ seen + [loop.index] }}"}}
        returns: {item: "{{ item }}", seen: "{{ seen }}", left: "{{ [loop is defined, inner is defined] }}"}
    """)
    assert result.result == {"item": "mine", "seen": [1, 2], "left": [False, False]}


async def test_collect_takes_what_the_body_gave_the_variable_else_its_last_result(project: Project):
    result = await project.run("""
        steps:
          - for: 3
            collect: doubled
            do:
              - {set: {doubled: "{{ item * 2 }}"}}
              - {action: echo, params: {value: something else}}
          - for: 3
            collect: squares
            do: [{action: echo, params: {value: "{{ item * item }}"}, output_to: square}]
          - {for: 2, collect: nothing, do: [{set: {x: 1}}]}
        returns: {doubled: "{{ doubled }}", squares: "{{ squares }}", nothing: "{{ nothing }}"}
    """)
    assert result.result == {"doubled": [0, 2, 4], "squares": [0, 1, 4], "nothing": [None, None]}


async def test_side_by_side_bodies_keep_the_order_of_the_items_and_their_variables_to_themselves(project: Project):
    result = await project.run("""
        steps:
          - {set: {mine: outer}}
          - for: [0.03, 0.01, 0.02, 0]
            parallel: 3
            collect: all
            do:
              - {set: {mine: "{{ item }}"}}
              - {action: sleep, params: {seconds: "{{ item }}"}}
              - {action: echo, params: {value: "{{ [mine, loop.index] }}"}}
        returns: {all: "{{ all }}", mine: "{{ mine }}"}
    """)
    assert result.result == {"all": [[0.03, 1], [0.01, 2], [0.02, 3], [0, 4]], "mine": "outer"}


async def test_no_more_bodies_run_side_by_side_than_the_loop_says(project: Project):
    project.write(
        "p/actions/count.py",
        """
        import asyncio
        from aura_core.api import Context, action

        @action("busy")
        async def busy(context: Context) -> int:
            counter = context.variables["counter"]
            counter["now"] += 1
            counter["most"] = max(counter["most"], counter["now"])
            await asyncio.sleep(0.002)
            counter["now"] -= 1
            return counter["now"]
        """,
    )
    result = await project.run("""
        steps:
          - {set: {counter: {now: 0, most: 0}}}
          - {for: 20, parallel: 4, do: [{action: busy}]}
        returns: "{{ counter.most }}"
    """)
    assert result.result == 4


async def test_a_long_loop_lets_other_work_go_on(project: Project):
    result = await project.run("""
        meta: {timeout: 0.05}
        steps: [{for: 100000000, do: [{set: {x: "{{ item }}"}}]}]
    """)
    assert result.status == "timeout"


async def test_an_empty_loop_does_nothing_in_either_way(project: Project):
    result = await project.run("""
        steps:
          - {for: 0, do: [{action: fail}], collect: a}
          - {for: [], parallel: 5, do: [{action: fail}], collect: b}
          - {for: 2, parallel: 5, do: []}
        returns: "{{ [a, b] }}"
    """)
    assert result.result == [[], []]


async def test_a_failing_body_ends_the_others_and_the_loop(project: Project):
    result = await project.run("""
        steps:
          - for: 3
            parallel: 3
            do:
              - {when: "{{ item == 1 }}", id: bad, action: fail}
              - {action: sleep, params: {seconds: 60}}
    """)
    assert result.error is not None
    assert (result.error.step, result.error.message) == ("bad", "it broke")


def test_what_a_loop_can_run_over():
    assert items_of(3.0) == range(3)
    assert items_of((1, 2)) == (1, 2)
    assert sorted(items_of({3, 4})) == [3, 4]
    assert items_of({"a": 1}.keys()) == ["a"]


GENERATORS = """
import threading
from aura_core.api import action

@action("threads", inline=True)
def threads():
    return (threading.current_thread() is threading.main_thread() for _ in range(3))

@action("endless", inline=True)
def endless():
    return iter(int, 1)
"""


async def test_a_generator_is_unrolled_beside_the_event_loop_and_must_end(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aura_core.engine.for_.MOST_ITEMS", 1000)
    project.write("p/actions/generators.py", GENERATORS)
    loop = "{for: '{{ all }}', collect: found, do: [{set: {found: '{{ item }}'}}]}"
    result = await project.run(f"steps: [{{action: threads, output_to: all}}, {loop}]\nreturns: '{{{{ found }}}}'")
    assert result.result == [False] * 3, result.error
    result = await project.run(f"steps: [{{action: endless, output_to: all}}, {loop}]")
    assert result.error is not None
    assert "more than 1,000 items" in result.error.message


@pytest.mark.parametrize("value", ["text", True, None, -1, 10**400, 1.5, object(), b"x", float("nan"), float("inf")])
def test_what_a_loop_cannot_run_over_is_said(value: object):
    with pytest.raises(ExpressionError, match="`for`"):
        items_of(value)


@pytest.mark.parametrize("parallel", ["", "parallel: 2, "])
@pytest.mark.parametrize("before", ["", "{set: {r: 1}}, "])
async def test_a_body_that_gives_the_same_value_each_time_is_collected_each_time(project: Project, parallel, before):
    result = await project.run(f"""
        steps: [{before}{{for: 3, {parallel}collect: r, do: [{{set: {{r: 1}}}}]}}]
        returns: "{{{{ r }}}}"
    """)
    assert result.result == [1, 1, 1]
