"""The pure parts of the channel: the card's picture, keyboards, turns, names of files and commands."""

from __future__ import annotations

import pytest

from agent.channels.telegram.asking import keyboard_of, parse_tap, question_part
from agent.channels.telegram.card import Card
from agent.channels.telegram.commands import parse_command
from agent.channels.telegram.destination import Destination, session_of
from agent.channels.telegram.files import safe_name
from agent.channels.telegram.rate_limiter import RateLimiter
from agent.channels.telegram.records import token_of
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
from tests.fixtures.telegram.refusals import MAX_CALLBACK_BYTES, checked_keyboard, utf16

RUN = ("r1", "telegram-1")
ONE, TWO = PlanStep(id="s1", title="Look it up"), PlanStep(id="s2", title="Write it down")


def card(*events) -> Card:
    made = Card()
    for kind, *values in events:
        made.take(kind(*RUN, *values))
    return made


def question(*options: str, text: str = "Which day?") -> Question:
    return Question(
        id="run-9/ask:s1/" + "x" * 200,
        run_id="r1",
        step_id="s1",
        session_id="telegram-1",
        text=text,
        options=list(options),
    )


def test_a_card_grows_with_the_plan_and_shows_each_step():
    made = card((RunStarted, "do it"), (StepDrafted, ONE))
    assert made.live().text == "🧭 Planning …\n\n▫️ Look it up"
    for event in (
        PlanMade(*RUN, Plan(steps=[ONE, TWO])),
        StepStarted(*RUN, ONE),
        StepEnded(*RUN, ONE, ExecutorResponse(step_id="s1", status="ok")),
    ):
        made.take(event)
    assert made.live().text == "⚙️ Working …\n\n✅ Look it up\n▫️ Write it down"


def test_a_new_plan_keeps_what_is_done_and_drops_what_is_no_longer_planned():
    ended = ExecutorResponse(step_id="s1", status="ok")
    made = card((PlanMade, Plan(steps=[ONE, TWO])), (StepEnded, ONE, ended))
    other = PlanStep(id="s3", title="Something else")
    made.take(PlanMade(*RUN, Plan(steps=[ONE, other], revision=1)))
    assert made.live().text.endswith("✅ Look it up\n▫️ Something else")


def test_a_card_types_only_while_there_is_work():
    asked, idle = question(), PhaseChanged(*RUN, "waiting")
    made = card((RunStarted, "x"), (PlanMade, Plan(steps=[ONE])), (StepStarted, ONE))
    assert made.working
    made.take(StepEnded(*RUN, ONE, ExecutorResponse(step_id="s1", status="ok")))
    made.take(QuestionAsked(*RUN, asked))
    made.take(idle)
    assert not made.working
    assert "Waiting for your answer" in made.live().text
    made.take(QuestionClosed(*RUN, asked.id, "Friday"))
    assert made.working
    made.take(PhaseChanged(*RUN, "remembering"))
    assert not made.working
    made.take(RunEnded(*RUN, "ok", "Done."))
    assert not made.working


def test_a_card_says_that_it_is_queued():
    made = card((PhaseChanged, "queued", "after the request before it"))
    assert made.live().text == "🕓 Queued: after the request before it"
    assert not made.working


def test_the_answer_shows_while_it_is_written():
    made = card((RunStarted, "x"), (PhaseChanged, "answering"), (AnswerText, "It is "), (AnswerText, "84."))
    assert made.live().text == "✍️ Writing the answer …\n\nIt is 84."


def test_a_card_of_a_huge_plan_fits_into_one_message():
    steps = [PlanStep(id=f"s{number}", title="🚀 " * 300) for number in range(500)]
    made = card((PlanMade, Plan(steps=steps)), (AnswerText, "🚀" * 9000), (RunEnded, "error", "x"))
    for part in (made.live(), made.folded()):
        assert utf16(part.text) <= 4096
        assert all(span.offset + span.length <= utf16(part.text) for span in part.spans)
        assert "… and 480 more" in part.text


