"""The calendar that the readers of times use: the service `dates` of the plan aura_base."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import NamedTuple, Protocol


class DayFound(NamedTuple):
    """A day that was read.

    Attributes:
        start: its first character in the text.
        end: behind the last.
        day: the day.
        fixed: it is one day of the calendar; if not, it is today, and may mean the same day of next week.
        sure: the words mean a day for certain.
    """

    start: int
    end: int
    day: date
    fixed: bool
    sure: bool


class Calendar(Protocol):
    """Reads and says days."""

    @property
    def weekdays(self) -> Sequence[str]:
        """Patterns of the days of the week, Monday first."""
        ...

    @property
    def day_words(self) -> str:
        """A pattern of all words for days and months."""
        ...

    def find(self, text: str, today: date) -> tuple[int, int, date, bool, bool] | None:
        """The day that stands somewhere in a text, as the fields of `DayFound`."""
        ...

    def resembles_day(self, text: str) -> bool:
        """Whether a word of a text is a day of the week, or nearly one."""
        ...

    def zone(self, name: str) -> tzinfo:
        """The time zone of a place; ActionError if there is none."""
        ...

    def said(self, moment: datetime, language: str) -> str:
        """A moment in words."""
        ...
