"""Days as people name them, and counting with them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.asynccontext import using_zone
from aura_core.errors import ActionError
from plans.aura_base.actions.dates import date_add, date_diff, now
from plans.aura_base.days.words import long_date, long_moment
from plans.aura_base.services.dates import Dates, shift
from tests.fixtures.reminders import DATES

TODAY = date(2026, 11, 21)  # a Saturday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-11-21"),
        ("Tomorrow", "2026-11-22"),
        ("the day after tomorrow", "2026-11-23"),
        ("2027-01-31", "2027-01-31"),
        ("2027-01-31T10:00:00Z", "2027-01-31"),
        ("Christmas", "2026-12-25"),
        ("Christmas 2027", "2027-12-25"),
        ("next Christmas?", "2026-12-25"),
        ("пятница", "2026-11-27"),
        ("в следующую пятницу", "2026-11-27"),
        ("послезавтра", "2026-11-23"),
        ("24 декабря", "2026-12-24"),
        ("下周五", "2026-11-27"),
        ("12月24日", "2026-12-24"),
        ("圣诞节", "2026-12-25"),
        ("Pentecost", "2027-05-16"),
        ("Easter Monday", "2027-03-29"),
        ("Boxing Day", "2026-12-26"),
        ("last Christmas", "2025-12-25"),
        ("Christmas Eve", "2026-12-24"),
        ("New Year", "2027-01-01"),
        ("New Year's Day", "2027-01-01"),
        ("new year’s eve", "2026-12-31"),
        ("Valentine's Day", "2027-02-14"),
        ("Easter", "2027-03-28"),
        ("Good Friday 2027", "2027-03-26"),
        ("Thanksgiving", "2026-11-26"),
        ("Thanksgiving 2025", "2025-11-27"),
        ("next Friday", "2026-11-27"),
        ("Friday", "2026-11-27"),
        ("this Saturday", "2026-11-21"),
        ("Saturday", "2026-11-28"),
        ("next Saturday", "2026-11-28"),
        ("last Saturday", "2026-11-14"),
        ("last fri", "2026-11-20"),
        ("in 10 days", "2026-12-01"),
        ("10 days from now", "2026-12-01"),
        ("two weeks ago", "2026-11-07"),
        ("in a month", "2026-12-21"),
        ("next week", "2026-11-28"),
        ("end of the month", "2026-11-30"),
        ("end of year", "2026-12-31"),
        ("25 December", "2026-12-25"),
        ("1st of March", "2027-03-01"),
        ("March 1st, 2028", "2028-03-01"),
        ("Friday, 25 December 2026", "2026-12-25"),
        ("29 February", "2028-02-29"),
        ("24.12.2026", "2026-12-24"),
        ("24.12.", "2026-12-24"),
        ("12/31/2026", "2026-12-31"),
        ("31/12/2026", "2026-12-31"),
    ],
)
def test_a_day_is_understood_as_people_say_it(text: str, day: str):
    assert DATES.parse(text, TODAY).isoformat() == day


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Write it like one of these"),
        ("whenever", "Write it like one of these"),
        ("chrismas", "Did you mean “christmas”?"),
        ("3/4/2027", "two ways"),
        ("31 February 2027", "is not a day"),
        ("30.02.2027", "is not a day"),
        ("in 999999 years", "outside the years"),
        ("x" * 5000, "I do not know which day"),
    ],
)
def test_a_day_that_is_none_is_explained(text: str, message: str):
    with pytest.raises(ActionError) as caught:
        DATES.parse(text, TODAY)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_day_is_said_in_three_languages_and_read_again():
    day = date(2026, 12, 25)
    assert long_date(day) == "Friday, 25 December 2026"
    assert long_date(day, "ru") == "пятница, 25 декабря 2026"
    assert long_date(day, "zh") == "2026年12月25日星期五"
    assert long_moment(datetime(2026, 12, 25, 18, 0, 5), "ru") == "пятница, 25 декабря 2026, 18:00:05"  # noqa: DTZ001
    for language in ("en", "ru"):
        assert DATES.parse(long_date(day, language), TODAY) == day


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gym on Christmas at 9", ("on Christmas", "2026-12-25")),
        ("on thanksgiving call mum", ("on thanksgiving", "2026-11-26")),
        ("Mother's Day flowers", ("Mother's Day", "2027-05-09")),
        ("春节回家", ("春节", "2027-02-06")),
        ("buy christmas cards", None),
        ("mother at 9", None),
        ("in may", None),
        ("31 february", None),
    ],
)
def test_a_holiday_is_found_in_a_text_where_it_is_meant_as_a_day(text: str, found: tuple[str, str] | None):
    day = DATES.find(text, TODAY)
    assert (day and (text[day.start : day.end], day.day.isoformat())) == found


def test_the_holidays_of_another_country_come_from_the_settings():
    french = {"calendars": ["FR fr"]}
    dates = Dates(lambda path, default=None: french.get(path, default))
    assert dates.parse("fête nationale", TODAY) == date(2027, 7, 14)
    with pytest.raises(ActionError, match="I do not know which day"):
        dates.parse("thanksgiving", TODAY)
    wrong = Dates(lambda path, default=None: {"calendars": ["XY"]}.get(path, default))
    with pytest.raises(ActionError, match="calendars of the plan aura_base"):
        wrong.parse("christmas", TODAY)


DAYS = st.dates(date(1900, 1, 1), date(2200, 1, 1))


@given(DAYS, DAYS)
def test_every_form_in_which_a_day_is_shown_is_understood_again(day: date, today: date):
    assert DATES.parse(long_date(day), today) == day
    assert DATES.parse(day.isoformat(), today) == day


@given(DAYS, st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]))
def test_next_is_within_a_week_after_and_last_within_a_week_before(today: date, name: str):
    after, before = DATES.parse(f"next {name}", today), DATES.parse(f"last {name}", today)
    assert timedelta(1) <= after - today <= timedelta(7)
    assert timedelta(1) <= today - before <= timedelta(7)
    assert after.weekday() == before.weekday()


@given(DAYS, st.integers(-500, 500))
def test_months_keep_the_day_or_take_the_last_one(day: date, months: int):
    moved = shift(day, months=months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and (moved + timedelta(1)).day == 1)


@given(st.text(max_size=40))
def test_no_text_brings_anything_but_a_day_or_a_clear_error(text: str):
    try:
        understood = str(DATES.parse(text, TODAY))
    except ActionError as error:
        understood = str(error)
    assert understood


def test_own_days_and_cities_come_from_the_settings():
    own = {"holidays": {"Mum's birthday": "05-14"}, "cities": {"Home Town": "Europe/Paris"}}
    dates = Dates(lambda path, default=None: own.get(path, default))
    assert dates.parse("mum's birthday", TODAY) == date(2027, 5, 14)
    assert str(dates.zone("home town")) == "Europe/Paris"
    with using_zone(ZoneInfo("Asia/Tokyo")):
        assert str(dates.zone()) == "Asia/Tokyo"
    with pytest.raises(ActionError, match="month-day"):
        Dates(lambda path, default=None: {"holidays": {"x": "14 May"}}.get(path, default))


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("new york", "America/New_York"),
        ("Paris, France", "Europe/Paris"),
        ("europe/berlin", "Europe/Berlin"),
        ("San Francisco", "America/Los_Angeles"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_found_by_city_or_name(name: str, zone: str):
    assert str(DATES.zone(name)) == zone


def test_an_unknown_place_brings_the_nearest_one():
    with pytest.raises(ActionError, match="Europe/Berlin"):
        DATES.zone("Berlim")


def test_now_says_everything_a_person_asks_for():
    moment = now(DATES, "Tokyo")
    assert moment["zone"] == "Asia/Tokyo"
    assert moment["iso"].endswith("+09:00")
    assert moment["weekday"] in moment["text"]
    assert moment["date"] == moment["iso"][:10]


def test_counting_days_between_two_days():
    assert date_diff("5 May 2027", DATES, "1 March 2027") == {
        "days": 65,
        "date": "2027-05-05",
        "weekday": "Wednesday",
        "text": "65 days from Monday, 1 March 2027 until Wednesday, 5 May 2027.",
    }
    assert date_diff("2027-03-01", DATES, "2027-03-02")["text"].startswith("Monday, 1 March 2027 was 1 day before")
    assert date_diff("today", DATES)["text"].endswith("is today.")
    assert date_diff("yesterday", DATES)["days"] == -1
    assert date_diff("yesterday", DATES)["text"].endswith("was 1 day ago.")


def test_adding_to_a_date():
    assert date_add(DATES, "2027-01-31", months=1)["date"] == "2027-02-28"
    assert date_add(DATES, "2027-01-31", years=1, weeks=1, days=-1)["date"] == "2028-02-06"
    assert date_add(DATES, "2026-12-25")["text"] == "Friday, 25 December 2026"


async def test_the_tasks_count_too(done, refused):
    assert (await done("aura_base/now", zone="Tokyo"))["zone"] == "Asia/Tokyo"
    until = await done("aura_base/days_until", date="Christmas")
    assert 0 <= until["days"] <= 365
    assert until["date"].endswith("-12-25")
    assert (await done("aura_base/date_add", start="2026-11-21", days=10))["date"] == "2026-12-01"
    assert "Write it like" in await refused("aura_base/days_until", date="someday")
