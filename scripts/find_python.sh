#!/usr/bin/env bash
# Prints the Python that Aura is set up with: the one that PYTHON names, else that of .venv, else the first of the
# usual names that really runs (a version manager's shim may exist and not run) and fits. If none fits it says what it
# found and what to do, and ends with 1; nothing is made or fetched before.
# usage: [PYTHON=/path/to/python3] bash scripts/find_python.sh
set -uo pipefail
oldest=3.11 # tests/unit/test_locks.py holds both against pyproject.toml and the wheels that exist
newest=3.14

# Also runs on Python 2.7. Packages have no wheels for 32 bits, other implementations and builds without the GIL.
ask='
import struct, sys, sysconfig
kind = getattr(getattr(sys, "implementation", None), "name", "pypy" if "PyPy" in sys.version else "cpython")
gil = "without-gil" if sysconfig.get_config_var("Py_GIL_DISABLED") else "gil"
print("%d.%d.%d %s %d-bit %s" % (tuple(sys.version_info[:3]) + (kind, struct.calcsize("P") * 8, gil)))
'

misfit() { # what a Python said of itself: prints why it does not fit, nothing if it does
  local version=$1 kind=$2 bits=$3 gil=$4 minor
  minor=${version#*.}
  minor=${minor%%.*}
  if [[ ${version%%.*} != 3 ]] || ((minor < ${oldest#*.})); then echo "is older than $oldest"
  elif ((minor > ${newest#*.})); then echo "is newer than $newest: not all pinned packages have wheels for it yet"
  elif [[ $kind != cpython ]]; then echo "is $kind: the pinned packages have wheels for CPython only"
  elif [[ $bits != 64-bit ]]; then echo "is a $bits build: the pinned packages have wheels for 64 bits only"
  elif [[ $gil != gil ]]; then echo "is a free-threaded build: not all pinned packages have wheels for it"
  fi
}

found=()
if [[ -n ${PYTHON:-} ]]; then
  candidates=("$PYTHON")
else
  candidates=(.venv/bin/python python3 python3.14 python3.13 python3.12 python3.11)
fi
for candidate in "${candidates[@]}"; do
  if ! command -v "$candidate" >/dev/null 2>&1; then
    [[ -z ${PYTHON:-} ]] || found+=("$candidate does not exist or is no program")
    continue
  fi
  said=$("$candidate" -c "$ask" 2>/dev/null </dev/null) || said=""
  if [[ ! $said =~ ^[0-9]+\.[0-9]+\.[0-9]+\ [a-z]+\ [0-9]+-bit\ [a-z-]+$ ]]; then
    found+=("$candidate ($(command -v "$candidate")) does not run")
    continue
  fi
  read -r version kind bits gil <<<"$said"
  why=$(misfit "$version" "$kind" "$bits" "$gil")
  if [[ -z $why ]]; then
    command -v "$candidate"
    exit 0
  fi
  found+=("$candidate ($(command -v "$candidate")) is Python $version, which $why")
done

{
  if [[ -n ${PYTHON:-} ]]; then
    echo "The Python that was named does not fit: ${found[0]}."
  else
    echo "No Python that fits was found. Aura needs CPython $oldest to $newest (64-bit, not free-threaded). Here is:"
    ((${#found[@]})) || echo "  no python3 at all"
    for line in ${found[@]+"${found[@]}"}; do echo "  $line"; done
  fi
  echo "Install Python $oldest to $newest, or name one that you have: make setup PYTHON=/path/to/python3"
} >&2
exit 1
