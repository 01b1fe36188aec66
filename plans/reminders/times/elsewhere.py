"""What says, anywhere in a text, that a time is not the one to remind at: an offset, another zone, "after work"."""

from __future__ import annotations

import re

from .beside import GAP, ORDINAL, WORDS
from .doubts import MARK
from .numbers import NUMBER, UNIT

_BEFORE = "before|after|early|earlier|ahead|in advance|beforehand|prior"
_OFFSETS = (
    rf"\b(?:{NUMBER}\s*{UNIT}|(?:the|an?)\s+(?:minute|hour|day|night|week))\s*(?:{_BEFORE})\b",
    rf"\bза\s+(?:{NUMBER}\s*)?(?:{UNIT}|полчаса)",
    r"提前|前一[天晚]",
    rf"\b(?:in|через)\s+{NUMBER}\s*{UNIT}",
    rf"{NUMBER}\s*{UNIT}后",
)
_ZONES = (
    r"\b(?:UTC|GMT|MSK|МСК)\b",
    r"\b(?-i:[ECMP][SD]T|CES?T|EES?T|WES?T|BST|IST|JST)\b",
    rf"{GAP}(?:(?-i:[ECMPB]T|Z)|est|pst|cet|Pacific|Eastern|Central|Mountain|(?:\w+\s+){{1,2}}time)\b",
    rf"{GAP}по\s+(?:(?-i:[А-ЯЁ])|\w+\s+времени)",
    rf"[\u4e00-\u9fff]{{2}}时间\s*{MARK}",
    rf"{GAP}[\u4e00-\u9fff]{{2}}时间",
)
_NO_CLOCK = (rf"{GAP}(?:[%°$€]|(?:percent|degrees|dollars|euros|bucks|km|kg|рубл\w*|процент\w*|градус\w*|км|кг)\b)",)
"""What makes a measure of "at 5" and «в 5»."""
_ADDRESSES = re.compile(
    rf"{GAP}(?:(?!test\s+drive)(?:\w+\s+){{1,2}}(?:street|st|avenue|ave|road|rd|lane|drive|blvd)"
    r"|(?:кабинет|подъезд|корпус|класс|зал|этаж)(?:е|ах)?|(?:комнат|школ|больниц|палат|квартир)[уеы]|аудитори[юи]"
    r"|(?:офис|дом|магазин|окн)(?:е|ах))\b"
    rf"|(?:йти|идти|ходить|ехать)\s*{MARK}\s*(?:офис|дом|магазин|школ|больниц)\w*",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    rf"{GAP}(?:окна|дома|офиса|магазина|школы|больницы|квартиры|комнаты|зала|класса)\b", re.IGNORECASE
)
"""Behind an hour alone it may be an address; behind 2 to 4, and 22, so many of them."""
_A_FEW = (2, 3, 4, 22, 23)
_MEALS = "breakfast|lunch(?:time)?|dinner(?:time)?|supper|dawn|dusk|sunrise|sunset|bed(?:time)?"
_UNCLOCKED = (
    rf"(?:^|[\s(@])(?:\d{{1,4}}(?:h\d{{0,2}})?|{WORDS})[\s)]*{MARK}",
    rf"(?<![^\s(])(?:\d{{1,2}}|\d{{4}}|{WORDS})[\s).!?]*$",
    rf"\b(?:from|until|till|to|or|and|с|до|по|или|и)\s+(?:\d{{1,2}}|{WORDS})(?=\s*(?:$|[,.-]|to\b|till\b|until\b|до\b))",
    r"\b(?:after|before|после|перед)\b|\d\s*(?:час(?:а|ов)?|дня|h)\b",
    rf"{MARK}\s*[\u4e00-\u9fff]{{1,4}}[前后](?![往台端面天期院门备])",
    rf"\b(?:at|with|over)\s+(?:{_MEALS})\b|\b(?:lunch|bed|dinner)time\b|\b(?:EOD|COB)\b",
    r"\bв\s+(?:обед|ужин)\b|\bза\s+(?:завтрак|обед|ужин)ом\b|\bна\s+(?:рассвете|закате)\b|\b(?:вечерк|утречк)\w+",
)
_AGAIN = (
    rf"{MARK}\s*(?:[次天个遍趟]|小时|分钟)",
    r"[零〇一二两三四五六七八九十百千\d]天",
    rf"{GAP}{ORDINAL}",
    rf"\d\s*[,，、/–—-]\s*{MARK}",
    rf"{GAP}(?:for|в течение)\s+(?:{NUMBER}\s*)?(?:{UNIT}|часа|минуты)",
)
_ALWAYS = re.compile("|".join((*_OFFSETS, *_ZONES, *_NO_CLOCK)), re.IGNORECASE)
_WITHOUT_CLOCK = re.compile("|".join(_UNCLOCKED), re.IGNORECASE)
_REPEATING = re.compile("|".join(_AGAIN), re.IGNORECASE)


def means_another(left: str, *, repeats: bool, clock: bool, lone_hour: int | None = None) -> bool:
    """Whether a text says that the time that was read is not the one that is meant.

    "Meeting at 9, remind me an hour before", "at 18:00 UTC"; without a time of day also "tomorrow after work", and for
    what repeats "three times a week" and "for two hours".

    Args:
        left: the text, with a MARK for every time that was cut out.
        repeats: something that comes again was read.
        clock: a time of day was read, or none is needed.
        lone_hour: the time of day that was read, if it was said as an hour alone.
    """
    if lone_hour is not None and (_ADDRESSES.search(left) or (lone_hour in _A_FEW and _SEVERAL.search(left))):
        return True
    return bool(
        _ALWAYS.search(left) or (not clock and _WITHOUT_CLOCK.search(left)) or (repeats and _REPEATING.search(left))
    )
