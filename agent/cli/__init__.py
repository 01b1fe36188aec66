"""`aura …`: the command line, one module per group of commands; `command_line` puts them together.

Exit codes and `--json` shapes are an interface (docs/operations.md): 0 done or answered, 1 failed, 2 needs an answer,
130 stopped with Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

STOPPED = 130


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; prints a message instead of raising.

    Args:
        arguments: without the program's name.
    """
    try:
        from agent.cli.command_line import run_words
    except KeyboardInterrupt:  # nobody stands around what is imported first
        sys.stderr.write("Stopped.\n")
        return STOPPED
    return run_words(arguments)


def main() -> None:
    """The program `aura`."""
    sys.exit(run(sys.argv[1:]))
