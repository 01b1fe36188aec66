"""AppConfig: aura.yaml, the environment, their order, and what a mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import AppConfig
from agent.errors import ConfigError
from aura_core.plugins.builtin import builtin_folder


def load(folder: Path, **environment: str) -> AppConfig:
    return AppConfig.load({"AURA_HOME": str(folder / "home"), **environment}, folder)


def test_nothing_configured_means_the_embedded_model_and_two_profiles(tmp_path):
    config = load(tmp_path)
    assert config.llm.base_url is None
    assert set(config.all_profiles()) == {"owner", "guest"}
    assert config.home == tmp_path / "home"


def test_the_working_folder_wins_over_home_and_the_environment_over_both(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/aura.yaml").write_text("llm: {model: at-home, timeout: 5}\nexecution: {threads: 3}\n")
    (tmp_path / "aura.yaml").write_text("llm: {model: in-folder}\n")
    assert load(tmp_path).llm.model == "in-folder"
    assert load(tmp_path).llm.timeout == 5
    config = load(tmp_path, AURA_MODEL="from-environment", AURA_EXECUTION_THREADS="7")
    assert config.llm.model == "from-environment"
    assert config.execution.threads == 7


def test_named_variables_reach_their_settings(tmp_path):
    config = load(
        tmp_path,
        OPENAI_API_KEY="key-1",
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        TELEGRAM_TOKEN="1:token",
        AURA_TELEGRAM_API="http://127.0.0.1:8",
        AURA_TELEGRAM_OWNERS="[7, 8]",
        AURA_PLANS="/one:/two",
        AURA_PLANS__WEB__ALLOW_PRIVATE="true",
        AURA_LOG_LEVEL="DEBUG",
        AURA_TRUSTED="[mine]",
        AURA_HOT_RELOAD="false",
    )
    assert config.llm.api_key is not None
    assert config.llm.api_key.get_secret_value() == "key-1"
    assert config.telegram.api == "http://127.0.0.1:8"
    assert config.plan_folders == [Path("/one"), Path("/two")]
    assert config.plans == {"web": {"allow_private": True}}
    assert config.profile_of("telegram:8").name == "owner"
    assert config.profile_of("telegram:9").name == "guest"
    assert config.log_level == "debug"
    assert config.trusted == ["mine"]
    assert config.hot_reload is False


def test_secrets_are_not_shown(tmp_path):
    assert "key-1" not in repr(load(tmp_path, OPENAI_API_KEY="key-1"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("llm: {modle: x}", "llm.modle"),
        ("llm: {timeout: -1}", "AURA_LLM_TIMEOUT"),
        ("- a\n- b", "settings as `name: value`"),
        ("llm: {model: [", "cannot be read"),
        ("nonsense: 1", "nonsense"),
        ("timezone: Europe/Berln", "did you mean 'Europe/Berlin'"),
        ("profiles: {family: {timezone: Mars/Base}}", "profiles.family.timezone"),
    ],
)
def test_a_mistake_names_the_setting_and_where_it_comes_from(tmp_path, text, said):
    (tmp_path / "aura.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said.replace("`", ".")):
        load(tmp_path)


def test_profiles_take_their_names_from_their_keys(tmp_path):
    (tmp_path / "aura.yaml").write_text(
        "profiles:\n  family: {people: ['telegram:5'], allow: ['notes/*'], deny: ['notes/delete']}\n"
    )
    family = load(tmp_path).profile_of("telegram:5")
    assert family.name == "family"
    assert family.allows("notes/add")
    assert not family.allows("notes/delete")
    assert not family.allows("files/write")


def test_an_unknown_profile_names_those_that_exist(tmp_path):
    with pytest.raises(ConfigError, match="guest, owner"):
        load(tmp_path).profile("boss")


def test_the_built_in_plans_and_prompts_are_found():
    assert (builtin_folder("plans") / "aura_base").is_dir()
    assert list(builtin_folder("prompts").glob("*.j2"))


@pytest.mark.parametrize(
    ("text", "environment", "zones"),
    [
        ("{}", {}, {"owner": "", "family": ""}),
        ("timezone: Asia/Tokyo", {}, {"owner": "Asia/Tokyo", "family": "Asia/Tokyo"}),
        ("timezone: Asia/Tokyo", {"AURA_TIMEZONE": "Europe/Paris"}, {"owner": "Europe/Paris"}),
        ("{timezone: Asia/Tokyo, profiles: {family: {timezone: UTC}}}", {}, {"owner": "Asia/Tokyo", "family": "UTC"}),
        ("plans: {reminders: {timezone: Asia/Tokyo}}", {}, {"owner": "Asia/Tokyo"}),
        ("{timezone: UTC, plans: {aura_base: {timezone: Asia/Tokyo}}}", {}, {"owner": "UTC"}),
        ("{}", {"AURA_PLANS__AURA_BASE__TIMEZONE": "Asia/Tokyo"}, {"owner": "Asia/Tokyo"}),
    ],
)
def test_a_profile_has_one_time_zone_its_own_or_that_of_all(tmp_path, text, environment, zones):
    (tmp_path / "aura.yaml").write_text(text)
    config = load(tmp_path, AURA_PROFILES="{family: {}}" if "profiles" not in text else "", **environment)
    assert {name: config.profile(name).timezone for name in zones} == zones
