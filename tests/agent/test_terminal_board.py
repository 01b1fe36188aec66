"""The board: what the terminal knows of runs, from their events alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.channels.terminal.board import Board
from agent.contracts import ExecutorResponse, Plan, PlanStep, Question
from agent.progress import (
    AnswerText,
    PhaseChanged,
    PlanMade,
    QuestionAsked,
    QuestionClosed,
    RunEnded,
    RunStarted,
    StepDrafted,
    StepEnded,
    StepStarted,
)

FIRST = PlanStep(id="s1", title="Fetch the page")
SECOND = PlanStep(id="s2", title="Write it down", depends_on=["s1"])


def event(kind, *values, run="r1"):
    return kind(run, "terminal", *values)


def question(step="s1"):
    return Question(id=f"q-{step}", run_id="r1", step_id=step, session_id="terminal", text="Which?")


def board_after(*events):
    board = Board(clock=lambda: 100.0)
    for item in events:
        board.apply(item)
    return board


def states(board, run="r1"):
    return {name: row.state for name, row in board.runs[run].rows.items()}


def test_steps_move_from_drafted_to_their_end():
    board = board_after(event(RunStarted, "hello"), event(StepDrafted, FIRST))
    assert states(board) == {"s1": "drafted"}
    board.apply(event(PlanMade, Plan(steps=[FIRST, SECOND])))
    assert states(board) == {"s1": "pending", "s2": "pending"}
    board.apply(event(StepStarted, FIRST))
    assert states(board) == {"s1": "running", "s2": "pending"}
    board.apply(event(StepEnded, FIRST, ExecutorResponse(step_id="s1", status="error", error="no route", seconds=2)))
    assert states(board)["s1"] == "error"
    assert board.runs["r1"].rows["s1"].note == "no route"


def test_a_step_that_only_asked_counts_its_time_from_the_question():
    board = board_after(event(PlanMade, Plan(steps=[FIRST])), event(QuestionAsked, question()))
    assert states(board) == {"s1": "waiting"}
    board.apply(event(QuestionClosed, "q-s1"))
    row = board.runs["r1"].rows["s1"]
    assert (row.state, board.now() - row.since) == ("running", 0.0)


def test_a_run_whose_only_question_was_answered_waits_for_nobody():
    asked = board_after(event(PlanMade, Plan(steps=[FIRST])), event(QuestionAsked, question()))
    asked.apply(event(PhaseChanged, "waiting"))
    asked.apply(event(QuestionClosed, "q-s1"))
    assert asked.runs["r1"].phase == "running"


def test_a_new_plan_keeps_what_ended_and_drops_what_never_ran():
    board = board_after(
        event(PlanMade, Plan(steps=[FIRST, SECOND])),
        event(StepStarted, FIRST),
        event(StepEnded, FIRST, ExecutorResponse(step_id="s1", status="ok")),
        event(PlanMade, Plan(steps=[PlanStep(id="s3", title="Try again")], revision=1)),
    )
    assert states(board) == {"s1": "ok", "s3": "pending"}
    assert board.runs["r1"].revision == 1


def test_a_question_makes_its_step_wait_until_it_is_closed():
    board = board_after(
        event(PlanMade, Plan(steps=[FIRST])), event(StepStarted, FIRST), event(QuestionAsked, question())
    )
    assert states(board) == {"s1": "waiting"}
    board.apply(event(QuestionClosed, "q-s1", "German"))
    assert states(board) == {"s1": "running"}
    assert not board.runs["r1"].questions


def test_what_still_runs_when_a_run_is_cancelled_is_shown_as_cancelled():
    board = board_after(
        event(PlanMade, Plan(steps=[FIRST, SECOND])), event(StepStarted, FIRST), event(RunEnded, "cancelled", "")
    )
    assert states(board) == {"s1": "cancelled", "s2": "pending"}
    assert board.active == []


def test_the_answer_grows_while_it_is_written_and_its_end_is_the_record():
    board = board_after(event(AnswerText, "The ans"), event(AnswerText, "wer"))
    assert board.runs["r1"].answer == "The answer"
    board.apply(event(RunEnded, "ok", "The answer is 84."))
    assert board.runs["r1"].answer == "The answer is 84."


def test_runs_beside_each_other_do_not_mix():
    board = board_after(
        event(StepDrafted, FIRST), event(StepDrafted, SECOND, run="r2"), event(RunEnded, "ok", "done", run="r2")
    )
    assert states(board) == {"s1": "drafted"}
    assert [run.run_id for run in board.active] == ["r1"]


STEPS = st.sampled_from([FIRST, SECOND, PlanStep(id="s3")])
STATUSES = st.sampled_from(["ok", "partial", "error", "blocked", "needs_input", "cancelled"])
EVENTS = st.one_of(
    st.builds(lambda: event(RunStarted, "x")),
    st.builds(lambda: event(PhaseChanged, "planning")),
    st.builds(lambda step: event(StepDrafted, step), STEPS),
    st.builds(lambda steps: event(PlanMade, Plan(steps=steps)), st.lists(STEPS, unique_by=lambda step: step.id)),
    st.builds(lambda step: event(StepStarted, step), STEPS),
    st.builds(
        lambda step, status: event(StepEnded, step, ExecutorResponse(step_id=step.id, status=status)), STEPS, STATUSES
    ),
    st.builds(lambda step: event(QuestionAsked, question(step.id)), STEPS),
    st.builds(lambda step: event(QuestionClosed, f"q-{step.id}"), STEPS),
    st.builds(lambda text: event(AnswerText, text), st.text(max_size=5)),
)


@given(st.lists(EVENTS, max_size=30))
def test_events_may_come_in_any_order_because_old_ones_are_dropped_when_a_reader_is_slow(events):
    board = board_after(*events, event(RunEnded, "ok", "done"))
    run = board.runs["r1"]
    assert run.over
    assert run.answer == "done"
    assert not [row for row in run.rows.values() if row.state in ("running", "waiting")]


def test_how_far_the_model_has_read_is_reckoned_from_its_pace_so_far():
    now = 100.0
    board = Board(clock=lambda: now)
    board.loading()
    assert board.readiness is not None
    assert board.readiness.part is None
    now = 103.0
    board.prepared(0.0)
    assert board.readiness.read(now) == (0.0, None)
    now = 105.0
    board.prepared(0.25)
    assert board.readiness.read(now) == pytest.approx((0.25, 6.0))
    now = 106.0
    assert board.readiness.read(now) == pytest.approx((0.375, 5.0))
    now = 200.0
    assert board.readiness.read(now) == pytest.approx((0.99, 0.08))
    board.prepared(0.0)  # the prompt of another profile
    assert board.readiness.read(now) == (0.0, None)
    board.prepared(None)
    assert board.readiness is None
