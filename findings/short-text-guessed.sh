#!/usr/bin/env bash
# charset-normalizer 3.5.2 · chardet 7.7.0, on Python 3.11
#
# A short text in Windows-1252, such as a price list of two lines with ö, ä and €. Both libraries weigh every encoding
# that ever was, and a few letters are too little for that: charset-normalizer takes it for a DOS code page of the
# Baltic states (cp775) and `café` for UTF-16; chardet takes it for a DOS code page for Hebrew (cp862). Neither is
# an error: the text is decoded, with other letters in it.
#
# A good guess would have been: Windows-1252, which browsers take for such bytes. chardet finds it when it is told which
# encodings programs still write (`include_encodings`); charset-normalizer, told the same (`cp_isolation`), does not.
#
# usage: bash findings/short-text-guessed.sh   (exit 0: it is still so)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --no-deps charset-normalizer==3.5.2 chardet==7.7.0 2>/dev/null
"$work/venv/bin/python" - <<'PYTHON'
import sys

import chardet
import charset_normalizer

PRICES = "Artikel;Preis\nBrötchen;0,45 €\nKäse;3,20 €\n".encode("cp1252")
CAFE = "café".encode("cp1252")
TODAY = ["windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1257"]


def expect(what: str, found: object, so_far: object) -> None:
    print(f"{what}: {found}")
    if found != so_far:
        sys.exit(f"CHANGED: {what} was {so_far}")


def of_normalizer(raw: bytes, **options: object) -> object:
    best = charset_normalizer.from_bytes(raw, **options).best()
    return best and best.encoding


expect("charset-normalizer, the prices", of_normalizer(PRICES), "cp775")
expect("charset-normalizer, café", of_normalizer(CAFE), "utf_16_be")
expect("chardet, the prices", chardet.detect(PRICES)["encoding"], "cp862")
expect(
    "chardet among today's, the prices",
    chardet.detect(PRICES, include_encodings=TODAY, no_match_encoding="windows-1252")["encoding"],
    "Windows-1252",
)
PYTHON
