"""What is understood of a reminder: spans are real time whatever the clocks do, and settings are checked with words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aura_core import asynccontext
from aura_core.api import ActionError
from plans.reminders.actions.reminders import understand
from tests.fixtures.reminders import DATES


def understood(monkeypatch: pytest.MonkeyPatch, now: datetime, text: str, **settings: Any) -> dict[str, Any]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return now.astimezone(tz)

    monkeypatch.setattr(asynccontext, "datetime", Clock)
    return answered(text, "", None, **settings)


def answered(text: str, answer: str, asked: dict[str, Any] | None, **settings: Any) -> dict[str, Any]:
    with asynccontext.using_zone(ZoneInfo(settings.pop("timezone", "UTC"))):
        return understand(text, lambda name, default=None: settings.get(name, default), DATES, answer, asked)


@pytest.mark.parametrize(
    ("now", "text", "span"),
    [
        ("2026-10-25T00:55", "in 10 minutes tea", timedelta(minutes=10)),
        ("2026-10-25T01:30", "in 10 minutes tea", timedelta(minutes=10)),
        ("2027-03-28T00:55", "in 10 minutes tea", timedelta(minutes=10)),
        ("2027-03-28T00:30", "in 90 minutes tea", timedelta(minutes=90)),
        ("2026-10-24T20:00", "in 12 hours pills", timedelta(hours=12)),
        ("2026-10-24T20:00", "через 12 часов таблетки", timedelta(hours=12)),
    ],
)
def test_a_span_is_real_time_across_a_clock_change(
    monkeypatch: pytest.MonkeyPatch, now: str, text: str, span: timedelta
):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = understood(monkeypatch, moment, text, timezone="Europe/Berlin")
    assert found["problem"] == ""
    assert datetime.fromisoformat(found["at"]) - moment == span


def test_a_span_of_days_keeps_the_time_of_day(monkeypatch: pytest.MonkeyPatch):
    found = understood(monkeypatch, datetime(2026, 10, 24, 8, tzinfo=UTC), "in 1 day tea", timezone="Europe/Berlin")
    assert found["at"] == "2026-10-25T10:00:00"


@pytest.mark.parametrize(
    ("morning", "at"), [("07:30", "07:30"), (1200, "20:00"), ("20:00", "20:00"), (540, "09:00"), ("7:05", "07:05")]
)
def test_the_morning_is_what_the_settings_say_also_where_yaml_reads_a_number(
    monkeypatch: pytest.MonkeyPatch, morning: Any, at: str
):
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    found = understood(monkeypatch, now, "tomorrow tea", timezone="UTC", morning=morning)
    assert found["at"] == f"2026-11-22T{at}:00"


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"morning": 1500}, "25:00|1500"), ({"morning": "soon"}, "'soon'")],
)
def test_a_setting_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], said: str):
    with pytest.raises(ActionError, match=said):
        understood(monkeypatch, datetime(2026, 11, 21, 10, tzinfo=UTC), "tomorrow tea", **settings)


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "question", "agreed"),
    [
        ("tomorrow gym 7", "Sunday, 22 November 2026, 09:00, right?", "Yes"),
        ("every evening 20 push-ups", "every day 20:00, right?", "yes"),
        ("завтра урок 7", "воскресенье, 22 ноября 2026, 09:00, верно?", "Да"),
        ("каждые 2 часа 20 отжиманий", "каждые 2 ч, верно?", "да"),
        ("每天8点2片药", "每天 08:00，对吗？", "对"),
    ],
)
def test_what_is_not_certain_is_asked_with_what_was_understood_and_set_once_it_is_agreed(
    monkeypatch: pytest.MonkeyPatch, text: str, question: str, agreed: str
):
    asked = understood(monkeypatch, NOON, text, timezone="UTC")
    assert asked["problem"].startswith(question)
    assert [agreed.casefold()] == [option.casefold() for option in asked["options"]]
    found = answered(asked["text"], agreed, asked, timezone="UTC")
    assert found == {**asked, "problem": "", "options": []}
    assert found["text"] == text


@pytest.mark.parametrize(
    ("answer", "at"), [("tomorrow at 7", "2026-11-22T07:00:00"), ("in 2 hours", "2026-11-21T14:00:00+00:00")]
)
def test_another_time_may_be_the_answer(monkeypatch: pytest.MonkeyPatch, answer: str, at: str):
    asked = understood(monkeypatch, NOON, "tomorrow gym 7", timezone="UTC")
    found = answered(asked["text"], answer, asked, timezone="UTC")
    assert (found["problem"], found["at"], found["text"]) == ("", at, "tomorrow gym 7")


@pytest.mark.parametrize("answer", ["no", "7", "tomorrow at 8 20", "when pigs fly"])
def test_an_answer_that_is_not_certain_either_sets_nothing(monkeypatch: pytest.MonkeyPatch, answer: str):
    asked = understood(monkeypatch, NOON, "tomorrow gym 7", timezone="UTC")
    assert answered(asked["text"], answer, asked, timezone="UTC")["problem"]


def test_what_was_agreed_too_late_has_passed(monkeypatch: pytest.MonkeyPatch):
    asked = understood(monkeypatch, NOON, "today at 18 7 pills", timezone="UTC")
    late = understood(monkeypatch, NOON + timedelta(hours=7), "x", timezone="UTC")
    assert late["problem"]
    found = answered(asked["text"], "Yes", asked, timezone="UTC")
    assert found["problem"].startswith("Saturday, 21 November 2026, 18:00 has passed, it is 19:00 now.")
