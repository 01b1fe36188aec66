"""Commands beside a chat or a bot that has the home: they reach it, and look and end as they do alone."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import AURA, Program, is_planning, plan
from tests.fixtures.pseudo_terminal import PseudoTerminal
from tests.fixtures.telegram_emulator import Emulator

OWNER = 1001
PATIENCE = 100.0
CALCULATE = ("aura_base/calculate", {"expression": "12*7"})
TRANSLATE = plan(("ask_user", {"question": "Into which language?"}))
BONJOUR = plan(("llm", {"instruction": "Say good morning in French"}))
SLOW = """
meta:
  title: Take long
  effects: write
  inputs: {seconds: {type: number, required: true, ask: How long?}}
steps:
  - {action: file.write, params: {path: begun.txt, text: x}}
  - {action: sleep, params: {seconds: "{{ inputs.seconds }}"}}
  - {action: file.write, params: {path: ended.txt, text: x}}
returns: {took: "{{ inputs.seconds }}"}
"""
GUESS = """
meta: {title: Guess, effects: read}
steps:
  - {ask: Which colour?, options: [red, blue], output_to: colour}
returns: "{{ colour }}"
"""
Host = Callable[[], contextlib.AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def aura(tmp_path, scripted_model) -> Program:
    folder = tmp_path / "lab"
    (folder / "tasks").mkdir(parents=True)
    (folder / "plan.yaml").write_text("name: lab\nversion: 1.0.0\ntitle: Lab\n")
    (folder / "tasks" / "slow.yaml").write_text(SLOW)
    (folder / "tasks" / "guess.yaml").write_text(GUESS)
    return Program(tmp_path / "home", {**scripted_model.environment, "AURA_PLANS": str(folder)})


@contextlib.contextmanager
def running(aura: Program, program: str) -> Iterator[subprocess.Popen[str]]:
    """A chat or a bot that can be reached, for the block; it ends well unless it was killed."""
    process = aura.start(program)
    try:
        until(lambda: reachable(aura.home), process)
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in errors, errors
    finally:
        process.kill()
        process.communicate()


def reachable(home: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        path = home / "aura.sock"
        connection.connect(str(path.readlink() if path.is_symlink() else path))
        return True
    return False


def until(true: Callable[[], object], process: subprocess.Popen[str] | None = None, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


@pytest.fixture(params=["chat", "bot"])
def host(request, aura) -> Iterator[Host]:
    with contextlib.ExitStack() as stack:
        if request.param == "bot":
            telegram = stack.enter_context(Emulator())
            aura.environment |= {**telegram.environment, "AURA_TELEGRAM_OWNERS": f"[{OWNER}]"}
        yield lambda: running(aura, request.param)


@pytest.fixture
def chat(aura) -> Host:
    return lambda: running(aura, "chat")


def planning(said: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a model request asks for the plan of what was said."""
    return lambda request: is_planning(request) and said in str(request["messages"])


