"""What is left of a text beside the times that were read: is it certain that it says nothing more of a time?

It is not if the readers find another time in it; if a word of times stands directly beside one that was read ("at 8
30", "every weekday except …", "last Friday"); or if no time of day, or no day, was said, and something that could be
one stands anywhere ("tomorrow gym 7"). Then the person is asked whether what was understood is right.
"""

from __future__ import annotations

import re
from datetime import datetime

from aura_core.api import ActionError

from .calendar import Calendar
from .clock_times import find_time
from .numbers import END, NUMBER_WORDS, START, UNIT
from .pieces import MARK, NUMBERED, Pieces
from .repeating import AGAIN, EVERY, says_again
from .spans import find_span, moves_a_time

_MARK = f"[{MARK}{NUMBERED}]"
_ZH_NUMBER = "[零〇二两三四五六七八九十百几]"
_NUMBER = (
    rf"(?:(?<!\d)\d+|(?<!{_ZH_NUMBER}){_ZH_NUMBER}+"
    rf"|(?:{NUMBER_WORDS}|few|several|hundred|thousand|несколько|сто)(?![\w-]))"
)
_ORDINAL = r"(?:\d{1,2}(?:st|nd|rd|th|-?го|\s*числа)(?!\w)|[\d十][号日])"
_LONG = (
    r"(?:(?:weeks?|weekends?|fortnights?|months?|years?|недел\w+|месяц\w*|год[ау]?|выходн\w+)(?![\w-])"
    r"|[下这明]个?[周月年]|周末|月[底初])"
)
"""Spans that name no day."""
_SHORT = r"(?:hours?|minutes?|час(?:а|ов)?|минут[уы]?)(?!\w)"
_GAP = (
    r"(?:[\s,，、.;:：；（）()\[\]@~+/&–—-]|[和跟与到至差过]|(?:an?|and|at|on|in|to|the|for|from|next|this|plus|minus|и|в"
    r"|во|на|с|со|до|по|к|плюс|минус|течение|следующ\w+)(?!\w))*"
)
"""What may stand between two parts of one time."""
_RELATES = (
    r"(?:until|till|before|after|between|past|half|quarter|до|после|перед|между|половин\w+|пол\w{3,12}[ео]го|четверть)(?!\w)"
    r"|之前|以前|前(?!往)|之后|以后|后(?!天)"
)
"""What makes another time of one that it stands beside."""
_LIMITS = (
    rf"{_RELATES}|(?:except|excluding|unless|since|or|not|last|first|second|third|fourth|fifth|other|alternate|early|late"
    r"|later|twice|times|[ap]\.?m|\w{2,7}(?:teen|ie)th|кроме|исключая|начиная|или|не|последн\w+|прошл\w+|перв\w+|втор\w+"
    r"|трет\w+|четв[её]рт\w+|пят(?:ого|ый)|\w{2,7}дцат(?:ого|ый)|рано|раньше|поздно|позже|раза?|дважды)(?!\w)"
    r"|除了?|开始|为止|或|多|次|半|整"
)
"""What limits it, or says which of several; words of grammar like those above, and so a closed list."""
_LEADS = (
    r"(?:from|to|со?|по|без\s+\w+|след\w*|в\s+час)(?!\w)|第\S{1,2}|[差过从自]\S{1,4}|[到至隔大双单每下年]|上个?"
    rf"|{_LIMITS}"
)
"""What does so in front of a time only."""
_OF_A_MONTH = r"(?:in|of|\d{1,2}(?:st|nd|rd|th)?|\w{2,7}(?:teen|ie)th|\w{3,12}ого)"
_COULD_BE_A_CLOCK = rf"(?<![\d.,])(?:[01]?\d|2[0-4])(?:[.:h]?[0-5]\d)?(?!\d)|(?:{NUMBER_WORDS})(?![\w-])"
_COUNTED = rf"{_MARK}\s*(?:[次天个遍趟]|小时|分钟)"
"""How often or how many, behind what repeats: 每周三次 is three times a week."""
_ATTACHED = rf"{_MARK} [:.'-]?[^\W\u4e00-\u9fff]|[^\W\u4e00-\u9fff][:/-]? {_MARK}"
"""Written together with a time, between which and the rest of the text `pieces_of` puts one space."""
_PLACES = (
    rf"{_MARK}[\s(]*(\w+(?:\s\w+)?)\s+time\b",
    rf"{_MARK}[\s(]*(?:по\s+)?([а-яё]+)\b",
    r"([\u4e00-\u9fff]{2})时间",
)
_ZONE = rf"{_MARK}[\s(]*(?:(?-i:[A-ZА-ЯЁ]{{2,5}})\b|по\s+\w+\s+времени)"
_NOON = 12


