"""The chat in a real (pseudo) terminal: typing, the live plan, Ctrl-C, Ctrl-D, narrow windows."""

from __future__ import annotations

import re

import pytest

from tests.fixtures.pseudo_terminal import PYTHON, PseudoTerminal

ENTER, CTRL_C, CTRL_D, ALT_ENTER, TAB = "\r", "\x03", "\x04", "\x1b\r", "\t"
PROMPT = "Ask something"


@pytest.fixture
def chat(tmp_path):
    def start(**options):
        return PseudoTerminal([PYTHON, "-m", "tests.fixtures.stand_in_chat", str(tmp_path)], **options)

    return start


@pytest.mark.slow
def test_a_first_chat_greets_and_says_what_the_model_is_good_for(chat):
    with chat() as terminal:
        shown = terminal.wait_for(PROMPT)
        assert "stand-in model" in shown
        assert "good at" in shown
        terminal.type(CTRL_D)
        assert terminal.wait_for_exit() == 0


def test_a_request_is_answered_while_the_prompt_stays(chat):
    with chat() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("hello" + ENTER)
        shown = terminal.wait_for("You said hello.")
        assert "Do the second thing" in shown
        terminal.wait_for(PROMPT)
        terminal.type("/quit" + ENTER)
        assert terminal.wait_for_exit() == 0


def test_ctrl_c_stops_the_run_and_not_the_program(chat):
    with chat() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("work forever" + ENTER)
        terminal.wait_for("Ctrl-C stops it")
        terminal.type(CTRL_C)
        terminal.wait_for("Stopped 1.")
        terminal.wait_for(PROMPT)
        terminal.type("hello" + ENTER)
        terminal.wait_for("You said hello.")
        terminal.type(CTRL_D)
        assert terminal.wait_for_exit() == 0


@pytest.mark.slow
def test_a_second_request_is_taken_while_the_first_runs(chat):
    with chat() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("work forever" + ENTER)
        terminal.wait_for("Ctrl-C stops it")
        terminal.type("hello" + ENTER)
        shown = terminal.wait_for("You said hello.")
        assert "Taken" in shown
        terminal.type(CTRL_D)
        assert terminal.wait_for_exit() == 0
        assert "goes on next time" in terminal.text


@pytest.mark.slow
def test_a_question_is_answered_with_a_number(chat):
    with chat() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("translate it" + ENTER)
        terminal.wait_for("your answer", "2 French")
        terminal.type("2" + ENTER)
        terminal.wait_for("Translated into French.")


@pytest.mark.slow
def test_several_lines_and_a_completed_command(chat):
    with chat() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("one" + ALT_ENTER + "two" + ENTER)
        terminal.wait_for("You said one")
        terminal.wait_for(PROMPT)
        terminal.type("/hel")
        terminal.wait_for("what you can type")
        terminal.type(TAB)
        terminal.wait_for("› /help")
        terminal.type(ENTER)
        terminal.wait_for("Commands of plugins")


@pytest.mark.slow
def test_what_was_typed_is_there_again_next_time(chat, tmp_path):
    with chat() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("remember this line" + ENTER)
        terminal.wait_for("You said")
        terminal.type(CTRL_D)
        terminal.wait_for_exit()
    assert (tmp_path / "chat_history").stat().st_mode & 0o077 == 0
    with chat() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("\x1b[A")
        terminal.wait_for("remember this line")


@pytest.mark.parametrize(("columns", "rows"), [(20, 8), (200, 60)])
@pytest.mark.slow
def test_small_and_large_windows_work(chat, columns, rows):
    with chat(columns=columns, rows=rows) as terminal:
        terminal.wait_for("Aura")
        terminal.type("hi" + ENTER)
        terminal.wait_for("You said hi.")
        terminal.type(CTRL_D)
        assert terminal.wait_for_exit() == 0


@pytest.mark.slow
def test_no_color_means_none(chat):
    with chat(environment={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("hi" + ENTER)
        terminal.wait_for("You said hi.")
        assert not re.search(rb"\x1b\[[0-9;]*3[1-7]m", terminal.raw)


@pytest.mark.slow
def test_a_dumb_terminal_gets_plain_lines(chat):
    with chat(environment={"TERM": "dumb"}) as terminal:
        terminal.wait_for("good at")
        terminal.type("translate it\n")
        terminal.wait_for("own words")
        terminal.type("1\n")
        terminal.wait_for("Translated into German.")
        terminal.type("work forever\n")
        terminal.wait_for("Count to infinity")
        terminal.type(CTRL_C)
        terminal.wait_for("Stopped 1.")
        terminal.type(CTRL_D)
        assert terminal.wait_for_exit() == 0
