"""Commands of plugins without a chat: `aura ask "/spent 12,50 pizza"`, and profiles on every door."""

from __future__ import annotations

import json

import pytest

from tests.e2e.program import Program

TASKS = """
spent:
  meta:
    command: spent
    inputs:
      amount: {type: number, required: true, ask: How much?}
      what: {type: string, required: true, ask: For what?}
  steps: []
  returns: "{{ inputs.amount }} for {{ inputs.what }}"
secret: {meta: {title: Secret}, steps: [], returns: "told"}
"""
SETTINGS = "profiles: {family: {people: ['chat:ann'], allow: ['lab/spent']}}\n"


@pytest.fixture
def aura(tmp_path) -> Program:
    home = tmp_path / "home"
    (home / "plugins/lab/tasks").mkdir(parents=True)
    (home / "plugins/lab/plan.yaml").write_text("name: lab\n")
    (home / "plugins/lab/tasks/lab.yaml").write_text(TASKS)
    (home / "aura.yaml").write_text(SETTINGS)
    return Program(home, {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "AURA_MODEL": "none"})


def test_ask_runs_a_command_without_any_model(aura):
    done = aura("ask", "/spent 12,50 two pizzas")
    assert (done.returncode, done.stdout, done.stderr) == (0, "12.5 for two pizzas\n", "")
    outcome = aura.json("ask", "/spent 12,50", "--answer", "pizza")
    assert (outcome["status"], outcome["answer"]) == ("ok", "12.5 for pizza")
    done = aura("ask", "/spend 3")
    assert done.returncode == 1
    assert "There is no command /spend; did you mean '/spent'?" in done.stderr


def test_an_answer_that_does_not_fit_is_said_and_asked_for_again(aura):
    done = aura("ask", "/spent", "--answer", "lots", "--answer", "3", "--answer", "tea")
    assert (done.returncode, done.stdout) == (0, "3 for tea\n")
    assert "a number is wanted, not 'lots'. How much?" in done.stderr
    asked = aura("ask", "/spent", "--answer", "lots", "--json")
    outcome = json.loads(asked.stdout)
    assert (asked.returncode, outcome["status"], outcome["questions"][0]["text"]) == (2, "waiting", "How much?")
    done = aura("run", "lab/spent", "what=tea", "--answer", "lots", "--answer", "1.234,5")
    assert (done.returncode, done.stdout) == (0, "1234.5 for tea\n")
    assert "a number is wanted, not 'lots'" in done.stderr


def test_a_profile_counts_at_every_door(aura):
    assert aura("run", "lab/secret").stdout == "told\n"
    refused = aura("run", "lab/secret", "--profile", "family")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "The profile 'family' may not use lab/secret." in refused.stderr
    assert aura("run", "lab/spent", "amount=1", "what=x", "--profile", "family").stdout == "1 for x\n"
    assert "There is no profile 'famly'" in aura("run", "lab/spent", "--profile", "famly").stderr
    chat = aura("chat", "--profile", "family", typed=b"/spent 2 y\n/note milk\n")
    assert "2 for y" in chat.stdout
    assert "/note" in chat.stdout
    assert "milk" not in aura("run", "notes/list").stdout
    assert "There is no profile 'famly'" in aura("chat", "--profile", "famly").stderr
