#!/usr/bin/env bash
# webencodings 0.6.1, on Python 3.11
#
# webencodings is "the character encodings of the web" for Python: labels as in the WHATWG Encoding standard. The labels
# `gbk`, `gb2312` and `x-gbk` give Python's own codec `gbk`. In the standard GBK is decoded as gb18030: the bytes A2 E3
# are the euro sign, and characters of four bytes are read. Python's `gbk` knows neither, so a page that every browser
# shows fails, or shows replacement characters.
#
# A good guess would have been: what the library gives for a label reads what browsers read under that label. Taking
# `gb18030` for `gbk` when decoding makes it so.
#
# usage: bash findings/gbk-label-without-euro.sh   (exit 0: it is still so)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --no-deps webencodings==0.6.1 2>/dev/null
"$work/venv/bin/python" - <<'PYTHON'
import sys

import webencodings

EURO, RARE = b"\xa2\xe3", "𠮷".encode("gb18030")
for label in ("gbk", "gb2312", "x-gbk"):
    codec = webencodings.lookup(label).codec_info
    for name, raw in (("euro sign", EURO), ("four bytes", RARE)):
        text = codec.decode(raw, "replace")[0]
        print(f"{label} ({codec.name}), {name}: {text!r}; as gb18030: {raw.decode('gb18030')!r}")
        if "\ufffd" not in text:
            sys.exit("CHANGED: it is read")
PYTHON