def seen(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    """What a command showed, without what differs from one run to the next."""
    out, err = (
        re.sub(r"run-\w+", "RUN", re.sub(r"\d+\.\d+(e-\d+)?", "N", text)) for text in (done.stdout, done.stderr)
    )
    return done.returncode, out, err


COMMANDS = [
    ["run", "aura_base/calculate", "expression=12*7"],
    ["run", "aura_base/calculate", "expression=12*7", "--json"],
    ["run", "aura_base/calculate", "expression=1/0", "--json"],
    ["run", "aura_base/calculate", "expression=1/0"],
    ["run", "notes/ad", "--json"],
    ["run", "notes/add", "milk"],
    ["run", "notes/add", "text=\udcff", "--json"],
    ["run", "files/write", "path=a.txt", "text=ä"],
    ["run", "lab/guess"],
    ["run", "lab/guess", "--json"],
    ["run", "lab/guess", "--answer", "2"],
    ["run", "lab/slow", "--answer", "0", "--json"],
    ["run", "lab/slow", "--json"],
    ["runs", "cancel", "nothing"],
    ["runs", "resume", "nothing", "--json"],
    ["ask", "What is 12*7?"],
    ["ask", "What is 12*7?", "--json"],
    ["ask", "Save it"],
    ["ask", "hello", "--profile", "guest", "--json"],
    ["ask", "hello", "--profile", "nobody"],
    ["ask", "Please translate it", "--json"],
    ["ask", "Please translate it"],
    ["ask", "Please translate it", "--answer", "French"],
    ["schedule"],
]


def test_commands_look_and_end_the_same_with_and_without_a_program_beside_them(tmp_path, aura, chat, scripted_model):
    for steps, said in ((CALCULATE, "12*7"), (("files/write", {"path": "b.txt", "text": "b"}), "Save it")):
        scripted_model.say(plan(steps), when=planning(said), times=None)
    scripted_model.say(BONJOUR, when=planning("French"), times=None)
    scripted_model.say(TRANSLATE, when=planning("Please translate it"), times=None)
    scripted_model.say("So be it.", times=None)
    apart = Program(tmp_path / "once", aura.environment | {"AURA_HOME": str(tmp_path / "once")})
    alone = [seen(apart(*words)) for words in COMMANDS]
    with chat():
        for words, expected in zip(COMMANDS, alone, strict=True):
            code, out, err = seen(aura(*words))
            assert (words, code, out, err.replace(str(aura.home), str(apart.home))) == (words, *expected)


def test_a_request_a_task_and_the_runs_reach_whoever_has_the_home(aura, host: Host, scripted_model):
    scripted_model.say(plan(CALCULATE), when=is_planning)
    for steps in (TRANSLATE, BONJOUR, TRANSLATE):
        scripted_model.say(steps, when=is_planning)
    scripted_model.say("Done.", times=None)
    with host():
        assert aura.json("ask", "What is 12*7?")["status"] == "ok"
        assert aura.json("run", "notes/add", "text=milk")["status"] == "success"
        run_id = aura.json("ask", "Please translate it", code=2)["run_id"]
        assert aura.json("runs", "resume", run_id, "--answer", "French")["status"] == "ok"
        cancelled = aura.json("ask", "Please translate it", code=2)["run_id"]
        assert "is cancelled" in aura("runs", "cancel", cancelled).stderr
        assert "ended already" in aura("runs", "cancel", cancelled).stderr
        assert [run["status"] for run in aura.json("runs")] == ["cancelled", "ok", "ok"]
    assert aura.json("run", "notes/list")["result"]["count"] == 1


def test_the_home_is_the_owners_alone(request, aura, host: Host):
    with host() as process:
        path = aura.home / "aura.sock"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (found,) = [finding["text"] for finding in aura.json("doctor") if finding["what"] == "AURA_HOME"]
        assert f"aura {request.node.callspec.params['host']} (process {process.pid}); commands reach it" in found
    assert not path.exists()


def test_a_second_program_that_stays_open_is_told_who_is_there(aura, chat: Host):
    with chat() as process:
        done = aura("chat")
        assert done.returncode == 1
        assert f"aura chat (process {process.pid})" in done.stderr


def test_a_home_with_a_long_name_is_reached_all_the_same(tmp_path, aura, chat: Host, monkeypatch):
    aura.home = tmp_path / ("long " * 20) / ("name-" * 20)
    aura.environment["AURA_HOME"] = str(aura.home)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "elsewhere"))
    with chat() as process:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"
        folder = (aura.home / "aura.sock").readlink().parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        process.kill()
        process.wait()
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"
    with chat():
        assert not folder.exists()
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"
    assert not (aura.home / "aura.sock").is_symlink()


def test_after_a_kill_the_socket_that_is_left_is_in_nobodys_way(aura, host: Host):
    with host() as process:
        process.kill()
        process.wait()
        assert (aura.home / "aura.sock").exists()
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"
    with host() as process:
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"


def test_a_command_waits_for_a_program_that_is_just_starting(aura):
    with aura.start("chat") as process:
        until((aura.home / "aura.lock.holder").exists, process)
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"
        process.communicate("/quit\n", timeout=PATIENCE)


def test_a_program_that_dies_while_a_command_waits_loses_nothing(aura, host: Host, scripted_model):
    steps = plan(("notes/add", {"text": "the plumber comes"}), ("llm", {"instruction": "Say hello"}))
    scripted_model.say(steps, when=is_planning)
    scripted_model.hang(when="Say hello")
    with host() as process:
        command = aura.start("ask", "Note: the plumber comes. Then say hello", "--json")
        scripted_model.wait_for_requests(2)
        process.kill()
        out, error = command.communicate(timeout=PATIENCE)
        assert command.returncode == 1
        (run,) = aura.json("runs")
        assert f"aura runs resume {run['run_id']}" in error
        assert json.loads(out)["answer"] == error.strip()
    scripted_model.say("Hello.", times=None)
    with host():
        until(lambda: aura.json("runs")[0]["status"] == "ok")
    assert aura.json("run", "notes/list")["result"]["count"] == 1


def test_a_program_that_ends_tells_the_command_that_waits_and_goes_on_later(aura, chat: Host, scripted_model):
    scripted_model.hang(when=is_planning)
    with chat() as process:
        command = aura.start("ask", "What is 12*7?")
        scripted_model.wait_for_requests(1)
        process.communicate("/quit\n", timeout=PATIENCE)
        _, error = command.communicate(timeout=PATIENCE)
        assert command.returncode == 1
        assert "aura runs resume run-" in error
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say("84.", times=None)
    run_id = aura.json("runs")[0]["run_id"]
    assert aura.json("runs", "resume", run_id)["status"] == "ok"


def test_a_task_breaks_off_with_the_program_and_that_is_said(aura, chat: Host):
    with chat() as process:
        command = aura.start("run", "lab/slow", "seconds=60", "--json")
        until((aura.home / "ask" / "files" / "begun.txt").exists)
        process.kill()
        out, error = command.communicate(timeout=PATIENCE)
    assert command.returncode == 1
    assert "lab/slow" in error
    assert json.loads(out)["status"] == "error"


