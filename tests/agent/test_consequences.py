"""What may come of a task, worked out over everything that it may lead to, and what `aura check` says of a lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.contracts import Profile
from agent.dispatcher import Dispatcher
from agent.errors import NotAllowedError
from aura_core.framework import Framework
from aura_core.generations.plan_loading import check_folders

ACTIONS = """
from aura_core.api import action

@action("save", effects="write")
def save(text: str) -> str: return text

@action("look")
def look(text: str) -> str: return text
"""
TASKS = """
save:
  meta: {inputs: {text: {type: string, required: true}}}
  steps: [{action: save, params: {text: "{{ inputs.text }}"}}]
post:
  meta: {effects: external}
  steps: []
page:
  meta:
    untrusted: true
    inputs: {url: {type: string, format: uri, required: true}, path: {type: string, format: path}}
  steps: [{action: look, params: {text: "{{ inputs.url }}"}}]
look:
  meta: {effects: read, inputs: {text: {type: string, required: true}}}
  steps: [{action: look, params: {text: "{{ inputs.text }}"}}]
wrap:
  meta:
    inputs: {what: {type: string, required: true}, way: {type: string, enum: [a, b]}, sure: {type: boolean}}
  steps: [{if: true, then: [{run_task: page, pass_params: {url: "{{ inputs.what }}"}}]}]
twice:
  steps: [{run_task: again}]
again:
  steps: []
  on_failure: {steps: [{go_task: post}]}
"""


def plan_in(folder: Path, tasks: str = TASKS) -> Path:
    plan = folder / "lab"
    (plan / "actions").mkdir(parents=True)
    (plan / "tasks").mkdir()
    (plan / "plan.yaml").write_text("name: lab\n")
    (plan / "actions/lab.py").write_text(ACTIONS)
    (plan / "tasks/all.yaml").write_text(tasks)
    return plan


@pytest.mark.parametrize(
    ("task", "effects", "untrusted", "leaves"),
    [
        ("save", "write", False, []),
        ("look", "read", False, []),
        ("page", "read", True, ["url"]),
        ("wrap", "read", True, ["what"]),
        ("twice", "external", False, []),
    ],
)
async def test_a_task_is_taken_for_what_it_does(tmp_path, task, effects, untrusted, leaves):
    async with Framework([plan_in(tmp_path)], tmp_path / "data") as framework:
        card = Dispatcher(framework).card(f"lab/{task}", Profile(name="p"))
    assert (card.effects, card.untrusted, card.leaves) == (effects, untrusted, leaves)


async def test_what_a_profile_denies_does_not_run_inside_another_task_either(tmp_path):
    async with Framework([plan_in(tmp_path)], tmp_path / "data") as framework:
        dispatcher, profile = Dispatcher(framework), Profile(name="child", deny=["lab/post"])
        with pytest.raises(NotAllowedError, match=r"may not use lab/twice, because it may run lab/post"):
            dispatcher.card("lab/twice", profile)
        assert [card.task for card in dispatcher.catalogue(profile)] == [
            "lab/look",
            "lab/page",
            "lab/save",
            "lab/wrap",
        ]
        assert dispatcher.card("lab/wrap", Profile(name="child", allow=["lab/wrap"])).task == "lab/wrap"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("action: save, params: {text: a}", "but the action lab/save has `write` effects"),
        ("run_task: inner", "but lab/inner, to which it may lead, has `external` effects"),
    ],
)
async def test_check_names_a_task_that_says_it_reads_and_does_more(tmp_path, step, message):
    tasks = (
        f"liar:\n  meta:\n    effects: read\n  steps: [{{{step}}}]\ninner: {{meta: {{effects: external}}, steps: []}}\n"
    )
    plan = plan_in(tmp_path, tasks)
    (problem,) = (await check_folders([plan])).problems
    assert (Path(problem.path).name, problem.line) == ("all.yaml", 3)
    assert message in problem.message
    assert problem.hint.startswith("say `effects: ")


async def test_check_has_nothing_against_a_task_that_says_nothing(tmp_path):
    assert (await check_folders([plan_in(tmp_path)])).problems == []
