"""Meter and Ledger: what model calls cost, per run and per profile and day, and when a budget is used up."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from agent.contracts import Profile, Usage
from agent.errors import BudgetExceededError
from agent.llm.messages import Completion
from aura_core.errors import HomeNotWritableError
from aura_core.ground.json_text import parse_json
from aura_core.ground.logger import get_logger
from aura_core.storage.atomic_file import set_aside, unfinished_name
from aura_core.storage.losses import Losses

LOCK_SECONDS = 5.0
DAYS_KEPT = 62


@dataclass(frozen=True, slots=True)
class DaySpent:
    """Tokens and US dollars of one profile on one day."""

    tokens: int = 0
    money: float = 0.0


class Ledger:
    """Keeps what each profile spent on each day, in one JSON file that several programs may share.

    Args:
        path: the file; made with the first entry.
        today: the clock; days are local ones.
    """

    def __init__(self, path: Path, today: Callable[[], date] = date.today) -> None:
        self._path = path
        self._today = today
        self._log = get_logger(__name__)

    def spent(self, profile: str) -> DaySpent:
        """What the profile spent today."""
        return _spent(self._read(), self._today().isoformat(), profile)

    def add(self, profile: str, tokens: int, money: float) -> None:
        """Adds to today's account. If it cannot be written, that is logged and the call that was paid goes on."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=LOCK_SECONDS):
                days = self._read()
                today = self._today().isoformat()
                before = _spent(days, today, profile)
                days.setdefault(today, {})[profile] = {
                    "tokens": before.tokens + tokens,
                    "money": round(before.money + money, 9),
                }
                self._write({day: days[day] for day in sorted(days)[-DAYS_KEPT:]})
        except (OSError, Timeout) as error:
            self._log.warning("what was spent could not be written down", file=str(self._path), error=str(error))

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            days = parse_json(self._path.read_text(encoding="utf-8"))["days"]
            return {str(day): dict(profiles) for day, profiles in days.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            with contextlib.suppress(HomeNotWritableError):
                aside = set_aside(self._path)
                self._log.warning("the account of what was spent is damaged; it was set aside", file=str(aside))
                text = f"The account {self._path} of what was spent was damaged. It was set aside as {aside.name}."
                Losses(self._path.parent).add(text, self._path)
            return {}

    def _write(self, days: dict[str, dict[str, Any]]) -> None:
        passing = unfinished_name(self._path.parent)
        try:
            passing.write_text(json.dumps({"version": 1, "days": days}, indent=1), encoding="utf-8")
            passing.replace(self._path)
        finally:
            passing.unlink(missing_ok=True)


def _spent(days: dict[str, dict[str, Any]], day: str, profile: str) -> DaySpent:
    entry = days.get(day, {}).get(profile, {})
    try:
        return DaySpent(int(entry.get("tokens", 0)), float(entry.get("money", 0.0)))
    except (AttributeError, TypeError, ValueError):
        return DaySpent()


class Meter:
    """Counts what one run spends, and refuses a call when a budget of its profile is used up.

    Args:
        profile: whose budgets count.
        ledger: where days are kept.
        spent: what the run had spent before, when it is resumed.
    """

    def __init__(self, profile: Profile, ledger: Ledger, spent: Usage | None = None) -> None:
        self._profile = profile
        self._ledger = ledger
        self._usage = spent or Usage()
        self._reserved = 0
        self._parent: Meter | None = None

    @property
    def usage(self) -> Usage:
        """What was spent so far; `seconds` are those of the model calls."""
        return self._usage

    def child(self) -> Meter:
        """A meter that starts at nothing and also counts into this one: what one step spends."""
        child = Meter(self._profile, self._ledger)
        child._parent = self
        return child

    @contextlib.contextmanager
    def reserved(self, tokens: int) -> Generator[None]:
        """Checks the budgets, and holds the estimated tokens of one call while it runs.

        Without that, calls side by side would each see what is left and together take more.

        Raises:
            BudgetExceededError: names the budget, what was spent and where it is set.
        """
        root = self._parent
        if root is not None:
            with root.reserved(tokens):
                yield
            return
        self.check()
        self._reserved += tokens
        try:
            yield
        finally:
            self._reserved -= tokens

    def check(self) -> None:
        """Refuses if a budget is used up, counting what calls under way have reserved.

        Raises:
            BudgetExceededError: names the budget, what was spent and where it is set.
        """
        if self._parent is not None:
            self._parent.check()
            return
        budgets = self._profile.budgets
        run = self._usage
        self._refuse("tokens_per_run", run.tokens + self._reserved, budgets.tokens_per_run, "tokens for one request")
        self._refuse("money_per_run", run.money, budgets.money_per_run, "US dollars for one request")
        if budgets.tokens_per_day is not None or budgets.money_per_day is not None:
            day = self._ledger.spent(self._profile.name)
            self._refuse("tokens_per_day", day.tokens + self._reserved, budgets.tokens_per_day, "tokens a day")
            self._refuse("money_per_day", day.money, budgets.money_per_day, "US dollars a day")

    def charge(self, completion: Completion) -> None:
        """Counts one answer: here, in the meters above, and once in the ledger."""
        tokens = completion.tokens_read + completion.tokens_written
        self._usage = Usage(
            tokens=self._usage.tokens + tokens,
            money=self._usage.money + completion.money,
            seconds=self._usage.seconds + completion.seconds,
        )
        if self._parent is not None:
            self._parent.charge(completion)
        else:
            self._ledger.add(self._profile.name, tokens, completion.money)

    def _refuse(self, setting: str, spent: float, limit: float | None, what: str) -> None:
        if limit is not None and spent >= limit:
            raise BudgetExceededError(
                f"The budget of the profile {self._profile.name!r} is used up: {limit:g} {what}, "
                f"{spent:g} spent (profiles.{self._profile.name}.budgets.{setting} in aura.yaml)."
            )
