"""`aura chat` as a process with the real app behind it: piped lines, and a person at a (pseudo) terminal."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.e2e.program import AURA, Program, is_planning, plan
from tests.fixtures.pseudo_terminal import PseudoTerminal

TWO_THINGS = plan(("aura_base/calculate", {"expression": "12*7"}), ("files/list", {}))
TRANSLATE = plan(("ask_user", {"question": "Into which language?", "options": ["German", "French"]}))
SAY_HELLO = plan(("llm", {"instruction": "Say hello"}))


@pytest.fixture
def aura(tmp_path, scripted_model):
    return Program(tmp_path / "home", scripted_model.environment)


def chat(aura, *lines, code=0):
    """Pipes these lines into `aura chat` and returns what it showed."""
    process = aura.start("chat")
    out, error = process.communicate("".join(f"{line}\n" for line in lines), timeout=60)
    assert process.returncode == code, error
    assert "Traceback" not in out + error
    return out


@pytest.fixture
def person(aura):
    """A person at a terminal with `aura chat`."""

    def sit_down(**options):
        return PseudoTerminal([*AURA, "chat"], environment=aura.environment, **options)

    return sit_down


def test_a_plan_of_two_independent_steps_is_shown_and_answered(aura, scripted_model):
    scripted_model.say(TWO_THINGS, when=is_planning)
    scripted_model.say("12*7 is 84. There are no files yet.", times=None)
    shown = chat(aura, "What is 12*7? Also list my files.")
    assert "Plan:" in shown
    assert "after" not in shown.split("Plan:")[1].split("✓")[0]
    assert shown.count("✓") == 2
    assert "84" in shown


def test_a_question_is_answered_with_its_number_on_the_next_line(aura, scripted_model):
    scripted_model.say(TRANSLATE, when=is_planning)
    scripted_model.say(SAY_HELLO, when="French")
    scripted_model.say("Bonjour.", times=None)
    assert "Bonjour." in chat(aura, "Please translate it", "2")


def test_a_question_waits_for_the_next_chat_and_is_shown_again(aura, scripted_model):
    scripted_model.say(TRANSLATE, when=is_planning)
    assert "2 French" in chat(aura, "Please translate it", code=2)
    scripted_model.say(SAY_HELLO, when="French")
    scripted_model.say("Bonjour.", times=None)
    shown = chat(aura, "French")
    assert "Going on with: Please translate it" in shown
    assert "2 French" in shown
    assert "Bonjour." in shown


def test_a_plugin_command_asks_for_what_is_missing(aura):
    shown = chat(aura, "/note", "call the plumber", "/notes")
    assert "call the plumber" in shown.split("Noted", 1)[-1], shown


def test_a_new_conversation_forgets_the_old_one(aura, scripted_model):
    scripted_model.say(SAY_HELLO, when=is_planning, times=None)
    scripted_model.say("Hello.", times=None)
    chat(aura, "my first sentence", "/new", "my second sentence")
    planned = [str(request["messages"]) for request in scripted_model.requests if is_planning(request)]
    assert "my first sentence" not in planned[-1]


def test_a_model_that_writes_nonsense_is_said_and_the_chat_goes_on(aura, scripted_model):
    scripted_model.say("I would rather not.", when=is_planning, times=2)
    scripted_model.say(TWO_THINGS, when="Again")
    scripted_model.say("84", times=None)
    shown = chat(aura, "Do something", "Again: what is 12*7?")
    assert "84" in shown
    assert shown.count("Plan:") >= 1


def test_a_chat_without_a_model_names_the_ways_on_and_commands_still_work(tmp_path):
    aura = Program(tmp_path / "home", {"AURA_EMBEDDED_FOLDER": str(tmp_path / "no weights")})
    shown = chat(aura, "/note call the plumber", "What is 12*7?")
    assert "aura model pull" in shown
    assert "OPENAI_BASE_URL" in shown
    assert "Noted" in shown


def test_a_plan_with_a_mistake_is_left_out_and_named(aura, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "plan.yaml").write_text("name: broken\nversion: [\n")
    aura.environment["AURA_PLANS"] = str(folder)
    assert "broken/plan.yaml" in chat(aura, "/quit")


def test_a_person_sees_the_live_plan_answers_a_question_and_comes_back_tomorrow(person, scripted_model):
    scripted_model.say(TWO_THINGS, when=is_planning)
    scripted_model.say("12*7 is 84, and there are no files yet.", times=None, piece_delay=0.01)
    with person() as terminal:
        terminal.wait_for("scripted-model", "Ask something")
        terminal.type("What is 12*7? Also list my files.\r")
        terminal.wait_for("84", "no files", "Ask something")
        assert terminal.text.count("✓") == 2
        scripted_model.say(TRANSLATE, when=is_planning)
        terminal.type("Please translate it\r")
        terminal.wait_for("2 French", "your answer")
        terminal.type("\x04")
        assert terminal.wait_for_exit() == 0
        assert "goes on next time" in terminal.text
    scripted_model.say(SAY_HELLO, when="French")
    with person() as terminal:
        terminal.wait_for("Going on with: Please translate it", "2 French", "your answer")
        terminal.type("2\r")
        terminal.wait_for("84, and there", "Ask something")
        terminal.type("\x04")
        assert terminal.wait_for_exit() == 0


def test_an_edited_plan_counts_from_the_next_request_and_a_broken_edit_is_said(aura, person, tmp_path):
    task = tmp_path / "greet" / "tasks" / "hello.yaml"
    task.parent.mkdir(parents=True)
    text = "meta: {{title: Greet, command: {command}}}\nsteps: []\nreturns: Greetings from version {word}.\n"
    (tmp_path / "greet" / "plan.yaml").write_text("name: greet\n")
    task.write_text(text.format(command="hello", word="one"))
    aura.environment["AURA_PLANS"] = str(tmp_path / "greet")
    with person() as terminal:
        terminal.wait_for("Ask something")
        terminal.type("/hello\r")
        terminal.wait_for("version one")
        task.write_text(text.format(command="welcome", word="two"))
        terminal.wait_for("plan greet reloaded")
        terminal.type("/welcome\r")
        terminal.wait_for("version two")
        task.write_text("steps: [{action: nothing}]")
        terminal.wait_for("plan greet: edit not taken, still the version of", "tasks/hello.yaml:1:")
        terminal.type("/quit\r")
        assert terminal.wait_for_exit() == 0


def test_with_hot_reload_off_a_chat_stays_with_what_it_began_with(aura, person, tmp_path):
    task = tmp_path / "greet" / "tasks" / "hello.yaml"
    task.parent.mkdir(parents=True)
    text = "meta: {{title: Greet, command: hello}}\nsteps: []\nreturns: Greetings from version {word}.\n"
    task.write_text(text.format(word="one"))
    (tmp_path / "greet" / "plan.yaml").write_text("name: greet\n")
    aura.environment |= {"AURA_PLANS": str(tmp_path / "greet"), "AURA_HOT_RELOAD": "false"}
    with person() as terminal:
        terminal.wait_for("Ask something")
        task.write_text(text.format(word="two"))
        terminal.type("/hello\r")
        terminal.wait_for("version one")
        terminal.type("/quit\r")
        assert terminal.wait_for_exit() == 0
        assert "reloaded" not in terminal.text


def test_ctrl_c_stops_a_run_that_hangs_and_the_next_request_works(person, scripted_model):
    scripted_model.hang()
    with person() as terminal:
        terminal.wait_for("Ask something")
        terminal.type("Do it\r")
        terminal.wait_for("planning")
        scripted_model.wait_for_requests(1)
        terminal.type("\x03")
        terminal.wait_for("Stopped 1.")
        scripted_model.say(TWO_THINGS, when=is_planning)
        scripted_model.say("84", times=None)
        terminal.type("What is 12*7?\r")
        terminal.wait_for("✓", "84", "Ask something")
        terminal.type("/quit\r")
        assert terminal.wait_for_exit() == 0


def test_a_killed_chat_goes_on_where_it_was(aura, person, scripted_model):
    scripted_model.say(
        plan(("notes/add", {"text": "the plumber comes"}), ("llm", {"instruction": "Say hello"})), when=is_planning
    )
    scripted_model.hang(when="Say hello")
    process = aura.start("chat")
    assert process.stdin is not None
    process.stdin.write("Note: the plumber comes. Then say hello\n")
    process.stdin.flush()
    scripted_model.wait_for_requests(2)
    process.kill()
    process.communicate()
    scripted_model.say("Hello. The plumber comes.", times=None)
    with person() as terminal:
        terminal.wait_for("Going on with", "Hello. The plumber comes.")
        terminal.type("/quit\r")
        assert terminal.wait_for_exit() == 0
    assert aura.json("run", "notes/list")["result"]["count"] == 1


def test_termination_leaves_the_terminal_as_it_was(person):
    with person() as terminal:
        terminal.wait_for("Ask something")
        before = len(terminal.raw)
        subprocess.run(["kill", "-TERM", str(terminal.pid)], check=True)
        assert terminal.wait_for_exit() == 130
        assert b"\x1b[?2004l" in terminal.raw[before:]


@pytest.mark.model
def test_an_opened_chat_gets_its_model_ready_while_nobody_types_and_keeps_what_it_read(tmp_path, small_model):
    aura = Program(tmp_path / "home", {"AURA_MODEL": str(small_model), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    prompts = tmp_path / "cache" / "aura" / "prompts"

    def sit_down():
        return PseudoTerminal([*AURA, "chat"], environment=aura.environment)

    with sit_down() as terminal:
        terminal.wait_for("you can type already")
        terminal.type("/note milk\r")
        terminal.wait_for("Noted")
        deadline = time.monotonic() + 90
        while not list(prompts.glob("*-plan-*.state")) or "you can type already" in terminal.text:
            assert time.monotonic() < deadline, terminal.text
            terminal.read_for(0.2)
        terminal.type("/quit\r")
        assert terminal.wait_for_exit() == 0
    [state] = prompts.iterdir()
    written = state.stat().st_mtime_ns
    with sit_down() as terminal:
        terminal.wait_for("Ask something")
        terminal.read_for(3)
        assert "reads its instructions" not in terminal.text
        terminal.type("/quit\r")
        assert terminal.wait_for_exit() == 0
    assert [path.stat().st_mtime_ns for path in prompts.iterdir()] == [written]


def test_with_preparing_off_no_model_is_loaded_before_it_is_asked(tmp_path):
    damaged = tmp_path / "own.gguf"
    damaged.write_bytes(b"GGUF" + bytes(2000))
    loads = Program(tmp_path / "one", {"AURA_MODEL": str(damaged)})
    with PseudoTerminal([*AURA, "chat"], environment=loads.environment) as terminal:
        terminal.wait_for("put a whole one there", "Ask something")
        terminal.type("/quit\r")
        assert terminal.wait_for_exit() == 0
    waits = Program(tmp_path / "two", {"AURA_MODEL": str(damaged), "AURA_EMBEDDED_PREPARE": "false"})
    shown = chat(waits, "/note milk")
    assert "Noted" in shown
    assert "cannot be loaded" not in shown
