"""Spans from now, as people write them: "in 1h30m", «через час», "一个半小时后", and those that have passed."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from .numbers import DAY, NUMBER, START, UNIT, seconds_of

_MORE = 6
"""More pieces than there are units, so that a row of them is seen as none that somebody means."""
_PIECE = rf"{NUMBER}\s*{UNIT}"
_PIECES = rf"{_PIECE}(?:(?:\s*,\s*|\s+and\s+|\s+и\s+|\s*){_PIECE}){{0,{_MORE}}}+"
_HALF = r"\s+(?:and\s+a\s+half|с\s+половиной)\b"
_SPAN = re.compile(
    rf"(?<!\w)(?:in|after|через(?!\s+день))\s+(?P<in>(?:{_PIECES}|{UNIT}(?:\s+(?:and|и)\s+{_PIECE})?|полчаса)(?:{_HALF})?)"
    rf"|(?<!\w)(?P<ago>{_PIECES})\s+(?:from now|later)"
    rf"|(?:过)?(?P<zh>(?:{_PIECE}零?){{1,{_MORE}}}+)\s*(?:之后|以后|过后|后)"
    rf"|(?<![点时钟差再])再?过(?P<over>(?:{_PIECE}零?){{1,{_MORE}}}+)(?=\s*(?:提醒|叫|通知|喊))"
    rf"|(?P<past>{_PIECES})\s+(?:ago|назад)|(?P<before>(?:{_PIECE}){{1,{_MORE}}}+)(?:之前|以前|前)",
    re.IGNORECASE,
)
_SETTLED = re.compile(
    rf"{NUMBER}\s*(?:minutes?|mins?|m|min|seconds?|secs?|минут[уы]?|мин|секунд[уы]?|分钟?|秒钟?)\W*$", re.IGNORECASE
)
_COUNTED = re.compile(rf"(?:{START}|(?=\d))({NUMBER})?\s*({UNIT})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A span from now, and where it stands.

    Attributes:
        start: first character.
        end: behind the last.
        moment: when it is over.
        of_days: it is one of whole days, which has no time of day of its own.
        sure: every piece is of a smaller unit than the one before, as in no list of several spans.
        settled: it ends with a number of minutes or seconds, so that a number behind it is none of its.
    """

    start: int
    end: int
    moment: datetime
    of_days: bool
    sure: bool
    settled: bool


def find_span(text: str, now: datetime) -> Span | None:
    """The span in a text; None if there is none, or one that no calendar has.

    Args:
        text: what somebody wrote.
        now: the moment from which it counts.
    """
    match = _SPAN.search(text)
    if match is None:
        return None
    words = next(words for words in match.groups() if words)
    sizes, seconds = _sizes(words)
    try:
        moment = now + timedelta(seconds=-seconds if match["past"] or match["before"] else seconds)
    except OverflowError:
        return None
    sure = all(before > behind for before, behind in itertools.pairwise(sizes))
    settled = _SETTLED.search(words) is not None
    return Span(match.start(), match.end(), moment, seconds % DAY == 0, sure, settled)


_MOVES = re.compile(
    rf"(?:{_PIECES}|\b(?:the|an?)\s+(?:minute|hour|day|night|week))\s+"
    r"(?:before|after|early|earlier|ahead|in advance|beforehand|prior)\b"
    rf"|\bза\s+(?:полчаса|(?:{NUMBER}\s*)?(?!недел){UNIT})|提前|前一[天晚]",
    re.IGNORECASE,
)


def moves_a_time(text: str) -> bool:
    """Whether a text counts from another time: "10 minutes before", «за час», "提前10分钟"."""
    return _MOVES.search(text) is not None


def _sizes(words: str) -> tuple[list[float], float]:
    """The units of a span, and how many seconds it is."""
    half = re.search(_HALF, words, re.IGNORECASE)
    if half is not None:
        words = words[: half.start()]
    found = [(number, unit) for number, unit in _COUNTED.findall(words)] or [("пол", "часа")]
    sizes = [seconds_of(None, unit) for _, unit in found]
    return sizes, sum(seconds_of(number, unit) for number, unit in found) + (sizes[-1] / 2 if half else 0)
