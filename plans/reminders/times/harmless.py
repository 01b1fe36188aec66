"""What looks like a part of a time and is none: so many things, "weekly report", "story time", "chapter 5".

Each of these takes one word away from what is left of a text, so that no doubt arises from it; what is in no list here
stays and is asked about.
"""

from __future__ import annotations

import re

from .beside import WORDS
from .doubts import MARK
from .numbers import NUMBER, UNIT

_NO_THING = (
    rf"(?!(?:{UNIT}|(?:times?|o'?clock|half|more|of|or|to|past|and|раза?|или|либо|после|перед|для|до|по|числ\w*|\w+ого"
    r"|январ\w+|феврал\w+|март\w*|апрел\w+|ма[йя]|июн\w+|июл\w+|август\w*|сентябр\w+|октябр\w+|ноябр\w+|декабр\w+"
    rf"|утра|вечера|ночи|минут\w*|секунд\w*|час\w*|недел\w*|месяц\w*|год\w*|лет|процент\w*|градус\w*)(?!\w)|{WORDS}))"
)
_NO_PLURAL = (
    r"(?!\w*(?:days|nights|mornings|evenings|afternoons|times|hours|minutes|mins|hrs|secs|seconds|weeks|fortnights"
    r"|months|years|quarters|degrees)\b)"
)
_PLURAL = rf"(?:{_NO_PLURAL}[a-z][a-z-]*[^\W\ds_]s|people|children|men|women)\b"
_THINGS = rf"(?:(?:{_NO_THING}[a-z-]+\s+)?{_NO_THING}{_PLURAL}|{_NO_THING}[а-яё]{{3,}})"
_COUNTED = re.compile(
    rf"{MARK}[\s,:]*(?:(?:\d{{1,3}}|{WORDS})\s+(?={_THINGS})|(?:one|1)\s+(?={_NO_THING}[a-z]{{3,}}))",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    rf"{MARK}[\s,:]*(?:\d{{1,3}}|{WORDS})\s+(?=(?:(?:push|sit|pull|press)-?ups|squats|burpees|pills|tablets|capsules|drops"
    r"|pages|glasses|eggs|отжимани\w+|приседани\w+|подтягивани\w+|таблет\w+|капсул\w*|кап(?:ли|ель)|страниц\w*"
    r"|стакан\w*)(?!\w))",
    re.IGNORECASE,
)
_ZH_COUNTED = re.compile(
    rf"{MARK}\s*[2-9两](?:[片粒颗杯张瓶袋支盒碗件本份位名]|人(?!民)|个(?!月|半|小时|钟|星期|礼拜|周|多))"
)
_ACTIVITIES = (
    r"it'?s|it is|on|in|story|family|bath|tea|play|screen|quiet|nap|prayer|reading|quality|snack|sleep|break|game|party"
    r"|study|gym|workout|me|free|fun|homework|movie|meal|medicine|meditation|yoga|cleaning|cuddle|kids|cartoon"
)
_ZH_ACTIVITIES = (
    "睡觉|休息|午饭|吃饭|晚饭|早饭|午休|上课|下课|上班|下班|起床|开会|会议|学习|读书|阅读|运动|锻炼|吃药|喝水|故事|家庭"
    "|亲子|游戏|集合|出发|开饭|放学|用餐|洗澡|比赛|考试|面试"
)
_NUMBERED = (
    r"chapters?|pages?|episodes?|season|part|unit|level|room|gate|platform|track|invoice"
    r"|iphone|issue|no\.?|№|#|глав[ауые]|страниц[ауые]|сери[яюи]"
    r"|кабинет|комнат[ау]|сч[её]т|айфон|задани[ея]|задач[ау]|упражнени[ея]|номер"
)
_SCHEDULED = r"bus|tram|train|flight|lesson|автобус|трамвай|поезд|рейс|урок"
"""They have numbers, and hours as well."""
_ALWAYS = (
    re.compile(rf"\b(?:{_ACTIVITIES})\s+time\b", re.IGNORECASE),
    re.compile(rf"(?:{_ZH_ACTIVITIES})时间"),
    re.compile(rf"(?<!\w)(?:{_NUMBERED})\s*\d{{1,6}}(?![\w:.])(?!\s*(?:{UNIT}|[ap]\.?m\b))", re.IGNORECASE),
    re.compile(r"(?<=[^\W\d]\s)(?:(?:for|за)\s+20\d\d|2[5-9]\d\d|[3-9]\d{3}|1\d[6-9]\d)\s*$"),
    re.compile(rf"\b(?:{_SCHEDULED})\s*(?:2[5-9]|[3-9]\d)(?![\w:.])(?!\s*{UNIT})", re.IGNORECASE),
    re.compile(r"\blook(?:s|ing)?\s+after\b", re.IGNORECASE),
    re.compile(r"(?:去|给|联系|约|见|找|到|和|跟)(?:前(?:同事|女友|男友|妻|夫|任|辈)|后(?:勤|海|卫|代|厨|备))"),
    re.compile(
        r"(?<!, )\b(?:отч[её]т\w*|заплатить|оплат\w+|платить|плат[аеуы]|итоги?|план\w*|долг\w*|квартплат\w*|продаж\w*)"
        rf"\s+за\s+(?:{NUMBER}\s*|пару\s+)?(?:{UNIT}|полчаса)(?!\s+до\b)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:for|plan|review|during)\s+the\s+week\b(?!\s+(?:before|after|ahead|earlier|prior|of|from|beginning|starting))",
        re.IGNORECASE,
    ),
)
_MEAL = re.compile(r"\b(?:early|late)(?=\s+(?:breakfast|brunch|lunch|dinner|supper)\b)", re.IGNORECASE)
_OCCASIONS = (
    r"reports?|reviews?|stand-?up|meetings?|sync|call|check-?(?:in|list)|planning|plan|newsletter|digest|summary|update"
    r"|retro|status|budget|backup|emails?|routine|quiz|class|lesson|cleaning|shopping|invoice|statement|goals?|scrum"
    r"|briefing|huddle"
)
_OF_A_RULE = (
    re.compile(
        rf"\b(?:daily|weekly|monthly|quarterly|yearly|annual)(?=\s+(?:\w+\s+)?(?:{_OCCASIONS})\b)", re.IGNORECASE
    ),
    re.compile(
        r"\bеже(?:дневн|недельн|месячн|квартальн|годн)(?:ый|ая|ое|ые|ого|ой|ую|ому|ым|ых|ом)(?=\s+[а-яё])",
        re.IGNORECASE,
    ),
    re.compile(r"(?<=[写做交发开])每[周日天月](?=总结|报告|例会|计划|汇报|小结|报表|复盘)|每[日天](?=打卡)"),
)


def without_occasions(text: str) -> str:
    """A text in which "weekly" before "report" is blank, so that "every Friday" stands alone; of the same length."""
    for pattern in _OF_A_RULE:
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    return text


def without_harmless(left: str, *, complete: bool, vague: bool, again: bool) -> str:
    """What is left of a text, without the words that look like a time and are none.

    Args:
        left: the text, with a MARK for every time that was cut out.
        complete: the time that was read has its minutes, or "pm", or is a span of minutes, so that no number behind it
            is a part of it.
        vague: it was a part of the day or an interval of hours, which may go on with a number, but not with 20 pills.
        again: something that comes again was read, so that "weekly" before a noun says nothing new.
    """
    for pattern in _ALWAYS:
        left = pattern.sub(" ", left)
    if again:
        left = without_occasions(left)
    if complete:
        left = _MEAL.sub("", left)
    if complete or vague:
        left = (_COUNTED if complete else _KNOWN).sub(f"{MARK} ", left)
    return _ZH_COUNTED.sub(MARK, left)
