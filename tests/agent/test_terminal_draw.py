"""How runs, questions and answers look, in wide and narrow windows and without UTF-8."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from agent.channels.terminal.board import Board, Readiness, RunBoard, StepRow
from agent.channels.terminal.draw import (
    answer_view,
    duration,
    file_view,
    question_view,
    readiness_view,
    run_view,
    said_view,
    tail,
    waits_for_model,
)
from agent.channels.terminal.signs import ASCII, UNICODE, signs_for
from agent.contracts import ExecutorResponse, Plan, PlanStep, Question
from agent.progress import PlanMade, RunStarted, StepEnded, StepStarted


def drawn(renderable, width=60):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(renderable)
    return console.file.getvalue()


def running_board():
    now = [10.0]
    board = Board(clock=lambda: now[0])
    steps = [
        PlanStep(id="s1", title="Calculate"),
        PlanStep(id="s2", title="List files"),
        PlanStep(id="s3", title="Write"),
    ]
    board.apply(RunStarted("r", "terminal", "hello"))
    board.apply(PlanMade("r", "terminal", Plan(steps=steps)))
    for step in steps[:2]:
        board.apply(StepStarted("r", "terminal", step))
    board.apply(StepEnded("r", "terminal", steps[0], ExecutorResponse(step_id="s1", status="ok", seconds=0.44)))
    now[0] = 13.0
    return board


def test_a_live_plan_shows_what_is_done_what_runs_and_what_waits():
    board = running_board()
    lines = drawn(run_view(board.runs["r"], 13.0, UNICODE, live=True)).splitlines()
    assert "working" in lines[0]
    assert "3.0 s" in lines[0]
    assert "✓ Calculate  0.4 s" in lines[1]
    assert "List files  3.0 s" in lines[2]
    assert "○ Write" in lines[3]


def test_a_finished_plan_has_no_headline_and_shows_why_a_step_failed():
    run = RunBoard("r", rows={"s1": StepRow(PlanStep(id="s1", title="Write"), "error", note="the disk is full")})
    text = drawn(run_view(run, 0, UNICODE, live=False))
    assert [line.rstrip() for line in text.splitlines()] == ["  ✗ Write", "    the disk is full"]


def test_a_long_reason_is_cut():
    run = RunBoard("r", rows={"s1": StepRow(PlanStep(id="s1", title="Write"), "error", note="x" * 5000)})
    assert "…" in drawn(run_view(run, 0, UNICODE, live=False))
    assert len(drawn(run_view(run, 0, UNICODE, live=False))) < 1000


def test_a_question_numbers_its_choices_and_an_approval_says_what_it_is():
    asked = Question(
        id="q", run_id="r", step_id="s", session_id="t", text="Which [language]?", options=["German", "[b]"]
    )
    text = drawn(question_view(asked, UNICODE))
    assert "Which [language]?" in text
    assert "1 German" in text
    assert "2 [b]" in text
    assert "own words" in text
    assert "May I?" in drawn(question_view(asked.model_copy(update={"purpose": "approval"}), UNICODE))


def test_a_terminal_without_utf8_gets_plain_characters_only():
    board = running_board()
    asked = Question(id="q", run_id="r", step_id="s", session_id="t", text="Which?", options=["a"])
    text = "".join(
        drawn(view)
        for view in (
            run_view(board.runs["r"], 13.0, ASCII, live=True),
            question_view(asked, ASCII),
            said_view("hello", ASCII),
        )
    )
    assert text.isascii()


@pytest.mark.parametrize(
    ("encoding", "signs"), [("utf-8", UNICODE), ("UTF8", UNICODE), ("ascii", ASCII), (None, ASCII)]
)
def test_the_marks_follow_the_encoding(encoding, signs):
    assert signs_for(encoding) is signs


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (60, "1:00 min"), (185, "3:05 min")],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


@given(st.integers(8, 200), st.text(max_size=300))
def test_anything_can_be_drawn_in_any_window(width, text):
    run = RunBoard("r", text=text, rows={"s1": StepRow(PlanStep(id="s1", title=text), "running", note=text)})
    asked = Question(id="q", run_id="r", step_id="s", session_id="t", text=text, options=[text])
    for signs in (UNICODE, ASCII):
        for view in (
            run_view(run, 5, signs, live=True, named=True),
            question_view(asked, signs),
            said_view(text, signs),
        ):
            lines = drawn(view, width).split("\n")
            assert not [line for line in lines if "\x1b" in line or cell_len(line) > width]


def test_what_a_page_or_a_model_wrote_cannot_steer_the_terminal():
    hostile = "\x1b[2J\x1b]0;title\x07\u202e\x9b31mred\rover"
    run = RunBoard("r", text=hostile, rows={"s1": StepRow(PlanStep(id="s1", title=hostile), "error", note=hostile)})
    asked = Question(id="q", run_id="r", step_id="s", session_id="t", text=hostile, options=[hostile])
    views = (run_view(run, 5, UNICODE, live=True), question_view(asked, UNICODE), answer_view(hostile))
    text = "".join(drawn(view) for view in views)
    assert not {"\x1b", "\x07", "\u202e", "\x9b", "\r"} & set(text)


def test_an_answer_is_markdown_in_a_terminal_and_untouched_in_a_pipe(tmp_path):
    assert "**" not in drawn(answer_view("It is **84**."))
    assert drawn(answer_view("It is **84**.", formatted=False)) == "It is **84**.\n"
    assert str(tmp_path) in drawn(file_view(tmp_path, "a file", UNICODE), 500)


def test_tags_in_an_answer_are_text_and_line_breaks_stay():
    answer = "<data>\nall of it\n</data>\n\nuse `<b>` or <i>\n\n    <u>\n\n```html\n<p>\n```\nrain\non the roof"
    lines = [line.strip() for line in drawn(answer_view(answer)).splitlines()]
    assert lines[:3] == ["<data>", "all of it", "</data>"]
    assert "use <b> or <i>" in lines
    assert "<u>" in lines
    assert "<p>" in lines
    assert lines[-2:] == ["rain", "on the roof"]


@given(st.text(alphabet="ab<>`~\n *#|-", max_size=80))
def test_no_letter_of_an_answer_is_lost(text):
    shown = drawn(answer_view(text), 200)
    fenced = re.search(r"(`{3,}|~{3,})", text)
    assert fenced or [letter for letter in shown if letter in "ab"] == [letter for letter in text if letter in "ab"]


def test_the_tail_keeps_the_last_lines():
    console = Console(file=io.StringIO(), width=40)
    assert tail(console, "a\nb\nc", 2) == ["b", "c"]
    assert tail(console, "a", 0) == []


@pytest.mark.parametrize(
    ("readiness", "seen"),
    [
        (Readiness(), "loading the model"),
        (Readiness(0.5, at=100.0, since=90.0, begun=0.1), "50%  about 12 s left"),
        (Readiness(0.1, at=90.0, since=90.0, begun=0.1), "10% "),
        (Readiness(0.0, at=90.0, since=90.0), "reads its instructions, once -"),
    ],
)
def test_a_model_that_gets_ready_says_how_far_it_is_and_that_one_may_type(readiness, seen):
    line = readiness_view(readiness, 100.0, ASCII).plain
    assert seen in line
    assert "you can type already" in line
    assert line.isascii()


@pytest.mark.parametrize(
    ("readiness", "seen"),
    [
        (None, "planning  3.0 s"),
        (Readiness(), "planning  3.0 s - the model is loaded first"),
        (Readiness(0.5), "planning  3.0 s - the model reads its instructions first, once"),
    ],
)
def test_a_plan_that_waits_for_the_model_says_why(readiness, seen):
    run = RunBoard("r1", phase="planning")
    view = run_view(run, 3.0, ASCII, live=True, aside=waits_for_model(readiness))
    assert drawn(view, width=100).strip().endswith(seen)
