"""Plans on disk: what loads, what is refused, and what an author reads then."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from aura_core.errors import DefinitionError, InputError, NotFoundError, Problem
from aura_core.generations.plan_loading import check_folders
from aura_core.language.fields import seconds_of
from aura_core.language.plan_manager import PlanManager
from aura_core.language.problems import Finder
from aura_core.language.source import Source
from aura_core.language.steps import ActionStep, AskStep, ForStep, IfStep, ParallelStep, SetStep, Step, place_text
from aura_core.language.task import TaskDefinition

SAY = """
from aura_core.api import action, hook, requires_services, service

@service("memory")
class Memory: ...

@action("say")
def say(text: str, loud: bool = False): ...

@action("keep")
@requires_services(memory="memory")
def keep(memory, context, **values): ...

@hook("before_task_run")
def before(**data): ...
"""
TASK = "steps:\n  - {action: say, params: {text: hi}}\n"


def checked(folders: list[Path], known: Sequence[Path] = ()) -> list[Problem]:
    return asyncio.run(check_folders(folders, known=known)).problems


class Folder:
    """A folder of plans under test."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def plan(self, name: str, head: str = "version: 1.0\n", **files: str) -> None:
        self.write(f"{name}/plan.yaml", head)
        for key, text in files.items():
            kind, _, stem = key.partition("_")
            self.write(f"{name}/{kind}/{stem}.{'yaml' if kind == 'tasks' else 'py'}", text)

    def problems(self) -> list[Problem]:
        return checked([self.root])

    def only(self, message: str, *, hint: str = "") -> Problem:
        (problem,) = self.problems()
        assert message in problem.message, problem
        assert hint in problem.hint, problem
        return problem

    def place(self, message: str, *, hint: str = "") -> tuple[str, int, int]:
        problem = self.only(message, hint=hint)
        return Path(problem.path).name, problem.line, problem.column


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def task(folder: Folder, text: str) -> TaskDefinition:
    folder.plan("demo", actions_a=SAY, tasks_t=text)
    manager = PlanManager([folder.root])
    assert manager.load() == []
    return manager.task("demo/t")


# What loads


def test_a_plan_offers_its_tasks_actions_services_hooks_and_settings(folder: Folder):
    folder.plan("demo", "name: demo\nui: {menu: [1]}\nresources: {camera: 1}\n", actions_a=SAY, tasks_one=TASK)
    folder.write("demo/config.yaml", "limits: {words: 80}\n")
    folder.write("demo/tasks/deep/two.yml", TASK)
    folder.write("demo/tasks/deep/many.yaml", "three:\n  steps: [{stop: x}]\nfour:\n  steps: [{stop: x}]\n")
    folder.write("demo/tasks/.hidden.yaml", "no: {")
    folder.write("_private/tasks/x.yaml", "no: {")
    folder.write("notes.txt/x", "no plan")
    manager = PlanManager([folder.root])
    assert manager.load() == []
    plan = manager.plans["demo"]
    assert plan.folder == folder.root / "demo"
    assert set(plan.tasks) == {"one", "deep/two", "deep/three", "deep/four"}
    assert set(plan.actions) == {"say", "keep"}
    assert set(plan.services) == {"memory"}
    assert [function.__name__ for function in plan.hooks] == ["before"]
    assert plan.config_defaults == {"limits": {"words": 80}}
    assert plan.file.ui == {"menu": [1]}
    assert plan.requires == []
    assert [one.ref for one in manager.tasks()] == ["demo/deep/four", "demo/deep/three", "demo/deep/two", "demo/one"]


def test_references_find_tasks_from_outside_and_inside_a_plan(folder: Folder):
    folder.plan("demo", actions_a=SAY, tasks_one=TASK, tasks_two=TASK)
    folder.write("demo/tasks/deep/two.yaml", TASK)
    manager = PlanManager([folder.root / "demo"])
    assert manager.load() == []
    assert manager.task("demo/one").name == "one"
    assert manager.task("one", plan="demo").ref == "demo/one"
    assert manager.task("deep/two", plan="demo").ref == "demo/deep/two"
    assert manager.task("demo/deep/two").ref == "demo/deep/two"
    with pytest.raises(NotFoundError, match="no task 'demo/onne'; did you mean 'demo/one'"):
        manager.task("demo/onne")
    with pytest.raises(NotFoundError, match="no task 'one'; there are: demo/deep/two"):
        manager.task("one", plan="other")
    with pytest.raises(NotFoundError, match="no plan is loaded"):
        PlanManager([]).task("x")


