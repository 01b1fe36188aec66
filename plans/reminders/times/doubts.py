"""Doubts: words beside a time that may change what it means; whoever wrote them is asked, and not guessed at.

A time that was read is cut out of the text and leaves a MARK. What matters is what stands beside the marks, at the head
of the text, and, for what repeats, everywhere.
"""

from __future__ import annotations

import re

from .days import MONTHS, WEEKDAYS
from .numbers import END, NUMBER, START

MARK = "\x1f"
"""Where a time was cut out; a space for every pattern that reads times."""
_M = rf"{MARK}[\s,，、.;:]*"
_HEAD = rf"(?:^|{MARK})[\s,，、.;:]*"
_HOUR_WORDS = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|один|два|две|три|четыре|пять|шесть|семь|восемь"
    r"|девять|десять|одиннадцать|двенадцать|двум|тр[её]м|четыр[её]м|пяти|шести|семи|восьми|девяти|десяти|одиннадцати"
    r"|двенадцати|час(?:у)?|полчетв\w+|половин\w+|четверть|без|half|quarter|a quarter)"
)
_RU_DAYS = r"(?:понедельник|вторник|четверг)\w*|(?:сред|пятниц|суббот)\w{1,2}|воскресень\w+|пн|вт|ср|чт|пт|сб|вс"
_DAY = rf"(?:{'|'.join(WEEKDAYS)}|{_RU_DAYS}|today|tomorrow|сегодня|завтра|послезавтра|今天|明天|后天){END}"
_MONTH = rf"(?:{'|'.join(MONTHS)}){END}"
_PART = r"(?:noon|midnight|morning|afternoon|evening|night|полдень|полночь|早上|中午|下午|晚上)"
_TIMEISH = rf"(?:\d|{_HOUR_WORDS}{END}|{_DAY}|{_PART})"
_SMALL = r"(?:(?:at|on|in|the|from|starting|beginning|since|в|во|с|на|начиная)\s+)*"

