"""One reader for YAML: a value means the same in a plan's file, in aura.yaml, in the environment and behind `key=`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.task_runs import inputs_from
from agent.config import AppConfig
from agent.errors import ConfigError
from aura_core.language.environment import plan_settings, settings_of
from aura_core.language.source import Source
from aura_core.language.yaml_nodes import MAX_DEPTH, read_value
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

MEANINGS: list[tuple[str, Any]] = [
    # what YAML 1.1 makes something else of
    ("10:30", "10:30"),
    ("1:02:03", "1:02:03"),
    ("NO", "NO"),
    ("no", "no"),
    ("on", "on"),
    ("y", "y"),
    ("0755", "0755"),
    ("08", "08"),
    ("007.50", "007.50"),
    ("+0049", "+0049"),
    ("1_000", "1_000"),
    ("0b101", "0b101"),
    ("2026-11-30", "2026-11-30"),
    ("12-24", "12-24"),
    ("=", "="),
    ("1.2.3", "1.2.3"),
    ("192.168.0.1", "192.168.0.1"),
    # what a person can only mean as a value
    ("0", 0),
    ("-7", -7),
    ("+5", 5),
    ("0.5", 0.5),
    (".5", 0.5),
    ("1e3", 1000.0),
    ("0x1F", 31),
    ("0o17", 15),
    ("true", True),
    ("FALSE", False),
    ("null", None),
    ("~", None),
    ("'0'", "0"),
    ('"true"', "true"),
    ("[1, NO, 08]", [1, "NO", "08"]),
    ("{at: 10:30, code: 0755}", {"at": "10:30", "code": "0755"}),
    ("привет", "привет"),
    ("你好", "你好"),
]


async def test_a_value_means_the_same_wherever_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    project = Project(tmp_path)
    lines = [f"v{number}: {written}\n" for number, (written, _) in enumerate(MEANINGS)]
    project.write("p/config.yaml", "file:\n" + "".join(f"  {line}" for line in lines))
    project.write("aura.yaml", "plans:\n  p:\n    ours:\n" + "".join(f"      {line}" for line in lines))
    for number, (written, _) in enumerate(MEANINGS):
        monkeypatch.setenv(f"AURA_PLANS__P__ENV__V{number}", written)
    project.task(
        "t", "steps: []\nreturns: [\"{{ config('file') }}\", \"{{ config('ours') }}\", \"{{ config('env') }}\"]"
    )
    settings = AppConfig.load({"AURA_HOME": str(project.data)}, project.plans).plans
    async with project.running(settings=settings) as framework:
        result = await framework.submit(Tasklet("p/t"))
        inputs = inputs_from(
            framework.plans.task("p/t"), [f"v{n}={written}" for n, (written, _) in enumerate(MEANINGS)]
        )
    meant = {f"v{number}": meaning for number, (_, meaning) in enumerate(MEANINGS)}
    for found in [*result.result, inputs]:
        assert {name: repr(value) for name, value in found.items()} == {n: repr(v) for n, v in meant.items()}


@pytest.mark.parametrize(
    "written",
    [
        "#garden",
        "call Ann #1",
        "@home",
        "!x",
        "*star",
        "&amp",
        "%d items",
        "`x`",
        "a: b: c",
        "[open",
        "- - [",
        "9" * 5000,
    ],
)
def test_what_no_file_would_hold_is_the_text_that_was_written(written: str):
    assert read_value(written) == written


def test_settings_of_the_environment_belong_to_one_plan():
    environment = {
        "AURA_PLANS__MY_PLAN__A": "1",
        "AURA_PLANS__MY_PLAN__A__B": "2",
        "aura_plans__other__A": "NO",
        "AURA_PLANS__MY_PLAN__EMPTY": " ",
        "AURA_PLANS__": "1",
        "AURA_PLANS": "/folder",
    }
    assert plan_settings(environment) == {"my_plan": {"a": {"b": 2}}, "other": {"a": "NO"}}
    assert settings_of("my-plan", environment) == {"a": {"b": 2}}
    assert settings_of("none", environment) == {}


@pytest.mark.parametrize("key", ["0123456789", "12345e10", "true", "[x]", "{a: 1}", "null", "12:30", "#1"])
def test_a_text_setting_takes_the_text_of_its_variable(key: str, tmp_path: Path):
    config = AppConfig.load({"AURA_HOME": str(tmp_path), "AURA_LLM_API_KEY": key, "AURA_LLM_MODEL": key}, tmp_path)
    assert config.llm.api_key is not None
    assert (config.llm.api_key.get_secret_value(), config.llm.model) == (key, key)


def test_other_settings_of_the_environment_are_read_by_their_type(tmp_path: Path):
    config = AppConfig.load(
        {
            "AURA_HOME": str(tmp_path),
            "AURA_HOT_RELOAD": "NO",
            "AURA_EXECUTION_THREADS": "08",
            "AURA_TELEGRAM_OWNERS": "[7]",
            "AURA_EXECUTION_LIMITS": "{net: 2}",
            "AURA_PROFILES": "{family: {people: ['telegram:5']}}",
        },
        tmp_path,
    )
    assert (config.hot_reload, config.execution.threads, config.telegram.owners) == (False, 8, [7])
    assert config.execution.limits == {"net": 2}
    assert config.profile_of("telegram:5").name == "family"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("llm: {model: a}\nllm: {model: b}\n", r"aura\.yaml:2:1: the key 'llm' is there twice"),
        ("llm:\n\tmodel: a\n", r"aura\.yaml:2:1: a tab is used to indent"),
        ("home: !!python/object:os.system x\n", r"aura\.yaml:1:7: the tag .* is not allowed"),
        ("plans: " + "[" * (MAX_DEPTH + 2), "levels deep"),
    ],
)
def test_a_mistake_in_aura_yaml_is_told_with_its_place(text: str, said: str, tmp_path: Path):
    (tmp_path / "aura.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        AppConfig.load({"AURA_HOME": str(tmp_path / "home")}, tmp_path)


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda v: st.lists(v) | st.dictionaries(WORDS, v),
        max_leaves=8,
    )
)
def test_what_pyyaml_writes_is_read_back(value: Any):
    text = yaml.safe_dump(value, allow_unicode=True)
    assert Source(Path("x.yaml"), text).load() == value


@given(WORDS.filter(str.strip))
def test_a_line_of_the_environment_is_a_value_or_itself(line: str):
    value = read_value(line)
    assert not isinstance(value, str) or value == line.strip() or line.strip()[0] in "'\"|>" or value == line