def test_a_task_may_use_every_word_of_the_language(folder: Folder):
    folder.plan("demo", tasks_look="steps: []")
    folder.write("demo/states.yaml", "states: {ready: {check: look}}")
    folder.write("demo/interrupts.yaml", "low_disk: {condition: {action: say, params: {text: hi}}, task: look}")
    whole = task(
        folder,
        """
        meta:
          title: Save a page
          description: Fetch a page.
          command: save
          expose: true
          effects: write
          untrusted: true
          inputs:
            url: {type: string, format: uri, required: true, grounded: true, description: Page, ask: Which page?}
            words: {type: integer, default: 80, minimum: 10, maximum: 400}
            mode: {type: string, enum: [short, long], default: short}
          returns: {type: object, description: "{id, title}"}
          timeout: 1m
          resources: ["net:4", notes]
          priority: 3
          requires_initial_state: ready
          activates_interrupts: [low_disk]
          schedule: {cron: "0 8 * * MON-FRI", inputs: {url: "https://a.b"}, timezone: Europe/Paris, missed: skip}
          on_event: task.failed
        steps:
          - id: page
            name: Fetch
            when: "{{ inputs.words > 3 }}"
            action: say
            params: {text: "{{ inputs.url }}", loud: true}
            output_to: page
            retry: {attempts: 3, delay: 1, backoff: 2, on: [TimeoutError]}
            timeout: 20
            wait_before: "{{ 1 }}"
            continue_on_failure: true
          - if: "{{ page.status != 200 }}"
            then: [{stop: "The page answered {{ page.status }}"}]
            else: [{set: {a: 1, b: "{{ a }}"}}]
          - {for: "{{ [1] }}", as: x, do: [{action: say, params: {text: "{{ x }}"}}], parallel: 4, collect: all}
          - {for: 10, do: [{go_step: page}]}
          - {while: true, do: [{stop: x}], max_iterations: 5}
          - {run_task: t, pass_params: {url: "https://example.org"}, output_to: r}
          - {go_task: demo/t, inputs: {url: "{{ item }}"}}
          - parallel: [[{stop: x}], [{ask: "Which?", options: [a, b], output_to: answer}]]
          - {id: 7, action: keep, params: {anything: 1}}
          - {action: keep, params: "{{ inputs }}"}
        returns: {url: "{{ inputs.url }}"}
        outputs: "{{ page }}"
        on_failure:
          steps: [{id: last, action: say, params: {text: "{{ error.message }}"}}]
          recover: true
        """,
    )
    assert whole.meta.timeout == 60
    assert whole.meta.inputs["url"].ask == "Which page?"
    assert [step.kind for step in whole.walk()] == [
        "action",
        "if",
        "stop",
        "set",
        "for",
        "action",
        "for",
        "go_step",
        "while",
        "stop",
        "run_task",
        "go_task",
        "parallel",
        "stop",
        "ask",
        "action",
        "action",
        "action",
    ]
    assert [step.label for step in whole.walk()][:4] == ["page", "steps[1]", "steps[1].then[0]", "steps[1].else[0]"]
    assert whole.returns is not None
    assert whole.outputs is not None
    assert whole.on_failure is not None
    assert whole.on_failure.recover
    assert [step.place for step in whole.walk()][-1] == ("on_failure", "steps", 0)
    branch = whole.steps[7]
    assert isinstance(branch, ParallelStep)
    assert isinstance(branch.parallel[1][0], AskStep)
    assert branch.parallel[1][0].place == ("steps", 7, "parallel", 1, 0)
    assert whole.steps[8].label == "7"
    condition = whole.steps[1]
    assert isinstance(condition, IfStep)
    assert isinstance(condition.else_[0], SetStep)
    assert list(condition.else_[0].set) == ["a", "b"]
    loop = whole.steps[2]
    assert isinstance(loop, ForStep)
    assert (loop.as_, loop.parallel, loop.collect) == ("x", 4, "all")
    assert whole.location(("steps", 1)).endswith("t.yaml:32:5")
    first = whole.steps[0]
    assert isinstance(first, ActionStep)
    assert first.wait_before is not None
    assert first.wait_before.render({}) == 1


def test_a_task_in_a_file_of_several_knows_its_place(folder: Folder):
    folder.plan("demo", tasks_many="one:\n  steps:\n    - {stop: a}\ntwo:\n  steps:\n    - {stop: b}\n")
    manager = PlanManager([folder.root])
    assert manager.load() == []
    two = manager.task("demo/two")
    assert two.location(two.steps[0].place).endswith("many.yaml:6:7")


def test_actions_of_base_and_of_required_plans_are_found_by_every_form_of_name(folder: Folder):
    folder.plan("aura_base", actions_a=SAY, tasks_t=TASK)
    folder.plan("other", actions_a=SAY, tasks_t=TASK)
    steps = ["say", "other.say", "other/say", "aura_base/say", "demo.own"]
    lines = "".join(f"  - {{action: {name}, params: {{text: x}}}}\n" for name in steps)
    own = 'from aura_core.api import action\n@action("own")\ndef own(text): ...\n'
    refs = "  - {run_task: other/t}\n  - {go_task: aura_base/t}\n"
    folder.plan("demo", "requires: [other]\n", actions_o=own, tasks_t=f"steps:\n{lines}{refs}")
    manager = PlanManager([folder.root])
    assert manager.load() == []
    assert list(manager.plans) == ["aura_base", "other", "demo"]


