"""What the plan says, in the language of the reminder: English, Russian or Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from ..times.calendar import Calendar

EXAMPLES = "in 10 minutes · tomorrow at 9 · Friday 17:00 · every weekday at 8 · через час · 每天8点"
SHORT = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Days of the week as a cron rule has them, Monday first."""
_SAID = {
    "en": {
        "when": f"When shall I remind you? For example: {EXAMPLES}",
        "unread": f"I do not understand when “{{when}}” is. Write it like one of these: {EXAMPLES}",
        "past": f"{{when}} has passed, it is {{now}} now. When shall I remind you? For example: {EXAMPLES}",
        "right": f"{{when}}, right? If not, write when: {EXAMPLES}",
        "yes": "Yes",
        "what": "What shall I remind you of? Write, for example: in 10 minutes to stretch",
        "long": "That is too long for a reminder; keep it as a note and let me remind you of that.",
        "added": "I will remind you on {when}: {text}",
        "again": "I will remind you again and again ({rule}), next on {when}: {text}",
        "removed": "I will not remind you any more: {text}",
    },
    "ru": {
        "when": f"Когда напомнить? Например: {EXAMPLES}",
        "unread": f"Не понимаю, когда это: «{{when}}». Напишите, например: {EXAMPLES}",
        "past": f"{{when}} уже прошло, сейчас {{now}}. Когда напомнить? Например: {EXAMPLES}",
        "right": f"{{when}}, верно? Если нет, напишите, когда: {EXAMPLES}",
        "yes": "Да",
        "what": "О чём напомнить? Например: через 10 минут размяться",
        "long": "Для напоминания это слишком длинно; сохраните заметку и попросите напомнить о ней.",
        "added": "Напомню {when}: {text}",
        "again": "Буду напоминать ({rule}), в следующий раз {when}: {text}",
        "removed": "Больше не буду напоминать: {text}",
    },
    "zh": {
        "when": f"什么时候提醒你？例如：{EXAMPLES}",
        "unread": f"我不明白“{{when}}”是什么时候。请这样写：{EXAMPLES}",
        "past": f"{{when}}已经过去了，现在是{{now}}。什么时候提醒你？例如：{EXAMPLES}",
        "right": f"{{when}}，对吗？如果不对，请写时间：{EXAMPLES}",
        "yes": "对",
        "what": "提醒你什么？例如：10分钟后喝水",
        "long": "提醒的内容太长了；可以先记成笔记，再让我提醒你。",
        "added": "我会在{when}提醒你：{text}",
        "again": "我会定期提醒你（{rule}），下一次是{when}：{text}",
        "removed": "不再提醒你：{text}",
    },
}
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
_DAYS: dict[str, dict[str, str]] = {
    "en": {"*": "every day", "mon-fri": "Mon–Fri", "sat,sun": "Sat, Sun"},
    "ru": {"*": "каждый день", "mon-fri": "пн–пт", "sat,sun": "сб, вс"},
    "zh": {"*": "每天", "mon-fri": "工作日", "sat,sun": "周末"},
}
_MONTHLY: dict[str, str] = {"en": "day {day} of every month", "ru": "{day}-го числа", "zh": "每月{day}号"}
_CRON = re.compile(r"cron (?P<minute>\d+) (?P<hour>\d+) (?P<day>\S+) \* (?P<days>\S+)(?: \(.*\))?")
_INTERVAL = re.compile(r"every ((?:\d+[dhms])+)")
_EVERY = {"en": "every {}", "ru": "каждые {}", "zh": "每{}"}
_UNITS = {
    "en": {"d": " d", "h": " h", "m": " min", "s": " s"},
    "ru": {"d": " дн.", "h": " ч", "m": " мин", "s": " с"},
    "zh": {"d": "天", "h": "小时", "m": "分钟", "s": "秒"},
}


def language_of(text: str) -> str:
    """`zh`, `ru` or, in all other cases, `en`: by the script of the text."""
    if re.search(r"[\u4e00-\u9fff]", text):
        return "zh"
    return "ru" if re.search(r"[а-яё]", text, re.IGNORECASE) else "en"


def said(key: str, text: str, **values: str) -> str:
    """One of the plan's sentences, in the language of `text`, which may stand in it."""
    return _SAID[language_of(text)][key].format(text=text, **values)


def agrees(answer: str, options: Sequence[str]) -> bool:
    """Whether an answer is the first of the options, or its first letter."""
    word = answer.strip().strip(".!").casefold()
    return bool(word and options) and options[0].casefold().startswith(word)


def when_of(moment: datetime, text: str, dates: Calendar) -> str:
    """A moment for people, in the language of `text`: `Saturday, 21 November 2026, 18:00`."""
    return dates.said(moment, language_of(text))


def rule_of(when: str, text: str) -> str:
    """A job's rule for people, in the language of `text`: `Mon–Fri 08:00` for `cron 0 8 * * mon-fri (UTC)`."""
    language = language_of(text)
    interval = _INTERVAL.fullmatch(when)
    if interval is not None:
        units = _UNITS[language]
        spoken = (number + units[unit] for number, unit in re.findall(r"(\d+)([dhms])", interval[1]))
        return _EVERY[language].format(("" if language == "zh" else " ").join(spoken))
    match = _CRON.fullmatch(when)
    if match is None:
        return when
    names: dict[str, str] = dict(zip(SHORT, _WEEKDAYS[language], strict=True))
    days = _DAYS[language].get(match["days"]) or ", ".join(names.get(day, day) for day in match["days"].split(","))
    if match["day"] != "*":
        days = _MONTHLY[language].format(day=match["day"])
    return f"{days} {int(match['hour']):02}:{int(match['minute']):02}"
