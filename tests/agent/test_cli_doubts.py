"""What is allowed and probably not meant: `aura check` warns of it, and says no word about what is meant so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from agent.cli import run

FINE = """
plain:
  steps:
    - {action: log, params: {message: "{{ inputs }} {{ state }} {{ now() }} {{ config('a', 1) }}"}, output_to: said}
    - {for: [1, 2], do: [{set: {a: "{{ item }} {{ loop.index }} {{ said }}"}}], collect: all}
    - {for: 3, as: one, do: [{set: {b: "{{ one }}"}}]}
    - {ask: "Which?", output_to: which}
    - {if: "{{ c is defined }}", then: [{set: {c: "{{ c if c is defined else 1 }} {{ d | default(which) }}"}}]}
    - set:
        text: "{% for row in all %}{{ row }}{{ loop.index }}{% endfor %}"
        inline: "{{ missing is defined and missing }}"
    - {run_task: inner}
  returns: "{{ a }} {{ c }} {{ text }} {{ range(3) | list }}"
  on_failure: {steps: [{set: {told: "{{ error.message }}"}}, {stop: "{{ told }}"}]}
inner: {steps: [{set: {from_caller: "{{ all }}"}}, {run_task: lab/deepest}]}
deepest: {steps: [{set: {x: "{{ all }} {{ from_caller }}"}}]}
text: {meta: {description: "Writes {{ nothing }} like this."}, steps: []}
"""


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    monkeypatch.setenv("AURA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AURA_TRUSTED_FOLDERS", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def checked(tasks: str, *, plan: str = "lab", settings: dict | None = None, actions: str = "", all_: bool = False):
        folder = tmp_path / "home/plugins" / plan
        (folder / "tasks").mkdir(parents=True, exist_ok=True)
        (folder / "actions").mkdir(exist_ok=True)
        (folder / "plan.yaml").write_text(f"name: {plan}\n")
        (folder / "tasks/all.yaml").write_text(tasks)
        (folder / "actions/all.py").write_text(actions)
        (tmp_path / "aura.yaml").write_text(yaml.safe_dump(settings or {}))
        assert run(["check", "--json", *([] if all_ else [str(folder)])]) == 0
        found = json.loads(capsys.readouterr().out)
        assert {one["severity"] for one in found} <= {"warning"}
        return [one["message"] for one in found], found

    return checked


def test_what_is_set_somewhere_is_no_matter(check):
    assert check(FINE)[0] == []


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("t: {steps: [{set: {note: 1}}], returns: '{{ nte }}'}", "nothing gives the variable 'nte' a value"),
        ("t: {steps: [{stop: '{{ said }}'}]}", "nothing gives the variable 'said' a value"),
        ("t: {steps: [{if: '{{ ready }}', then: []}]}", "nothing gives the variable 'ready' a value"),
        ("t: {steps: [], on_failure: {steps: [{stop: '{{ page }}'}]}}", "nothing gives the variable 'page' a value"),
        ("t: {steps: [set: {a: 1}], on_failure: {steps: [{stop: '{{a}}'}]}}", "nothing gives the variable 'a' a value"),
        ("t: {steps: [{stop: '{{ a }} {{ a | upper }}'}]}", "nothing gives the variable 'a' a value"),
    ],
)  # fmt: skip
def test_a_variable_that_nothing_sets_is_found(check, task: str, said: str):
    assert check(task)[0] == [said]


def test_it_is_shown_where_it_stands_with_what_was_meant(check, tmp_path, capsys):
    check("t:\n  steps: [{set: {note: 1}}]\n  returns: 'It is {{ nte }}.'\n")
    assert run(["check", "home/plugins/lab"]) == 0
    said, summary = capsys.readouterr()
    assert "home/plugins/lab/tasks/all.yaml:3:22: warning: nothing gives the variable 'nte' a value [lab/t]" in said
    assert "= help: did you mean 'note'?" in said
    assert summary == "\n1 plan with 1 task in order, 0 mistakes, 1 warning\n"


def test_nothing_is_said_where_python_sets_variables(check):
    sets = "from aura_core.api import Context, action\n@action('a')\ndef a(context: Context):\n"
    sets += "    context.variables['x'] = 1\n"
    assert check("t: {steps: [{action: a}], returns: '{{ x }}'}", actions=sets)[0] == []


def test_commands_that_are_taken_are_found(check):
    check("t: {meta: {command: buy-it}, steps: []}", plan="abc")
    said, found = check(
        "u: {meta: {command: help}, steps: []}\nv: {meta: {command: buy_it}, steps: []}\n"
        "w: {meta: {command: note}, steps: []}"
    )
    assert said == [
        "the command /help is the chat's own (Telegram): this task cannot be called by it there",
        "the command /buy-it is that of abc/t",
        "the command /note is that of notes/add, too",
    ]
    assert found[2]["hint"] == "that one is called as /notes_note now; choose another name"
    assert found[1]["hint"].startswith("in Telegram it is lost")
    check("w: {meta: {command: buy-it}, steps: []}")
    _, found = check("w: {meta: {command: buy-it}, steps: []}")
    assert found[0]["hint"] == "this one is called as /lab_buy-it; choose another name"


def test_globs_that_no_task_fits_are_found_when_everything_is_checked(check):
    profiles = {"family": {"allow": ["note/*", "lab/t", "*"], "deny": ["lab/[a-s]*", "notes/delet"]}}
    events = "t: {meta: {on_event: 'task.failed:lba/*'}, steps: []}\nu: {meta: {on_event: 'task.*:l*/t'}, steps: []}"
    said, found = check(events, settings={"profiles": profiles}, all_=True)
    assert said == [
        "profiles.family.allow: no task fits 'note/*'",
        "profiles.family.deny: no task fits 'lab/[a-s]*'",
        "profiles.family.deny: no task fits 'notes/delet'",
        "no task fits 'lba/*'",
    ]
    assert [one["hint"] for one in found][::3] == ["did you mean 'notes/*'?", "did you mean 'lab/*'?"]
    assert check(events, settings={"profiles": profiles})[0] == ["no task fits 'lba/*'"]


def test_schedules_that_hardly_mean_what_they_say_are_told(check):
    said, _ = check(
        "t: {meta: {schedule: {cron: '0 0 9 * * *', deliver: [famly, 'telegram:7', owner]}}, steps: []}\n"
        "u: {meta: {schedule: {cron: '0 9 * * *', deliver: family}}, steps: []}\n",
        settings={"profiles": {"family": {"people": ["telegram:*"]}}},
    )
    assert said[0].startswith("The sixth field of '0 0 9 * * *' is the second: it is due every second")
    assert said[1].startswith("'famly' is no profile and no telegram:ID; did you mean 'family'?")
    assert said[2].startswith("nobody in the profile 'family' has a chat that is known")
    assert len(said) == 3
