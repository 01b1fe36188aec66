"""A command starts with what it uses: libraries of other commands, and of plans that do nothing in it, stay away."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TALKS = {"openai", "stamina", "httpx", "aiohttp", "aiogram", "telegramify_markdown"}
DRAWS = {"rich", "pygments", "markdown_it", "prompt_toolkit"}
READS_THE_WEB = {"trafilatura", "lxml", "urllib3", "charset_normalizer", "chardet", "webencodings"}
KNOWS_TIMES = {"dateparser", "croniter", "tzlocal"}
COUNTS = {"networkx", "numpy", "rank_bm25"}
WATCHES_AND_LOGS = {"watchfiles", "structlog"}
HEAVY = TALKS | DRAWS | READS_THE_WEB | KNOWS_TIMES | COUNTS | WATCHES_AND_LOGS
RICH = {"rich", "pygments", "markdown_it"}
"""What a table or a help text on the screen needs."""
FRAMEWORK = {"asyncio", "pydantic", "yaml", "jinja2", "sqlite3"}

PROGRAM = """
import sys
from agent.cli import run
code = run(sys.argv[1:])
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def loaded(home, *words):
    """The libraries that are there when a command has ended well."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "AURA_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr in ("", "Nothing was asked yet.\n")
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        pytest.param(["run", "aura_base/calculate", "expression=1+1"], HEAVY, id="run"),
        pytest.param(["run", "aura_base/calculate", "expression=1+1", "--json"], HEAVY, id="run --json"),
        pytest.param(["tasks"], HEAVY - RICH, id="tasks"),
        pytest.param(["tasks", "--json"], HEAVY, id="tasks --json"),
        pytest.param(["check"], HEAVY, id="check"),
        pytest.param(["runs"], HEAVY | {"jinja2"}, id="runs"),
        pytest.param(["runs", "--json"], HEAVY | {"jinja2"}, id="runs --json"),
        pytest.param(["schedule", "--json"], HEAVY, id="schedule --json"),
        pytest.param(["--help"], (HEAVY | FRAMEWORK) - RICH, id="--help"),
        pytest.param(["run", "--help"], (HEAVY | FRAMEWORK) - RICH - {"pydantic"}, id="run --help"),
        pytest.param(["--version"], HEAVY | FRAMEWORK, id="--version"),
    ],
)
def test_a_command_loads_no_library_that_it_does_not_use(words, absent, tmp_path):
    found = loaded(tmp_path, *words)
    assert "typer" in found
    assert found & absent == set()


def test_an_error_in_a_pipe_is_said_without_what_draws(tmp_path):
    program = PROGRAM.replace("sys.exit(code)", "sys.exit(code - 1)")
    words = ["run", "aura_base/calculat", "expression=1+1"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "AURA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "calculate" in done.stderr
    assert set(done.stdout.rpartition("loaded:")[2].split()) & HEAVY == set()
