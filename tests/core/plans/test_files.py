"""Files of the session: written whole, read in any encoding, found, converted, never outside their folder."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.files.actions.tables import READERS, WRITERS


async def test_a_written_file_reaches_the_person(run, files: Path):
    result = await run("files/write", path="haiku.txt", text="Rain on the roof\n")
    assert result.status == "success", result.error
    assert (files / "haiku.txt").read_text("utf-8") == "Rain on the roof\n"
    assert [attachment.path for attachment in result.attachments] == [files / "haiku.txt"]
    assert result.result["path"] == "haiku.txt"


async def test_a_second_file_of_the_same_name_does_not_destroy_the_first(done, files: Path):
    await done("files/write", path="list.txt", text="one")
    second = await done("files/write", path="list.txt", text="two")
    assert second["path"] == "list (2).txt"
    assert "because there is a list.txt already" in second["message"]
    assert (files / "list.txt").read_text() == "one"
    replaced = await done("files/write", path="list.txt", text="three", replace=True)
    assert replaced["path"] == "list.txt"
    assert "replaced" in replaced["message"]
    assert sorted(path.name for path in files.iterdir()) == ["list (2).txt", "list.txt"]


async def test_writing_the_same_content_again_is_the_same_file(done, files: Path):
    await done("files/write", path="a/list.txt", text="one")
    assert (await done("files/write", path="a/list.txt", text="one"))["path"] == "a/list.txt"
    assert [path.name for path in (files / "a").iterdir()] == ["list.txt"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("Съешь ещё этих мягких французских булок, да выпей чаю".encode("cp1251"), "Съешь ещё этих мягких французских"),
        (b"one\r\ntwo", "one\ntwo"),
        (b"", ""),
    ],
)
async def test_text_is_read_in_the_encoding_it_has(done, files: Path, raw: bytes, text: str):
    (files / "x.txt").write_bytes(raw)
    read = await done("files/read", path="x.txt")
    assert read["text"].startswith(text)
    assert read["bytes"] == len(raw)


async def test_what_is_no_text_is_said_so(refused, files: Path):
    (files / "x.bin").write_bytes(b"\x00\x01\x02\xff" * 50)
    assert "not a text file" in await refused("files/read", path="x.bin")


async def test_a_wrong_name_brings_the_nearest_one(refused, files: Path):
    assert "no files yet" in await refused("files/read", path="report.txt")
    (files / "report-2026.txt").write_text("x")
    assert "Did you mean report-2026.txt?" in await refused("files/read", path="Report.txt")


@pytest.mark.parametrize(
    "path", ["a\ud800.txt", "../secret.txt", "/etc/passwd", "a/../../secret.txt", "link.txt", "C:\\x.txt", "~/../.."]
)
@pytest.mark.parametrize("task", ["files/read", "files/write", "files/append", "files/delete"])
async def test_no_path_leaves_the_folder(refused, files: Path, task: str, path: str):
    secret = files.parent / "secret.txt"
    secret.write_text("secret")
    (files / "link.txt").symlink_to(secret)
    inputs = {"path": path} | ({"text": "x"} if task in {"files/write", "files/append"} else {})
    await refused(task, **inputs)
    assert secret.read_text() == "secret"


async def test_appending_starts_a_new_line_and_keeps_what_is_there(done, files: Path):
    assert "Started" in (await done("files/append", path="list.txt", text="milk"))["message"]
    await done("files/append", path="list.txt", text="bread\n")
    await done("files/append", path="list.txt", text="eggs")
    assert (files / "list.txt").read_text("utf-8") == "milk\nbread\neggs"


async def test_lines_appended_at_the_same_time_are_all_there(done, files: Path):
    await asyncio.gather(*(done("files/append", path="log.txt", text=f"line {number}") for number in range(20)))
    assert sorted((files / "log.txt").read_text().splitlines()) == sorted(f"line {number}" for number in range(20))


async def test_appending_leaves_the_former_bytes_as_they_are(done, files: Path):
    (files / "dos.txt").write_bytes(b"\xef\xbb\xbfone\r\n")
    await done("files/append", path="dos.txt", text="two")
    assert (files / "dos.txt").read_bytes() == b"\xef\xbb\xbfone\r\ntwo"


async def test_listing_shows_every_file_and_no_hidden_one(done, files: Path):
    (files / "b.txt").write_text("b")
    (files / "sub").mkdir()
    (files / "sub" / "a.txt").write_text("aa")
    (files / ".hidden").write_text("x")
    listed = await done("files/list")
    assert [(file["path"], file["bytes"]) for file in listed["files"]] == [("b.txt", 1), ("sub/a.txt", 2)]
    assert listed["count"] == 2


async def test_files_are_found_by_name_and_by_content(done, refused, files: Path):
    (files / "prices.csv").write_text("name,price\nApple,3\nPear,4\n")
    (files / "letter.txt").write_text("Dear Ann,\nan apple a day\n")
    (files / "picture.bin").write_bytes(b"\x00apple")
    by_name = await done("files/find", name="*.csv")
    assert [file["path"] for file in by_name["files"]] == ["prices.csv"]
    by_text = await done("files/find", text="APPLE")
    assert [(file["path"], file["lines"][0]["number"]) for file in by_text["files"]] == [
        ("letter.txt", 2),
        ("prices.csv", 2),
    ]
    both = await done("files/find", name="price", text="pear")
    assert both["count"] == 1
    assert (await done("files/find", name="nothing"))["count"] == 0
    assert "needs a name" in await refused("files/find")


async def test_deleting_removes_one_file(done, refused, files: Path):
    (files / "a.txt").write_text("a")
    assert (await done("files/delete", path="a.txt"))["message"] == "Deleted a.txt."
    assert not (files / "a.txt").exists()
    assert "no file a.txt" in await refused("files/delete", path="a.txt")


async def test_converting_saves_the_table_and_hands_it_over(run, files: Path):
    (files / "prices.csv").write_text("name;price\nApple;3\n", encoding="utf-8-sig")
    result = await run("files/convert", path="prices.csv", to="json")
    assert result.status == "success", result.error
    assert result.result == {"path": "prices.json", "rows": 1, "message": "prices.csv → prices.json, 1 row."}
    assert json.loads((files / "prices.json").read_text()) == [{"name": "Apple", "price": 3}]
    assert [attachment.path.name for attachment in result.attachments] == ["prices.json"]
    markdown = await run("files/convert", path="prices.json", to="markdown", output="table.md")
    assert (files / "table.md").read_text() == "| name | price |\n| --- | --- |\n| Apple | 3 |\n"
    assert markdown.result["path"] == "table.md"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{oops}", "line 1, column 2"),
        ("a.jsonl", '{"a": 1}\nnope\n', "Line 2 is not JSON"),
        ("a.csv", 'a,b\n"x"y,2\n', "Line 2 cannot be read as CSV"),
        ("a.md", "just words", "no Markdown table"),
        ("a.json", "[]", "list is empty"),
        ("a.csv", "", "empty"),
        ("a.xyz", "hello", "not a table that can be converted"),
        ("a.json", "7", "single value"),
    ],
)
async def test_what_is_no_table_is_refused_with_the_place(refused, files: Path, name: str, content: str, message: str):
    (files / name).write_text(content)
    assert message in await refused("files/convert", path=name, to="csv" if name != "a.csv" else "json")
    assert [path.name for path in files.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.json", '[["n", "p"], ["Apple", 3]]', [{"n": "Apple", "p": 3}]),
        ("a.json", "[1, null]", [{"value": 1}, {"value": None}]),
        ("a.json", '{"page": 1, "rows": [{"n": [1, 2]}]}', [{"n": [1, 2]}]),
        ("a.json", '{"n": "Apple"}', [{"n": "Apple"}]),
        ("a.ndjson", '{"n": 1}\n\n{"m": 2}\n', [{"n": 1, "m": None}, {"n": None, "m": 2}]),
        ("a.md", "Prices:\n\n| n | p |\n|---|:-:|\n| a\\|b | 3<br>4 |\n\nEnd", [{"n": "a|b", "p": "3\n4"}]),
        ("a.csv", "n,n,\n007,1.50,true,x\n", [{"n": "007", "n 2": "1.50", "column 3": True, "column 4": "x"}]),
        ("a.csv", 'n|p\n"a|b"|2\n', [{"n": "a|b", "p": 2}]),
        ("a.tsv", "n\tp\na,b\t-0\n", [{"n": "a,b", "p": "-0"}]),
        ("table", "| n |\n| - |\n| 1 |", [{"n": 1}]),
        ("table", ' [{"n": 1}]', [{"n": 1}]),
        ("table.txt", "n;p\n1;2", [{"n": 1, "p": 2}]),
    ],
)
async def test_every_form_of_table_is_read(done, files: Path, name: str, content: str, rows: list[dict[str, object]]):
    (files / name).write_text(content)
    converted = await done("files/convert", path=name, to="json", output="out.json")
    assert json.loads((files / "out.json").read_text()) == rows
    assert converted["rows"] == len(rows)


async def test_a_table_of_too_many_columns_is_refused(refused, files: Path):
    (files / "wide.csv").write_text("a," * 1001)
    (files / "wide.json").write_text(json.dumps([{str(number): 1 for number in range(1001)}]))
    assert "at most 1,000" in await refused("files/convert", path="wide.csv", to="json")
    assert "at most 1,000" in await refused("files/convert", path="wide.json", to="csv")


async def test_a_folder_is_no_file(refused, files: Path):
    (files / "sub").mkdir()
    assert "is a folder" in await refused("files/read", path="sub")
    assert "is a folder" in await refused("files/write", path="sub", text="x")
    (files / "a.txt").write_text("x")
    assert "cannot be written" in await refused("files/write", path="a.txt/b.txt", text="x")
    assert [path.name for path in sorted(files.iterdir())] == ["a.txt", "sub"]


async def test_a_name_that_the_disk_refuses_is_explained(refused, files: Path):
    assert "cannot be used: File name too long" in await refused("files/write", path="n" * 300, text="x")
    assert list(files.iterdir()) == []


async def test_a_form_that_does_not_exist_is_refused_before_anything_runs(refused, files: Path):
    (files / "a.csv").write_text("a\n1\n")
    assert "jsonl" in await refused("files/convert", path="a.csv", to="xlsx")


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)
NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(
    st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
        lambda names: st.tuples(
            st.just(names), st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=5)
        )
    )
)
def test_csv_through_any_other_form_is_the_same_csv(table: tuple[list[str], list[list[str]]]):
    names, rows = table
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([names, *rows])
    first = READERS["csv"](out.getvalue())
    text = WRITERS["csv"](first)
    for form in ("tsv", "json", "jsonl"):
        if first.rows:
            assert WRITERS["csv"](READERS[form](WRITERS[form](first))) == text
