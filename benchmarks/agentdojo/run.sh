#!/usr/bin/env bash
# The suites of AgentDojo against what stands before Aura's steps and tool calls, with a model that obeys every attacker.
#
# Installs agentdojo in a temporary folder, outside the project's locks and without the clients of model servers that it
# names: no model and no key is needed. Prints the table of docs/security.md.
#
# usage: bash benchmarks/agentdojo/run.sh   (exit 0: no effect that nobody allowed)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip --no-deps agentdojo==0.1.35
pip deepdiff==9.1.0 docstring-parser==0.18.0 'pydantic[email]==2.13.5' pyyaml==6.0.3
cd "$work"
PYTHONPATH="$root" PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" "$root/benchmarks/agentdojo/measure.py"
