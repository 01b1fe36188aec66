"""Reading YAML files of plans: strict values, exact places, and every way a file can be wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aura_core.errors import DefinitionError, Problem
from aura_core.language.source import MAX_BYTES, Source
from aura_core.language.yaml_nodes import YamlError, build, compose


def load(text: str) -> Any:
    return build(compose(text))


def mistake(text: str) -> YamlError:
    with pytest.raises(YamlError) as caught:
        load(text)
    return caught.value


def refused(path: Path) -> Problem:
    with pytest.raises(DefinitionError) as caught:
        Source.read(path).load()
    (problem,) = caught.value.problems
    return problem


def test_values_follow_the_core_schema_of_yaml_1_2():
    text = """
on: yes
off: no
012: 12:30
date: 2026-11-21
float: .5
exponent: 1e3
infinite: -.inf
octal: 0o17
hex: 0x1F
negative: -7
nothing: ~
empty:
quoted: '1'
"null": null
true: True
list: [1, -2.5, false, text]
plain: https://example.org/a:b
"""
    assert load(text) == {
        "on": "yes",
        "off": "no",
        "012": "12:30",
        "date": "2026-11-21",
        "float": 0.5,
        "exponent": 1000.0,
        "infinite": float("-inf"),
        "octal": 15,
        "hex": 31,
        "negative": -7,
        "nothing": None,
        "empty": None,
        "quoted": "1",
        "null": None,
        True: True,
        "list": [1, -2.5, False, "text"],
        "plain": "https://example.org/a:b",
    }
    assert str(load(".nan")) == "nan"
    assert load("") is None


def test_anchors_and_merge_keys_work():
    text = "base: &b {a: 1, b: 2}\nx: {<<: *b, b: 3}\ny: {<<: [*b, {c: 4}]}\nz: {'<<': 1}\n"
    assert load(text) == {
        "base": {"a": 1, "b": 2},
        "x": {"a": 1, "b": 3},
        "y": {"a": 1, "b": 2, "c": 4},
        "z": {"<<": 1},
    }


def test_it_reads_what_pyyaml_reads():
    text = "a:\n  - 1\n  - b: x\n    c: |\n      two\n      lines\n  - null\nd: 'it''s'\n"
    assert load(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("a: 1\n\tb: 2", 2, 1, "a tab is used to indent", "replace the tab"),
        ("a:\n  \t- b", 2, 3, "a tab is used to indent", "replace the tab"),
        ("a: {{ x }}", 1, 5, "a key must be a name", "quote it"),
        ("{[1]: 2}", 1, 2, "a key must be a name", "quote it"),
        ("a: b: c", 1, 5, "mapping values are not allowed", "in quotes"),
        ("a: @x", 1, 4, "a value cannot begin with @", "in quotes"),
        ("a: 'x", 1, 6, "unexpected end of stream", "while scanning a quoted scalar"),
        ("a: *nope", 1, 4, "there is no such anchor", "&name"),
        ("a: 1\nb: 2\na: 3", 3, 1, "the key 'a' is there twice", "remove one"),
        ("a: &a [*a]", 1, 4, "an anchor is used inside itself", "write the value out"),
        (
            "x: !!python/object:os.system {}",
            1,
            4,
            "tag:yaml.org,2002:python/object:os.system is not allowed",
            "plain values",
        ),
        ("x: !secret abc", 1, 4, "!secret is not allowed", "plain values"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document begins here", "a file of each"),
        ("é: \x07", 1, 4, "U+0007 cannot stand in a file of text", "remove it"),
        ("b: {<<: 5}", 1, 9, "<< merges mappings only", "alias"),
        ("a: " + "9" * 5000, 1, 4, "digits at most", "quote it"),
        ("- " * 150 + "a", 1, 201, "more than 100 levels", "flatter"),
        ("- [a, b", 2, 1, "did not find expected", "while parsing a flow"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, line: int, column: int, message: str, hint: str):
    error = mistake(text)
    assert message in error.message
    assert hint in error.hint
    assert (error.line, error.column) == (line, column)


def test_a_bomb_of_anchors_is_refused_before_it_grows():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "more than 100,000 values" in mistake("\n".join(lines)).message


def test_a_hundred_thousand_brackets_do_not_end_the_process(tmp_path: Path):
    script = "from aura_core.language.yaml_nodes import *\n"
    script += "for text in ('[' * 100000 + ']' * 100000, '- ' * 100000 + 'a', '{a: ' * 100000 + '}' * 100000):\n"
    script += " try:\n  build(compose(text))\n except YamlError as error:\n  print(error.message)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.count("nested more than 100 levels deep") == 3


def test_depth_is_told_whichever_way_it_is_written():
    assert "more than 100 levels" in mistake("[" * 300 + "]" * 300).message
    assert "more than 100 levels" in mistake("\n".join(" " * n + "a:" for n in range(150))).message
    assert load('a: "' + "[" * 300 + '"\nb: [[1]]') == {"a": "[" * 300, "b": [[1]]}


def test_a_byte_order_mark_is_fine(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\n")
    assert Source.read(path).load() == {"a": "é"}


def test_other_encodings_are_explained(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    problem = refused(path)
    assert (problem.line, problem.column) == (2, 7)
    assert "0xe9 is not UTF-8" in problem.message
    path.write_bytes("a: 1".encode("utf-16"))
    assert "UTF-16" in refused(path).message


def test_files_that_are_missing_or_too_large_are_explained(tmp_path: Path):
    assert "cannot be read: No such file" in refused(tmp_path / "none.yaml").message
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: " + b"x" * MAX_BYTES)
    problem = refused(path)
    assert "bytes" in problem.message
    assert "split it" in problem.hint


TEXT = """\
meta:
  title: x
steps:
  - action: one
    params:
      text: "say {{ wrong }}"
      long: |
        first
          second {{ wrong }}
  - &two {stop: plain}
  - *two
"""


@pytest.mark.parametrize(
    ("place", "key", "offset", "expected"),
    [
        ((), False, 0, (1, 1)),
        (("meta", "title"), False, 0, (2, 10)),
        (("meta", "title"), True, 0, (2, 3)),
        (("meta", "missing"), False, 0, (2, 3)),
        (("meta", "missing"), True, 0, (1, 1)),
        (("steps", 0, "params", "text"), False, 0, (6, 13)),
        (("steps", 0, "params", "text"), False, 7, (6, 21)),
        (("steps", 0, "params", "long"), False, 18, (9, 21)),
        (("steps", 0, "params", "long"), False, 500, (10, 9)),
        (("steps", 1, "stop"), False, 2, (10, 19)),
        (("steps", 2, "stop"), False, 0, (10, 17)),
        (("steps", 9), False, 0, (4, 3)),
        (("steps", "x"), False, 0, (4, 3)),
        (("steps", 0), True, 5, (4, 5)),
    ],
)
def test_every_place_has_a_line_and_a_column(place: tuple[str | int, ...], key: bool, offset: int, expected: object):
    assert Source(Path("t.yaml"), TEXT).position(place, key=key, offset=offset) == expected


def test_an_empty_file_has_a_first_line():
    assert Source(Path("t.yaml"), "").position(("a",)) == (1, 1)
