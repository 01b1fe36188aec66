"""What the options of `aura schedule add` say about when."""

from __future__ import annotations

from datetime import datetime

import pytest

from agent.cli.when import moment_from


@pytest.mark.parametrize(("now", "day"), [("00:10", 25), ("00:40", 25), ("01:10", 25), ("01:40", 26)])
def test_a_time_of_day_that_the_clock_shows_twice_is_to_come_until_it_has_come_twice(now, day):
    moment = moment_from("02:30", "Europe/Berlin", datetime.fromisoformat(f"2026-10-25T{now}+00:00"))
    assert moment == datetime(2026, 10, day, 2, 30)  # noqa: DTZ001 (a wall clock's)
