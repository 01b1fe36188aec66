"""What repeats, as people write it: "every weekday at 8", «каждый день в 9», "每天8点"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

from ..actions.words import SHORT
from .calendar import Calendar
from .numbers import DAY, END, NUMBER, START, UNIT, number_of, seconds_of

WORKDAYS, WEEKEND, ALL_DAYS = "mon-fri", "sat,sun", "*"
_EVERY = r"(?:every|each|кажд(?:ый|ую|ое|ые|ая)|раз в|每个?)"
_DAY = "<day>"
"""Any day of the week; the calendar has the words."""
_AND = r"(?:\s*(?:,|and|&|и|、|和|,)\s*)+"
_LIST = rf"{_DAY}(?:{_AND}(?:в |во |on )?{_DAY})*"
_PLURAL = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days|(?:понедельник|вторник|сред|четверг|пятниц|суббот)ам|воскресеньям)"
)
_PLURALS = rf"{_PLURAL}(?:{_AND}(?:on |по )?{_PLURAL})*"
_WEEK = r"(?:周|星期|礼拜)"
_RU_FROM: str = "понедельника|вторника|среды|четверга|пятницы|субботы"
_RANGE = (
    rf"(?P<every>(?:every|each|кажд\w+)\s+|每个?)?(?:"
    rf"(?:from\s+)?(?P<first>{_DAY})\s*(?:to|through|thru|[-–])\s*(?P<last>{_DAY})"
    rf"|со?\s+(?P<first_ru>{_RU_FROM})\s+по\s+(?P<last_ru>{_DAY})"
    rf"|(?P<first_zh>{_WEEK}[一二三四五六])(?:到|至|[-~])(?P<last_zh>{_WEEK}[二三四五六日天]))"
    r"(?P<also>,?\s*(?:every day|каждый день|每天))?"
)
"""Without a word such as "every" only at the head of a text, with a time of day behind it."""
_RANGE_HEAD = re.compile(r"(?:remind (?:me|us)|please|напомни(?:те)?|мне|提醒我|请|[\s,，:])*", re.IGNORECASE)
_RANGE_CLOCK = re.compile(
    r"[\s,，]*(?:(?:at|@|в|во)\s*\d|\d{1,2}(?:[:：]\d\d|\s*[ap]m|[点时])|[早晚上中下]\S{0,2}?[\d一二两三四五六七八九十]+点)"
)
_CHINESE_DAYS = (
    rf"{_WEEK}(?P<zh>[一二三四五六日天]"
    rf"(?:[、和,,]?{_WEEK}?[一二三四五六日]|(?:[、和,,]{_WEEK}?|{_WEEK})天)+)"
)
"""Several days; 周一天 may also be one day of the week."""
_NAMED = {
    r"on (?:week|work)days|(?:every |each )?(?:weekdays?|work(?:ing)? ?days?|business days?)|по будням"
    r"|в будни|кажд\w+ (?:будн\w+|рабоч\w+)(?: ден\w+)?|每个?工作日|工作日": WORKDAYS,
    r"on weekends|(?:every |each )weekends?|по выходным|кажд\w+ выходн\w+(?: ден\w+)?|每个?周末": WEEKEND,
    r"(?:every|each) ?day|daily|ежедневно|кажд\w+ день|每天|每日|(?<![今明后前昨当])天天": ALL_DAYS,
}
_EVERY_OTHER_DAY = r"(?:every|each) (?:other|second|2nd) day|кажд\w+ второй день|(?:每)?隔一?[天日]"
_DAY_PARTS = r"(?:every|each) (?=(?:morning|afternoon|evening|night)s?\b)|кажд\w+ (?P<part>утро|вечер)|每(?=[早晚])"
_MONTHLY = (
    r"(?<!of )(?:(?:every|each) month|monthly)(?: on)?(?: the)?(?: (?P<en>\d{1,2})(?:st|nd|rd|th)?)?"
    r"|(?:кажд\w+ месяц|ежемесячно)(?: (?P<ru>\d{1,2})(?:-?го)?(?: числа)?)?"
    r"|(?P<of_ru>\d{1,2})(?:-?го(?: числа)?| числа) каждого месяца"
    r"|每个?月的?\s*(?P<zh>\d{1,2}|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])\s*[号日]"
    r"|每个?月(?!\s*[的\d零一二三四五六七八九十第最底末初上中下])"
    r"|(?:on )?(?:the )?(?P<of>\d{1,2})(?:st|nd|rd|th)? of (?:every|each) month"
)
EVERY = r"\b(?:every|each|everyday)\b|\bкажд\w+|每|逢"
AGAIN = (
    r"\b(?:every|each|everyday|daily|nightly|hourly|weekly|fortnight(?:ly)?|monthly|quarterly|yearly|annual(?:ly)?"
    r"|(?:bi|semi|tri)-?(?:weekly|monthly|annual(?:ly)?|yearly)|(?:alternate|odd|even)\s+\w+s"
    r"|always|all (?:days|week)|repeatedly|regularly|twice|thrice|weekdays|workdays|weekends"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days|mornings|afternoons|evenings|nights"
    r"|(?:once|times?|x)\s+(?:an?|per|in)|(?:per|(?<!\bin )(?<!\bhalf )a)"
    r"\s+(?:hour|day|week|month|year)(?!\s+(?:from now|later|ago)\b)"
    r"|(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|times)\s+(?:\w+\s+){1,3}in\s+a\s+(?:day|week|month|year))\b"
    r"|\b(?:кажд|ежедневн|еженощн|ежечасн|ежеминутн|еженедельн|ежемесячн|ежеквартальн|ежегодн|регулярн|всегда|дважды|трижды)\w*"
    r"|\bраза?\s+в\b|\bчерез\s+день\b|\bпо\s+\w+(?:ам|ям)\b"
    r"|每|逢|(?<![今明后前昨当])天天|日日|夜夜|隔[天日周年月]|定期|工作日|[一两二三四五六七八九十\d]天[一两二三四五六七八九十\d]+次"
)
"""Words that say that something comes again, also where no rule can be read from them."""


@dataclass(frozen=True, slots=True)
class Repeating:
    """What repeats, and where it stands.

    Attributes:
        start: first character.
        end: behind the last.
        days: days of the week, as a cron rule has them; empty for an interval.
        month_day: day of the month as a cron rule has it.
        seconds: the interval, for what goes by no clock.
        day_part: morning or evening, if the words say so without a time of day.
    """

    start: int
    end: int
    days: str = ""
    month_day: str = "*"
    seconds: float = 0.0
    day_part: str = ""

    def cron(self, at: time) -> str:
        """The rule, at a time of day."""
        return f"{at.minute} {at.hour} {self.month_day} * {self.days}"


def find_repeating(text: str, today: date, dates: Calendar) -> Repeating | None:
    """What repeats in a text; None if nothing does.

    Args:
        text: what somebody wrote.
        today: what "every week" and "every month" go by.
        dates: knows the days of the week.
    """
    return (
        _range(text, dates.weekdays)
        or _monthly(text, today)
        or _named(text)
        or _weekdays(text, today, dates.weekdays)
        or _day_parts(text)
        or _intervals(text)
    )


def says_again(text: str) -> bool:
    """Whether a word of a text says that something comes again, whatever else it says."""
    return re.search(AGAIN, text, re.IGNORECASE) is not None


def _search(pattern: str, text: str, weekdays: Sequence[str] = ()) -> re.Match[str] | None:
    pattern = pattern.replace(_DAY, f"(?:{'|'.join(weekdays)})")
    return re.search(rf"{START}(?:{pattern}){END}", text, re.IGNORECASE)


def _number(word: str, weekdays: Sequence[str]) -> int:
    """Of a day of the week; Monday is 0."""
    return next(number for number, names in enumerate(weekdays) if re.fullmatch(names, word, re.IGNORECASE))


def _monthly(text: str, today: date) -> Repeating | None:
    match = _search(_MONTHLY, text)
    if match is None:
        return None
    day = next((value for value in match.groups() if value), str(today.day))
    number = int(number_of(day))
    return Repeating(match.start(), match.end(), "*", str(number)) if 1 <= number <= 31 else None  # noqa: PLR2004


def _range(text: str, weekdays: Sequence[str]) -> Repeating | None:
    """`every monday to friday`, «с понедельника по пятницу в 9», `周一到周五9点`."""
    match = _search(_RANGE, text, weekdays)
    if match is None:
        return None
    again = match["every"] or match["also"]
    if not again and not (_RANGE_HEAD.fullmatch(text[: match.start()]) and _RANGE_CLOCK.match(text[match.end() :])):
        return None
    ru: str | None = match["first_ru"]
    first = (
        [*_RU_FROM.split("|")].index(ru.casefold()) if ru else _number(match["first"] or match["first_zh"], weekdays)
    )
    last = _number(match["last"] or match["last_ru"] or match["last_zh"], weekdays)
    if first >= last:
        return None
    days = f"{SHORT[first]}-{SHORT[last]}"
    return Repeating(match.start(), match.end(), ALL_DAYS if days == "mon-sun" else days)


def _named(text: str) -> Repeating | None:
    for pattern, days in _NAMED.items():
        match = _search(pattern, text)
        if match is not None:
            return Repeating(match.start(), match.end(), days)
    return None


def _weekdays(text: str, today: date, weekdays: Sequence[str]) -> Repeating | None:
    """`every Monday and Friday`, `on Mondays`, `по средам`, `每周一、三`; `every week` is today's day of the week."""
    match = _search(rf"每个?{_CHINESE_DAYS}", text)
    if match is not None:
        numbers = {min("一二三四五六日天".index(sign), 6) for sign in match["zh"] if sign in "一二三四五六日天"}
        return Repeating(match.start(), match.end(), _listed(numbers))
    match = _search(rf"{_EVERY}\s*(?P<days>{_LIST})|(?:on |по )?(?P<plural>{_PLURALS})", text, weekdays)
    if match is not None:
        words = re.findall(
            "|".join(f"(?:{names})" for names in weekdays), match["days"] or match["plural"], re.IGNORECASE
        )
        return Repeating(match.start(), match.end(), _listed({_number(word, weekdays) for word in words}))
    match = _search(
        r"(?:every|each) week|weekly|кажд\w+ неделю|еженедельно|每个?(?:周|星期|礼拜)(?![一二三四五六日天末])", text
    )
    return None if match is None else Repeating(match.start(), match.end(), SHORT[today.weekday()])