def test_an_edited_plan_is_new_after_a_load_and_the_old_one_stays(folder: Folder):
    folder.plan("demo", actions_a=SAY, tasks_t=TASK)
    manager = PlanManager([folder.root])
    manager.load()
    before = manager.plans
    folder.write("demo/tasks/u.yaml", TASK)
    manager.load()
    assert set(manager.plans["demo"].tasks) == {"t", "u"}
    assert set(before["demo"].tasks) == {"t"}


# What is refused


STEPS = {
    "{acton: say}": ("unknown key 'acton', so the step has no kind", "did you mean 'action'?", 5),
    "{params: {}}": ("the step has no kind", "it needs one of action, if", 5),
    "{action: say, stop: x}": ("a step has one kind, this one has 2: action, stop", "make a step of each", 5),
    "5": ("a step is a mapping", "begin with its kind", 5),
    "{stop: x, whn: true}": ("unknown key 'whn'", "did you mean 'when'?", 15),
    "{action: say, params: {text: a}, retry: {attemps: 3, attempts: 2}}": ("unknown key 'attemps'", "'attempts'", 46),
    "{action: say, params: {text: a}, retry: {attempts: 0}}": ("1 or more is wanted", "", 56),
    "{action: say, params: {text: a}, output_to: a-b}": ("'a-b' cannot be a variable", "", 49),
    "{action: say, params: {text: a}, output_to: loop}": ("'loop' has a meaning of its own", "", 49),
    "{action: say, params: {text: a}, timeout: 0}": ("a duration above zero is wanted", "", 47),
    "{action: say, params: {text: a}, timeout: soon}": ("'soon' is not a duration", "", 47),
    "{action: say, params: {text: a}, continue_on_failure: maybe}": ("true or false is wanted", "", 59),
    "{action: sya, params: {text: a}}": ("there is no action 'sya'", "did you mean 'say'?", 14),
    "{action: wholly.other}": ("there is no action 'wholly.other'", "actions are: keep, say", 14),
    "{action: say}": ("the action 'say' needs 'text'", "its parameters are: text, loud", 14),
    "{action: say, params: {text: a, lout: 1}}": (
        "the action 'say' has no parameter 'lout'",
        "did you mean 'loud'?",
        37,
    ),
    "{action: say, params: {text: a, zzz: 1}}": ("no parameter 'zzz'", "its parameters are: text, loud", 37),
    "{action: say, params: 5}": ("params is a mapping", "write `params:", 27),
    '{if: "x > 1", then: []}': ('a condition is one expression: write "{{ x > 1 }}"', "", 10),
    '{if: "{{ a }} b", then: []}': ('write "{{ a b }}"', "", 10),
    "{if: '', then: []}": ('write "{{ … }}"', "", 10),
    "{if: true}": ("the key 'then' is missing", "add `then:`", 5),
    "{while: true, do: 5}": ("a list (`- item`) is wanted", "", 23),
    "{for: 3, do: [], parallel: 0}": ("1 or more is wanted", "", 32),
    "{parallel: []}": ("at least 1 is wanted", "", 16),
    "{set: {}}": ("at least 1 is wanted", "", 11),
    "{set: {inputs: 1}}": ("'inputs' has a meaning of its own", "", 12),
    "{set: {1: x}}": ("text is wanted", "", 12),
    "{stop: x, 5: x}": ("a key is text: put it in quotes", "", 15),
    "{stop: x, when: [1]}": ("a condition is one expression", "", 21),
    "{go_task: othr/t}": ("there is no task 'othr/t'", "tasks are: needy, t", 15),
    "{set: 5}": ("a mapping (`key: value`) is wanted", "", 11),
    "{go_step: nowhere}": ("there is no step with the id 'nowhere'", "give the step to jump to an `id`", 15),
    "{run_task: tt}": ("there is no task 'tt'", "did you mean 't'?", 16),
    "{run_task: demo/zz}": ("the plan 'demo' has no task 'zz'", "its tasks are: needy, t", 16),
    "{go_task: other/t}": ("the plan 'other' is not required here", "add it to `requires` of demo", 15),
    "{action: other.say}": ("the plan 'other' is not required here", "add it to `requires` of demo", 14),
    "{run_task: demo/needy}": ("the task demo/needy needs 'count'", "give it under `pass_params`", 16),
    "{go_task: demo/needy, inputs: {}}": ("the task demo/needy needs 'count'", "give it under `inputs`", 15),
    "{run_task: demo/needy, pass_params: {cont: 1, count: 1}}": ("has no input 'cont'", "did you mean 'count'?", 42),
    "{run_task: t, pass_params: {zzz: 1}}": ("the task demo/t has no input 'zzz'", "its inputs are: url", 33),
    "{run_task: demo/needy, pass_params: {count: many}}": ("the input 'count' of demo/needy does not", "", 49),
    "{run_task: demo/needy, pass_params: [count]}": ("pass_params is a mapping", "write `pass_params:", 41),
    "{go_task: demo/needy, inputs: 'a {{ b }}'}": ("inputs is a mapping", "write `inputs:", 35),
    "{for: null, do: []}": ("`for` needs a list", "", 11),
    "{for: 99999999999999999999, do: []}": ("`for` needs a list", "", 11),
    "{for: 'x {{ y }}', do: []}": ("`for` needs a list", "", 11),
    "{for: abc, do: []}": ("`for` needs a list", "", 11),
    "{for: -1, do: []}": ("`for` needs a list", "", 11),
    "{for: 1.5, do: []}": ("`for` needs a list", "", 11),
    "{for: true, do: []}": ("`for` needs a list", "", 11),
    "{for: '{{ a }} {{ b }}', do: []}": ("`for` needs a list", "", 11),
    "{run_task: '{{ x }}'}": ("not a reference to a task", "", 16),
    "{run_task: a//b}": ("not a reference to a task", "", 16),
    '{stop: "{{ a + }}"}': ("{{ a + }}: it ends too soon", "", 19),
    '{stop: "{{ inputs.urll }}"}': ("the task has no input 'urll'", "did you mean 'url'?", 23),
    "{action: say, params: {text: [{a: '{{ b c }}'}]}}": ("unexpected 'c'", "", 45),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_wrong_step_is_told_with_its_place_and_the_way_out(folder: Folder, step: str):
    message, hint, column = STEPS[step]
    folder.plan("other", actions_a=SAY, tasks_t=TASK)
    needy = "meta: {inputs: {count: {type: integer, required: true}}}\nsteps: []\n"
    folder.plan("demo", actions_a=SAY, tasks_needy=needy)
    folder.write("demo/tasks/t.yaml", f"meta: {{inputs: {{url: {{}}}}}}\nsteps:\n  - {step}\n")
    assert folder.place(message, hint=hint) == ("t.yaml", 3, column)
    (problem,) = folder.problems()
    assert problem.task == "demo/t"
    assert problem.step == ("" if step == "5" else "steps[0]")


METAS = {
    "{titel: x}": ("unknown key 'titel'", "did you mean 'title'?", 8),
    "{effects: wrote}": ("'wrote' is not one of 'read', 'write' or 'external'", "did you mean 'write'?", 17),
    "{effects: zzz}": ("'zzz' is not one of", "", 17),
    "{command: /save}": ("'/save' is not a command", "", 17),
    "{resources: ['net:0']}": ("'net:0' is not a resource", "", 20),
    "{resources: ['net:2', net]}": ("the resource 'net' is there twice", "", 19),
    "{timeout: -1}": ("a duration is wanted", "", 17),
    "{schedule: {cron: whenever}}": ("'whenever' is not a cron rule: it has one field. Write five fields", "", 25),
    "{schedule: {cron: '60 8 * * *'}}": ("its minute cannot be '60'. Write 0 to 59", "", 25),
    "{schedule: {cron: '0 8 * * mon-frid'}}": (
        "its day of week cannot be 'mon-frid'. Write 0 to 7, or sun to sat",
        "",
        25,
    ),
    "{schedule: {cron: '0 0 31 2 *'}}": ("is never met: no day is like that", "", 25),
    "{schedule: {cron: 'H H * * *'}}": ("its minute cannot be 'H'", "", 25),
    "{schedule: {cron: '* * * * * * 2030'}}": ("it has 7 fields", "", 25),
    "{schedule: {cron: '@reboot'}}": ("'@reboot' is not a cron rule", "", 25),
    "{schedule: {cron: 5}}": ("text is wanted", "", 25),
    "{schedule: {cron: '0 8 * * *', timezone: Europe/Berln}}": (
        "There is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        "",
        48,
    ),
    "{schedule: {cron: '0 8 * * *', timezone: ../etc}}": ("write a name such as Europe/Berlin", "", 48),
    "{schedule: {every: 500ms}}": ("Every 0.5 seconds is too often; the shortest interval is 1 second", "", 26),
    "{schedule: {every: 99999d}}": ("longer than any calendar", "", 26),
    "{schedule: {every: .inf}}": ("longer than any calendar", "", 26),
    "{schedule: {}}": ("either cron or every, this one has none of them", "", 18),
    "{schedule: {cron: '* * * * *', every: 5m}}": ("either cron or every, this one has both", "", 18),
    "{schedule: {evry: 5m, every: 5m}}": ("unknown key 'evry'", "did you mean 'every'?", 19),
    "{schedule: {every: 5m, inputs: {x: 1}}}": ("there is no input 'x'", "", 39),
    "{inputs: {a b: {}}}": ("'a b' cannot be an input", "", 17),
    "{inputs: {a: {type: strng}}}": ("'strng' is not one of", "did you mean 'string'?", 27),
    "{inputs: {a: {reqired: true}}}": ("unknown key 'reqired'", "did you mean 'required'?", 21),
    "{inputs: {a: {type: integer, default: x}}}": ("the default does not fit", "", 45),
    "{inputs: {a: {enum: [a, b], default: c}}}": ("'c' is not one of a, b", "", 44),
    "{inputs: {a: {minimum: 3}}}": ("minimum is for inputs of type integer or number, not string", "", 20),
    "{inputs: {a: {type: integer, minimum: 3, maximum: 1}}}": ("minimum is above maximum", "", 20),
    "{inputs: {a: {type: integer, enum: [1, x]}}}": ("the choice 'x' is not of type integer", "", 20),
    "{inputs: {a: {type: integer, enum: [true]}}}": ("the choice True is not of type integer", "", 20),
    "{inputs: {a: {pattern: '('}}}": ("'(' is not a pattern", "", 30),
    "{inputs: {a: {format: urk}}}": ("'urk' is not one of", "did you mean 'uri'?", 29),
    "5": ("a mapping (`key: value`) is wanted", "", 7),
}


@pytest.mark.parametrize("meta", METAS)
def test_a_wrong_meta_block_is_told_with_its_place(folder: Folder, meta: str):
    message, hint, column = METAS[meta]
    folder.plan("demo", actions_a=SAY, tasks_t=f"meta: {meta}\nsteps: [{{stop: x}}]\n")
    assert folder.place(message, hint=hint) == ("t.yaml", 1, column)


def test_all_problems_of_a_file_come_at_once(folder: Folder):
    text = """\
    meta: {titel: x, inputs: {n: {type: integer, default: x}, m: {typ: y}}}
    steps:
      - {id: one, acton: say}
      - {id: one, action: sya}
      - if: "{{ a + }}"
        then: [{go_step: two}]
      - {go_step: onne}
      - {action: say, params: {txt: "{{ inputs.k }}"}}
    on_failure: {recver: true, steps: [{go_step: one}]}
    """
    folder.plan("demo", actions_a=SAY, tasks_t=text)
    messages = [f"{problem.line} {problem.message}" for problem in folder.problems()]
    assert messages == [
        "1 unknown key 'titel'",
        "1 the default does not fit: Input should be a valid integer, unable to parse string as an integer",
        "1 unknown key 'typ'",
        "3 unknown key 'acton', so the step has no kind",
        "4 the id 'one' is there twice",
        "4 there is no action 'sya'",
        "5 {{ a + }}: it ends too soon",
        "7 there is no step with the id 'onne'",
        "8 the action 'say' has no parameter 'txt'",
        "8 the task has no input 'k'",
        "9 unknown key 'recver'",
    ]


def test_everything_that_a_step_gives_wrongly_is_told_at_once(folder: Folder):
    given = "{lod: a, zzz: 1}"
    folder.plan("demo", actions_a=SAY, tasks_t=f"steps:\n  - {{action: say, params: {given}}}\n")
    assert [problem.message for problem in folder.problems()] == [
        "the action 'say' needs 'text'",
        "the action 'say' has no parameter 'lod'",
        "the action 'say' has no parameter 'zzz'",
    ]


def test_an_expression_of_a_loop_may_stand_between_spaces(folder: Folder):
    folder.plan("demo", tasks_t="steps:\n  - for: >\n      {{ [1] }}\n    do: []\n  - {for: '{{ 2 }} ', do: []}\n")
    assert folder.problems() == []


def test_what_an_expression_gives_another_task_is_seen_when_it_runs(folder: Folder):
    folder.plan(
        "demo",
        tasks_needy="meta: {inputs: {count: {type: integer, required: true}}}\nsteps: []\n",
        tasks_t="steps: [{run_task: needy, pass_params: '{{ all }}'}, {go_task: needy, inputs: {count: '{{ n }}'}}]\n",
    )
    assert folder.problems() == []


FILES = {
    "": ("the file is empty", 1),
    "- 1": ("a task file is a mapping", 1),
    "a: 1": ("'a' is neither a part of a task nor a task of its own", 1),
    "a b:\n  steps: []": ("'a b' cannot be the name of a task", 1),
    "meta: {}": ("the key 'steps' is missing", 1),
    "steps: [": ("did not find expected", 2),
    "steps: []\nstesp: []": ("unknown key 'stesp'", 2),
    "one:\n  steps: 5": ("a list (`- item`) is wanted", 2),
}


@pytest.mark.parametrize("text", FILES)
def test_a_wrong_task_file_is_explained(folder: Folder, text: str):
    message, line = FILES[text]
    folder.plan("demo", tasks_x=text)
    assert folder.only(message).line == line


def test_a_task_twice_names_the_other_file(folder: Folder):
    folder.plan("demo", tasks_a="b:\n  steps: []\n", tasks_b="steps: []\n")
    assert "a.yaml" in folder.only("the task 'b' is there twice").message


def test_an_id_twice_names_the_other_line(folder: Folder):
    folder.plan("demo", tasks_t="steps:\n  - {id: a, stop: x}\n  - {id: a, stop: x}\n")
    assert folder.place("the id 'a' is there twice", hint="line 2") == ("t.yaml", 3, 10)


PLANS = {
    "name: other": ("the plan's name 'other' is not that of its folder 'demo'", 1),
    "uii: 1": ("unknown key 'uii'", 1),
    "requires: [nope]": ("there is no plan 'nope'", 1),
    "requires: [demo]": ("a plan does not require itself", 1),
    "resources: {camera: 0}": ("1 or more is wanted", 1),
    "a: [": ("did not find expected", 2),
    "5": ("a mapping (`key: value`) is wanted", 1),
}


@pytest.mark.parametrize("text", PLANS)
def test_a_wrong_plan_file_is_explained(folder: Folder, text: str):
    message, line = PLANS[text]
    folder.plan("demo", text)
    assert folder.only(message).line == line


def test_an_empty_plan_file_is_fine_and_a_missing_one_is_not(folder: Folder):
    folder.plan("demo", "")
    assert folder.problems() == []
    folder.write("bare/tasks/t.yaml", "steps: []\n")
    assert folder.only("the plan has no plan.yaml", hint="name: bare").line == 0
    folder.write("bare/config.yaml", "- 1")
    assert [problem.message for problem in folder.problems()] == [
        "config.yaml is a mapping",
        "the plan has no plan.yaml",
    ]
    folder.write("bare/config.yaml", "a: [")
    assert "did not find" in folder.problems()[0].message


def test_plans_in_a_circle_are_refused_and_so_is_who_needs_a_broken_one(folder: Folder):
    folder.plan("a", "requires: [b]\n")
    folder.plan("b", "requires: [a]\n")
    folder.plan("c", "requires: [a]\n")
    folder.plan("d")
    manager = PlanManager([folder.root])
    problems = manager.load()
    assert list(manager.plans) == ["d"]
    circle, same, other = sorted(problem.message for problem in problems)[::-1]
    assert circle == same
    assert circle.removeprefix("plans require each other in a circle: ") in {"a → b → a", "b → a → b"}
    assert other == "it requires the plan 'a', which has problems"


def test_a_broken_file_hides_no_false_alarms_behind_it(folder: Folder):
    folder.plan("aura_base", actions_a=SAY, tasks_x="steps: [", tasks_u="steps: [{run_task: x}]\n")
    folder.plan("demo", tasks_t="steps: [{run_task: aura_base/x}, {action: say, params: {text: a}}]\n")
    folder.write("aura_base/actions/b.py", "raise RuntimeError('not today')\n")
    folder.write("demo/tasks/u.yaml", "steps: [{action: from_b}]\n")
    messages = [problem.message for problem in folder.problems()]
    assert len(messages) == 3, messages
    assert "RuntimeError: not today" in messages[0]
    assert "did not find expected" in messages[1]
    assert "requires the plan 'aura_base', which has problems" in messages[2]


def test_services_that_do_not_exist_are_refused(folder: Folder):
    needs = (
        'from aura_core.api import action, requires_services\n@action("a")\n@requires_services(x="{}")\ndef a(x): ...\n'
    )
    folder.plan("demo", actions_a=needs.format("memry"), services_m=SAY)
    assert folder.only("no service 'memry'").line == 2
    folder.plan("demo", actions_a=needs.format("chat"))
    assert folder.problems() == []
    folder.plan("demo", actions_a=needs.format("screen"))
    assert folder.only("no service 'screen'")
    assert PlanManager([folder.root], services=["screen"]).load() == []


def test_one_resource_has_one_limit(folder: Folder):
    folder.plan("a", "resources: {net: 4}\n", tasks_t="meta: {resources: ['net:4', disk]}\nsteps: []\n")
    folder.plan("b", "resources: {net: 2}\n", tasks_t="meta: {resources: ['disk:1']}\nsteps: []\n")
    folder.plan("c", tasks_t="meta: {resources: ['cam:1', 'disk:3']}\nsteps: []\n")
    assert [(Path(problem.path).name, problem.message) for problem in folder.problems()] == [
        ("plan.yaml", "the resource 'net' has the limit 2 here, but 4 in plan a"),
        ("t.yaml", "the resource 'disk' has the limit 3 here, but 1 in task b/t"),
    ]


def test_a_chat_command_belongs_to_one_task_of_a_plan(folder: Folder):
    folder.plan("a", tasks_t="meta: {command: go}\nsteps: []\n", tasks_u="meta:\n  command: go\nsteps: []\n")
    folder.plan("b", tasks_t="meta: {command: go}\nsteps: []\n")
    problem = folder.only("the command 'go' belongs to a/t already")
    assert (Path(problem.path).name, problem.line, problem.column) == ("u.yaml", 2, 12)


def test_folders_are_checked_and_the_first_of_two_plans_counts(folder: Folder, tmp_path: Path):
    folder.plan("one/demo")
    folder.plan("two/demo")
    manager = PlanManager([tmp_path / "one", tmp_path / "two", tmp_path / "three", tmp_path / "one"])
    messages = [problem.message for problem in manager.load()]
    assert messages[0] == "there is no such folder of plans"
    assert "a plan named 'demo' is there already" in messages[1]
    assert manager.plans["demo"].folder == tmp_path / "one" / "demo"


def test_a_check_may_know_further_plans(folder: Folder, tmp_path: Path):
    folder.plan("base/aura_base", actions_a=SAY, tasks_bad="steps: [{acton: x}]\n")
    folder.plan("mine/demo", tasks_t=TASK)
    assert "no action 'say'" in checked([tmp_path / "mine"])[0].message
    problems = checked([tmp_path / "mine" / "demo"], known=[tmp_path / "base"])
    assert [problem.message for problem in problems] == ["it requires the plan 'aura_base', which has problems"]
    folder.write("base/aura_base/tasks/bad.yaml", "steps: []\n")
    assert checked([tmp_path / "mine" / "demo"], known=[tmp_path / "base"]) == []


def test_a_problem_at_a_place_that_is_gone_still_names_its_step():
    source = Source(Path("t.yaml"), "steps:\n  - {id: one, stop: x}\n")
    problem = Finder(source, source.load(), (), "demo/t").at(("steps", 0, "gone", "deeper"), "what")
    assert (problem.step, problem.line) == ("one", 2)


# Single parts


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("90", 90), ("1.5h", 5400), ("2d", 172_800), (15, 15), (0.5, 0.5), ("3 m", 180)],
)
def test_durations_are_seconds_or_words(text: object, seconds: float):
    assert seconds_of(text) == seconds


