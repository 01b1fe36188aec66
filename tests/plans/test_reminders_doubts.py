"""A time is read rightly or asked for: phrases that once were, or easily are, read wrongly without a word."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plans.reminders.times.reading import When
from tests.fixtures.examples import examples
from tests.fixtures.reminders import read, read_when

NOW = datetime(2026, 11, 21, 10, 0)  # noqa: DTZ001 (a wall clock: a Saturday)
MORNING = time(9)
DAY = 86400.0


@pytest.mark.parametrize(
    "text",
    [
        # which of many
        *("every second Tuesday pay rent", "every other Tuesday bins", "every other week bins", "every last Friday x"),
        *("every third day pills", "the first monday of the month at 9 x", "last friday x", "alternate mondays at 9 x"),
        *("каждую вторую среду x", "в каждую вторую среду x", "каждый третий день x", "каждую последнюю пятницу x"),
        *(
            "в последнюю пятницу месяца в 9 x",
            "每第二个周五",
            "第二个周五9点开会",
            "上周五",
            "每双周五9点",
            "每月最后一天9点",
        ),
        *("every month on the last day at 9 x", "every fortnight x", "bi-weekly sync", "biweekly sync at 9"),
        # intervals that nobody means, or no rule can say
        *("every 0 minutes x", "every second x", "every 30 seconds x", "every 0.5 seconds x", "every 1000000 hours x"),
        *("каждые 0 минут x", "каждые 30 секунд x", "每30秒喝水", "每0分钟喝水", "每秒喝水"),
        *("every 2 days at 9 x", "every hour at 5 past x", "every 2 hours at 9 x", "隔天8点浇花", "每隔两天浇花"),
        *("every 2 weeks on friday x", "каждые 2 недели в пятницу x", "每两周周五开会", "через день поливать"),
        # exceptions and limits
        *(
            "every weekday except friday at 9 x",
            "every day at 9 except sunday x",
            "каждый день кроме воскресенья в 9 x",
        ),
        *(
            "除了周五每天9点",
            "每天9点除了周五",
            "工作日除周五外9点",
            "every 90 minutes until 6 pm x",
            "every day until friday x",
        ),
        *("every day at 9 for 2 weeks x", "every 15 min from 9 to 17 x", "каждый день с 9 до 17 x", "每天9点到17点"),
        *("каждый день до пятницы x", "from tomorrow every day at 9 x", "从下周起每天8点跑步"),
        # several days or times
        *(
            "call from monday to friday at 9 x",
            "monday to friday x",
            "friday to monday at 9",
            "с понедельника по пятницу x",
        ),
        *(
            "monday and friday at 9 x",
            "в понедельник и среду в 9 x",
            "周五到周一9点",
        ),
        *(
            "周一和周五9点",
            "on weekdays and saturdays at 9 x",
            "every monday at 9 and friday at 10 x",
            "every day at 9 and 21",
        ),
        *(
            "at 9 and at 17 take pills",
            "at 5 or 6 call mum",
            "завтра в 9 и в 17 x",
            "每天8点和20点吃药",
            "每天三次吃药",
        ),
        *("twice a day pills", "3 times daily pills", "2 раза в день x", "дважды в день x", "一天三次吃药"),
        *(
            "in 10 minutes every day x",
            "every day in 10 minutes stretch",
            "через 10 минут каждый день x",
            "10分钟后每天",
        ),
        *("every week on friday at 9 x", "every month on monday at 9 x", "send weekly report tomorrow at 9"),
        *("in 10 minutes tomorrow x", "every year on 24 December gifts", "ежегодно 24 декабря x", "每年12月24日送礼"),
        # midnight, and hours that no such part of the day has
        *(
            "tonight at 12 x",
            "tonight at 1 x",
            "tomorrow at midnight x",
            "every friday night at 12 x",
            "завтра в 12 ночи x",
        ),
        *(
            "今晚12点睡觉",
            "上午12点开会",
            "at 12 in the morning x",
            "at 15 in the morning x",
            "evening walk tomorrow at 7",
        ),
        # times of day that are none, or are not read
        *(
            "tomorrow at 24:00 x",
            "at 24:00 x",
            "24:00",
            "tomorrow at 25:00 x",
            "завтра в 24:00 x",
            "明天24点睡觉",
            "at 99:05 pm x",
        ),
        *("tomorrow at half past 5 x", "tomorrow at five call mum", "завтра в пять x", "завтра в половине шестого x"),
        *(
            "завтра в час x",
            "after 5 pm tomorrow x",
            "tomorrow before noon x",
            "после 18:00 завтра x",
            "明天8点前交报告",
        ),
        # days that are not read
        *("on the 5th at 9 pay", "on the 5th pay", "the 5th", "5 числа в 9 платить", "5-го в 9 платить", "5号8点付款"),
        *("31 february at 9 x", "dentist 12/24 at 9", "24.12 в 18:00 x", "in December at 9 x", "next week at 9 x"),
        *(
            "this weekend at 10 x",
            "in 1 month at 9 x",
            "через месяц в 9 x",
            "на следующей неделе в 9 x",
            "下个月9点交费",
        ),
        *("sun cream at 5", "31.12.9999 23:59 x", "call each client tomorrow at 9"),
    ],
)
def test_what_may_mean_something_else_is_asked_and_keeps_all_its_words(text):
    found = read(text, NOW, MORNING)
    assert found.when is None
    assert found.rest == text
    assert read_when(text, NOW, MORNING) is None


@pytest.mark.parametrize(
    ("text", "when", "rest"),
    [
        ("every second day water plants", When(every=2 * DAY), "water plants"),
        ("каждый второй день полить", When(every=2 * DAY), "полить"),
        ("每隔一天浇花", When(every=2 * DAY), "浇花"),
        ("每两天浇花", When(every=2 * DAY), "浇花"),
        ("раз в 2 дня полить", When(every=2 * DAY), "полить"),
        ("every 60 seconds x", When(every=60.0), "x"),
        ("每半小时喝水", When(every=1800.0), "喝水"),
        ("every night at 12 x", When(cron="0 0 * * *"), "x"),
        ("at 12 at night x", When(at=datetime(2026, 11, 22)), "x"),  # noqa: DTZ001
        ("в 12 ночи x", When(at=datetime(2026, 11, 22)), "x"),  # noqa: DTZ001
        ("сегодня в 11 ночи x", When(at=datetime(2026, 11, 21, 23)), "x"),  # noqa: DTZ001
        ("晚上12点睡觉", When(at=datetime(2026, 11, 22)), "睡觉"),  # noqa: DTZ001
        ("中午11点吃饭", When(at=datetime(2026, 11, 21, 11)), "吃饭"),  # noqa: DTZ001
        ("中午1点吃饭", When(at=datetime(2026, 11, 21, 13)), "吃饭"),  # noqa: DTZ001
        ("at 2 at night x", When(at=datetime(2026, 11, 22, 2)), "x"),  # noqa: DTZ001
        ("call mum at 5 in the evening", When(at=datetime(2026, 11, 21, 17)), "call mum"),  # noqa: DTZ001
        ("morning run tomorrow at 7", When(at=datetime(2026, 11, 22, 7)), "morning run"),  # noqa: DTZ001
        ("tomorrow at 10 meet Anna and Bob", When(at=datetime(2026, 11, 22, 10)), "meet Anna and Bob"),  # noqa: DTZ001
        ("submit report by friday 5pm", When(at=datetime(2026, 11, 27, 17)), "submit report"),  # noqa: DTZ001
        ("meet at a cafe tomorrow", When(at=datetime(2026, 11, 22, 9)), "meet at a cafe"),  # noqa: DTZ001
        ("meditate for 10 minutes every day at 8", When(cron="0 8 * * *"), "meditate for 10 minutes"),
        ("daily standup at 9:45", When(cron="45 9 * * *"), "standup"),
        ("каждый понедельник, среду и пятницу в 18:00 спорт", When(cron="0 18 * * mon,wed,fri"), "спорт"),
        ("每周一三五9点健身", When(cron="0 9 * * mon,wed,fri"), "健身"),
        ("每天8点起床", When(cron="0 8 * * *"), "起床"),
        ("明天9点到公司", When(at=datetime(2026, 11, 22, 9)), "到公司"),  # noqa: DTZ001
        ("明天9点和小王开会", When(at=datetime(2026, 11, 22, 9)), "和小王开会"),  # noqa: DTZ001
        ("明天8点前往机场", When(at=datetime(2026, 11, 22, 8)), "前往机场"),  # noqa: DTZ001
        ("明天喝一点水", When(at=datetime(2026, 11, 22, 9)), "喝一点水"),  # noqa: DTZ001
    ],
)
def test_what_is_clear_is_read_and_not_asked(text, when, rest):
    found = read(text, NOW, MORNING)
    assert (found.when, found.rest) == (when, rest)


AGAIN = (
    *("every", "each", "Every", "daily", "weekly", "mondays", "weekdays", "twice a day", "per week", "bi-weekly"),
    *("каждый", "каждую", "Каждые", "ежедневно", "по средам", "через день", "два раза в день", "раз в месяц"),
    *("每", "每天", "每隔", "每两", "隔天", "天天"),
)
OTHERS = (
    *("in", "at", "on", "the", "to", "from", "until", "and", "second", "other", "last", "day", "days", "week", "month"),
    *("tomorrow", "tonight", "friday", "Monday", "noon", "midnight", "night", "5", "9", "12", "10:30", "24:00", "pm"),
    *("10 minutes", "2 hours", "24 December", "2026-12-24", "5th", "через", "час", "2 дня", "завтра", "в", "в 9", "с"),
    *("до", "пятницу", "вторую", "вечером", "полдень", "后", "10分钟", "10分钟后", "明天", "周五", "8点", "晚上", "一"),
    *("到", "除了", "stretch", "выпить воды", "喝水", ",", ".", "(", "-", ":"),
)


@settings(max_examples=examples(400))
@given(
    st.lists(st.sampled_from(OTHERS), max_size=6), st.sampled_from(AGAIN), st.lists(st.sampled_from(OTHERS), max_size=6)
)
@example(["in", "10 minutes"], "every", ["day", "stretch"])
@example([], "через день", [])
@example(["on"], "mondays", ["in", "2 hours"])
def test_what_says_that_it_comes_again_never_becomes_a_reminder_that_comes_once(before, again, behind):
    text = " ".join([*before, again, *behind])
    for when in (read(text, NOW, MORNING).when, read_when(text, NOW, MORNING)):
        assert when is None or when.at is None
        assert when is None or when.cron or when.every >= 60


@pytest.mark.parametrize(
    "text",
    [
        *("remind me to take the cake out in 45 minutes", "tomorrow at 9am standup, bring 2 pens"),
        *("take 2 pills every 8 hours", "every weekday at 18:00 go home to family", "in 2 weeks dentist"),
        *("call John at 5pm about the trip to Rome", "friday 17:00 beer with Tom and Ann", "every morning at 7 run"),
        *("every sunday at 19:00 call grandma", "on 3 January at 10:00 renew the passport"),
        *("tomorrow evening at 7 dinner with May", "meeting at 14:30 tomorrow in room 5"),
        *("через 2 часа забрать ребёнка из школы", "завтра в 18:30 в театр", "завтра вечером в кино"),
        *("в субботу в 12 к врачу", "каждый день в 22:00 пить таблетки", "каждую пятницу в 9 отчёт до обеда"),
        *("по вторникам и четвергам в 19:00 тренировка", "напомни в понедельник в 10 позвонить в банк"),
        *(
            "послезавтра в 15:00 встреча с Анной",
            "明天下午3点去医院",
            "每周五下午4点写周报",
            "半小时后关火",
            "每两小时喝水",
        ),
        *("后天早上7点赶飞机", "每月15号还信用卡", "今晚8点看电影", "周日上午10点和妈妈去超市", "明天中午12点吃饭"),
    ],
)
def test_an_everyday_sentence_is_not_asked_about(text):
    assert read(text, NOW, MORNING).when is not None