def is_certain(pieces: Pieces, now: datetime, dates: Calendar) -> bool:
    """Whether a text says nothing of a time but what was read.

    Args:
        pieces: what was read, and what is left.
        now: the wall clock where the person is.
        dates: the calendar.
    """
    return not (
        pieces.amid
        or any(_another_time(part, pieces, now, dates) for part in re.split(_MARK, pieces.left))
        or _found(_beside(pieces, dates), pieces.left)
        or (pieces.open_clock and _found(rf"{_COULD_BE_A_CLOCK}|{START}(?:{_RELATES})", pieces.left))
        or (pieces.open_day and (_found(f"{START}{_LONG}|{_ORDINAL}", pieces.left) or dates.resembles_day(pieces.left)))
        or (pieces.clock is not None and _another_zone(pieces.left, dates))
    )


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _another_time(part: str, pieces: Pieces, now: datetime, dates: Calendar) -> bool:
    """Whether the readers find one more time in a part of what is left."""
    if find_span(part, now) or moves_a_time(part) or dates.find(part, now.date()):
        return True
    if _found(EVERY, part) if pieces.repeating else says_again(part):
        return True
    clock = find_time(part)
    if clock is None or not clock.vague:
        return clock is not None
    said = pieces.clock.value if pieces.clock else None
    return said is not None and clock.value is not None and (said.hour < _NOON) != (clock.value.hour < _NOON)


def _beside(pieces: Pieces, dates: Calendar) -> str:
    """A pattern of what stands directly beside a time and is of times itself."""
    days = f"{START}(?:{dates.day_words}){END}"
    words = f"{_LONG}|{_SHORT}|{_ORDINAL}|{days}|{_LIMITS}|{AGAIN}"
    more = rf"{_NUMBER}(?:\s*{UNIT}|[:.]\d|(?:\s+|\s*(?:or|to|или|до|-)\s*){_NUMBER})"
    patterns = [
        rf"{_MARK}{_GAP}(?:{words}|{more if pieces.complete else _NUMBER})",
        rf"{_MARK}\s*(?:to|and|or|и|или|до|по|[到至和~–-])\s*{_NUMBER}",
        rf"{START}(?:{_LEADS}|{_LONG}|{_ORDINAL}|{AGAIN}|{_OF_A_MONTH}\s+{days})[\s,]*{_MARK}",
        rf"(?:^|\d\s*[/:–-]|\b(?:in|через)\s)\s*{_NUMBER}\S*[\s,]*{_MARK}",
        rf"\d[\s,]*(?:and|or|и|или|[,/、和或–-])\s*{_MARK}|{_ZH_NUMBER}[号日点]?\s*{_MARK}",
        rf"(?:{_NUMBER}|\bof|{START}(?:{UNIT}|{_LONG}))\s*(?:and|и)?\s*{NUMBERED}",
        _ATTACHED,
    ]
    return "|".join([*patterns, _COUNTED] if pieces.repeating else patterns)


def _another_zone(left: str, dates: Calendar) -> bool:
    """Whether the time of day is that of another place: "18:00 UTC", "18:00 Berlin time", 北京时间8点."""
    if _found(_ZONE, left):
        return True
    for match in (match for place in _PLACES for match in re.finditer(place, left, re.IGNORECASE)):
        try:
            dates.zone(match[1])
        except ActionError:
            continue
        return True
    return False
