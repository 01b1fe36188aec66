#!/usr/bin/env bash
# pip 23.0.1 · lxml 6.1.3 · jusText 3.0.2, on Python 3.11
#
# jusText needs `lxml[html_clean]`; the metadata of lxml 6 spells that extra `html-clean`. Both are the same name by the
# rules of packaging. pip 23.0.1 compares them letter by letter: it warns in the middle of its output that lxml "does
# not provide the extra", leaves lxml_html_clean out and ends with 0. `pip check` then finds no broken requirement, and
# the import fails.
#
# A good guess would have been: either the extra is installed, or the installation, or at least `pip check`, fails.
# pip 26.3 installs it. Whoever depends on jusText (trafilatura does) and cannot choose the user's pip must name
# lxml_html_clean too.
#
# usage: bash findings/extra-spelled-two-ways.sh   (exit 0: it is still so)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

install() { # pip version: a fresh environment in $work/VERSION with jusText in it; prints what pip said
  python3 -m venv "$work/$1"
  "$work/$1/bin/python" -m pip install --quiet --disable-pip-version-check "pip==$1" 2>/dev/null
  "$work/$1/bin/python" -m pip install --disable-pip-version-check --only-binary :all: justext==3.0.2 lxml==6.1.3 2>&1
}

fail() { echo "CHANGED: $1"; exit 1; }

old=$(install 23.0.1) || fail "pip 23.0.1 does not install it any more: $old"
grep -q "lxml 6.1.3 does not provide the extra 'html_clean'" <<<"$old" || fail "pip 23.0.1 does not warn"
checked=$("$work/23.0.1/bin/python" -m pip check) || fail "pip check complains: $checked"
echo "pip 23.0.1: installed with a warning; pip check: $checked"
if "$work/23.0.1/bin/python" -c "import justext" 2>"$work/error"; then fail "the import works"; fi
grep -q "lxml_html_clean" "$work/error" || fail "the import fails otherwise: $(tail -n 1 "$work/error")"
echo "import justext: $(grep -m 1 ^ImportError "$work/error")"

new=$(install 26.3) || fail "pip 26.3 does not install it: $new"
"$work/26.3/bin/python" -c "import justext" || fail "it fails with pip 26.3 as well"
echo "pip 26.3: installed with lxml_html_clean; import justext works"
