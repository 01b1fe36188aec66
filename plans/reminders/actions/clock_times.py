"""Times of day as people write them: "at 9", "5 pm", «в 9 утра», "下午3点半"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from .numbers import END, START, ZH_NUMBER, number_of

NOON = 12
LAST_HOUR, LAST_MINUTE = 23, 59
_PARTS = {
    r"in the morning|mornings?|утром|утра|早上|早晨|清晨|上午|早": time(9),
    r"at noon|noon|midday|в полдень|中午": time(12),
    r"in the afternoon|afternoons?|днём|днем|下午": time(15),
    r"in the evening|this evening|evenings?|tonight|вечером|вечера|傍晚|晚上|晚": time(20),
    r"at night|nights?|ночью": time(22),
    r"at midnight|midnight|в полночь|午夜": time(0),
    r"凌晨": time(3),
}
_LATE = re.compile(r"p\.?m|afternoon|evening|tonight|\bnight|дня|днём|днем|вечер|下午|傍晚|晚|中午", re.IGNORECASE)
_EARLY = re.compile(r"a\.?m|утр|ночи|凌晨|早|上午", re.IGNORECASE)
_WORDS = r"in the (?:morning|afternoon|evening)|this evening|tonight|утром|вечером|днём|днем|ночью"
_LEAD = rf"(?P<lead>(?:{_WORDS}|mornings?|afternoons?|evenings?|nights?)\s*,?\s*)?"
_SUFFIX = (
    r"(?P<part>\s*(?:a\.?m\b\.?|p\.?m\b\.?|o'clock"
    rf"|час(?:а|ов)?(?:\s+(?:утра|дня|вечера|ночи))?|утра|дня|вечера|ночи|{_WORDS}))"
)
_AT = r"(?:\b(?:at|в|во|к|by)\s+)"
_ZH_PART = r"(?P<part>凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|早|晚)"
_NO_UNIT = r"(?![\d.:]|\s*(?:[а-я]*(?:минут|дн|недел)|minute|hour|day|week))"
_FORMS = [
    re.compile(rf"{_ZH_PART}\s*(?P<hour>\d{{1,2}})[::](?P<minute>\d{{2}})"),
    re.compile(rf"{_LEAD}{_AT}?\b(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?!\d|\.\d){_SUFFIX}?", re.IGNORECASE),
    re.compile(rf"{_LEAD}{_AT}?\b(?P<hour>\d{{1,2}}){_SUFFIX}(?!\w)", re.IGNORECASE),
    re.compile(rf"{_LEAD}{_AT}(?P<hour>\d{{1,2}}){_NO_UNIT}\b", re.IGNORECASE),
    re.compile(
        rf"{_ZH_PART}?\s*(?P<hour>{ZH_NUMBER})\s*(?:点钟?|时)"
        rf"(?:(?P<half>半)|(?P<quarter>[一三])刻|(?P<minute>{ZH_NUMBER})分?)?"
    ),
]


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was read, and where it stands."""

    start: int
    end: int
    value: time


def find_time(text: str) -> Found | None:
    """The time of day in a text; None if there is none, or one that no clock shows."""
    for form in _FORMS:
        match = form.search(text)
        if match is not None and (found := _time(match)) is not None:
            return Found(match.start(), match.end(), found)
    for pattern, usual in _PARTS.items():
        match = re.search(rf"{START}(?:{pattern}){END}", text, re.IGNORECASE)
        if match is not None:
            return Found(match.start(), match.end(), usual)
    return None


def _time(match: re.Match[str]) -> time | None:
    groups = match.groupdict()
    hour = int(number_of(groups["hour"]))
    minute = int(number_of(groups["minute"])) if groups.get("minute") else 0
    if groups.get("half"):
        minute = 30
    if groups.get("quarter"):
        minute = 15 if groups["quarter"] == "一" else 45
    part = f"{groups.get('lead') or ''} {groups.get('part') or ''}"
    if _LATE.search(part) and hour < NOON:
        hour += NOON
    elif hour == NOON and _EARLY.search(part):
        hour = 0
    return time(hour, minute) if hour <= LAST_HOUR and minute <= LAST_MINUTE else None