def test_what_a_command_asked_for_goes_on_when_it_goes_away_and_that_is_said(aura, host: Host, scripted_model):
    scripted_model.say(plan(CALCULATE), when=is_planning, delay=1.0)
    scripted_model.say("84.", times=None)
    with host():
        command = aura.start("ask", "What is 12*7?")
        task = aura.start("run", "lab/slow", "seconds=3")
        scripted_model.wait_for_requests(1)
        until((aura.home / "ask" / "files" / "begun.txt").exists)
        for process in (command, task):
            process.kill()
            process.communicate()
        until(lambda: aura.json("runs")[0]["status"] == "ok")
        until((aura.home / "ask" / "files" / "ended.txt").exists)
        log = (aura.home / "logs" / "aura.log").read_text(encoding="utf-8")
    assert log.count("a command went away; what it asked for goes on") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_task_that_is_stopped_ends_in_the_other_program_too(aura, chat: Host, number):
    with chat():
        command = aura.start("run", "lab/slow", "seconds=2")
        until((aura.home / "ask" / "files" / "begun.txt").exists)
        command.send_signal(number)
        _, error = command.communicate(timeout=PATIENCE)
        assert command.returncode == (130 if number is signal.SIGINT else -number), error
        time.sleep(2)
        assert not (aura.home / "ask" / "files" / "ended.txt").exists()
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"


def test_ctrl_c_cancels_a_request_in_the_other_program_too(aura, host: Host, scripted_model):
    scripted_model.hang(when=is_planning)
    with host():
        command = aura.start("ask", "What is 12*7?")
        scripted_model.wait_for_requests(1)
        command.send_signal(signal.SIGINT)
        out, error = command.communicate(timeout=PATIENCE)
        assert (command.returncode, out, error) == (130, "", "Stopped.\n")
        assert aura.json("runs")[0]["status"] == "cancelled"


def test_ctrl_c_at_a_question_cancels_the_request(aura, chat: Host, scripted_model):
    scripted_model.say(TRANSLATE, when=is_planning)
    with chat(), PseudoTerminal([*AURA, "ask", "Please translate it"], environment=aura.environment) as terminal:
        terminal.wait_for("answer ›")
        terminal.type("\x03")
        assert terminal.wait_for_exit() == 130
        assert aura.json("runs")[0]["status"] == "cancelled"


def test_a_person_at_a_terminal_sees_the_plan_and_is_asked(aura, host: Host, scripted_model):
    scripted_model.say(TRANSLATE, when=is_planning)
    scripted_model.say(BONJOUR, when=is_planning)
    scripted_model.say("Bonjour.", times=None)
    with host(), PseudoTerminal([*AURA, "ask", "Please translate it"], environment=aura.environment) as terminal:
        terminal.wait_for("answer ›")
        terminal.type("French\r")
        terminal.wait_for("Bonjour.")
        assert terminal.wait_for_exit() == 0
        assert "✓" in terminal.text


def test_a_reminder_that_a_command_set_comes_in_the_chat(aura, chat: Host, scripted_model):
    scripted_model.say(plan(("reminders/add", {"text": "stretch", "when": "in 1 second"})), when=is_planning)
    scripted_model.say("I will remind you.", times=None)
    with chat() as process:
        assert aura.json("ask", "remind me in 1 second to stretch")["status"] == "ok"
        assert process.stdout is not None
        assert any("⏰ stretch" in line for line in process.stdout)


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"\n",
        b'{"kind": "as',
        b'{"kind": "ask"}\n',
        b'{"kind": "fly", "text": "x"}\n',
        b"\xff\x00\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b'{"kind": "stop"}\n' * 3,
        b"[" * 100_000 + b"\n",
        b"x" * 20_000_000,
        json.dumps({"kind": "ask", "text": "x", "profile": "nobody"}).encode() + b"\n\n\n{}\n",
    ],
    ids=lambda words: repr(words[:20]),
)
def test_no_odd_words_of_a_connection_disturb_the_program(aura, chat: Host, words):
    with chat(), socket.socket(socket.AF_UNIX) as odd, socket.socket(socket.AF_UNIX) as silent:
        for connection in (odd, silent):
            connection.connect(str(aura.home / "aura.sock"))
        with contextlib.suppress(ConnectionError):
            odd.sendall(words)
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"
        odd.close()
        assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"


def test_who_listens_and_says_nothing_is_named(aura, monkeypatch):
    monkeypatch.setattr("agent.channels.local.client.HELLO_SECONDS", 0.2)
    aura.home.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(aura.home / "aura.sock"))
        deaf.listen()
        done = aura("run", "aura_base/calculate", "expression=6*7")
    assert done.returncode == 1
    assert os.fspath(aura.home / "aura.sock") in done.stderr
