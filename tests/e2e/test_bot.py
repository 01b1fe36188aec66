"""`aura bot` as a process of its own: the emulated Telegram before it, a scripted model behind it, kills in between."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.program import Program, is_planning, plan
from tests.fixtures.telegram_emulator import Emulator, Person

OWNER = 1001
CALCULATE = ("aura_base/calculate", {"expression": "12*7"})
PAINT = """
meta:
  title: Paint a picture
  description: Paint a picture in one colour and keep it as a file.
  effects: write
  command: paint
  inputs: {colour: {type: string, enum: [red, blue], required: true, ask: Which colour?}}
steps:
  - {action: file.write, params: {path: "picture.txt", text: "all {{ inputs.colour }}", if_exists: replace}}
  - {action: file.attach, params: {path: "picture.txt"}}
returns: "painted {{ inputs.colour }}"
"""
Start = Callable[[], contextlib.AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def telegram() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def olga(telegram: Emulator) -> Person:
    return telegram.person(OWNER)


@pytest.fixture
def bot(tmp_path, telegram: Emulator, scripted_model) -> Start:
    """Starts the bot for a block; the same home again is a restart. It must stop cleanly unless it was killed."""
    studio = tmp_path / "plans" / "studio"
    (studio / "tasks").mkdir(parents=True)
    (studio / "plan.yaml").write_text("name: studio\nversion: 1.0.0\ntitle: Studio\n")
    (studio / "tasks" / "paint.yaml").write_text(PAINT)
    environment = {**scripted_model.environment, **telegram.environment, "AURA_TELEGRAM_OWNERS": f"[{OWNER}]"}
    environment["AURA_PLANS"] = str(studio.parent)
    aura = Program(tmp_path / "home", environment)

    @contextlib.contextmanager
    def started() -> Iterator[subprocess.Popen[str]]:
        process = aura.start("bot")
        try:
            yield process
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            said, errors = process.communicate(timeout=30)
            assert "@aura_test_bot listens" in said
            assert "Traceback" not in errors, errors
            assert process.returncode in (0, -signal.SIGKILL), errors
        finally:
            process.kill()
            process.wait()

    return started


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)


async def test_a_question_with_buttons_takes_the_tap_and_the_file_arrives(bot: Start, olga: Person, scripted_model):
    scripted_model.say(plan(("studio/paint", {})), when=is_planning)
    scripted_model.say("It is painted.", times=None)
    with bot():
        olga.send("Paint it")
        question = await olga.wait_for("Which colour?")
        assert list(question.buttons) == ["red", "blue"]
        olga.tap(question, "blue")
        await olga.until(lambda: olga.files)
        await olga.until(lambda: question.words.endswith("✅ blue") and not question.buttons)
    assert olga.files == {"picture.txt": b"all blue"}


async def test_a_process_answers_takes_files_and_offers_plugin_commands(
    bot: Start, olga: Person, telegram: Emulator, scripted_model
):
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say(plan(("files/read", {"path": "letter.txt"})), when=is_planning)
    scripted_model.say("The letter says that it rains.", when="Dear Olga, it rains.", times=None)
    scripted_model.say("12*7 is **84**.", times=None)
    with bot():
        olga.send("What is 12*7?")
        answer = await olga.wait_for("84")
        olga.send_file("letter.txt", b"Dear Olga, it rains.", "Read letter.txt to me")
        await olga.wait_for("The letter says")
        olga.send("/calc 6*7")
        await olga.wait_for("42")
        menu = [command["command"] for command in telegram.world.menus[f"chat:{OWNER}"]]
    assert "**" not in answer.words
    assert {"help", "stop", "calc", "files", "paint"} <= set(menu)
    assert len([request for request in scripted_model.requests if is_planning(request)]) == 2


async def test_a_kill_while_the_plan_is_made_loses_nothing(bot: Start, olga: Person, scripted_model):
    scripted_model.hang(when=is_planning)
    with bot() as process:
        olga.send("What is 12*7?")
        card = await olga.wait_for("🧭 Planning")
        kill(process)
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say("12*7 is 84.", times=None)
    with bot():
        await olga.wait_for("12*7 is 84.")
        await olga.until(lambda: card.words.startswith("✅ Done"))
    assert len(olga.posts) == 2


async def test_a_kill_while_a_question_waits_leaves_its_buttons_working(bot: Start, olga: Person, scripted_model):
    scripted_model.say("It is painted.", times=None)
    with bot() as process:
        olga.send("/paint")
        question = await olga.wait_for("Which colour?")
        kill(process)
    olga.tap(question, "red")
    with bot():
        await olga.until(lambda: olga.files)
        await olga.until(lambda: not question.buttons)
    asked = [post for post in olga.saying("Which colour?") if post.text.startswith("❓ Which colour?")]
    assert len(asked) == 1, "the plan card may name the question too; it is asked once"
    assert olga.files == {"picture.txt": b"all red"}


async def test_words_that_answered_a_question_are_no_request_after_a_kill(
    bot: Start, olga: Person, telegram: Emulator, scripted_model
):
    scripted_model.say("It is painted.", times=None)
    with bot() as process:
        olga.send("/paint")
        question = await olga.wait_for("Which colour?")
        telegram.faults.add("editMessageText", "hang", seconds=60, only="✅ red")
        olga.send("red", reply_to=question)
        await olga.until(lambda: olga.files)
        kill(process)
    with bot():
        await olga.until(lambda: not question.buttons)
        olga.send("/id")
        await olga.wait_for("Your id is")
    assert not [request for request in scripted_model.requests if is_planning(request)]
    assert question.words.endswith("✅ red")


async def test_a_kill_between_sending_and_its_confirmation_does_not_send_twice(
    bot: Start, olga: Person, telegram: Emulator, scripted_model
):
    scripted_model.say("It is 12*7 = 84.", times=None)
    with bot() as process:
        olga.send("/id")
        await olga.wait_for("Your id is")
        telegram.faults.add("sendMessage", "hang_after", seconds=60, only="12*7 = 84")
        olga.send("/calc 12*7")
        await olga.wait_for("12*7 = 84")
        kill(process)
    with bot():
        await olga.until(lambda: telegram.calls("editMessageText"))
        olga.send("/calc 12*7")
        await olga.until(lambda: len(olga.saying("12*7 = 84")) == 2)


def test_a_wrong_token_is_explained_without_a_traceback(tmp_path, telegram: Emulator, scripted_model):
    environment = {**scripted_model.environment, **telegram.environment, "TELEGRAM_TOKEN": "1:of-another-bot"}
    done = Program(tmp_path / "home", environment)("bot")
    assert done.returncode == 1
    assert "@BotFather" in done.stderr