def test_places_are_written_as_people_write_them():
    assert place_text(("steps", 2, "then", 0)) == "steps[2].then[0]"


def test_a_step_made_in_code_is_a_step():
    step = ActionStep.model_validate({"action": "x"})
    adapter: TypeAdapter[Step] = TypeAdapter(Step)
    assert adapter.validate_python(step) is step
    with pytest.raises(ValidationError):
        adapter.validate_python(None)


INPUTS = """
meta:
  inputs:
    url: {format: uri, required: true, description: Page address}
    words: {type: integer, default: 80, minimum: 10}
    share: {type: number, maximum: 1, minimum: 0}
    loud: {type: boolean}
    tags: {type: array, items: {type: string, maxLength: 3}, maxItems: 2}
    where:
      type: object
      properties:
        city: {required: true}
        zip: {type: integer}
        interior: {type: object, properties: {floats: {type: array, items: {type: number}}}}
    interval: {type: integer}
    free: {type: any, enum: [1, x, [2], {a: 3}, [1, null]]}
    raw: {type: object}
    mode: {enum: [short, long], default: short}
    level: {type: integer, enum: [1, 2]}
    day: {format: date}
    at: {format: time}
    moment: {format: date-time}
    mail: {format: email}
    key: {format: uuid}
    code: {pattern: "^[A-Z]+$", minLength: 2, ask: Which code?}
    json: {grounded: true, title: A name that pydantic uses too}
    nothing: {default: null}
    file: {format: path}
steps: []
"""


