"""When and what: how the reminders read what people write in English, Russian and Chinese."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.scheduler.when import trigger_of
from plans.reminders.actions.words import rule_of
from plans.reminders.times.reading import When
from tests.fixtures.reminders import read, read_when

NOW = datetime(2026, 11, 21, 10, 0)  # noqa: DTZ001 (a wall clock: a Saturday)
MORNING = time(9)
HOUR, DAY = 3600.0, 86400.0


def at(text: str) -> When:
    return When(at=datetime.fromisoformat(f"2026-{text}"))


def cron(rule: str) -> When:
    return When(cron=rule)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("in 10 minutes", at("11-21 10:10")),
        ("in an hour", at("11-21 11:00")),
        ("in half an hour", at("11-21 10:30")),
        ("In 2 hours and 5 minutes", at("11-21 12:05")),
        ("in 90 sec", at("11-21 10:01:30")),
        ("5 minutes from now", at("11-21 10:05")),
        ("in 3 days at 7:15", at("11-24 07:15")),
        ("at 18:30", at("11-21 18:30")),
        ("9:00", at("11-22 09:00")),
        ("at 8", at("11-22 08:00")),
        ("noon", at("11-21 12:00")),
        ("tonight", at("11-21 20:00")),
        ("tonight at 8", at("11-21 20:00")),
        ("tomorrow", at("11-22 09:00")),
        ("tomorrow at 9", at("11-22 09:00")),
        ("tomorrow evening at 7", at("11-22 19:00")),
        ("day after tomorrow at 8", at("11-23 08:00")),
        ("Friday 17:00", at("11-27 17:00")),
        ("next friday", at("11-27 09:00")),
        ("monday 9am", at("11-23 09:00")),
        ("saturday at 9", at("11-28 09:00")),
        ("saturday at 11", at("11-21 11:00")),
        ("on 24 December at 6 pm", at("12-24 18:00")),
        ("December 24th", at("12-24 09:00")),
        ("2026-12-24 18:00", at("12-24 18:00")),
        ("24.12. 18:00", at("12-24 18:00")),
        ("every weekday at 8", cron("0 8 * * mon-fri")),
        ("weekdays at 8am", cron("0 8 * * mon-fri")),
        ("every day at 9", cron("0 9 * * *")),
        ("at noon every day", cron("0 12 * * *")),
        ("every morning", cron("0 9 * * *")),
        ("every evening at 8", cron("0 20 * * *")),
        ("every Monday and Friday at 7:30", cron("30 7 * * mon,fri")),
        ("mondays at 9", cron("0 9 * * mon")),
        ("every week", cron("0 9 * * sat")),
        ("every weekend at 10", cron("0 10 * * sat,sun")),
        ("every month on the 1st at 9", cron("0 9 1 * *")),
        ("every 15 minutes", When(every=900.0)),
        ("every hour", When(every=HOUR)),
        ("every other day", When(every=2 * DAY)),
        ("через 10 минут", at("11-21 10:10")),
        ("через час", at("11-21 11:00")),
        ("через полчаса", at("11-21 10:30")),
        ("через полтора часа", at("11-21 11:30")),
        ("через неделю", at("11-28 10:00")),
        ("через 3 дня в 9", at("11-24 09:00")),
        ("завтра в 9", at("11-22 09:00")),
        ("завтра в 9 утра", at("11-22 09:00")),
        ("завтра вечером", at("11-22 20:00")),
        ("сегодня в 8 вечера", at("11-21 20:00")),
        ("в пятницу в 17:00", at("11-27 17:00")),
        ("24 декабря в 18:00", at("12-24 18:00")),
        ("каждый день в 9", cron("0 9 * * *")),
        ("каждый будний день в 8:30", cron("30 8 * * mon-fri")),
        ("по будням в 9", cron("0 9 * * mon-fri")),
        ("по понедельникам и средам в 7", cron("0 7 * * mon,wed")),
        ("каждую пятницу в 17:00", cron("0 17 * * fri")),
        ("каждое утро", cron("0 9 * * *")),
        ("каждый вечер в 8", cron("0 20 * * *")),
        ("каждый месяц 1 числа в 9", cron("0 9 1 * *")),
        ("каждые два часа", When(every=2 * HOUR)),
        ("10分钟后", at("11-21 10:10")),
        ("十五分钟后", at("11-21 10:15")),
        ("半小时后", at("11-21 10:30")),
        ("两小时后", at("11-21 12:00")),
        ("明天9点", at("11-22 09:00")),
        ("明天早上8点", at("11-22 08:00")),
        ("下午3点半", at("11-21 15:30")),
        ("晚上八点一刻", at("11-21 20:15")),
        ("明晚8点", at("11-22 20:00")),
        ("大后天", at("11-24 09:00")),
        ("下周五", at("11-27 09:00")),
        ("周五下午5点", at("11-27 17:00")),
        ("12月24日18:00", at("12-24 18:00")),
        ("每天8点", cron("0 8 * * *")),
        ("每个工作日8点", cron("0 8 * * mon-fri")),
        ("每周一、三、五9点", cron("0 9 * * mon,wed,fri")),
        ("每周日9点", cron("0 9 * * sun")),
        ("每晚10点", cron("0 22 * * *")),
        ("每月1号9点", cron("0 9 1 * *")),
        ("每隔30分钟", When(every=1800.0)),
    ],
)
def test_when_is_read(text, when):
    assert read_when(text, NOW, MORNING) == when


@pytest.mark.parametrize(
    "text", ["yesterday", "in -5 minutes", "2 hours ago", "10 минут назад", "today at 8", "半小时前"]
)
def test_what_has_passed_is_read_as_such(text):
    when = read_when(text, NOW, MORNING)
    assert when is not None
    assert when.at < NOW


@pytest.mark.parametrize(
    "text",
    [
        *("", "blah", "9", "99:99", "25:00", "31 february", "in 99999999999 days", "soon", "every"),
        *("every 2 days at 9", "buy milk tomorrow", "every month on the 40th"),
    ],
)
def test_what_is_unclear_is_not_guessed(text):
    assert read_when(text, NOW, MORNING) is None


@pytest.mark.parametrize(
    ("text", "rest", "when"),
    [
        ("in 10 minutes to stretch", "stretch", at("11-21 10:10")),
        ("remind me to stretch in 10 minutes", "stretch", at("11-21 10:10")),
        ("me tomorrow at 9 to call mom", "call mom", at("11-22 09:00")),
        ("call mom at 9 tomorrow", "call mom", at("11-22 09:00")),
        ("buy 2 eggs in 5 minutes", "buy 2 eggs", at("11-21 10:05")),
        ("meeting with May at 5 pm", "meeting with May", at("11-21 17:00")),
        ("every weekday at 8 stand up", "stand up", cron("0 8 * * mon-fri")),
        ("take out the trash every friday", "take out the trash", cron("0 9 * * fri")),
        ("pay the rent on the 1st of every month", "pay the rent", cron("0 9 1 * *")),
        ("напомни мне завтра в 9 позвонить маме", "позвонить маме", at("11-22 09:00")),
        ("взять 3 яблока через 20 минут", "взять 3 яблока", at("11-21 10:20")),
        ("10分钟后提醒我喝水", "喝水", at("11-21 10:10")),
        ("每天8点提醒我吃药", "吃药", cron("0 8 * * *")),
        ("提醒我明天下午3点开会", "开会", at("11-22 15:00")),
        ("buy milk", "buy milk", None),
        ("read May's letter", "read May's letter", None),
    ],
)
def test_one_sentence_says_when_and_what(text, rest, when):
    found = read(text, NOW, MORNING)
    assert (found.rest, found.when) == (rest, when)


WORDS = [
    "every",
    "in",
    "at",
    "day",
    "10",
    "minutes",
    "9",
    ":",
    "30",
    "tomorrow",
    "monday",
    "and",
    "weekday",
    "pm",
    "tonight",
]
WORDS += [
    "каждый",
    "день",
    "в",
    "через",
    "час",
    "вечером",
    "每",
    "天",
    "8",
    "点",
    "半",
    "周",
    "一",
    "后",
    "月",
    "日",
    "1",
    "12",
    "stretch",
]
WORKABLE_OFFSET = timedelta(days=40_000)


@given(st.lists(st.sampled_from(WORDS), max_size=9), st.sampled_from([" ", ""]))
def test_whatever_is_written_gives_a_rule_that_can_run_or_none(words, between):
    text = between.join(words)
    when = read_when(text, NOW, MORNING)
    if when is None:
        return
    assert (when.at is not None) + bool(when.cron) + bool(when.every) == 1
    if when.at is not None and (when.at <= NOW or when.at > NOW + WORKABLE_OFFSET):
        return
    trigger_of(now=NOW.astimezone(), cron=when.cron or None, every=when.every or None, at=when.at)


@pytest.mark.parametrize(
    ("when", "text", "words"),
    [
        ("cron 0 8 * * mon-fri (UTC)", "stand up", "Mon–Fri 08:00"),
        ("cron 30 7 * * mon,fri (UTC)", "бегать", "пн, пт 07:30"),
        ("cron 0 9 * * * (UTC)", "吃药", "每天 09:00"),
        ("cron 0 9 1 * * (UTC)", "pay the rent", "day 1 of every month 09:00"),
        ("every 15m", "drink", "every 15 min"),
        ("every 1h30m", "пить воду", "каждые 1 ч 30 мин"),
        ("every 1h30m", "喝水", "每1小时30分钟"),
    ],
)
def test_a_rule_is_told_in_the_words_of_people(when, text, words):
    assert rule_of(when, text) == words
