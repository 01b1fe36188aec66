"""Settings of plans: merged, found by path, right for the plan that is current."""

from __future__ import annotations

import pytest

from aura_core.asynccontext import code_of, plan_context
from aura_core.config import ConfigService, PlanSettings, config
from aura_core.errors import NotFoundError


@pytest.fixture
def service() -> ConfigService:
    service = ConfigService()
    service.set_plan("p", {"a": {"b": [1], "c": 1}, "d": 1}, {"a": {"c": 2}}, {"d": {"e": 3}})
    service.set_plan("q", {"a": {"c": 9}})
    return service


def test_later_settings_override_earlier_ones_key_by_key(service: ConfigService):
    assert service.get("a", plan="p") == {"b": [1], "c": 2}
    assert service.get("d.e", plan="p") == 3


def test_merging_leaves_what_was_given_alone():
    defaults = {"a": {"b": 1}}
    service = ConfigService()
    service.set_plan("p", defaults, {"a": {"b": 2}})
    service.get("a", plan="p")["b"] = 3
    assert defaults == {"a": {"b": 1}}


async def test_config_answers_for_the_current_plan(service: ConfigService):
    with code_of("p", service):
        assert config("a.c") == 2
        async with plan_context("q"):
            assert config("a.c") == 9
        assert config("a.c") == 2
        assert config("a.x", None) is None
        with pytest.raises(NotFoundError, match=r"The plan p has no setting 'a\.x'"):
            config("a.x")
        with pytest.raises(NotFoundError):
            config("d.e.f")
    with pytest.raises(NotFoundError, match="outside any plan"):
        service.get("a.c")
    with pytest.raises(NotFoundError, match="outside a running task"):
        config("a.c")


def test_injected_settings_belong_to_one_plan(service: ConfigService):
    settings = PlanSettings(service, "q")
    assert settings("a.c") == settings.get("a.c") == 9
    assert settings("x", "default") == "default"


def test_a_plan_without_settings_has_none():
    assert ConfigService().get("a", 1, plan="p") == 1


def test_a_list_that_somebody_got_is_their_own():
    service = ConfigService()
    service.set_plan("p", {"names": ["a"], "deep": {"list": [1]}})
    service.get("names", plan="p").append("b")
    service.get("deep", plan="p")["list"].clear()
    assert service.get("names", plan="p") == ["a"]
    assert service.get("deep.list", plan="p") == [1]
