"""Laws of triggers, with real time zones and their clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from aura_core.scheduler.misfire import MOST, latest, moments_to_run
from aura_core.scheduler.triggers import Cron, Every, next_after
from aura_core.scheduler.zones import moment_of

ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
     "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]
)  # fmt: skip
WALLS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1))  # noqa: DTZ001 (a wall clock)
MOMENTS = WALLS.map(lambda wall: wall.replace(tzinfo=UTC))
"""From days before the greatest changes (Apia left out a whole day in 2011) to days after today."""
DAILY = st.builds(lambda hour, minute: f"{minute} {hour} * * *", st.integers(0, 23), st.integers(0, 59))
RULES = st.one_of(DAILY, st.sampled_from(["*/7 * * * *", "30 2 * * sun", "0 0 1 * *", "15 1,2,3 * * *", "0 0 29 2 *"]))
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)


def walls_of(rule: str, start: datetime, days: int) -> list[datetime]:
    """Every wall-clock time of a daily rule, without any zone."""
    minute, hour = (int(part) for part in rule.split()[:2])
    first = start.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return [first + timedelta(days=day) for day in range(days)]


@given(RULES, ZONES, MOMENTS)
def test_moments_of_a_rule_ascend_and_lie_after_the_start(rule, zone, start):
    moments = list(islice(Cron(rule, zone).after(start), 20))
    assert len(moments) == 20
    assert all(a < b for a, b in zip([start, *moments], moments, strict=False))


@given(DAILY, ZONES, MOMENTS)
@example("30 2 * * *", "Europe/Berlin", SPRING)
@example("30 2 * * *", "Europe/Berlin", AUTUMN)
@example("0 12 * * *", "Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC))
def test_a_daily_rule_comes_once_for_each_of_its_days(rule, zone, start):
    place = ZoneInfo(zone)
    wall_start = start.astimezone(place).replace(tzinfo=None)
    expected = sorted({moment_of(wall, place) for wall in walls_of(rule, wall_start, 40)} - {start})
    expected = [moment for moment in expected if moment > start][:30]
    assert list(islice(Cron(rule, zone).after(start), len(expected))) == expected


@given(RULES, ZONES, MOMENTS, st.integers(0, 200_000))
def test_from_wherever_one_looks_the_next_moment_is_the_same(rule, zone, start, seconds):
    moments = list(islice(Cron(rule, zone).after(start), 10))
    between = start + timedelta(seconds=seconds)
    after = [moment for moment in moments if moment > between]
    if after:
        assert next_after(Cron(rule, zone), between) == after[0]


@given(WALLS, ZONES)
def test_a_wall_clock_time_is_its_first_moment_or_the_end_of_the_gap_it_lies_in(wall, zone):
    place = ZoneInfo(zone)
    moment = moment_of(wall, place)
    shown = moment.astimezone(place).replace(tzinfo=None)
    if shown == wall:
        assert moment.astimezone(place).fold == 0
    else:
        just_before = (moment - timedelta(microseconds=1)).astimezone(place).replace(tzinfo=None)
        assert just_before < wall < shown


@given(st.integers(1, 10**7), MOMENTS, MOMENTS)
def test_an_interval_keeps_its_pace_whenever_one_looks(seconds, anchor, now):
    found = next_after(Every(seconds, anchor), now)
    assert found is not None
    assert found > now
    assert (found - anchor) % timedelta(seconds=seconds) == timedelta()
    assert found - now <= timedelta(seconds=seconds)


@given(RULES, ZONES, MOMENTS, st.integers(0, 40 * 86400), st.integers(1, 30))
def test_the_latest_moments_are_the_end_of_all_moments(rule, zone, start, seconds, most):
    trigger = Cron(rule, zone)
    first = next_after(trigger, start)
    until = first + timedelta(seconds=seconds)
    everything = [first]
    for moment in trigger.after(first):
        if moment > until:
            break
        everything.append(moment)
    assert latest(trigger, first, until, most) == everything[-most:]


@given(st.sampled_from(["skip", "once", "all"]), st.integers(1, 5000), MOMENTS, st.integers(0, 10**6))
def test_what_was_missed_is_left_out_made_up_for_once_or_made_up_for_each_time(policy, seconds, anchor, late):
    trigger, grace = Every(seconds, anchor), timedelta(minutes=1)
    first = anchor + timedelta(seconds=seconds)
    now = first + timedelta(seconds=late)
    moments = moments_to_run(trigger, policy, first, now, grace)
    count = late // seconds + 1
    if policy == "all":
        assert len(moments) == min(count, MOST)
    elif policy == "once":
        assert len(moments) == 1
    else:
        assert len(moments) == (late % seconds <= 60)
    assert moments == sorted(set(moments))
    assert all(first <= moment <= now for moment in moments)


def test_a_time_that_spring_leaves_out_comes_at_the_first_moment_after():
    found = next_after(Cron("30 2 * * *", "Europe/Berlin"), SPRING)
    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # 3:00 by the new time
    assert next_after(Cron("30 2 * * *", "Europe/Berlin"), found) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_time_that_autumn_brings_twice_comes_once():
    found = next_after(Cron("30 2 * * *", "Europe/Berlin"), AUTUMN)
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first 2:30
    assert next_after(Cron("30 2 * * *", "Europe/Berlin"), found) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_triggers_end_where_the_calendar_ends():
    last = datetime(9999, 12, 31, 12, tzinfo=UTC)
    assert next_after(Every(86400, last), last) is None
    assert next_after(Cron("0 8 1 1 *", "UTC"), last) is None
    assert next_after(Cron("0 0 30 2 *", "UTC"), SPRING) is None


DAYS_OF_MONTH = {
    "*": range(1, 32), "*/2": range(1, 32, 2), "*/3": range(1, 32, 3), "*,13": range(1, 32), "1-31": range(1, 32),
    "1": [1], "13-13": [13], "1,15": [1, 15], "31": [31], "5-20/5": [5, 10, 15, 20], "2-30/2": range(2, 31, 2),
}  # fmt: skip
"""How a day of the month is written -> which days crontab reads."""
DAYS_OF_WEEK = {
    "*": range(7), "*/2": [0, 2, 4, 6], "*/3": [0, 3, 6], "0-6": range(7), "mon-sun": range(7), "mon": [1], "7": [0],
    "fri,sat": [5, 6], "1-5": range(1, 6), "sun-sun": [0], "1-5/2": [1, 3, 5],
}  # fmt: skip


def crontab_takes(month_day: str, week_day: str, day: datetime) -> bool:
    """As crontab does it: where one of the fields begins with *, both must fit; else one is enough."""
    fits = day.day in DAYS_OF_MONTH[month_day], day.isoweekday() % 7 in DAYS_OF_WEEK[week_day]
    return all(fits) if month_day.startswith("*") or week_day.startswith("*") else any(fits)


@given(st.sampled_from(sorted(DAYS_OF_MONTH)), st.sampled_from(sorted(DAYS_OF_WEEK)), MOMENTS)
@example("*/2", "7", datetime(2026, 11, 1, 13, tzinfo=UTC))
@example("1,15", "mon", datetime(2026, 11, 1, 13, tzinfo=UTC))
@example("1-31", "mon", datetime(2026, 11, 1, 13, tzinfo=UTC))
def test_the_two_kinds_of_days_mean_what_crontab_means(month_day, week_day, start):
    noon = start.replace(hour=12, minute=0, second=0, microsecond=0)
    days = [noon + timedelta(days=number) for number in range(400)]
    wanted = [day for day in days if day > start and crontab_takes(month_day, week_day, day)][:5]
    assert list(islice(Cron(f"0 12 {month_day} * {week_day}", "UTC").after(start), len(wanted))) == wanted
