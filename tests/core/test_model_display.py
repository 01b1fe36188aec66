"""Mistakes as an author sees them: the place, the line, and a caret that stands under the right column."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.errors import Problem
from aura_core.language.display import MOST_COLUMNS, MOST_TOLD, drawn, in_short, ordered, shown


def written(folder: Path, text: str | bytes, name: str = "t.yaml") -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def problem_text(problem: Problem) -> str:
    ((_, parts),) = shown([problem])
    return "".join(text for _, text in parts)


def test_a_problem_is_shown_as_an_editor_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, "meta:\n  titel: x\n")
    problem = Problem(path, 2, 3, "unknown key 'titel'", "did you mean 'title'?", "demo/t", "one")
    assert problem_text(problem) == (
        "t.yaml:2:3: error: unknown key 'titel' [demo/t, step one]\n"
        " 2 |   titel: x\n"
        "   |   ^\n"
        "   = help: did you mean 'title'?"
    )


def test_what_is_not_known_is_left_out(tmp_path: Path):
    path = written(tmp_path, "a: 1\n")
    assert problem_text(Problem(path, 0, 0, "gone")) == f"{path}: error: gone"
    assert problem_text(Problem(path, 1, 0, "bad", step="steps[0]")) == f"{path}:1: error: bad [steps[0]]\n 1 | a: 1"
    assert problem_text(Problem(path, 9, 1, "past the end")) == f"{path}:9:1: error: past the end"
    assert problem_text(Problem("/no/such/file", 1, 1, "x")) == "/no/such/file:1:1: error: x"
    wide = written(tmp_path, "a: 1".encode("utf-16"), "w.yaml")
    assert problem_text(Problem(wide, 1, 1, "UTF-16")) == f"{wide}:1:1: error: UTF-16"


@pytest.mark.parametrize(
    ("row", "column", "line", "caret"),
    [
        ("abc", 2, "abc", 1),
        ("a\tbc", 3, "a   bc", 4),
        ("\t\tx", 3, "        x", 8),
        ("日本: x", 4, "日本: x", 5),
        ("e\u0301x", 3, "e\u0301x", 1),
        ("\U0001f44d\U0001f3fd!", 3, "\U0001f44d\U0001f3fd!", 4),
        ("abc", 4, "abc", 3),
        ("abc", 40, "abc", 3),
        ("a\x1b[31mb", 7, "a\ufffd[31mb", 6),
        ("ab" * 100, 1, "ab" * 60 + "…", 0),
        ("ab" * 100, 200, "…" + "ab" * 30, 60),
        ("x\u202ey", 3, "x\ufffdy", 2),
    ],
)
def test_the_caret_stands_under_the_character_that_is_meant(row: str, column: int, line: str, caret: int):
    assert drawn(row, column) == (line, caret)


@given(st.text("ab \t日\u0301é", max_size=300), st.integers(1, 320))
def test_however_long_a_line_is_the_caret_is_in_sight_and_right(row: str, column: int):
    line, caret = drawn(row, column)
    widths = [0 if char == "\u0301" else 2 if unicodedata.east_asian_width(char) == "W" else 1 for char in line]
    assert sum(widths) <= MOST_COLUMNS + 1
    assert caret <= MOST_COLUMNS
    wanted = row[column - 1 : column]
    if wanted.strip() and wanted != "\u0301":
        at = next(index for index in range(len(line)) if sum(widths[:index]) == caret and widths[index])
        assert line[at] == wanted


def test_a_byte_that_is_no_text_stays_in_its_column(tmp_path: Path):
    path = written(tmp_path, b"a: 1\nb: caf\xe9 x\n")
    assert problem_text(Problem(path, 2, 7, "no UTF-8")).splitlines()[1:] == [" 2 | b: caf\ufffd x", "   |       ^"]


def test_lines_are_counted_as_the_reader_of_the_file_counts_them(tmp_path: Path):
    path = written(tmp_path, "\ufeffa: 1\r\nb: 2\rc: x\u2028d: 3\n")
    assert " 3 | c: x" in problem_text(Problem(path, 3, 1, "m"))
    code = written(tmp_path, "a = '\u2028'\nb = 1\n", "a.py")
    assert " 2 | b = 1" in problem_text(Problem(code, 2, 1, "m"))


def test_problems_come_by_file_and_line_and_once(tmp_path: Path):
    first, second = written(tmp_path, "a: 1\n", "a.yaml"), written(tmp_path, "b: 1\n", "b.yaml")
    problems = [
        Problem(second, 1, 1, "x"),
        Problem(first, 2, 1, "y"),
        Problem(first, 1, 2, "z"),
        Problem(first, 2, 1, "y"),
    ]
    assert [problem.message for problem in ordered(problems)] == ["z", "y", "x"]
    assert [problem.message for problem, _ in shown(problems)] == ["z", "y", "x"]


def test_a_message_stays_in_its_line(tmp_path: Path):
    assert problem_text(Problem("a.yaml", 0, 0, "two\nlines\x07", "h\ti")) == (
        "a.yaml: error: two lines\ufffd\n   = help: h i"
    )


def test_whoever_did_not_ask_gets_the_first_mistakes_in_a_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    problems = [Problem(str(tmp_path / "a.yaml"), line, 1, f"m{line}", "h" * (line == 1)) for line in range(1, 9)]
    lines = in_short(problems)
    assert lines[0] == "a.yaml:1:1: error: m1 (h)"
    assert len(lines) == MOST_TOLD + 1
    assert lines[-1] == "3 more mistakes; `aura check` shows all of them"
    assert in_short(problems[:2]) == lines[:2]
    assert in_short([]) == []
