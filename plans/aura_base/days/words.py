"""The words for days and months in English, Russian and Chinese: as people write them, and as Aura says them."""

from __future__ import annotations

import re
from datetime import date, datetime

START, END = r"(?<![^\W\d_\u4e00-\u9fff])", r"(?![^\W\d_\u4e00-\u9fff])"
"""Edges of a word, where Chinese characters are words of their own."""
WEEKDAYS = (
    r"mon(?:days?)?|понедельник(?:ам)?|пн|(?:周|星期|礼拜)一",
    r"tue(?:s|sdays?)?|вторник(?:ам)?|вт|(?:周|星期|礼拜)二",
    r"wed(?:s|nesdays?)?|сред[уаы]|средам|ср|(?:周|星期|礼拜)三",
    r"thu(?:rs?|rsdays?)?|четверг(?:ам)?|чт|(?:周|星期|礼拜)四",
    r"fri(?:days?)?|пятниц[уаы]|пятницам|пт|(?:周|星期|礼拜)五",
    r"sat(?:urdays?)?|суббот[уаы]|субботам|сб|(?:周|星期|礼拜)六",
    r"sun(?:days?)?|воскресень[ея]|воскресеньям|вс|(?:周|星期|礼拜)(?:日|天)",
)
"""Patterns by number, Monday first."""
MONTHS = (
    *(r"jan(?:uary)?|января", r"feb(?:ruary)?|февраля", r"mar(?:ch)?|марта", r"apr(?:il)?|апреля", r"may|мая"),
    *(r"june?|июня", r"july?|июля", r"aug(?:ust)?|августа", r"sep(?:t(?:ember)?)?|сентября"),
    *(r"oct(?:ober)?|октября", r"nov(?:ember)?|ноября", r"dec(?:ember)?|декабря"),
)
"""Patterns by number, January first."""
RELATIVE = {
    r"day after tomorrow|послезавтра|(?<!大)后天": 2,
    r"大后天": 3,
    r"tomm?orr?ow|tmrw?|завтра|明天|明(?=[早晚])": 1,
    r"today|tonight|tonite|this (?:morning|afternoon|evening)|сегодня|今天|今(?=[早晚])": 0,
    r"day before yesterday|позавчера|前天": -2,
    r"yesterday|вчера|昨天": -1,
}
"""How many days from today."""
_SAID_WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}
_SAID_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "ru": (
        *("января", "февраля", "марта", "апреля", "мая", "июня"),
        *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
    ),
}


DAY_NAMES = (*_SAID_WEEKDAYS["en"], *_SAID_WEEKDAYS["ru"])
"""As nobody misspells them."""


def number_of(names: tuple[str, ...], word: str) -> int | None:
    """Position of the pattern in WEEKDAYS or MONTHS that a word matches; None if none does."""
    return next((number for number, name in enumerate(names) if re.fullmatch(name, word, re.IGNORECASE)), None)


def weekday(day: date, language: str = "en") -> str:
    """The name of a day of the week."""
    return _SAID_WEEKDAYS[language][day.weekday()]


def long_date(day: date, language: str = "en") -> str:
    """“Friday, 25 December 2026”, «пятница, 25 декабря 2026», “2026年12月25日星期五”; the same on every machine.

    Args:
        day: the day.
        language: `en`, `ru` or `zh`.
    """
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日{weekday(day, language)}"
    return f"{weekday(day, language)}, {day.day} {_SAID_MONTHS[language][day.month - 1]} {day.year}"


def long_moment(moment: datetime, language: str = "en") -> str:
    """A day and the time of day, with seconds if there are any: “Friday, 25 December 2026, 18:00”."""
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    return f"{long_date(moment.date(), language)}{' ' if language == 'zh' else ', '}{clock}"
