"""Files that are no plans, or plans that attack: each is told in words, with its place, and costs next to nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aura_core.errors import Problem
from aura_core.generations.plan_loading import check_folders


def problems_of(folder: Path, data: bytes, name: str = "tasks/t.yaml") -> list[Problem]:
    path = folder / "p" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "p" / "plan.yaml").touch()
    path.write_bytes(data)
    return asyncio.run(check_folders([folder])).problems


BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, 12)
)
MERGE_BOMB = (
    b"a0: &a0 {"
    + b", ".join(b"k%d: 1" % index for index in range(500))
    + b"}\n"
    + b"".join(
        b"a%d: &a%d {<<: [%s]}\n" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 20)) for level in range(1, 8)
    )
)
FILES: dict[str, tuple[bytes, int, int, str]] = {
    "nothing": (b"", 1, 1, "the file is empty"),
    "a remark only": (b"# later\n", 1, 1, "the file is empty"),
    "a list": (b"- 1\n", 1, 1, "a task file is a mapping"),
    "a text": (b"hello", 1, 1, "a task file is a mapping"),
    "a list for steps": (b"steps: {a: 1}", 1, 8, "a list (`- item`) is wanted"),
    "a list for meta": (b"meta: [1]\nsteps: []", 1, 7, "a mapping (`key: value`) is wanted"),
    "several documents": (b"steps: []\n---\nsteps: []\n", 2, 1, "a second document begins here"),
    "more after the end": (b"steps: []\n...\nx", 3, 1, "this does not go on from the lines above"),
    "another YAML": (b"%YAML 9.9\n---\nsteps: []", 1, 1, "incompatible YAML"),
    "a tab": (b"steps:\n\t- {stop: x}", 2, 1, "a tab is used to indent"),
    "NUL": ("steps: [{stop: é\0}]".encode(), 1, 17, "U+0000 cannot stand in a file of text"),
    "zeros": (b"\0" * 5000, 1, 1, "U+0000 cannot stand"),
    "UTF-16": ("steps: []".encode("utf-16"), 1, 1, "the file is UTF-16"),
    "UTF-16 without its mark": ("steps: []".encode("utf-16-le"), 1, 2, "U+0000 cannot stand"),
    "UTF-32": ("steps: []".encode("utf-32"), 1, 1, "the file is UTF-32"),
    "Latin-1": (b"steps:\n  - {stop: \xe6\x97\xa5 caf\xe9}", 2, 17, "the byte 0xe9 is not UTF-8"),
    "Latin-1 behind a mark": (b"\xef\xbb\xbfsteps: caf\xe9", 1, 11, "the byte 0xe9 is not UTF-8"),
    "half a character": (b"steps: [{stop: \xed\xa0\x80}]", 1, 16, "the byte 0xed is not UTF-8"),
    "an archive": (b"\x1f\x8b\x08\x00\x00", 1, 2, "the byte 0x8b is not UTF-8"),
    "a key twice": (b"steps: []\nsteps: []", 2, 1, "the key 'steps' is there twice"),
    "a key twice, once in quotes": (b'a: {steps: []}\n"a": {steps: []}', 2, 1, "the key 'a' is there twice"),
    "true as a name": (b"true:\n  steps: []\n", 1, 1, "True cannot be the name of a task"),
    "nothing as a name": (b"a: {steps: []}\n~: {steps: []}\n", 2, 1, "None cannot be the name of a task"),
    "a fraction as a name": (b"1.5: {steps: []}\n", 1, 1, "1.5 cannot be the name of a task"),
    "no letter as a name": (b'"": {steps: []}\n', 1, 1, "'' cannot be the name of a task"),
    "a mistake under a number": (b"1: {steps: [{acton: x}]}", 1, 13, "unknown key 'acton'"),
    "a merge of no mapping": (b"steps: [{<<: [1], stop: x}]", 1, 14, "<< merges mappings only"),
    "a merge of itself": (b"a: &a\n  <<: *a\n  steps: []", 1, 4, "an anchor is used inside itself"),
    "an anchor in itself": (b"steps: &a [*a]", 1, 8, "an anchor is used inside itself"),
    "an alias of nothing": (b"steps: [*a]", 1, 9, "there is no such anchor"),
    "an id by alias": (b"steps: [&a {id: q, stop: x}, *a]", 1, 17, "the id 'q' is there twice"),
    "code": (b'steps: [{stop: !!python/object/apply:os.system ["id"]}]', 1, 16, "is not allowed"),
    "bytes": (b"steps: [{stop: !!binary aGVsbG8=}]", 1, 16, "is not allowed"),
    "brackets": (b"steps: " + b"[" * 10_000 + b"]" * 10_000, 1, 107, "more than 100 levels deep"),
    "braces": (b"{a: " * 10_000, 1, 401, "more than 100 levels deep"),
    "dashes": (b"- " * 10_000, 1, 201, "more than 100 levels deep"),
    "steps": (b"".join(b" " * index + b"a:\n" for index in range(500)), 101, 101, "more than 100 levels deep"),
    "a bomb": (BOMB, 1, 5, "its anchors multiply into more than 100,000 values"),
    "a bomb of merges": (MERGE_BOMB, 1, 5, "its anchors multiply into more than 100,000 values"),
    "ten megabytes": (b"steps: [{stop: '" + b"x" * 10_000_000 + b"'}]", 0, 0, "the file has 10,000,019 bytes"),
    "a megabyte of brackets": (b"[" * 1_000_000, 1, 101, "more than 100 levels deep"),
    "a megabyte of expressions": (b"steps: [{stop: '" + b"{{ x }}" * 150_000 + b"'}]", 1, 16, "100,000 characters"),
    "an endless number": (b"steps: [{for: " + b"9" * 5000 + b", do: []}]", 1, 15, "4,000 digits at most"),
    "a jump to nowhere": (b"steps: [{id: one, stop: x}, {go_step: onee}]", 1, 39, "no step with the id 'onee'"),
    "a jump to two places": (b"steps: [{id: a, stop: x}, {id: a, stop: y}, {go_step: a}]", 1, 32, "'a' is there twice"),
    "an endless loop": (b"steps: [{while: true, max_iterations: 99999999, do: []}]", 1, 39, "10000000 or less"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_bad_task_file_is_told_in_one_sentence_with_its_place(tmp_path: Path, name: str):
    data, line, column, message = FILES[name]
    (problem,) = problems_of(tmp_path, data)
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)
    assert len(problem.message) < 300


@pytest.mark.parametrize("name", ["plan.yaml", "states.yaml", "interrupts.yaml", "config.yaml"])
@pytest.mark.parametrize("data", [b"- 1", b"5: [", b"a: 1\na: 2", b"\xff", BOMB, b"a: !!set {b}", b"[" * 9999, b"\0"])
def test_every_other_file_of_a_plan_is_read_as_carefully(tmp_path: Path, name: str, data: bytes):
    (problem,) = problems_of(tmp_path, data, name)
    assert problem.path.endswith(name)
    assert problem.message


@pytest.mark.parametrize(
    "data",
    [
        b"on: {steps: []}\nyes: {steps: []}\n1: {steps: []}\noff/no: {steps: []}\n",
        b"\xef\xbb\xbfsteps: []\r\n",
        b"steps:\r  - {stop: x}\r",
        b"steps: [&a {stop: x}, *a]",
        b"base: &base\n  steps: [{stop: x}]\nmore:\n  <<: *base\n  returns: 1\n",
        b"%YAML 1.1\n---\nsteps: []\n...\n",
        b"steps: [{stop: '" + b"x" * 1_900_000 + b"'}]",
    ],
)
def test_what_only_looks_odd_is_taken(tmp_path: Path, data: bytes):
    assert problems_of(tmp_path, data) == []


@pytest.mark.slow
def test_nobody_reads_ten_thousand_mistakes(tmp_path: Path):
    steps = b"".join(b"  - {id: s%d, go_step: t%d}\n" % (index, index) for index in range(2000))
    problems = problems_of(tmp_path, b"steps:\n" + steps)
    assert len(problems) == 201
    assert problems[0].message == "there are more mistakes in this task"
    assert "there is no step with the id 't0'" in problems[1].message
    broken = problems_of(tmp_path, b"steps:\n" + b"  - {stp: x}\n" * 2000)
    assert len(broken) == 201
