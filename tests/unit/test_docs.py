"""The documents tell the truth about files: what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (ROOT / "docs/seeds.md").read_text(encoding="utf-8")
ROWS = [line for line in SEEDS.splitlines() if line.startswith("| ") and not line.startswith("| statement")]
NAMED = sorted(set(re.findall(r"`([\w./]+\.py)(?:(::|:)([\w*]+))?`", SEEDS)))
FOLDERS = ["agent", "aura_core", "benchmarks", "plans", "prompts", "docs", "tests"]
DOCUMENTS = ["README.md", "CHANGELOG.md", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/**/*.md")))]


@pytest.mark.parametrize(("file", "mark", "name"), NAMED)
def test_what_a_row_of_the_seeds_names_exists(file, mark, name):
    path = ROOT / file
    assert path.is_file(), f"{file} does not exist"
    if name and name != "*":
        found = re.search(rf"(def|class) {name}\b|\b{name}\b *[:=]", path.read_text(encoding="utf-8"))
        assert found, f"{file} has no {name}"


def test_every_row_of_the_seeds_is_done_or_says_what_is_missing():
    assert len(ROWS) > 70
    for row in ROWS:
        state = row.rstrip(" |").rsplit("|", 1)[-1].strip()
        assert state == "done" or state.startswith("open: "), row


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_documents_name_files_that_exist(document):
    text = re.sub(r"^```.*?^```$", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(rf"\b(?:{'|'.join(FOLDERS)})/[\w./]+\.(?:py|md|j2|yaml)\b", text))
    missing = [name for name in sorted(named) if not (ROOT / name).is_file()]
    assert missing == []
