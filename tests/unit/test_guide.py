"""The guide's examples are files and commands: they are written, run, and print what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.cli import run

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"# ([\w-]+/[\w./-]+\.(?:yaml|py))\n")
PAGES = sorted(path.name for path in GUIDE.glob("*.md"))


@dataclass(frozen=True)
class Command:
    words: list[str]
    expected: str


def commands(text: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, expected = part.partition("\n")
        yield Command(shlex.split(line), expected)


def says(expected: str, printed: str) -> bool:
    """Whether the page tells what was printed; `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Reader:
    """Somebody who does what a page says, in a folder of plans."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def follow(self, page: str) -> int:
        done = 0
        for language, text in BLOCK.findall(page):
            named = NAME.match(text)
            if named:
                self._write(named[1], text)
            elif language == "console":
                for command in commands(text):
                    self._run(command)
                    done += 1
        return done

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        plan = self.folder / name.split("/", maxsplit=1)[0] / "plan.yaml"
        if not plan.exists():
            plan.write_text(f"name: {plan.parent.name}\n", encoding="utf-8")

    def _run(self, command: Command) -> None:
        program, *words = command.words
        if program == "aura":
            self._capsys.readouterr()
            run(words)
            captured = self._capsys.readouterr()
            printed = captured.out + captured.err
        else:
            assert program == "python"
            line = [sys.executable, *words, "-p", "no:cacheprovider"]
            done = subprocess.run(line, cwd=self.folder, capture_output=True, text=True, timeout=100, check=False)
            printed = done.stdout + done.stderr
        assert says(command.expected, printed), f"$ {shlex.join(command.words)}\n{printed}"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.slow
def test_what_a_page_shows_is_what_happens(page, tmp_path, monkeypatch, capsys):
    plans = tmp_path / "plans"
    plans.mkdir()
    monkeypatch.chdir(plans)
    monkeypatch.setenv("AURA_PLANS", str(plans))
    monkeypatch.setenv("AURA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(GUIDE.parents[1]), os.environ["PYTHONPATH"]]))
    Reader(plans, capsys).follow((GUIDE / page).read_text(encoding="utf-8"))


def test_the_guides_are_followed_and_not_only_read():
    blocks = [block for page in PAGES for block in BLOCK.findall((GUIDE / page).read_text(encoding="utf-8"))]
    assert sum(NAME.match(text) is not None for _, text in blocks) > 20
    assert sum(len(list(commands(text))) for language, text in blocks if language == "console") > 20


def test_a_page_that_tells_what_does_not_happen_is_noticed(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AURA_HOME", str(tmp_path))
    with pytest.raises(AssertionError, match="7"):
        Reader(tmp_path, capsys).follow("```console\n$ aura run aura_base/calculate expression=3+4\n8\n```\n")