def test_labels_keep_to_telegrams_limits():
    for options in (["Friday", "Saturday"], ["x" * 500] * 40, [str(number) for number in range(200)], ["", " "]):
        made = question(*options)
        keyboard = keyboard_of(made)
        assert keyboard is not None
        checked_keyboard(keyboard.model_dump(exclude_none=True))
        buttons = [button for row in keyboard.inline_keyboard for button in row]
        assert all(len(button.callback_data.encode()) <= MAX_CALLBACK_BYTES for button in buttons)
        assert buttons[-1].text == "Other…"
        assert utf16(question_part(made, footer="✅ " + "y" * 5000).text) <= 4096


def test_a_question_of_any_length_fits_into_one_message():
    made = question(*["🚀" * 3000] * 100, text="🚀" * 9000)
    assert utf16(question_part(made).text) <= 4096


def test_a_button_names_its_question_and_choice():
    made = question("Friday", "Saturday")
    rows = keyboard_of(made).inline_keyboard
    first, other = rows[0][1].callback_data, rows[-1][0].callback_data
    assert (parse_tap(first).token, parse_tap(first).choice) == (token_of(made.id), 1)
    assert (parse_tap(other).token, parse_tap(other).choice) == (token_of(made.id), None)
    assert [parse_tap(data) for data in ("", "q:", "q:abc", "q:abc:-1", "q:abc:x", "z:abc:1")] == [None] * 6


def test_an_approval_looks_different():
    assert question_part(question("Allow").model_copy(update={"purpose": "approval"})).text.startswith("🔐")


@pytest.mark.parametrize(("chat_id", "session"), [(1001, "telegram-1001"), (-1_001_234, "telegram--1001234")])
def test_a_chat_has_one_session(chat_id, session):
    assert session_of(chat_id) == session
    assert Destination.of_session(session) == Destination(chat_id)


@pytest.mark.parametrize("session", ["terminal", "telegram-", "telegram-x", "telegram--", "x-telegram-1"])
def test_sessions_of_others_have_no_chat(session):
    assert Destination.of_session(session) is None


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("/note buy milk", ("note", "", "buy milk")),
        ("/Note@Aura_Bot  buy  milk ", ("note", "aura_bot", "buy  milk")),
        ("/note\nfirst line\nsecond", ("note", "", "first line\nsecond")),
        ("/note", ("note", "", "")),
    ],
)
def test_a_command_is_read(text, parsed):
    command = parse_command(text)
    assert (command.name, command.bot, command.rest) == parsed


@pytest.mark.parametrize("text", ["", "note", "/", "/ note", "/@bot x"])
def test_what_is_no_command_is_none(text):
    assert parse_command(text) is None


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("prices.csv", "prices.csv"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "file"),
        ("...", "file"),
        (".bashrc", "bashrc"),
        ("a\0b\nc:d.txt", "a_b_c_d.txt"),
        ("отчёт за год.xlsx", "отчёт за год.xlsx"),
    ],
)
def test_a_file_gets_a_safe_name(name, safe):
    assert safe_name(name) == safe


def test_a_very_long_file_name_keeps_its_ending():
    name = safe_name("я" * 500 + ".csv")
    assert name.endswith(".csv")
    assert len(name.encode()) <= 120


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_leaves_room_for_the_answer():
    clock = Clock()
    limiter = RateLimiter(clock)
    taken = sum(limiter.spare(-5) for _ in range(100))
    assert 0 < taken < 3
    assert limiter.delay(-5) == 0
    assert limiter.delay(-5, urgent=False) > 0


def test_a_hold_of_one_chat_leaves_the_others_alone():
    clock = Clock()
    limiter = RateLimiter(clock)
    limiter.hold(1, 30)
    assert limiter.delay(1) == 30
    assert limiter.delay(2) == 0
    clock.now += 30
    assert limiter.delay(1) == 0
    assert not limiter.is_held(1)