_ANYWHERE = (
    rf"\d{{1,2}}[:：]\d{{2}}|\b(?:at|by|around|about|в|во|к|до|около)\s+(?:\d{{1,2}}\b|{_HOUR_WORDS}{END}|пол[а-яё]+)",
    r"\b(?:half|quarter)\s+(?:past|to)\s+\w|\b[0-5]?\d\s+past\s+\w",
    rf"\b[0-5]?\d\s+to\s+(?:\d|noon|midnight|the hour|{_HOUR_WORDS}{END})",
    r"\d\s*[ap]\.?m\b|o'?clock|\d{1,2}\s*(?:утра|дня|вечера|ночи)\b",
    r"\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{1,2}(?:-?го\b|\s+числа)|\d{1,4}[-/]\d{1,2}[-/]\d|\b\d{1,2}/\d{1,2}\b",
    rf"\d{{1,2}}\.\d{{1,2}}\.|\d\s+(?:of\s+)?{_MONTH}|{START}{_MONTH}\s+\d|\d\s*月",
)
"""Clock times and dates that were not read, or are the second ones."""
_LEFT = (
    r"\b(?:until|till|before|after|since|except|excluding|unless|from|between|not|than|past|to|through|half|quarter|or"
    r"|last|first|second|third|fourth|fifth|other|alternate|every|each|и|или|до|после|с|со|по|кроме|не|перед|между"
    r"|начиная|перв\w+|втор\w+|трет\w+|четв[её]рт\w+|последн\w+|прошл\w+|кажд\w+)"
    r"|除了?|从|至|到|上个?|隔|每个?|第\S{1,2}个?|最后一?个?|(?:不是|不要在)|\d[-–—~]"
)
"""What changes a time that stands behind it."""
_RIGHT = (
    r"(?:until|till|except|excluding|unless|but|before|after|from|since|starting|beginning|past|ago|кроме|после|перед"
    r"|начиная|исключая|за исключением|назад|раньше|пока не"
    r"|до (?:обед|вечер|полудн|ужин|завтрак|конц)\w*)\b|[-–—~]\s*\d"
    r"|除|之前|以前|前(?!往)|之后|以后|开始|为止|起(?!床|来|身)|左右不"
)
"""What changes a time that stands before it."""
_AND = r"(?:and|or|to|through|thru|и|или|до|по|со?|а также|到|至|和|或者?|跟|与|[-–—~&+/])"
_BESIDE = (
    rf"{START}(?:{_LEFT})\s*{MARK}",
    rf"{_M}(?:{_RIGHT})",
    rf"{_M}{_AND}\s*{_SMALL}{_TIMEISH}|{MARK}\s*[,，、]\s*\d{{1,2}}\s*(?:[,，、:]|and\b|or\b|и\b|$|{MARK})",
    rf"{_HEAD}(?:{_AND}\s*)?{_SMALL}{_DAY}|{_DAY}[\s,，、]*{MARK}",
    rf"{_HEAD}\d{{1,2}}[.]\d{{1,2}}\b|\d{{1,2}}[.]\d{{1,2}}\s*{MARK}|{_HEAD}\d{{1,2}}[号日]|\d{{1,2}}[号日]\s*{MARK}",
    rf"{_M}[一二两三四五六七八九十\d]+[点时]",
)
_SPANS = (
    rf"\b(?:in|after|через)\s+(?:{NUMBER}\s*|a few\s+|several\s+|несколько\s+|пару\s+)?(?:months?|years?|месяц\w*"
    r"|год\w*|лет|some|while)|(?:个月|年)(?:之后|以后|后)"
    rf"|\b(?:in|next|this|в)\s+(?:{_MONTH}|январ\w|феврал\w|март\w|апрел\w|ма[ей]"
    r"|июн\w|июл\w|август\w|сентябр\w|октябр\w|ноябр\w|декабр\w)|\b(?:next|this|coming)\s+(?:week|month|year|weekend)\b"
    r"|следующ\w+\s+(?:недел|месяц|год|выходн)\w*|下个?(?:月|周|星期|年)|\bweekend\b"
    r"|\bвыходн\w+|周末|\bend of\b|\bв конце\b|月底"
)
"""Days that are named and not read."""
_LIMITS = (
    r"\b(?:until|till|except|excluding|unless|starting|beginning|but not|not on|кроме|исключая"
    r"|за исключением|пока не|начиная)\b|除|直到|为止"
    rf"|\b(?:for|в течение)\s+(?:the next\s+)?(?:{NUMBER}\s*)?(?:days?|weeks?|months?|years?|дн\w+|недел\w+|месяц\w*)\b"
    r"|\b(?:times?|раза?|дважды|трижды|twice|thrice|bi|semi)\b|[\d一二两三四五六七八九十几多数]次"
    rf"|(?:\d+|пару|несколько|{_HOUR_WORDS})\s*{MARK}|{_DAY}\s*$|[从自]\S*起"
    rf"|{_M}(?:on\s+|at\s+|in\s+)?(?:the\s+)?(?:last|first|second|third|fourth|end|beginning|middle|odd|even)\b"
    rf"|{_M}(?:в\s+|по\s+)?(?:последн|перв|втор|трет|четв[её]рт|конц|начал|ч[её]тн|неч[её]тн)|{_M}(?:最后|第|末|底|初)"
)
"""What limits or multiplies something that repeats."""
_LATE = r"(?:afternoon|evening|tonight|night|дн[её]м|вечер\w*|ночью|下午|傍晚|晚上|今晚)"
_EARLY = r"(?:in the )?(?:morning|утром|早上|早晨|上午)"
NOON = 12


def in_doubt(left: str, *, repeats: bool, day: bool, clock: bool, hour: int | None = None) -> bool:
    """Whether what is left of a text may change the times that were read.

    Args:
        left: the text, with a MARK for every time that was cut out.
        repeats: something that comes again was read.
        day: a day, or a rule for days, was read.
        clock: a time of day was read, or none is needed.
        hour: the hour of the time that was read.
    """
    patterns = [*_BESIDE]
    if repeats:
        patterns.append(_LIMITS)
    if hour is not None:
        part = _LATE if hour < NOON else _EARLY
        patterns.append(rf"{_HEAD}{part}|{part}\s*{MARK}")
    patterns.append(rf"{_HEAD}(?:{_SPANS})|(?:{_SPANS})\s*{MARK}" if day and clock else _SPANS)
    return names_more(left) or any(re.search(pattern, left, re.IGNORECASE) for pattern in patterns)


def names_more(left: str) -> bool:
    """Whether a clock time or a date stands in a text that was not read, or is a second one."""
    return any(re.search(pattern, left, re.IGNORECASE) for pattern in _ANYWHERE)
