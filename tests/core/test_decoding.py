"""Texts that do not say their encoding: what is known of short and old ones, and what a label is worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.data.decoding import decode_text

SHORT = [
    *(
        ("cp1252", text)
        for text in (
            "Artikel;Preis\nBrötchen;0,45 €\nKäse;3,20 €\n",
            "Grüße aus Köln",
            "Müller",
            "café",
            "Le café est fermé, où êtes-vous ? C’est très gênant.",
            "déjà vu: crème brûlée",
            "Mañana iré a la montaña con el niño.",
            "año;precio\npiñata;3\n",
            "perché è così caro? 3 €",
            "È già più tardi, perché no?",
            "Não há pão. Ação e reação.",
            "Räksmörgås på ön",
            "Kæreste Åse",
            "It’s a “test” – really…",
            "Price: £5",
            "21°C",
            "5 €",
            "© 2024",
            "naïve",
        )
    ),
    *(
        ("cp1250", text)
        for text in ("Zażółć gęślą jaźń", "Święta w Łodzi", "Łódź", "Dvořák", "Příliš žluťoučký kůň", "Árvíztűrő")
    ),
    *(
        ("cp1251", text)
        for text in ("молоко", "да", "Товар;Цена\nЧай;100\nКофе;250\n", "Купить молоко, позвонить Анне", "їжа")
    ),
    ("koi8-r", "Купить молоко и хлеб, позвонить Анне."),
    ("cp1253", "Καλημέρα, τι κάνεις σήμερα;"),
    ("cp1255", "שלום עולם, מה שלומך היום"),
    ("cp1256", "مرحبا بالعالم كيف حالك"),
    *(("gb18030", text) for text in ("你好", "名称,价格\n茶,3\n", "买牛奶", "iPhone手机壳")),
    *(("big5", text) for text in ("今天天氣很好，我們去公園吧。", "名稱,價格")),
    *(("cp932", text) for text in ("お茶", "名前,値段", "今日は天気がいいですね。")),
    ("euc-jp", "今日は天気がいいですね。"),
    *(("cp949", text) for text in ("안녕", "이름,가격")),
    ("cp850", "Brötchen und Käse, Grüße, schöne Straße"),
]


@pytest.mark.parametrize(("encoding", "text"), SHORT)
def test_a_short_text_in_an_old_encoding_is_read(encoding: str, text: str):
    found = decode_text(text.encode(encoding))
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("text", ["Price: £5", "naïve", "año;precio\npiñata;3\n"])
def test_a_guess_that_could_as_well_be_another_is_not_certain(text: str):
    found = decode_text(text.encode("cp1252"))
    assert found is not None
    assert not found.certain


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8-sig", ""), ("utf-16", ""), ("utf-16-be", "\ufeff"), ("utf-32", ""), ("utf-8", "")]
)
def test_unicode_is_known_by_its_mark_or_by_itself(encoding: str, mark: str):
    found = decode_text((mark + "Привет, 你好, €").encode(encoding))
    assert found is not None
    assert (found.text.removeprefix("\ufeff"), found.certain) == ("Привет, 你好, €", True)


@pytest.mark.parametrize(
    "raw",
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\0" * 50, b"text\0more", b"\x1f\x8b\x08\x02\xff\xfe\xfd", bytes(range(256))],
)
def test_what_is_no_text_is_none(raw: bytes):
    assert decode_text(raw) is None


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        # labels of the WHATWG standard mean what browsers make of them
        ("iso-8859-1", "cp1252", "“quoted” – 5 €"),
        ("latin1", "cp1252", "5 €"),
        ("ascii", "cp1252", "café"),
        (" UTF8 ", "utf-8", "Привет"),
        ("x-cp1251", "cp1251", "Привет"),
        ("gb2312", "gb18030", "你好𠮷"),
        ("x-gbk", "gb18030", "€"),
        ("shift-jis", "cp932", "①お茶"),
        ("ms_kanji", "cp932", "お茶"),
        ("ks_c_5601-1987", "cp949", "안녕"),
        ("big5-hkscs", "big5hkscs", "名稱"),
        ("iso-8859-9", "cp1254", "güneş"),
        ("windows-874", "cp874", "สวัสดี"),
        ("tis-620", "cp874", "สวัสดี"),
        ("dos-874", "cp874", "สวัสดี"),
        ("koi8-ru", "koi8-u", "їжа"),
        ("logical", "iso-8859-8", "שלום"),
        ("macintosh", "mac_roman", "café"),
        ("utf-16", "utf-16-le", "Привет"),
        ("unicode-1-1-utf-8", "utf-8", "Привет"),
    ],
)
def test_a_label_means_what_browsers_make_of_it(label: str, encoding: str, text: str):
    found = decode_text(text.encode(encoding), label)
    assert found is not None
    assert (found.text, found.certain) == (text, True)


@pytest.mark.parametrize("label", ["", "no-such-charset", "iso-2022-kr", "utf-7", "base64", "rot13", "idna"])
def test_a_label_that_browsers_do_not_know_counts_for_nothing(label: str):
    found = decode_text("Привет, мир".encode(), label)
    assert found is not None
    assert found.text == "Привет, мир"


def test_a_label_that_the_bytes_contradict_is_passed_over():
    for labels in (["utf-8"], ["utf-8", "windows-1251"], ["shift_jis", "utf-8"], ["euc-kr"]):
        raw = ("Купить молоко и хлеб, позвонить Анне.").encode("cp1251")
        found = decode_text(raw, *labels)
        assert found is not None
        assert found.text == raw.decode("cp1251")


def test_a_broken_letter_here_and_there_contradicts_nothing():
    raw = "Купить молоко и хлеб".encode() + b"\xff" + ", позвонить Анне".encode()
    found = decode_text(raw, "utf-8")
    assert found is not None
    assert found.text == "Купить молоко и хлеб\ufffd, позвонить Анне"


@pytest.mark.parametrize(
    ("encoding", "label"), [("utf-8", ""), ("utf-8", "utf-8"), ("gb18030", "gbk"), ("cp932", "sjis")]
)
def test_a_text_that_was_cut_in_the_middle_of_a_letter_is_read(encoding: str, label: str):
    raw = ("お茶" * 30).encode(encoding)
    for end in range(len(raw) - 3, len(raw)):
        found = decode_text(raw[:end], label, cut=True)
        assert found is not None
        assert ("お茶" * 30).startswith(found.text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_utf_8_is_always_read_as_it_is(text: str):
    found = decode_text(text.encode(), "")
    assert found is not None
    assert found.text == text.removeprefix("\ufeff")


@given(
    st.binary(max_size=200),
    st.sampled_from(["", "utf-8", "gbk", "shift_jis", "iso-2022-jp", "x-user-defined"]),
    st.booleans(),
)
def test_any_bytes_are_read_or_refused(raw: bytes, label: str, cut: bool):
    found = decode_text(raw, label, cut=cut)
    assert found is None or isinstance(found.text, str)
