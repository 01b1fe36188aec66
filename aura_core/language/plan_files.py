"""Which files make up a plan, and a mark that is another one when one of them has changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG

from aura_core.errors import Problem
from aura_core.execution.plan_modules import python_files
from aura_core.language.loader import SUFFIXES
from aura_core.language.source import MAX_BYTES

SIDE_FILES = ("plan.yaml", "config.yaml", "states.yaml", "interrupts.yaml")
PARTS = (*SIDE_FILES, "tasks", "actions", "services")
"""A folder that has one of these is a plan."""


def plan_folders(folder: Path) -> Iterator[Path]:
    """The plans in a folder; the folder itself if it is one."""
    if (folder / "plan.yaml").is_file():
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith((".", "_")) and any((path / part).exists() for part in PARTS):
            yield path


def found_plans(folders: Iterable[Path]) -> dict[str, Path]:
    """The plans that count, by name: of two of one name, the first; a folder that is not there has none."""
    found: dict[str, Path] = {}
    for folder in folders:
        try:
            for path in plan_folders(folder.resolve()):
                found.setdefault(path.name, path)
        except OSError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class PlanSurvey:
    """What some folders of plans hold.

    Attributes:
        plans: folder of each plan by name; of two of one name, the first.
        marks: what the files of each are (see `plan_mark`).
        problems: folders that are not there, and plans that do not count because of their name.
    """

    plans: Mapping[str, Path]
    marks: Mapping[str, str]
    problems: Sequence[Problem]


def survey_plans(folders: Iterable[Path]) -> PlanSurvey:
    """Looks which plans some folders hold, and says what is wrong with the folders; a link to a plan is that plan."""
    plans: dict[str, Path] = {}
    problems: list[Problem] = []
    for folder in folders:
        if not folder.is_dir():
            message = "there is no such folder of plans"
            problems.append(Problem(str(folder), 0, 0, message, "correct the path, or create it"))
            continue
        for path in plan_folders(folder.resolve()):
            if plans.setdefault(path.name, path).resolve() != path.resolve():
                message = f"a plan named {path.name!r} is there already, in {plans[path.name]}"
                problems.append(Problem(str(path), 0, 0, message, "rename one of them; the first one is used"))
    return PlanSurvey(plans, {name: plan_mark(path) for name, path in plans.items()}, problems)


def plan_mark(folder: Path) -> str:
    """What the files of a plan hold, as one short text; the times of the files do not count.

    Args:
        folder: the plan's folder.
    """
    digest = blake2b(str(folder).encode(errors="surrogateescape"), digest_size=16)
    for path in _files(folder):
        digest.update(f"\0{path.relative_to(folder)}\0".encode(errors="surrogateescape"))
        data = _content(path)
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    """What a file holds; of one that no load would read, only that it is there."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return f"{status.st_mode} {status.st_size} {status.st_mtime_ns}".encode()
        return path.read_bytes()
    except OSError as error:
        return f"unreadable: {error.errno}".encode()


def _files(folder: Path) -> Iterator[Path]:
    """Every file that a load reads, in an order that is always the same."""
    yield from (folder / name for name in SIDE_FILES if (folder / name).is_file())
    for root, folders, files in os.walk(folder / "tasks"):
        folders.sort()
        names = (name for name in sorted(files) if not name.startswith("."))
        yield from (Path(root, name) for name in names if Path(name).suffix in SUFFIXES)
    yield from python_files(folder)
