"""`aura check` as an author meets it: what is printed, in which form, with which exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from agent.cli import run


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("AURA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "broken"
    (folder / "tasks").mkdir(parents=True)
    (folder / "plan.yaml").write_text("titel: x\n")
    (folder / "tasks/go.yaml").write_text("steps:\n  - {stop: x, whn: true}\n  - {stop: [b], wehn: true}\n")
    return folder


def test_every_mistake_of_every_file_is_shown_with_its_line_and_counted(broken: Path, capsys):
    assert run(["check", str(broken)]) == 1
    said = capsys.readouterr()
    assert said.out == (
        "broken/plan.yaml:1:1: error: unknown key 'titel'\n"
        " 1 | titel: x\n"
        "   | ^\n"
        "   = help: did you mean 'title'?\n"
        "\n"
        "broken/tasks/go.yaml:2:15: error: unknown key 'whn' [broken/go, steps[0]]\n"
        " 2 |   - {stop: x, whn: true}\n"
        "   |               ^\n"
        "   = help: did you mean 'when'?\n"
        "\n"
        "broken/tasks/go.yaml:3:17: error: unknown key 'wehn' [broken/go, steps[1]]\n"
        " 3 |   - {stop: [b], wehn: true}\n"
        "   |                 ^\n"
        "   = help: did you mean 'when'?\n"
    )
    assert "3 mistakes in 2 files; 0 plans with 0 tasks in order" in said.err


def test_editors_get_a_list(broken: Path, capsys):
    assert run(["check", "--json", str(broken)]) == 1
    first, *rest = json.loads(capsys.readouterr().out)
    assert first == {
        "file": str(broken / "plan.yaml"),
        "line": 1,
        "column": 1,
        "message": "unknown key 'titel'",
        "hint": "did you mean 'title'?",
        "task": "",
        "step": "",
        "severity": "error",
    }
    assert [(one["line"], one["column"]) for one in rest] == [(2, 15), (3, 17)]
    (broken / "plan.yaml").write_text("")
    (broken / "tasks/go.yaml").write_text("steps: []\n")
    assert run(["check", "--json", str(broken)]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_what_may_be_a_mistake_is_a_warning_and_no_failure(broken: Path, capsys):
    (broken / "plan.yaml").write_text("examples: [{say: Note it, steps: [{for: Note it, task: notes/ad}]}]\n")
    (broken / "tasks/go.yaml").write_text("meta: {inputs: {a: {needs: notes.id}}}\nsteps: []\n")
    assert run(["check", str(broken)]) == 0
    said = capsys.readouterr()
    assert said.out == (
        "broken/plan.yaml:1:56: warning: the example is not shown to the model: there is no task 'notes/ad'\n"
        " 1 | examples: [{say: Note it, steps: [{for: Note it, task: notes/ad}]}]\n"
        "   |                                                        ^\n"
        "   = help: did you mean 'notes/add'?\n"
        "\n"
        "broken/tasks/go.yaml:1:28: warning: no task gives 'notes.id' [broken/go]\n"
        " 1 | meta: {inputs: {a: {needs: notes.id}}}\n"
        "   |                            ^\n"
        "   = help: did you mean 'note.id'?\n"
    )
    assert "1 plan with 1 task in order, 0 mistakes, 2 warnings" in said.err
    assert run(["check", "--json", str(broken)]) == 0
    assert [one["severity"] for one in json.loads(capsys.readouterr().out)] == ["warning", "warning"]


def test_a_terminal_gets_colours_and_a_pipe_does_not(broken: Path, capsys, monkeypatch):
    run(["check", str(broken)])
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    run(["check", str(broken)])
    coloured = capsys.readouterr().out
    assert "\x1b[1;31merror: " in coloured
    assert "titel: x" in coloured


def test_other_commands_say_in_short_why_a_plan_is_missing(broken: Path, capsys, monkeypatch):
    monkeypatch.setenv("AURA_PLANS", str(broken))
    assert run(["run", "broken/go"]) == 1
    said = capsys.readouterr().err
    assert "left out: broken/plan.yaml:1:1: error: unknown key 'titel' (did you mean 'title'?)" in said
    assert "There is no task 'broken/go'" in said
    assert run(["tasks", "calculate"]) == 0
    assert "go.yaml:2:15: error:" in capsys.readouterr().err
    assert run(["run", "nowhere/go"]) == 1
    assert "titel" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("python", "what"),
    [
        pytest.param(
            "while True:\n    pass\n",
            "error: loading this plan did not end within 0.5 s",
            marks=pytest.mark.skipif(
                sys.gettrace() is not None, reason="a traced thread is not told to end (see run_patiently)"
            ),
        ),
        ("raise KeyboardInterrupt\n", "error: this file cannot be imported: KeyboardInterrupt"),
        ("class L:\n    def __call__(self): ...\n    def __getattr__(self, n): raise SystemExit\nit = L()\n", "'it'"),
    ],
)
def test_a_plan_whose_python_hangs_or_breaks_out_is_a_mistake_like_any_other(
    broken: Path, capsys, monkeypatch: pytest.MonkeyPatch, python: str, what: str
):
    monkeypatch.setenv("AURA_EXECUTION_LOAD_SECONDS", "0.5")
    (broken / "plan.yaml").write_text("")
    (broken / "tasks/go.yaml").write_text("steps: []\n")
    (broken / "actions").mkdir()
    (broken / "actions/a.py").write_text(python)
    assert run(["check", str(broken)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("broken/actions/a.py:")
    assert what in said.out
    assert "Traceback" not in said.out + said.err
    assert "1 mistake in 1 file; 0 plans with 0 tasks in order" in said.err