def _listed(numbers: set[int]) -> str:
    return ",".join(SHORT[number] for number in sorted(numbers))


def _day_parts(text: str) -> Repeating | None:
    match = re.search(rf"{START}(?:{_DAY_PARTS})", text, re.IGNORECASE)
    if match is None:
        return None
    part = {"утро": "утром", "вечер": "вечером"}.get((match["part"] or "").casefold(), "")
    return Repeating(match.start(), match.end(), ALL_DAYS, day_part=part)


def _intervals(text: str) -> Repeating | None:
    """`every 15 minutes`, `каждые два часа`, `每隔30分钟`, `hourly`."""
    match = _search(_EVERY_OTHER_DAY, text)
    if match is not None:
        return Repeating(match.start(), match.end(), seconds=2 * DAY)
    match = _search(
        rf"(?:{_EVERY}|每隔(?!{NUMBER}?\s*(?:[天日]|个?(?:周|星期|礼拜))))\s*(?P<number>{NUMBER})?\s*(?P<unit>{UNIT})|{_EVERY}\s*(?P<half>полчаса)",
        text,
    )
    if match is not None:
        seconds = 1800 if match["half"] else seconds_of(match["number"], match["unit"])
        return Repeating(match.start(), match.end(), seconds=seconds)
    match = _search(r"hourly|ежечасно", text)
    return None if match is None else Repeating(match.start(), match.end(), seconds=3600)
