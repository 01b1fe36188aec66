"""Nothing of a time is lost without a word: what was read is all that a text says of a time, or the person is asked."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

import pytest

from plans.reminders.times.reading import When
from tests.fixtures.reminders import read, read_when

NOW = datetime(2026, 11, 21, 17, 30)  # noqa: DTZ001 (a wall clock: a Saturday)
MORNING = time(9)


def told(when: When) -> str:
    return f"{when.at:%m-%d %H:%M}" if when.at else when.cron or f"every {when.every:.0f}"


ASKED = (
    # which of many days of a month
    *("last friday of every month report", "first of every month pay", "the last day of every month pay"),
    *("first monday of every month report", "the fifteenth of every month pay", "every month fifteenth pay"),
    *("second tuesday of each month pay", "on the 1st and 15th of every month pay", "1, 15 числа каждого месяца x"),
    *("on the fifteenth at 9 pay", "call Bob on december fifteenth at 9", "пятнадцатого декабря в 9 x"),
    *("позвонить пятнадцатого в 9", "каждый месяц пятого числа x", "в 9 пятнадцатого числа x", "пятнадцатого в 9 x"),
    *(
        "每月的第一天交房租",
        "每月一号和十五号交房租",
        "每月1号15号交房租",
        "每月1、15号交房租",
        "每月中旬交房租",
        "每月三次",
    ),
    *("每月三十二号交房租", "二十四号9点买礼物", "24 and 25 december gym"),
    # several days or times at once
    *(
        "每周一至五8点上班",
        "每周一天8点健身",
        "每周三天健身",
        "每周三次健身",
        "每周一次健身",
        "每周一个会",
        "每周五天上班",
    ),
    *(
        "周一三五8点健身",
        "周六日10点",
        "逢周一开会",
        "all days at 9 gym",
        "always at 9 gym",
        "на той неделе в пятницу врач",
    ),
    *("每天早晚8点吃药", "每天早中晚吃药", "每天早晚吃药", "每天早、晚吃药", "每天8点12点吃药", "周五8点9点"),
    *("every morning, noon and night pills", "утром и вечером таблетки", "каждое утро и вечер таблетки"),
    *("in 10 minutes, 20 minutes tea", "in 10 minutes and again in 20 minutes tea", "каждый день со вторника x"),
    # hours and minutes that were lost
    *("半夜看球", "差五分八点起床", "八点差五分起床", "差一刻八点起床", "八点过五分起床", "八点多起床", "八点五起床"),
    *("每天晚饭后8点散步", "8点10分钟会议", "明天8点20个人开会"),
    *("at 8 30 gym", "08:30:15 gym", "tomorrow at 9 thirty gym", "завтра в 9 30 x", "завтра в 9 часов 30 минут x"),
    *("tomorrow 730 gym", "tomorrow 0730 gym", "tomorrow 7h gym", "tomorrow 7h30 gym", "tomorrow seven gym"),
    *("gym tomorrow (7)", "gym tomorrow, 7ish", "gym seven tomorrow", "завтра семь x", "завтра полдевятого x"),
    *("завтра без десяти девять x", "tomorrow between 7 and 8 gym", "tomorrow early morning gym", "завтра поздно x"),
    *("every monday nine report", "каждую пятницу семнадцать отчёт"),
    # spans that were cut short
    *(
        "через минут 10 чай",
        "через минут десять чай",
        "через час-полтора чай",
        "через часа два чай",
        "через час двадцать x",
    ),
    *("a quarter of an hour from now tea", "one hundred twenty minutes from now x"),
    *(
        "2 500 minutes from now tea",
        "3 months 2 days from now tea",
        "1/2 hour from now tea",
        "in an hour plus 5 minutes x",
    ),
    *(
        "一百二十分钟后喝水",
        "一个月零三天后开会",
        "1年2个月3天后开会",
        "5、10分钟后喝水",
        "一小时半后喝水",
        "三刻钟后喝水",
    ),
    # intervals that were cut short
    *("every hour and a half tea", "every 1h30m tea", "every hour at :30 tea", "every hour on the hour tea"),
    *(
        "каждый час с половиной чай",
        "каждые 1ч30м чай",
        "每小时30分喝水",
        "每小时零五分喝水",
        "每两小时半喝水",
        "每小时整点喝水",
    ),
    *("every 10 minutes for 2 hours drink", "каждые 10 минут в течение часа x"),
    # days that were cut short
    *(
        "下下下周一开会",
        "大大后天开会",
        "明年12月24日9点",
        "next-next friday gym",
        "в след пятницу бар",
        "friday week gym",
    ),
    *("monday week gym", "tomorrow week gym", "Tuesday fortnight gym", "wensday at 9 call"),
    *("call Bob on thrusday at 9", "later today gym", "tomorrow plus 2 days gym"),
    # a span, a duration or a place that looks like a clock
    *("через примерно 2 часа чай", "через ровно 2 часа чай", "читать 2 часа завтра", "читать 2 часа каждый день"),
    *("взять вещи на 3 дня завтра", "увеличить в 3 раза завтра", "завтра 18 часов x"),
    *("7点两小时后吃药", "每周一小时运动"),
    # an hour that stands elsewhere
    *(
        "tonight gym 7",
        "every morning gym seven",
        "tomorrow gym from 7 to 8",
        "tomorrow gym until 7",
        "5/6 tonight gym",
    ),
    *("tonight after dinner call", "завтра спорт 7", "завтра спорт с 7 до 8", "tomorrow pm gym", "at 5-ish tomorrow x"),
    *("明天（7）开会", "明天：7开会", "单周五9点开会", "明天晚上睡前吃药", "week tomorrow gym"),
    # another moment than the one that is named
    *("meeting tomorrow at 9, remind me 10 minutes before", "meeting tomorrow at 9 remind me the day before"),
    *("dentist friday 15:00, 1 hour early", "завтра в 9 встреча, напомни за час", "明天9点开会提前10分钟"),
    *("tomorrow call Bob after lunch", "завтра купить хлеб после работы"),
    *("明天下班后买菜", "每天睡前吃药", "每天饭后散步", "每天早餐前吃药", "每天三餐后吃药", "не позже 18:00 x"),
    # somebody else's clock
    *(
        "call John at 18:00 UTC",
        "call John at 9am EST tomorrow",
        "call at 18:00 Berlin time",
        "9am ET call",
        "9am PT x",
    ),
    *("позвонить в 15:00 МСК", "позвонить в 15:00 по Москве", "завтра в 9 по мск x", "в 9 по московскому времени x"),
    *("北京时间8点开会", "8点(UTC)开会", "明天纽约时间9点开会", "09:00Z call"),
)


@pytest.mark.parametrize("text", ASKED)
def test_a_part_of_a_time_that_was_not_read_is_asked_about(text):
    found = read(text, NOW, MORNING)
    assert found.when is None, found
    assert found.rest == text
    assert read_when(text, NOW, MORNING) is None


READ = {
    "call mom tomorrow at 9 about the trip": ("11-22 09:00", "call mom about the trip"),
    "call mom at 9pm about the trip": ("11-21 21:00", "call mom about the trip"),
    "remind me at 9 to call mom": ("11-22 09:00", "call mom"),
    "夜里11点睡觉": ("11-21 23:00", "睡觉"),
    "on christmas at 9 gym": ("12-25 09:00", "gym"),
    "in 10 minutes to call 3 people": ("11-21 17:40", "call 3 people"),
    "in 1h30m check the oven": ("11-21 19:00", "check the oven"),
    "in 2h15m tea": ("11-21 19:45", "tea"),
    "in an hour and a half check the oven": ("11-21 19:00", "check the oven"),
    "in two hours and a half tea": ("11-21 20:00", "tea"),
    "1 hour 30 minutes from now tea": ("11-21 19:00", "tea"),
    "an hour and 20 minutes from now tea": ("11-21 18:50", "tea"),
    "1 day 2 hours from now tea": ("11-22 19:30", "tea"),
    "call 911 in 10 minutes": ("11-21 17:40", "call 911"),
    "read chapter 5 in half an hour": ("11-21 18:00", "read chapter 5"),
    "tomorrow at 9 buy 2 tickets": ("11-22 09:00", "buy 2 tickets"),
    "read chapter 5 tomorrow at 9": ("11-22 09:00", "read chapter 5"),
    "meet at gate 5 at 9": ("11-22 09:00", "meet at gate 5"),
    "pay 1200 at 6pm": ("11-21 18:00", "pay 1200"),
    "tomorrow @7 gym": ("11-22 07:00", "gym"),
    "friday @ 6 gym": ("11-27 06:00", "gym"),
    "friday @18:30 gym": ("11-27 18:30", "gym"),
    "this afternoon call": ("11-21 15:00", "call"),
    "this evening at 8 call": ("11-21 20:00", "call"),
    "at 8 this evening call": ("11-21 20:00", "call"),
    "tonite at 9 gym": ("11-21 21:00", "gym"),
    "tmrw at 9 gym": ("11-22 09:00", "gym"),
    "call Bob weds at 9": ("11-25 09:00", "call Bob"),
    "birthday party tomorrow at 9": ("11-22 09:00", "birthday party"),
    "check in tomorrow at 9": ("11-22 09:00", "check in"),
    "friday year-end report": ("11-27 09:00", "year-end report"),
    "tomorrow at 10 lunch with Anna and Bob": ("11-22 10:00", "lunch with Anna and Bob"),
    "every weekday at 8 stretch for 5 minutes": ("0 8 * * mon-fri", "stretch for 5 minutes"),
    "every monday @9 report": ("0 9 * * mon", "report"),
    "every monday and thursday at 18:30 yoga": ("30 18 * * mon,thu", "yoga"),
    "15th of every month pay rent": ("0 9 15 * *", "pay rent"),
    "on the 1st of every month at 10 pay rent": ("0 10 1 * *", "pay rent"),
    "every month pay rent": ("0 9 21 * *", "pay rent"),
    "every 1.5 hours drink": ("every 5400", "drink"),
    "tomorrow at 9: standup": ("11-22 09:00", "standup"),
    "читать 2 часа каждый день в 21": ("0 21 * * *", "читать 2 часа"),
    "завтра в 18 часов совещание": ("11-22 18:00", "совещание"),
    "завтра в 3 дня обед": ("11-22 15:00", "обед"),
    "明天9点，带护照": ("11-22 09:00", "带护照"),
    "every 45 minutes stand up": ("every 2700", "stand up"),
    "через 1ч30м проверить духовку": ("11-21 19:00", "проверить духовку"),
    "через час с половиной чай": ("11-21 19:00", "чай"),
    "через полтора часа чай": ("11-21 19:00", "чай"),
    "через 2 часа 30 минут проверить": ("11-21 20:00", "проверить"),
    "через 1 ч 30 мин проверить": ("11-21 19:00", "проверить"),
    "через 10 минут позвонить 3 людям": ("11-21 17:40", "позвонить 3 людям"),
    "через 2 дня полить цветы": ("11-23 17:30", "полить цветы"),
    "через неделю в 10 позвонить": ("11-28 10:00", "позвонить"),
    "завтра в 9 купить 2 билета": ("11-22 09:00", "купить 2 билета"),
    "завтра день рождения Ани": ("11-22 09:00", "день рождения Ани"),
    "завтра часы забрать": ("11-22 09:00", "часы забрать"),
    "завтра с утра рыбалка": ("11-22 09:00", "рыбалка"),
    "завтра 9 утра позвонить": ("11-22 09:00", "позвонить"),
    "завтра в 9 часов утра позвонить": ("11-22 09:00", "позвонить"),
    "завтра к 9 в офис": ("11-22 09:00", "в офис"),
    "послезавтра в 18:30 встреча": ("11-23 18:30", "встреча"),
    "сегодня в 8 вечера футбол": ("11-21 20:00", "футбол"),
    "сегодня вечером футбол": ("11-21 20:00", "футбол"),
    "позвонить Майе завтра в 9": ("11-22 09:00", "позвонить Майе"),
    "заплатить 500 в 18:00": ("11-21 18:00", "заплатить 500"),
    "в пятницу в 18 часов бар": ("11-27 18:00", "бар"),
    "в следующий вторник в 10 врач": ("11-24 10:00", "врач"),
    "24 декабря день рождения": ("12-24 09:00", "день рождения"),
    "24 декабря в 18:00 подарки": ("12-24 18:00", "подарки"),
    "каждый день в 8 таблетки": ("0 8 * * *", "таблетки"),
    "каждый вечер в 9 читать": ("0 21 * * *", "читать"),
    "каждую пятницу вечером отчёт": ("0 20 * * fri", "отчёт"),
    "каждый вторник и четверг в 19:00 спорт": ("0 19 * * tue,thu", "спорт"),
    "по будням в 8 встать": ("0 8 * * mon-fri", "встать"),
    "5 числа каждого месяца квартплата": ("0 9 5 * *", "квартплата"),
    "5-го числа каждого месяца в 10 квартплата": ("0 10 5 * *", "квартплата"),
    "каждые полтора часа вода": ("every 5400", "вода"),
    "раз в 3 дня полив": ("every 259200", "полив"),
    "一个半小时后喝水": ("11-21 19:00", "喝水"),
    "两个半小时后喝水": ("11-21 20:00", "喝水"),
    "1个半小时后喝水": ("11-21 19:00", "喝水"),
    "十二个半小时后喝水": ("11-22 06:00", "喝水"),
    "两个小时零五分钟后喝水": ("11-21 19:35", "喝水"),
    "1小时30分钟后喝水": ("11-21 19:00", "喝水"),
    "半小时后关火": ("11-21 18:00", "关火"),
    "八点零五分起床": ("11-22 08:05", "起床"),
    "8点5分起床": ("11-22 08:05", "起床"),
    "8点50起床": ("11-22 08:50", "起床"),
    "八点整起床": ("11-22 08:00", "起床"),
    "半夜12点睡觉": ("11-22 00:00", "睡觉"),
    "明天晚上十点三十五分睡觉": ("11-22 22:35", "睡觉"),
    "明天9点买2张票": ("11-22 09:00", "买2张票"),
    "明天9点一起吃饭": ("11-22 09:00", "一起吃饭"),
    "明天9点周会": ("11-22 09:00", "周会"),
    "明天早会": ("11-22 09:00", "早会"),
    "明天天气预报": ("11-22 09:00", "天气预报"),
    "下下周一开会": ("11-30 09:00", "开会"),
    "下周一上午9点开会": ("11-23 09:00", "开会"),
    "每周一和周日8点健身": ("0 8 * * mon,sun", "健身"),
    "每周一和周天8点健身": ("0 8 * * mon,sun", "健身"),
    "每周一、天8点健身": ("0 8 * * mon,sun", "健身"),
    "每周天10点打扫": ("0 10 * * sun", "打扫"),
    "每周五回家": ("0 9 * * fri", "回家"),
    "每月一号交房租": ("0 9 1 * *", "交房租"),
    "每月一日交房租": ("0 9 1 * *", "交房租"),
    "每月十五号交房租": ("0 9 15 * *", "交房租"),
    "每月15号交房租": ("0 9 15 * *", "交房租"),
    "每个月的15号交房租": ("0 9 15 * *", "交房租"),
    "每月二十五号晚上8点交房租": ("0 20 25 * *", "交房租"),
    "每天早上8点吃药": ("0 8 * * *", "吃药"),
    "每一个半小时喝水": ("every 5400", "喝水"),
}


@pytest.mark.parametrize(("text", "when", "rest"), [(text, *meant) for text, meant in READ.items()])
def test_ordinary_wordings_are_read_and_to_the_minute(text, when, rest):
    found = read(text, NOW, MORNING)
    assert found.when is not None
    assert told(found.when) == when
    assert found.rest == rest


@pytest.mark.parametrize(
    "answer",
    [
        *(
            "seven",
            "after 9",
            "may",
            "on may",
            "in may",
            "december",
            "next week",
            "next month",
            "next year",
            "18h",
            "1800",
        ),
        *(
            "soon",
            "later",
            "after lunch",
            "in 10",
            "семь",
            "май",
            "на следующей неделе",
            "потом",
            "下周",
            "明年",
            "十二月",
        ),
    ],
)
def test_an_answer_that_names_no_moment_is_none(answer):
    assert read_when(answer, NOW, MORNING) is None


@pytest.mark.parametrize(
    ("answer", "span"),
    [
        ("10 minutes", timedelta(minutes=10)),
        ("ten minutes", timedelta(minutes=10)),
        ("2 hours", timedelta(hours=2)),
        ("in an hour and a half", timedelta(hours=1.5)),
        ("через час с половиной", timedelta(hours=1.5)),
        ("через месяц", timedelta(days=30)),
        ("in 3 months", timedelta(days=92)),
        ("now", timedelta()),
        ("现在", timedelta()),
    ],
)
def test_an_answer_that_names_a_span_alone_is_read(answer, span):
    when = read_when(answer, NOW, MORNING)
    assert when is not None
    assert when.at == NOW + span


TIMES = (
    "tomorrow",
    "tomorrow at 9",
    "friday at 6",
    "in 2 hours",
    "every monday at 9",
    "every 2 hours",
    "24 December",
)
TIMES += ("завтра в 9", "через 2 часа", "каждый понедельник в 9", "明天9点", "两小时后", "每周一9点", "每月5号")
PARTS = ("7", "(7)", "730", "7h", "seven", "семь", "half", "and a half", "с половиной", "quarter", "week", "december")
PARTS += ("december 5", "friday", "в пятницу", "or 7", "и 7", "to 7", "-7", "+ 5 minutes", "later")
PARTS += ("the fifteenth", "除了周五", "到7点", "和周五", "零", "七点", "五号", "差五分")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("said", TIMES)
def test_no_part_of_a_time_behind_another_is_passed_over(said, part):
    alone = read(f"{said} tea", NOW, MORNING).when
    assert alone is not None
    assert read(f"{said} {part} tea", NOW, MORNING).when != alone


@pytest.mark.parametrize("zone", ["UTC", "EST", "МСК", "Berlin time", "по Москве"])
@pytest.mark.parametrize("said", [said for said in TIMES if re.search(r"(?:at|в) \d", said)])
def test_the_clock_of_another_place_is_asked_about(said, zone):
    assert read(f"{said} {zone} tea", NOW, MORNING).when is None


# What is asked, and not guessed from lists of words: something beside the time may belong to it.
UNDERSTOOD = {
    "sell at 20 dollars tomorrow": "11-22 20:00",
    "meet Ann at 5 Oak street tomorrow": "11-22 05:00",
    "встреча в 9 школе": "11-22 09:00",
    "помыть в 3 окна завтра": "11-22 03:00",
    "call mom at 9 about the trip": "11-22 09:00",
    "every evening 20 push-ups": "0 20 * * *",
    "каждое утро 20 отжиманий": "0 9 * * *",
    "every 8 hours 2 pills": "every 28800",
    "每天8点2片药": "0 8 * * *",
    "at 8 20 pills": "11-22 08:00",
    "at 8am early breakfast": "11-22 08:00",
    "tomorrow read chapter 5": "11-22 09:00",
    "tomorrow look after the kids": "11-22 09:00",
    "tomorrow at 9 book a table for friday": "11-22 09:00",
    "каждую пятницу в 17 еженедельный отчёт": "0 17 * * fri",
    "отчёт за неделю в пятницу в 17": "11-27 17:00",
    "每天饭后散步": "0 9 * * *",
    "tomorrow at midnight pills": "11-22 00:00",
    "call Bob on thrusday at 9": "11-22 09:00",
    "call Bob at 18:00 UTC": "11-21 18:00",
    "meeting tomorrow at 9, remind me an hour before": "11-22 09:00",
}


@pytest.mark.parametrize(("text", "guess"), UNDERSTOOD.items())
def test_what_is_asked_about_is_asked_with_what_was_understood(text, guess):
    found = read(text, NOW, MORNING)
    assert found.when is None
    assert found.rest == text
    assert told(found.guess) == guess
