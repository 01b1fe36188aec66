#!/usr/bin/env bash
# pip 23.2.1 (what the venv of Python 3.11.7 brings) · pytest-cov 7.1.0 · coverage 7.17.0, on Python 3.11
#
# A lock that pins everything with hashes: `pytest-cov==7.1.0`, `coverage==7.17.0`, and what they need. pytest-cov asks
# for `coverage[toml]>=7.10.6`. pip 23.2.1 in `--require-hashes` mode holds that against the pin only if the pinned
# release is the newest of the index; with a newer one beside it pip takes that, finds no hash for it and stops:
# "all requirements must have their versions pinned with ==". So the same lock, which names all versions, works on the
# day it is made and fails on every machine once somebody releases a package that is asked for with an extra.
#
# A good guess would have been: a pin holds, whatever else the index has. pip 26.3 keeps to it. With `--no-deps`, which
# a complete lock allows, pip 23.2.1 installs it as well.
#
# usage: bash findings/locked-extra-expires.sh   (exit 0: it is still so)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "CHANGED: $1"; exit 1; }

python3 -m venv "$work/venv"
pip() { "$work/venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pip install --quiet pip==26.3 2>/dev/null
for package in pytest-cov==7.1.0 coverage==7.17.0 pytest==9.2.0 pluggy==1.6.0 iniconfig==2.1.0 packaging==25.0 pygments==2.19.2; do
  pip download --quiet --no-deps --only-binary :all: --dest "$work/wheels" "$package" 2>/dev/null
done
for wheel in "$work"/wheels/*.whl; do
  name=$(basename "$wheel")
  echo "$(cut -d- -f1 <<<"$name")==$(cut -d- -f2 <<<"$name") --hash=sha256:$(sha256sum "$wheel" | cut -d' ' -f1)"
done >"$work/complete.lock"
echo "the lock:"; cut -d' ' -f1 "$work/complete.lock" | sed 's/^/  /'

install() { pip install --require-hashes --only-binary :all: --target "$work/target-$RANDOM" "$@" -r "$work/complete.lock" 2>&1; }

install >/dev/null || fail "pip 26.3 refuses the lock"
echo "pip 26.3: installed"
pip install --quiet pip==23.2.1 2>/dev/null
install --no-index --find-links "$work/wheels" >/dev/null || fail "pip 23.2.1 refuses it where nothing newer exists"
echo "pip 23.2.1, nothing newer in the index: installed"
if said=$(install); then fail "pip 23.2.1 installs it"; fi
grep -q "all requirements must have their versions pinned" <<<"$said" || fail "pip 23.2.1 fails otherwise: $(tail -n 1 <<<"$said")"
echo "pip 23.2.1: $(grep -A1 'must have their versions pinned' <<<"$said" | tr -s ' \n' ' ' | cut -c1-160)"
install --no-deps >/dev/null || fail "pip 23.2.1 refuses it with --no-deps as well"
echo "pip 23.2.1 --no-deps: installed"
