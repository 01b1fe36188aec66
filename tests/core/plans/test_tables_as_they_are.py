"""Tables as spreadsheets, programs and people really write them: read, converted, and nothing lost on the way."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.api import ActionError, parse_json
from aura_core.expressions.filters import from_json
from plans.aura_base.actions.structured import parse
from plans.files.actions.tables import READERS, WRITERS, Table, cell_of, value_of

TEA = [{"Name": "Tea", "Price": "3,50"}]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # Excel's line that names the separator
        ("sep=;\r\nName;Price\r\nTea;3,50\r\n", TEA),
        ("SEP=;\nName;Price\nTea;3,50\n", TEA),
        ('"sep=;"\nName;Price\nTea;3,50\n', TEA),
        ("\ufeffsep=;\nName;Price\nTea;3,50\n", TEA),
        ("sep=\t\nName\tPrice\nTea\t3,50\n", TEA),
        ("sep=|\nName|Price\nTea|3,50\n", TEA),
        ("sep=^\nName^Price\nTea^3,50\n", TEA),
        # the same words that are no such line
        ("sep=,x\na,b\n", [{"sep=": "a", "x": "b"}]),
        ("sep,oct\n1,2\n", [{"sep": 1, "oct": 2}]),
        # cells of any length, lines in cells, bare carriage returns, an empty last line
        ('id,text\n1,"' + "x" * 200_000 + '"\n', [{"id": 1, "text": "x" * 200_000}]),
        ('a,b\n"one\ntwo",2\n\n', [{"a": "one\ntwo", "b": 2}]),
        ("a,b\r1,2\r", [{"a": 1, "b": 2}]),
        # numbers that are names: what would not come back as it was stays text
        ("n,m\n007,+49\n", [{"n": "007", "m": "+49"}]),
        ("n,m\n1e5,1e+22\n", [{"n": "1e5", "m": 1e22}]),
        ("n,m\nNaN,Infinity\n", [{"n": "NaN", "m": "Infinity"}]),
        ("n,m\n12345678901234567890,1_000\n", [{"n": "12345678901234567890", "m": "1_000"}]),
    ],
)
def test_csv_as_programs_write_it(text: str, rows: list[dict[str, Any]]):
    table = READERS["csv"](text)
    assert [dict(zip(table.columns, row, strict=True)) for row in table.rows] == rows


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('[{"a": NaN}]', [{"a": None}]),
        ('[{"a": Infinity, "b": -Infinity}]', [{"a": "Infinity", "b": "-Infinity"}]),
        ('[{"a": 1e999}]', [{"a": "1e999"}]),
        ('[{"a": ' + "9" * 5000 + "}]", [{"a": "9" * 5000}]),
        ('[{"a": "\\ud800"}]', [{"a": "?"}]),
    ],
)
@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_that_json_has_no_words_for_becomes_json_that_others_read(written: str, meant: list[Any], form: str):
    text = WRITERS[form](READERS["json"](written)).encode("utf-8", "replace").decode()

    def refuse(word: str) -> None:
        pytest.fail(f"{word} is not JSON")

    assert json.loads(text if form == "json" else f"[{text}]", parse_constant=refuse) == meant


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_of_any_depth_is_refused_with_words(form: str):
    with pytest.raises(ActionError, match="levels deep"):
        READERS[form]("[" * 50_000)
    with pytest.raises(json.JSONDecodeError):
        parse_json('{"a":' * 50_000)


@pytest.mark.parametrize("read", [parse_json, from_json, parse])
def test_every_door_for_json_understands_the_same(read: Callable[[str], Any]):
    assert read("[NaN, -Infinity, 1e999, 0.1, 12]") == [None, "-Infinity", "1e999", 0.1, 12]
    with pytest.raises((ValueError, ActionError), match="levels deep"):
        read("[" * 50_000)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("a|b", r"a\|b"),
        ("a\\|b", r"a\\\|b"),
        ("C:\\new", r"C:\\new"),
        ("two\nlines", "two<br>lines"),
        ("dos\r\nline", "dos&#13;<br>line"),
        ("the tag <br>", r"the tag \<br>"),
        ("R&D &amp; more", r"R&D \&amp; more"),
        (" blank ", "&#32;blank&#32;"),
        ("\ttab", "&#9;tab"),
        ("", ""),
        ("ends in \\", r"ends in \\"),
        ("\u3000wide\u3000", "\u3000wide\u3000"),
    ],
)
def test_what_markdown_would_take_for_something_else_is_escaped(cell: str, written: str):
    text = WRITERS["markdown"](Table(["a", "b"], [[cell, "x"]]))
    assert text == f"| a | b |\n| --- | --- |\n| {written} | x |\n"
    assert READERS["markdown"](text).rows == [[cell, "x"]]


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("a | b\n--- | ---\n1 | 2\n", ["a", "b"], [[1, 2]]),
        ("|a|b|\n|:-:|--:|\n|x \\| y|*z*|\n", ["a", "b"], [["x | y", "*z*"]]),
        ("| a |\n|-|\n| 5 \\* 3 &lt; 16 &euro; |\n", ["a"], [["5 * 3 < 16 €"]]),
        ("| a | b |\r\n| - | - |\r\n| 1 | 2 |\r\n", ["a", "b"], [[1, 2]]),
        ("Words | more\n\n| a |\n| --- |\n", ["a"], []),
        (
            "| a | b |\n| - | - |\n| only one |\n| 1 | 2 | 3 |\n",
            ["a", "b", "column 3"],
            [["only one", "", ""], [1, 2, 3]],
        ),
    ],
)
def test_markdown_as_people_write_it(text: str, columns: list[str], rows: list[list[Any]]):
    table = READERS["markdown"](text)
    assert (table.columns, table.rows) == (columns, rows)


@pytest.mark.parametrize("line", [" " * 200_000 + "-x", "|" + " -" * 100_000 + "x", "\\" * 200_000 + "|-x"])
def test_no_line_makes_the_reader_of_markdown_slow(line: str):
    began = time.process_time()
    with pytest.raises(ActionError):
        READERS["markdown"](f"a | b\n{line}\n")
    assert time.process_time() - began < 5


CELLS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["|", "\\", "\\|", "<br>", "&#9;", "&amp;", " ", "\r", "\r\n", "true", "-0", "1.50", "`|`"]
)
NAMES = CELLS.filter(lambda name: bool(name.strip()))


@given(
    st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
        lambda names: st.tuples(st.just(names), st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names))))
    )
)
def test_any_table_goes_to_markdown_and_back_unchanged(table: tuple[list[str], list[list[str]]]):
    names, rows = table
    back = READERS["markdown"](WRITERS["markdown"](Table(names, [list(row) for row in rows])))
    assert back.columns == names
    assert [[cell_of(cell) for cell in row] for row in back.rows] == rows


@given(st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15) + 1, 10**15 - 1))
def test_numbers_and_truth_keep_their_kind_through_a_cell(value: float):
    back = value_of(cell_of(value))
    assert (type(back), back) == (type(value), value)


@given(st.lists(CELLS.filter(lambda cell: "\r" not in cell and "\0" not in cell), min_size=2, max_size=2))
def test_a_table_with_the_line_for_excel_reads_as_without(row: list[str]):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\n").writerows([["a", "b"], row])
    assert READERS["csv"](f"sep=;\n{out.getvalue()}") == READERS["csv"](out.getvalue())
