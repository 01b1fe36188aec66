"""Numbers in texts: what people all over the world write for one, and what can be read in two ways."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.errors import InputError
from aura_core.language.input_spec import InputSpec
from aura_core.language.inputs import fitted
from aura_core.language.number_text import TwoReadingsError, number_text

NUMBER, WHOLE = InputSpec(type="number"), InputSpec(type="integer")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.50", 12.5), ("12,50", 12.5), ("-12,5", -12.5), ("+0,125", 0.125), ("0,1234", 0.1234), (",5", 0.5),
        ("1,5e3", 1500.0), ("1e3", 1000.0), ("7", 7), (" 7 ", 7), ("1.234", 1.234), ("0.500", 0.5),
        ("12,3456", 12.3456),
        ("1,234.56", 1234.56), ("1.234,56", 1234.56), ("1 234,56", 1234.56), ("1\u00a0234,56", 1234.56),
        ("1\u202f234\u202f567,8", 1234567.8), ("1'234.50", 1234.5), ("1’234,50", 1234.5), ("1,234,567", 1234567),
        ("1.234.567", 1234567), ("1,00,000.5", 100000.5), ("12,34,567", 1234567),
        ("１２，５０", 12.5), ("１２.５", 12.5),
        ("١٢٫٥", 12.5), ("\u06f1\u06f2", 12), ("−3,5", -3.5),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_meant(text: str, number: float):
    assert fitted(NUMBER, text) == number


@pytest.mark.parametrize(("text", "number"), [("1,234", 1234), ("12 000", 12000), ("1.234.567", 1234567), ("-3", -3)])
def test_a_whole_number_may_part_its_thousands(text: str, number: int):
    assert fitted(WHOLE, text) == number


@pytest.mark.parametrize("text", ["1,234", "-12,500", "999,999"])
def test_a_number_that_can_be_read_in_two_ways_is_not_guessed(text: str):
    with pytest.raises(InputError, match=f"can be read in two ways: write {text.replace(',', '')} or"):
        fitted(NUMBER, text)


@pytest.mark.parametrize("text", ["", "pizza", "12x", "1,2,3", "12,", "1.2.3", "1,23.4", "--1", "12 50", "5²", "½"])
def test_what_is_no_number_is_said_to_be_none(text: str):
    with pytest.raises(InputError, match="a number is wanted, not"):
        fitted(NUMBER, text)


def test_a_fraction_is_no_whole_number():
    with pytest.raises(InputError, match="a whole number is wanted, not"):
        fitted(WHOLE, "12,5")


@given(st.decimals(-(10**12), 10**12, places=2))
def test_every_usual_spelling_of_an_amount_is_that_amount(amount):
    plain, number = f"{amount:.2f}", float(f"{amount:.2f}")
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for text in (plain, plain.replace(".", ","), english, german, english.replace(",", " "), german.replace(".", "'")):
        assert fitted(NUMBER, text) == number


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_what_programs_write_stays_what_it_is(number):
    assert type(number)(number_text(repr(number))) == number


@given(st.text(max_size=12))
def test_no_text_brings_anything_but_a_text_or_the_question_which_is_meant(text: str):
    with contextlib.suppress(TwoReadingsError):
        assert isinstance(number_text(text), str)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a.txt, b.txt", ["a.txt", "b.txt"]),
        ("牛奶、鸡蛋", ["牛奶", "鸡蛋"]),
        ("a, b\nc", ["a, b", "c"]),
        ('["x"]', ["x"]),
        ("one", ["one"]),
    ],
)
def test_a_list_is_read_as_people_write_one(text: str, rows: list[str]):
    assert fitted(InputSpec(type="array", items=InputSpec()), text) == rows
