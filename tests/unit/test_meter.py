"""Budgets: what is counted, when a call is refused, and that no program's spending is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import AppConfig
from agent.contracts import Budgets, Profile, Usage
from agent.errors import BudgetExceededError
from agent.llm.client import ModelClient
from agent.llm.messages import Completion
from agent.llm.meter import DaySpent, Ledger, Meter


def profile(**budgets: float) -> Profile:
    return Profile(name="family", budgets=Budgets.model_validate(budgets))


def spent(read: int, written: int, money: float = 0.0) -> Completion:
    return Completion("x", tokens_read=read, tokens_written=written, money=money)


def test_what_a_child_spends_counts_for_its_parent_and_once_for_the_day(tmp_path):
    ledger = Ledger(tmp_path / "usage.json")
    meter = Meter(profile(), ledger, Usage(tokens=5))
    child = meter.child()
    child.charge(spent(10, 2, 0.5))
    assert (child.usage.tokens, child.usage.money) == (12, 0.5)
    assert (meter.usage.tokens, meter.usage.money) == (17, 0.5)
    assert ledger.spent("family") == DaySpent(12, 0.5)


@pytest.mark.parametrize(
    ("budgets", "named"),
    [
        ({"tokens_per_run": 10}, "tokens for one request"),
        ({"money_per_run": 0.1}, "US dollars for one request"),
        ({"tokens_per_day": 10}, "tokens a day"),
        ({"money_per_day": 0.1}, "US dollars a day"),
    ],
)
def test_a_used_up_budget_refuses_and_says_which(tmp_path, budgets, named):
    meter = Meter(profile(**budgets), Ledger(tmp_path / "usage.json"))
    meter.check()
    meter.charge(spent(8, 2, 0.1))
    with pytest.raises(BudgetExceededError, match=f"'family'.*{named}.*budgets.{next(iter(budgets))}"):
        meter.child().check()


def test_calls_side_by_side_cannot_all_take_what_is_left(tmp_path):
    meter = Meter(profile(tokens_per_run=100), Ledger(tmp_path / "usage.json"))
    with meter.child().reserved(60), meter.child().reserved(60), pytest.raises(BudgetExceededError):
        meter.child().check()
    meter.check()


def test_another_day_begins_at_nothing(tmp_path):
    days = [date(2026, 11, 21)]
    ledger = Ledger(tmp_path / "usage.json", today=lambda: days[-1])
    meter = Meter(profile(tokens_per_day=10), ledger)
    meter.charge(spent(10, 0))
    days.append(date(2026, 11, 22))
    meter.check()
    assert ledger.spent("family") == DaySpent()


@given(charges=st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999)), max_size=8))
def test_the_ledger_holds_exactly_what_was_charged(tmp_path_factory, charges):
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "usage.json")
    for read, written in charges:
        Meter(profile(), ledger).charge(spent(read, written))
    assert ledger.spent("family").tokens == sum(map(sum, charges))


def test_two_programs_add_to_one_account(tmp_path):
    path = tmp_path / "usage.json"
    program = (
        "import sys; from pathlib import Path; from agent.llm.meter import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for _ in range(40): ledger.add('family', 1, 0.5)"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(3)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    assert Ledger(path).spent("family") == DaySpent(120, 60.0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["usage.json", "usage.json.lock"]


@pytest.mark.parametrize("content", ["{", "[]", '{"days": 3}', '{"days": {"2026-11-21": 4}}', "\x00"])
def test_a_damaged_account_is_set_aside_and_counting_goes_on(tmp_path, content):
    path = tmp_path / "usage.json"
    path.write_text(content, encoding="utf-8")
    ledger = Ledger(path)
    ledger.add("family", 3, 0.0)
    assert ledger.spent("family").tokens == 3
    [aside] = tmp_path.glob("usage.damaged-*.json")
    assert aside.read_text(encoding="utf-8") == content


def test_an_account_of_odd_entries_counts_them_as_nothing(tmp_path):
    path = tmp_path / "usage.json"
    day = date(2026, 11, 21)
    account = {"version": 1, "days": {day.isoformat(): {"family": {"tokens": "many"}}}}
    path.write_text(json.dumps(account), encoding="utf-8")
    assert Ledger(path, today=lambda: day).spent("family") == DaySpent()


def test_a_paid_call_is_not_lost_when_the_account_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    meter = Meter(profile(), Ledger(blocked / "usage.json"))
    meter.charge(spent(1, 1))
    assert meter.usage.tokens == 2


async def test_a_call_over_budget_never_reaches_the_endpoint_and_each_answer_is_charged(scripted_model, tmp_path):
    scripted_model.say("no json", usage=(10, 5))
    scripted_model.say("no json either", usage=(10, 5))
    llm = {"base_url": scripted_model.base_url, "api_key": "k", "model": "m"}
    client = await ModelClient.open(AppConfig.model_validate({"llm": llm}))
    meter = Meter(profile(tokens_per_run=30), Ledger(tmp_path / "usage.json"))
    try:
        with pytest.raises(Exception, match="not even when told"):
            await client.complete(
                [{"role": "user", "content": "x"}], purpose="plan", schema={"type": "object"}, meter=meter
            )
        assert meter.usage.tokens == 30
        with pytest.raises(BudgetExceededError):
            await client.complete([{"role": "user", "content": "x"}], purpose="plan", meter=meter)
    finally:
        await client.close()
    assert len(scripted_model.requests) == 2
