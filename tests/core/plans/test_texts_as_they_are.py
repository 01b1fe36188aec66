"""Text files of any origin: what stood in them stays, and their names are one name however they are spelt."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from aura_core.api import ActionError
from plans.aura_base.services.text_files import TextFiles

SALE = "Товар;Цена\nЧай;100\nКофе;250\nМолоко;90\nХлеб;40\n"


@pytest.fixture
def service() -> TextFiles:
    return TextFiles(lambda _name, default: default)


@pytest.mark.parametrize(
    ("raw", "added", "encoding"),
    [
        (SALE.encode("cp1251"), "Сахар;70", "cp1251"),
        ("Artikel;Preis\nBrötchen;0,45 €\nKäse;3,20 €\n".encode("cp1252"), "Milch;1,10", "cp1252"),
        ("Price: £5\n".encode("cp1252"), "plain letters", "ascii"),
        ("Grüße\n".encode("utf-16"), "Käse €", "utf-16-le"),
        ("\ufeffGrüße\n".encode("utf-16-be"), "Käse €", "utf-16-be"),
        ("Grüße\n".encode("utf-8-sig"), "Käse 你好", "utf-8"),
        ("名称,价格\n茶,3\n".encode("gb18030"), "plain letters", "gb18030"),
        (b"", "Käse", "utf-8"),
    ],
)
def test_what_stood_in_a_file_stays_and_the_rest_is_added_in_its_encoding(
    service: TextFiles, tmp_path: Path, raw: bytes, added: str, encoding: str
):
    (tmp_path / "a.txt").write_bytes(raw)
    service.append(tmp_path, "a.txt", added)
    assert (tmp_path / "a.txt").read_bytes() == raw + added.encode(encoding)


@pytest.mark.parametrize(
    ("raw", "added", "said"),
    [
        ("Price: £5\n".encode("cp1252"), "Käse", "cannot be told for sure in which encoding a.txt is"),
        (SALE.encode("cp1251"), "✓ 茶", "which has no '✓'"),
    ],
)
def test_a_weak_guess_is_not_written_with(service: TextFiles, tmp_path: Path, raw: bytes, added: str, said: str):
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(ActionError, match=said) as caught:
        service.append(tmp_path, "a.txt", added)
    assert "under another name" in str(caught.value)
    assert (tmp_path / "a.txt").read_bytes() == raw


NAMES = ["Übersicht.csv", "Ångström.txt", "ёлка.txt", "が.txt", "한국.txt", "Tiếng Việt.md", "Ünter/Über.txt"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("stored", "asked"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_a_name_is_one_name_composed_or_decomposed(
    service: TextFiles, tmp_path: Path, name: str, stored: str, asked: str
):
    path = tmp_path / unicodedata.normalize(stored, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("a,b\n1,2")
    wanted = unicodedata.normalize(asked, name)
    assert service.read(tmp_path, wanted).text == "a,b\n1,2"
    service.append(tmp_path, wanted, "3,4")
    assert service.write(tmp_path, wanted, "x").existed
    assert service.write(tmp_path, wanted, "y", "rename").path == path.with_name(f"{path.stem} (2){path.suffix}")
    assert service.delete(tmp_path, wanted) == path
    assert [each.name for each in service.walk(tmp_path)] == [f"{path.stem} (2){path.suffix}"]


def test_a_new_name_is_written_composed(service: TextFiles, tmp_path: Path):
    service.write(tmp_path, unicodedata.normalize("NFD", "Über/Größe.txt"), "x")
    assert (tmp_path / "Über" / "Größe.txt").is_file()


def test_two_files_that_differ_only_in_that_are_both_reached(service: TextFiles, tmp_path: Path):
    for form in ("NFC", "NFD"):
        (tmp_path / unicodedata.normalize(form, "ü.txt")).write_text(form)
    for form in ("NFC", "NFD"):
        assert service.read(tmp_path, unicodedata.normalize(form, "ü.txt")).text == form


async def test_names_and_words_are_shown_and_found_however_they_are_spelt(done, files: Path):
    (files / unicodedata.normalize("NFD", "Übersicht.txt")).write_text(unicodedata.normalize("NFD", "Grüße aus Köln"))
    for form in ("NFC", "NFD"):
        assert (await done("files/find", text=unicodedata.normalize(form, "köln")))["count"] == 1
        assert (await done("files/find", name=unicodedata.normalize(form, "über")))["count"] == 1
    assert (await done("files/list"))["files"][0]["path"] == unicodedata.normalize("NFC", "Übersicht.txt")
