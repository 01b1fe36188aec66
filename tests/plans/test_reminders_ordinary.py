"""Ordinary wordings are read and not asked about, also where a word of them is found in times, too."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from tests.fixtures.reminders import read, read_when

NOW = datetime(2026, 11, 21, 17, 30)  # noqa: DTZ001 (a wall clock: a Saturday)
MORNING = time(9)

READ = {
    # so many of something behind a time that nothing can follow
    "every day at 8am 2 pills": ("0 8 * * *", "2 pills"),
    "every day at 8:00 two pills": ("0 8 * * *", "two pills"),
    "tomorrow at 9am 2 tickets": ("11-22 09:00", "2 tickets"),
    "friday at 5pm two beers with Bob": ("11-27 17:00", "two beers with Bob"),
    "every day at 9am 1 pill": ("0 9 * * *", "1 pill"),
    "at 9:30 one call to Ann": ("11-22 09:30", "one call to Ann"),
    "in 10 minutes 2 eggs": ("11-21 17:40", "2 eggs"),
    "каждый день в 8:00 2 таблетки": ("0 8 * * *", "2 таблетки"),
    "каждый день в 8 утра одна таблетка": ("0 8 * * *", "одна таблетка"),
    "завтра в 9 утра два билета": ("11-22 09:00", "два билета"),
    "через 10 минут 2 яйца": ("11-21 17:40", "2 яйца"),
    "сегодня в 20 дома": ("11-21 20:00", "дома"),
    # places and things that are no address
    "завтра в 18:00 домой": ("11-22 18:00", "домой"),
    "сегодня в 19 домашка": ("11-21 19:00", "домашка"),
    "завтра в 9 домашнее задание": ("11-22 09:00", "домашнее задание"),
    "завтра в 9 больница": ("11-22 09:00", "больница"),
    "в понедельник в 8 школа": ("11-23 08:00", "школа"),
    "завтра в 18:30 школьное собрание": ("11-22 18:30", "школьное собрание"),
    "завтра в 10:00 офис": ("11-22 10:00", "офис"),
    "завтра в 10 магазин": ("11-22 10:00", "магазин"),
    "завтра в 10 окна помыть": ("11-22 10:00", "окна помыть"),
    "в субботу в 10 залить бензин": ("11-28 10:00", "залить бензин"),
    "завтра в 9 классный час": ("11-22 09:00", "классный час"),
    "tomorrow at 9 test drive": ("11-22 09:00", "test drive"),
    # a time that is no other zone
    "at 10pm it is time to sleep": ("11-21 22:00", "it is time to sleep"),
    "every day at 8pm story time": ("0 20 * * *", "story time"),
    "every day at 7pm kids bath time": ("0 19 * * *", "kids bath time"),
    "at 6pm family time": ("11-21 18:00", "family time"),
    "每天晚上10点睡觉时间": ("0 22 * * *", "睡觉时间"),
    "每天12点午饭时间": ("0 12 * * *", "午饭时间"),
    # a span that is no offset
    "завтра в 9 заплатить за 2 недели": ("11-22 09:00", "заплатить за 2 недели"),
    # wide signs
    "明天下午3：30开会": ("11-22 15:30", "开会"),
    "明天15：30": ("11-22 15:30", ""),
    "每天８：３０打卡": ("30 8 * * *", "打卡"),
    # numbers and words that are no hour
    "tomorrow take bus 42": ("11-22 09:00", "take bus 42"),
    "tomorrow at 9am send 50 to Ann": ("11-22 09:00", "send 50 to Ann"),
    # spans
    "in a week check": ("11-28 17:30", "check"),
    "a week from now call": ("11-28 17:30", "call"),
    "in a day call": ("11-22 17:30", "call"),
    "in a couple of hours call": ("11-21 19:30", "call"),
    "через пару минут чай": ("11-21 17:32", "чай"),
    "in twenty five minutes tea": ("11-21 17:55", "tea"),
    "twenty five minutes from now tea": ("11-21 17:55", "tea"),
    "in an hour and twenty five minutes tea": ("11-21 18:55", "tea"),
    "через час и двадцать минут чай": ("11-21 18:50", "чай"),
    "через час и 20 минут выйти": ("11-21 18:50", "выйти"),
    "через двадцать пять минут чай": ("11-21 17:55", "чай"),
    "in eleven minutes tea": ("11-21 17:41", "tea"),
    "过15分钟提醒我喝水": ("11-21 17:45", "喝水"),
    "every half hour tea": ("every 1800", "tea"),
    "каждые полчаса вода": ("every 1800", "вода"),
    "в семь вечера ужин": ("11-21 19:00", "ужин"),
    "at ten pm sleep": ("11-21 22:00", "sleep"),
    # rules
    "remind me every Friday at 5pm to submit the weekly report": ("0 17 * * fri", "submit the weekly report"),
    "daily standup every weekday at 9": ("0 9 * * mon-fri", "daily standup"),
    "weekly report every Friday at 5pm": ("0 17 * * fri", "weekly report"),
    "every monday to friday at 9 stretch": ("0 9 * * mon-fri", "stretch"),
    "mon-fri at 9 stretch": ("0 9 * * mon-fri", "stretch"),
    "monday to wednesday at 9 stretch": ("0 9 * * mon-wed", "stretch"),
    "с понедельника по пятницу в 9 зарядка": ("0 9 * * mon-fri", "зарядка"),
    "周一到周五9点上班": ("0 9 * * mon-fri", "上班"),
    "每周一到周五早上8点上班": ("0 8 * * mon-fri", "上班"),
    "周一到周五每天早上8点上班": ("0 8 * * mon-fri", "上班"),
    # minutes without their sign, and half past
    "明天8点20出发去机场": ("11-22 08:20", "出发去机场"),
    "9点20分享会": ("11-22 09:20", "分享会"),
    "明天7点20高铁": ("11-22 07:20", "高铁"),
    "每天22点45上床睡觉": ("45 22 * * *", "上床睡觉"),
    "8点50 起床": ("11-22 08:50", "起床"),
    "明天十点二十五去医院": ("11-22 10:25", "去医院"),
    "9点半马上走": ("11-22 09:30", "马上走"),
    # what is left
    "十二月五日交房租": ("12-05 09:00", "交房租"),
    "请在10分钟后提醒我关火": ("11-21 17:40", "关火"),
    "帮我设个明天7点的闹钟": ("11-22 07:00", "闹钟"),
    "on 2026-12-05 at 10:00 to pay": ("12-05 10:00", "pay"),
}


@pytest.mark.parametrize(("text", "when", "rest"), [(text, *meant) for text, meant in READ.items()])
def test_an_ordinary_wording_is_read(text, when, rest):
    found = read(text, NOW, MORNING)
    assert found.when is not None
    at, every = found.when.at, found.when.every
    assert (f"{at:%m-%d %H:%M}" if at else found.when.cron or f"every {every:.0f}") == when
    assert found.rest == rest


ASKED = (
    # minutes, or so many of something
    *("明天9点十字路口见", "9点十佳评选", "8点十全大补汤", "每天8点15毫升药", "每天8点20滴眼药水", "每天9点30组深蹲"),
    *("9点12路公交", "9点10公里跑步", "9点半价抢票", "9点半程马拉松", "9点半个西瓜", "9点12集电视剧", "9点20 个人"),
    *(
        "at 8 20 pills",
        "tomorrow at 9 2 tickets",
        "в 9 часов 30 совещание",
        "every evening 7 news",
        "tomorrow 2 tickets",
    ),
    *("in 2 hours 20 squats", "через час двадцать выйти", "через час 20 отжиманий", "через минут 10 таблетки"),
    *("every hour 20 squats", "in an hour and twenty tea", "через час и двадцать чай", "каждые минут 10 вода"),
    *("at 9am 10 minutes run", "at 18:00 7 или 8 чай", "в 18:00 девять тридцать чай", "in 10 minutes 20 minutes tea"),
    # addresses, zones and offsets
    *(),
    *("at 18:00 berlin time call", "北京时间9点开会", "в 9 встреча, напомни за 2 часа"),
    *("завтра в 9 заплатить за час до вылета", "встреча в 9, выехать за час", "tomorrow plan the week after the trip"),
    # hours and years that were lost
    *(
        "tomorrow gym 1930",
        "tomorrow gym 7 30",
        "on 5 December in 2027 pay",
        "8点过15分提醒我",
        "in 1 and half hours tea",
    ),
    *("at twenty one pm x", "tomorrow at five thirty pm x", "в два дня обед", "二〇二六年十二月五日开会"),
    # rules that are no such thing
    *(
        "submit weekly report on Friday at 5pm",
        "every monday daily pills",
        "10 pills in a day",
        "drink 2 liters in a week",
    ),
    *("trip from monday to friday", "call the hotel from monday to friday at 9", "every saturday to monday at 9 x"),
    *(
        "пару раз в день таблетки",
        "每天几次吃药",
        "9点30与11点吃药",
        "встреча в 9, оплатить за час",
        "the week friday at 5 x",
    ),
    *("tomorrow train 7", "tomorrow flight 7", "завтра рейс 9", "завтра урок 7"),
    *("с пятницы по вторник в 9 x", "every monday to friday except wednesday at 9 x"),
)


@pytest.mark.parametrize("text", ASKED)
def test_what_only_resembles_an_ordinary_wording_is_asked_about(text):
    assert read(text, NOW, MORNING).when is None


@pytest.mark.parametrize(
    ("answer", "span"),
    [
        ("in a week", timedelta(days=7)),
        ("a week", timedelta(days=7)),
        ("half an hour", timedelta(minutes=30)),
        ("полчаса", timedelta(minutes=30)),
        ("an hour and a half", timedelta(minutes=90)),
        ("пару часов", timedelta(hours=2)),
        ("in a month", timedelta(days=30)),
    ],
)
def test_an_answer_may_be_a_span_alone(answer, span):
    when = read_when(answer, NOW, MORNING)
    assert when is not None
    assert when.at == NOW + span


ROWS = (
    "1h",
    "2 hours ",
    "20",
    "a ",
    "a couple of ",
    "twenty ",
    "сорок один ",
    "за час ",
    "monday to ",
    "weekly ",
    "time ",
)
ROWS += (
    "过1分钟",
    "十",
    "9点3",
    "9点半",
    "周一到",
    "1：",
    "\x1f 2 ",
    "5 km in ",
    "the week ",
    "push-",
    "напомни ",
    "每",
    "前",
)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("said", ["", "at 9am "])
@pytest.mark.timeout(30)
@pytest.mark.slow
def test_a_long_row_of_anything_takes_no_time_that_grows_beyond_measure(row, said):
    read((said + row * 5000)[:5000], NOW, MORNING)