def test_inputs_are_converted_and_defaults_filled_in(folder: Folder):
    given = {
        "url": "https://a.b/c",
        "words": "12",
        "share": "0.5",
        "loud": "yes",
        "tags": '["a", 7]',
        "where": {"city": "Köln", "zip": "50667"},
        "free": [1, None],
        "raw": '{"a": 1}',
        "level": 2,
        "day": "2026-11-21",
        "at": "08:30",
        "moment": "2026-11-21T08:30",
        "mail": "a@b.de",
        "key": "12345678-1234-5678-1234-567812345678",
        "code": "AB",
        "json": 5,
        "file": "x.txt",
    }
    expected = given | {"words": 12, "share": 0.5, "loud": True, "tags": ["a", "7"], "raw": {"a": 1}, "json": "5"}
    expected |= {"where": {"city": "Köln", "zip": 50667}, "mode": "short", "nothing": None, "interval": None}
    one = task(folder, INPUTS)
    assert one.validate_inputs(given) == expected
    least = one.validate_inputs({"url": "https://a.b", "words": None})
    assert least["words"] == 80
    assert least["loud"] is None
    assert set(least) == set(one.meta.inputs)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "demo/t: it needs the input 'url' (Page address)."),
        ({"url": None}, "demo/t: it needs the input 'url' (Page address)."),
        ({"url": "example.org"}, "'example.org' is not a full address"),
        ({"url": "http://[x"}, "is not a full address"),
        ({"words": 3}, "greater than or equal to 10"),
        ({"words": True}, "a number is wanted, not true or false"),
        ({"words": 1.5}, "the input 'words': a whole number is wanted, not 1.5."),
        ({"words": "many"}, "demo/t: the input 'words': a whole number is wanted, not 'many'."),
        ({"share": "x" * 90}, f"demo/t: the input 'share': a number is wanted, not '{'x' * 79}…."),
        ({"loud": "maybe"}, "the input 'loud': true or false is wanted, not 'maybe'."),
        ({"tags": 5}, "the input 'tags': a list is wanted, not 5."),
        ({"raw": [1]}, "the input 'raw': a mapping is wanted, not [1]."),
        ({"day": ["x"]}, "the input 'day': text is wanted, not ['x']."),
        ({"where": {"city": "x", "interior": {"floats": [1, "x"]}}}, "'where.interior.floats[1]': a number is wanted"),
        ({"interval": "x"}, "demo/t: the input 'interval': a whole number is wanted, not 'x'."),
        ({"share": 2}, "less than or equal to 1"),
        ({"tags": "[a,b"}, 'a value such as ["a", "b"] is wanted'),
        ({"raw": "x"}, 'a value such as {"a": 1} is wanted'),
        ({"tags": ["long one"]}, "the input 'tags[0]'"),
        ({"tags": ["a", "b", "c"]}, "at most 2"),
        ({"where": {}}, "demo/t: it needs the input 'where.city'."),
        ({"where": {"city": "x", "interiör": 1}}, "it has no input 'where.interiör'; did you mean 'interior'?"),
        ({"where": {"city": "x", "q": 1}}, "it has no input 'where.q'; there are: city, interior, zip."),
        ({"mode": "shrt"}, "'shrt' is not one of short, long; did you mean 'short'?"),
        ({"mode": "zzz"}, "'zzz' is not one of short, long"),
        ({"level": 3}, "3 is not one of 1, 2"),
        ({"day": "tomorrow"}, "'tomorrow' is not a date such as"),
        ({"at": "8"}, "is not a time"),
        ({"moment": "now"}, "is not a moment"),
        ({"mail": "a@b"}, "is not an e-mail address"),
        ({"key": "x"}, "is not a UUID"),
        ({"code": "A"}, "at least 2 characters"),
        ({"code": "ab"}, "should match pattern"),
        ({"wrds": 1}, "demo/t: it has no input 'wrds'; did you mean 'words'?"),
    ],
)
def test_wrong_inputs_are_refused_before_anything_runs(folder: Folder, given: dict[str, object], message: str):
    one = task(folder, INPUTS)
    with pytest.raises(InputError) as caught:
        one.validate_inputs(given if not given or "url" in given else {"url": "https://a.b"} | given)
    assert message in str(caught.value)


