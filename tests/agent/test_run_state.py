"""RunState: what a run knows, and what happens to ids and results when it is planned again."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from agent.contracts import ExecutorResponse, Plan, PlanStep, Usage
from agent.run.state import RunState, progress_context


def step(name: str, **fields) -> PlanStep:
    return PlanStep(id=name, kind=fields.pop("kind", "task"), task=fields.pop("task", "notes/add"), **fields)


def ok(name: str, output=None, **fields) -> ExecutorResponse:
    return ExecutorResponse(step_id=name, status="ok", output=output, **fields)


def test_a_replan_may_reuse_ids_without_touching_what_was_done():
    state = RunState()
    state.adopt(Plan(steps=[step("s1"), step("s2")]))
    state.apply(state.plan.steps[0], ok("s1", "first"))
    state.adopt(
        Plan(
            steps=[step("s1", inputs={"a": "${s1}", "b": "x ${s2.rows[0]}"}, depends_on=["s2"]), step("s2")], revision=1
        )
    )
    again, second = state.plan.steps
    assert again.id == "s1_r1"
    assert second.id == "s2"
    assert again.inputs == {"a": "${s1_r1}", "b": "x ${s2.rows[0]}"}
    assert again.depends_on == ["s2"]
    assert state.outputs == {"s1": "first"}
    assert state.replans == 1


def test_a_new_plan_may_refer_to_results_of_the_old_one():
    state = RunState()
    state.adopt(Plan(steps=[step("s1")]))
    state.apply(state.plan.steps[0], ok("s1", {"id": 7}))
    state.adopt(Plan(steps=[step("s2", inputs={"id": "${s1.id}"}, depends_on=["s1"])], revision=1))
    assert state.resolved_inputs(state.plan.steps[0]) == {"id": 7}


@given(st.lists(st.sampled_from(["s1", "s2", "s10", "s1x"]), unique=True, min_size=1), st.integers(1, 4))
def test_ids_stay_unique_over_any_number_of_replans(names, revisions):
    state = RunState()
    seen: set[str] = set()
    for revision in range(revisions):
        state.adopt(Plan(steps=[step(name, inputs={"v": f"${{{names[0]}}}"}) for name in names], revision=revision))
        ids = [item.id for item in state.plan.steps]
        assert len(set(ids)) == len(ids)
        assert not seen & set(ids)
        assert all(item.inputs == {"v": f"${{{ids[0]}}}"} for item in state.plan.steps)
        for item in state.plan.steps:
            state.apply(item, ok(item.id))
        seen |= set(ids)


def test_untrusted_words_are_followed_through_references_and_into_model_steps():
    state = RunState()
    state.adopt(Plan(steps=[step("page"), step("s2")]))
    state.apply(state.plan.steps[0], ok("page", "text", untrusted=True))
    assert state.descends_from_untrusted(step("a", inputs={"x": "see ${page}"}))
    assert state.descends_from_untrusted(step("b", kind="llm", task=None, depends_on=["page"]))
    assert not state.descends_from_untrusted(step("c", depends_on=["page"], inputs={"x": "plain"}))
    assert not state.descends_from_untrusted(step("d", inputs={"x": "${s2}"}))


def test_a_tainted_plan_taints_every_step():
    state = RunState()
    state.adopt(Plan(steps=[step("s1")], tainted=True))
    assert state.descends_from_untrusted(state.plan.steps[0])


def test_finished_and_failed_results_are_found_by_fingerprint():
    state = RunState()
    state.adopt(Plan(steps=[step("s1"), step("s2")]))
    state.apply(state.plan.steps[0], ok("s1", fingerprint="f1"))
    state.apply(state.plan.steps[1], ExecutorResponse(step_id="s2", status="error", fingerprint="f2"))
    assert state.finished_like("f1") is not None
    assert state.finished_like("f2") is None
    assert state.failed_like("f2") is not None
    assert state.failed_like("f1") is None


def test_what_is_spent_adds_up():
    state = RunState()
    state.spend(Usage(tokens=3, money=0.5))
    state.spend(Usage(tokens=4, money=0.25, seconds=1))
    assert state.usage == Usage(tokens=7, money=0.75, seconds=1)


def test_progress_is_json_and_bounded():
    responses = [ok(f"s{number}", summary="x" * 5000) for number in range(60)]
    rows = json.loads(progress_context(responses))
    assert [row["id"] for row in rows] == [f"s{number}" for number in range(35, 60)]
    assert all(len(row["summary"]) <= 600 for row in rows)
    assert progress_context([]) == ""
