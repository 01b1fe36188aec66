"""`aura run` and `aura tasks` as a person meets them, with odd words on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli import run

TASKS = """
show:
  meta:
    title: Show
    description: Gives back what it got.
    inputs:
      n: {type: integer, default: 3, minimum: 1, description: How many.}
      text: {type: string, default: plain}
      names: {type: array, items: {type: string}, default: []}
      deep: {type: object, default: {}}
      loud: {type: boolean, default: false}
      ratio: {type: number, default: 0.5}
      free: {type: any}
  steps: [{set: {all: "{{ inputs }}"}}]
  returns: "{{ all }}"
need: {meta: {inputs: {k: {type: integer, required: true, description: A number}}}, steps: []}
pick:
  steps: [{ask: "Which?", options: [a, b], output_to: x}]
  returns: "picked {{ x }}"
hail:
  meta:
    inputs:
      name: {type: string, required: true, ask: "Whom?"}
      times: {type: integer, required: true, ask: "How often?"}
  steps: []
  returns: "{{ inputs.name }} {{ inputs.times + 1 }}"
quiet: {steps: [{set: {a: 1}}]}
stops: {steps: [{stop: "asked to stop"}]}
late: {meta: {timeout: 0.01}, steps: [{action: log, params: {message: x}, wait_before: 60}]}
breaks: {steps: [{set: {a: "{{ 1 // 0 }}"}}]}
"""


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("AURA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "home/plugins/lab"
    (folder / "tasks").mkdir(parents=True)
    (folder / "plan.yaml").write_text("name: lab\n")
    (folder / "tasks/all.yaml").write_text(TASKS)
    return folder


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("n=7", "n", 7),
        ("n= 7 ", "n", 7),
        ("n=", "n", 3),
        ("text=", "text", ""),
        ("text=a=b", "text", "a=b"),
        ("text=5", "text", "5"),
        ('names=["a", "b"]', "names", ["a", "b"]),
        ("names=[a, b]", "names", ["a", "b"]),
        ("names=", "names", []),
        ('deep={"a": [1, {"b": null}]}', "deep", {"a": [1, {"b": None}]}),
        ("loud=true", "loud", True),
        ("loud=yes", "loud", True),
        ("ratio=2", "ratio", 2),
        ("ratio=1e-1", "ratio", 0.1),
        ("free=12:30", "free", "12:30"),
        ("free=2026-11-21", "free", "2026-11-21"),
        ("free={broken", "free", "{broken"),
        ("free=", "free", None),
    ],
)
def test_a_word_becomes_the_value_that_a_task_file_would_have(word: str, name: str, value: object, capsys):
    assert run(["run", "lab/show", word, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "success"
    assert document["result"][name] == value


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["lab/shw"], "NotFoundError", "There is no task 'lab/shw'; did you mean 'lab/show'?"),
        (["lba/show"], "NotFoundError", "There is no task 'lba/show'; did you mean 'lab/show'?"),
        (["show"], "NotFoundError", "There is no task 'show'; did you mean 'lab/show'?"),
        (["lab/../lab/show"], "NotFoundError", "There is no task 'lab/../lab/show'; did you mean 'lab/show'?"),
        (["lab/show", "m=1"], "InputError", "lab/show: it has no input 'm'; its inputs are: "),
        (["lab/show", "n"], "InputError", "'n' is not an input; write key=value. lab/show takes: n, text, "),
        (["lab/show", "=1"], "InputError", "'=1' is not an input; write key=value."),
        (["lab/show", "n=1", "n=2"], "InputError", "The input 'n' is given twice"),
        (
            ["lab/show", "n=x", "loud=7"],
            "InputError",
            "the input 'n': a whole number is wanted, not 'x'; the input 'lou",
        ),
        (["lab/show", "n=0"], "InputError", "the input 'n': Input should be greater than or equal to 1."),
        (["lab/show", "names=[a, b"], "InputError", 'the input \'names\': a value such as ["a", "b"] is wanted.'),
        (["lab/show", "deep=[1]"], "InputError", "the input 'deep': a mapping is wanted, not [1]."),
        (["lab/need"], "InputError", "lab/need: it needs the input 'k' (A number)."),
        (["lab/need", "k="], "InputError", "lab/need: it needs the input 'k' (A number)."),
        (["lab/quiet", "k=1"], "InputError", "lab/quiet: it has no input 'k', it takes none."),
        (["lab/breaks"], "ExpressionError", "it divides by zero"),
        (["lab/late"], "TimeoutError", "Task lab/late took longer than 0.01 s and was ended."),
    ],
)
def test_what_cannot_be_run_is_said_in_the_same_shape_with_and_without_json(words, kind, said, capsys):
    assert run(["run", *words, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["result"], document["error"]["type"]) == (None, kind)
    assert set(document) == {"status", "result", "message", "error", "seconds"}
    assert set(document["error"]) == {"type", "message", "task", "step", "location", "attempts", "done"}
    assert said in document["error"]["message"]
    assert run(["run", *words]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_how_a_task_ends_is_printed(capsys):
    assert run(["run", "lab/quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["run", "lab/stops"]) == 0
    assert capsys.readouterr() == ("", "asked to stop\n")
    assert run(["run", "lab/stops", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "stopped"


def test_a_question_is_answered_from_the_command_line_or_ends_the_task(capsys):
    assert run(["run", "lab/pick", "--answer", "b"]) == 0
    assert capsys.readouterr().out == "picked b\n"
    assert run(["run", "lab/pick", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["error"]) == ("needs_input", {"type": "Question", "message": "Which?"})


def test_a_missing_input_is_asked_for_with_its_own_question(capsys):
    assert run(["run", "lab/hail", "times=2", "--answer", "Ada"]) == 0
    assert capsys.readouterr().out == "Ada 3\n"
    assert run(["run", "lab/hail", "--answer", "Ada", "--answer", "4"]) == 0
    assert capsys.readouterr().out == "Ada 5\n"
    assert run(["run", "lab/hail", "--answer", "Ada", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == {"type": "Question", "message": "How often?"}


def test_an_unexpected_failure_has_the_same_shape(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AURA_LLM_TIMEOUT", "soon")
    assert run(["run", "lab/quiet", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert set(document["error"]) == {"type", "message", "task", "step", "location", "attempts", "done"}


def test_the_catalogue_can_be_searched(capsys):
    assert run(["tasks", "lab/"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        f"lab/{name}" for name in sorted(("show", "need", "pick", "hail", "quiet", "stops", "late", "breaks"))
    ]
    assert run(["tasks", "GIVES BACK"]) == 0
    assert capsys.readouterr().out.split()[0] == "lab/show"
    assert run(["tasks", "lab/show", "--json"]) == 0
    (card,) = json.loads(capsys.readouterr().out)
    assert card["inputs"]["properties"]["n"] == {
        "type": "integer",
        "minimum": 1,
        "default": 3,
        "description": "How many.",
    }


def test_a_search_that_finds_nothing_says_so(capsys):
    assert run(["tasks", "no-such-word"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "'no-such-word'" in captured.err
    assert run(["tasks", "no-such-word", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_catalogue_shows_what_people_say(lab: Path, capsys):
    (lab / "tasks/all.yaml").write_text(
        "lamp: {meta: {title: Light, examples: [{say: Make it bright}, {say: Сделай светло}]}, steps: []}\n"
    )
    (lab / "plan.yaml").write_text(
        "examples: [{say: Light and time, steps: [{for: Light, task: lamp}, {for: time, task: aura_base/now}]}]\n"
    )
    assert run(["tasks"]) == 0
    everything = capsys.readouterr().out
    assert "“Make it bright”" in everything
    assert "светло" not in everything
    assert "“Light and time”" in everything
    assert run(["tasks", "светло"]) == 0
    found = capsys.readouterr().out
    assert "lab/lamp" in found
    assert "“Сделай светло”" in found
    assert "Together" not in found
    assert run(["tasks", "--json", "lamp"]) == 0
    (card,) = json.loads(capsys.readouterr().out)
    assert card["examples"][0] == {"say": "Make it bright", "inputs": {}}