def test_a_task_without_inputs_takes_none(folder: Folder):
    one = task(folder, "steps: []\n")
    assert one.validate_inputs({}) == {}
    with pytest.raises(InputError, match="it has no input 'x', it takes none"):
        one.validate_inputs({"x": 1})


def test_the_schema_of_inputs_keeps_what_planners_and_forms_need(folder: Folder):
    schema = task(folder, INPUTS).input_schema()
    assert schema["required"] == ["url"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["url"] == {"type": "string", "format": "uri", "description": "Page address"}
    assert properties["words"] == {"type": "integer", "minimum": 10, "default": 80}
    assert properties["share"] == {"type": "number", "minimum": 0, "maximum": 1}
    assert properties["tags"] == {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3}}
    assert properties["where"]["required"] == ["city"]
    assert properties["free"] == {"enum": [1, "x", [2], {"a": 3}, [1, None]]}
    assert properties["code"]["ask"] == "Which code?"
    assert properties["json"]["grounded"] is True
    assert properties["mode"] == {"type": "string", "enum": ["short", "long"], "default": "short"}


def test_a_definition_error_carries_every_problem():
    problems = [Problem("a", 1, 2, "x", "y", "t", "s"), Problem("b", 0, 0, "z")]
    assert str(DefinitionError(problems)) == "a:1:2: x [task t step s]: y\nb: z"


def test_tasks_of_required_plans_are_among_the_nearest_names(folder: Folder):
    folder.plan("other", tasks_t="steps: []\n")
    folder.plan("demo", "requires: [other]\n", tasks_u="steps: [{run_task: othr/t}]\n")
    assert folder.only("there is no task 'othr/t'", hint="did you mean 'other/t'?")


def test_words_that_only_look_like_an_input_are_text(folder):
    folder.write("demo/plan.yaml", "name: demo")
    folder.write(
        "demo/tasks/t.yaml",
        """
        steps:
          - {set: {a: "please use inputs.foo here {x}", b: "see {{ 'the inputs.bar' }} {{ \\"inputs.baz\\" }}"}}
        """,
    )
    assert folder.problems() == []


def test_a_branch_without_its_dash_hides_no_other_mistake(folder):
    folder.write("demo/plan.yaml", "name: demo")
    folder.write(
        "demo/tasks/t.yaml",
        """
        steps:
          - parallel: [{set: {a: 1}}]
          - {go_step: nowhere}
          - {action: no_such_action}
        """,
    )
    said = "\n".join(str(problem) for problem in folder.problems())
    assert "nowhere" in said
    assert "no_such_action" in said
    assert "parallel" in said
