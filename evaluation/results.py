"""What was planned: one file of JSON Lines for each set and planner, so that an interrupted run can go on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "evaluation" / "results"


@dataclass(frozen=True, slots=True)
class Results:
    """The plans that one planner made for one set.

    Attributes:
        path: the file; made with the first line.
    """

    path: Path

    @classmethod
    def of(cls, folder: Path, name: str, system: str) -> Results:
        """The results of a set and a planner.

        Args:
            folder: of all results.
            name: the set, with its part.
            system: the planner, with what is switched off in it.
        """
        return cls(folder / name / f"{system}.jsonl")

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Every whole line; one that an interruption cut off is passed over, and done again by the next run."""
        if not self.path.is_file():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and "id" in row:
                yield row

    def done(self) -> set[str]:
        """Ids that need not be planned again."""
        return {row["id"] for row in self.rows()}

    def add(self, row: Mapping[str, Any]) -> None:
        """Appends one line, on a line of its own even if the one before was cut off."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            if file.tell():
                file.seek(-1, 2)
                cut_off = file.read(1) != b"\n"
                if cut_off:
                    file.write(b"\n")
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

    def forget(self) -> None:
        """Removes them, so that everything is planned anew."""
        self.path.unlink(missing_ok=True)


def known(folder: Path) -> dict[str, dict[str, Results]]:
    """Set -> planner -> its results, for all that are there."""
    found: dict[str, dict[str, Results]] = {}
    for path in sorted(folder.glob("*/*.jsonl")):
        found.setdefault(path.parent.name, {})[path.stem] = Results(path)
    return found


def build() -> str:
    """The commit that is measured, with a + if files differ from it."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (named above)
    return done.stdout.strip() or "unknown"
