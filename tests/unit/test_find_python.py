"""Which Python is taken for the set-up, and what is said where none fits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash") or "/bin/bash"


@pytest.fixture
def find(tmp_path):
    """Runs the script with the given programs, and no other, as Pythons of this machine."""
    tools = tmp_path / "tools"
    tools.mkdir()

    def find_python(named="", **answers):
        for name, answer in answers.items():
            program = tools / name.replace("_", ".")
            program.write_text(f"#!{BASH}\n{answer}\n", encoding="utf-8")
            program.chmod(0o755)
        environment = {**os.environ, "PATH": str(tools), "PYTHON": named}
        script = [BASH, str(ROOT / "scripts" / "find_python.sh")]
        done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == (0 if done.stdout else 1)
        return done.stdout.strip().rpartition("/")[2] if done.stdout else done.stderr

    return find_python


def says(version, kind="cpython", bits="64-bit", gil="gil"):
    return f"echo {version} {kind} {bits} {gil}"


def test_the_first_that_fits_is_taken(find):
    assert find(python3=says("3.9.2"), python3_14="exit 127", python3_13=says("3.13.1")) == "python3.13"


@pytest.mark.parametrize("version", ["3.11.0", "3.12.1", "3.13.0", "3.14.2"])
def test_python_3_11_to_3_14_fit(find, version):
    assert find(python3=says(version)) == "python3"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says("3.10.13"), "is Python 3.10.13, which is older than 3.11"),
        (says("2.7.18"), "is Python 2.7.18, which is older than 3.11"),
        (says("3.15.0"), "is newer than 3.14: not all pinned packages have wheels for it yet"),
        (says("3.11.13", kind="pypy"), "is pypy"),
        (says("3.12.0", bits="32-bit"), "is a 32-bit build"),
        (says("3.14.0", gil="without-gil"), "is a free-threaded build"),
        ("echo pyenv: version not installed >&2; exit 127", "does not run"),
    ],
)
def test_one_that_does_not_fit_is_named_with_the_reason(find, answer, why):
    said = find(python3=answer)
    assert why in said
    assert "make setup PYTHON=" in said
    assert find(named="python3").startswith("The Python that was named does not fit: python3")


def test_without_any_python_it_says_what_to_do(find):
    assert "no python3 at all" in find()
    assert "does not exist" in find(named="/nowhere/python3")


def test_that_of_an_environment_that_is_there_comes_first(find, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f"#!{BASH}\n{says('3.12.9')}\n", encoding="utf-8")
    python.chmod(0o755)
    assert find(python3=says("3.13.0")) == "python"
    assert find(named="python3") == "python3"


def test_the_question_is_understood_by_this_python(find):
    assert find(named=sys.executable) == Path(sys.executable).name


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.10.13"])
def test_the_question_is_understood_by_old_pythons(find, version):
    python = Path(sys.base_prefix).parent / version / "bin" / "python"  # where a version manager keeps them
    if not os.access(python, os.X_OK):
        pytest.skip(f"no Python {version} here")
    assert f"is Python {version}, which is older than 3.11" in find(named=str(python))
