"""What is left beside a time and looks like a part of it: a number, a half, a unit, an ordinal, a month.

What was read is cut out and leaves a MARK (doubts.py). Whatever else of a time stands next to one was not understood,
and makes the time a guess: "in an hour and a half" is no hour, "tomorrow 7h" not the default of mornings.
"""

from __future__ import annotations

import re

from .days import MONTHS
from .doubts import MARK
from .numbers import END, START

GAP = rf"{MARK}[\s,，、.;:：；。（）@()\[\]\"'«“–—~-]*"
_HEAD = rf"(?:^|{MARK})[\s,，、.;:：；（@(]*"
_ZH = "零〇一二两三四五六七八九十百千"
_TEENS = r"(?:thir|four|fif|six|seven|eigh|nine)teen"
_EN_WORDS = rf"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|{_TEENS}|hundred|thousand"
_TENS = "(?:twen|thir|for|fif|six|seven|eigh|nine)ty"
_RU_WORDS = (
    r"один|одну|одна|два|две|три|четыре|пять|шесть|семь|восемь|девять|десять|\w+надцать|двадцать|тридцать|сорок"
    r"|пятьдесят|шестьдесят|сто|полтор[аы]|полутора"
)
WORDS = rf"(?:{_EN_WORDS}|{_TENS}|{_RU_WORDS})(?![\w-])"
"""Numbers in words that are more than an article."""
_RU_MINUTES = r"без\s+(?:\d+|минут\w*|пяти|десяти|двадцати|четверти|\w+надцати)"
_HALF = rf"(?:half|quarters?|половин\w+|четверть|полчаса|half-\w+|пол\w+(?:ого|его)|полчетв\w+|{_RU_MINUTES})\b"
_RU_ORDINAL = r"(?:перв|втор|трет|четв[её]рт|пят|шест|седьм|восьм|девят|десят|\w*дцат)(?:ого|ьего)"
_EN_ORDINAL = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirtieth|twentieth"
ORDINAL = rf"(?:{_EN_ORDINAL}|{_TEENS}th|last|{_RU_ORDINAL})\b"
_ABOUT = r"(?:early|late|later|earlier|sometime|рано|поздно|позже|позднее|попозже|раньше|пораньше)\b"
_UNITS = (
    r"(?:weeks?|fortnights?|months?|years?|hours?|minutes?|недел[юяи]|час(?:а|ов)?|минут[уы]?|месяц(?:а|ев)?)(?![\w-])"
)
_LONG = r"(?:days?|half|an?|год(?:а)?|лет)\b"
_PARTS = r"(?:noon|midnight|mornings?|afternoons?|evenings?|nights?|утром?|вечер\w*|дн[её]м|ноч\w+|полдень|полночь)\b"
_ZH_PARTS = r"(?:[早晚午夜]|中[午、和])"
_HOLIDAYS = (
    r"(?:christmas|xmas|easter|thanksgiving|halloween|new year'?s?(?: eve| day)?|рождеств\w*|пасх\w*|нов\w+ год\w*"
    r"|春节|国庆节?|元旦|圣诞节?|除夕|中秋节?|元宵节?|端午节?|清明节?)"
)
_MONTH = rf"(?:{'|'.join(MONTHS)}){END}"
_NO_NAME = (
    r"(?:января|февраля|марта|апреля|июня|июля|августа|сентября|октября|ноября|декабря"
    r"|december|november|october|september|february|dec|nov|oct|sept?|feb)"
)
_DAYLIKE = r"[mtwfs]\w{2,7}(?<!to)day"
_NUMBERS = (
    rf"{GAP}(?:(?:and|и)\s+)?(?:\d|{WORDS})",
    rf"{GAP}(?:[至到和~、-]\s*)?[{_ZH}]+(?=[\s点时分刻号日月旬、]|$)",
    rf"{GAP}[至到]\s*[{_ZH}\d]",
    rf"{GAP}(?:[零〇半]|[二三四五六七八九十百](?![个位人张片本名场条只家楼]))",
    rf"{GAP}[差过][{_ZH}\d]",
    rf"[差过][{_ZH}\d]\S{{0,3}}\s*{MARK}",
    rf"[{_ZH}\d][月号日]\s*{MARK}",
    rf"[{_ZH}]{{2}}\s*{MARK}",
    rf"^(?:\d+|{WORDS})[\s,&-]*{MARK}",
    rf"\b(?:in|through|через)\s+(?:\d+|{WORDS})\s*{MARK}",
    rf"\d\s*[/:]\s*{MARK}",
    rf"\bчерез\s+\S+\s*{MARK}",
    rf"{MARK}\s*-?\s*(?:го|м|ом|ти|ish)\b",
    rf"\d\s*(?:and|or|и|или|[&、和或])\s*{MARK}",
)
_SIGNS = (
    rf"[早午晚夜][饭餐]?[前后里间]?\s*{MARK}",
    rf"{MARK}\s*(?:[早晚夜](?![餐饭会班安读操课茶报])|中晚)",
    rf"{MARK}\s*[,，、和或及]\s*(?:{_ZH_PARTS}|{_PARTS})",
    rf"(?:^|\s)下\s*{MARK}",
    rf"[年大单双]\s*{MARK}",
    rf"{GAP}(?:[日天](?=\s|$)|整点|稍[后晚]|多(?![喝吃穿睡带买]))",
)
_HALVES_AND_UNITS = (
    rf"{GAP}(?:(?:and|и|с)\s+)?(?:an?\s+)?{_HALF}",
    rf"{GAP}(?:the\s+)?{_UNITS}",
    rf"{GAP}(?:on|at|past)\s+(?:the\s+(?:hour|half|quarter)\b|:\d)",
    rf"(?<!\bme )(?<!\bus )\bof\s*{MARK}",
    rf"(?:недел[еию]|\bweeks?|\bfortnight)\s*{MARK}",
    rf"{GAP}[ap]\.?m\b|\b[ap]\.?m\.?\s*{MARK}",
)
_DAYS = (
    rf"{_HEAD}(?:(?:in|of)\s+)?{_MONTH}",
    rf"(?:\b(?:of|in|on)\s+{_MONTH}|{START}{_NO_NAME})[\s,]*{MARK}",
    rf"\b{ORDINAL}\s*{MARK}",
    rf"{GAP}(?:(?:on|of)\s+)?(?:the\s+{ORDINAL}|\w+(?:teen|ie)th\b)",
    r"\bчисла\b",
    rf"\b{_DAYLIKE}\s*{MARK}",
    rf"{GAP}(?:on\s+)?{_DAYLIKE}\b",
    rf"{_HOLIDAYS}\s*{MARK}",
    rf"{GAP}(?:in|of|в)\s+(?:19|20)\d\d\b",
    rf"\b(?:next|след\w*|следующ\w+|following)[\s-]+{MARK}",
)
_TURNS = (
    rf"\b{_ABOUT}\s*{MARK}",
    rf"{GAP}{_ABOUT}",
    rf"{GAP}(?:or|plus|minus|between|или|плюс|минус|между|(?:and|и)\s+(?:again|then|снова|потом))\b",
    rf"{GAP}(?:and|or|и|или)\s+(?:in the\s+)?{_PARTS}",
)
_BESIDE = re.compile("|".join((*_NUMBERS, *_SIGNS, *_HALVES_AND_UNITS, *_DAYS, *_TURNS)), re.IGNORECASE)
_BEFORE_SPAN = re.compile(
    rf"(?:[\d/½¼¾{_ZH}半个年月周天时分点刻]|{START}{WORDS}|\b(?:{_UNITS}|{_LONG}|(?:and|и)\b))"
    rf"[\s,，、:.@]*(?:(?:and|и)\s+)?{MARK}",
    re.IGNORECASE,
)
"""What is counted, too, in front of a span that no word such as "in" begins."""


def part_of_a_time(left: str, *, headless: bool) -> bool:
    """Whether something next to the times that were read looks like a part of them.

    Args:
        left: the text, with a MARK for every time that was cut out.
        headless: a span was read that no word such as "in" begins.
    """
    return bool(_BESIDE.search(left) or (headless and _BEFORE_SPAN.search(left)))
