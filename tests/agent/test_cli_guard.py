"""Whatever a command does, a person reads a clear line and never a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from agent.cli import run
from agent.cli.guard import guarded
from agent.cli.invocation import Invocation, asynchronously
from agent.errors import AgentError, ConfigError
from aura_core.errors import NotFoundError


def raising(error):
    def command():
        raise error

    return command


def aura(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.mark.parametrize("error", [ConfigError("setting x is wrong"), NotFoundError("no task 'x'")])
def test_an_expected_error_is_its_message_and_exit_code_1(capsys, error):
    assert guarded(raising(error), Invocation()) == 1
    assert capsys.readouterr().err.strip() == str(error)


def test_errors_of_tasks_side_by_side_are_each_said_once(capsys):
    group = ExceptionGroup(
        "many", [AgentError("first"), ExceptionGroup("inner", [AgentError("second")]), AgentError("first")]
    )
    assert guarded(raising(group), Invocation()) == 1
    assert capsys.readouterr().err.splitlines() == ["first", "second"]


def test_a_bug_is_one_line_and_its_traceback_is_in_the_log(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AURA_HOME", str(tmp_path))
    assert guarded(raising(KeyError("x")), Invocation()) == 1
    said = capsys.readouterr().err
    assert "KeyError: 'x'" in said
    assert "Traceback" not in said
    log = tmp_path / "logs" / "aura.log"
    assert str(log) in said
    assert "Traceback" in log.read_text(encoding="utf-8")


def test_debug_shows_the_traceback(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AURA_HOME", str(tmp_path))
    assert guarded(raising(KeyError("x")), Invocation(debug=True)) == 1
    assert "Traceback" in capsys.readouterr().err


def test_with_json_a_failure_is_a_document_too(capsys):
    invocation = Invocation(json_failure=lambda message: {"status": "error", "answer": message})
    assert guarded(raising(AgentError("no model")), invocation) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"status": "error", "answer": "no model"}
    assert captured.err.strip() == "no model"


def test_ctrl_c_ends_with_130(capsys):
    assert guarded(raising(KeyboardInterrupt()), Invocation()) == 130
    assert "Stopped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["ask", "--nope"], "No such option: --nope"),
        (["run"], "Missing argument 'PLAN/TASK'; `aura run --help`"),
        (["runs", "show"], "Missing argument 'ID'; `aura runs show --help`"),
        (["runs", "--limit", "0"], "Invalid value for '--limit': "),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong_and_is_not_mistaken_for_a_question(capsys, arguments, text):
    assert run(arguments) == 1
    said = capsys.readouterr().err
    assert text in said
    assert "--help" in said


def test_no_words_at_all_show_the_help(capsys):
    assert run([]) == 0
    assert "chat" in capsys.readouterr().out


def test_debug_may_stand_anywhere_but_not_behind_a_double_dash(capsys):
    assert run(["model", "list", "--debug"]) == 0
    assert run(["model", "path", "--", "--debug"]) == 1
    assert "--debug" in capsys.readouterr().err


def test_wrong_settings_are_named_with_their_place(capsys, monkeypatch):
    monkeypatch.setenv("AURA_LLM_TIMEOUT", "soon")
    assert run(["model", "list"]) == 1
    said = capsys.readouterr().err
    assert "llm.timeout" in said
    assert "AURA_LLM_TIMEOUT" in said


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error():
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m agent.cli check --json | true"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "de_DE.ISO-8859-1"}])
@pytest.mark.slow
def test_a_terminal_without_utf8_can_show_everything(locale):
    for arguments in (["--help"], ["model", "list"], ["check"]):
        done = aura(*arguments, env={**os.environ, **locale})
        assert done.returncode == 0, done.stderr


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    home = tmp_path / "home"
    home.write_text("a file where the folder should be")
    done = aura("model", "list", env={**os.environ, "AURA_HOME": str(home)})
    assert done.returncode == 0, done.stderr


def test_help_is_quick_because_nothing_heavy_is_imported():
    heavy = "openai", "aiogram", "networkx", "prompt_toolkit"
    code = f"import sys, agent.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_an_interrupted_command_says_so(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "chat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert any("Aura" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert error.strip() == "Stopped."


def test_sys_exit_is_a_failure_and_no_closed_pipe(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AURA_HOME", str(tmp_path))
    assert guarded(raising(SystemExit(0)), Invocation()) == 1
    assert "SystemExit: 0" in capsys.readouterr().err


def test_a_closed_pipe_is_told_by_its_own_code():
    command = [sys.executable, "-m", "agent.cli", "check", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) in {0, 141}
    assert process.stderr is not None
    with process.stderr:
        assert "Traceback" not in process.stderr.read()


def test_sys_exit_in_an_asyncio_task_beside_the_command_does_not_end_it():
    async def leave() -> None:
        raise SystemExit(3)

    async def command() -> int:
        beside = [asyncio.create_task(leave()) for _ in range(3)]
        caught = 0
        for task in beside:
            try:
                await task
            except SystemExit:
                caught += 1
        return caught

    assert asynchronously(command()) == 3


def test_sys_exit_of_the_command_itself_is_not_hidden():
    async def command() -> int:
        await asyncio.sleep(0)
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        asynchronously(command())


def test_ctrl_c_while_the_command_line_is_imported_is_no_traceback(monkeypatch, capsys):
    class Interrupted:
        def find_spec(self, name, *_hints):
            if name == "agent.cli.command_line":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "agent.cli.command_line", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert run(["tasks"]) == 130
    assert capsys.readouterr().err == "Stopped.\n"
