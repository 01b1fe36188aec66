"""Checking plans for `aura check`: which folders are meant, what is wrong in them, how much was looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.doubts import doubts
from agent.errors import AgentError
from aura_core.errors import Problem
from aura_core.generations.plan_loading import check_folders
from aura_core.ground.suggestions import hint, sentence

if TYPE_CHECKING:
    from agent.config import AppConfig


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        problems: every mistake in the folders that were asked for.
        folders: what was asked for: plans, and folders of plans.
        names: of the plans among them that are free of mistakes.
        tasks: how many tasks those hold.
        remarks: what is allowed there and probably not meant; of the settings only if all plans are checked.
    """

    problems: list[Problem]
    folders: list[Path]
    names: list[str]
    tasks: int
    remarks: list[Problem]


async def checked(config: AppConfig, paths: Sequence[Path]) -> Report:
    """Checks plans without running anything.

    Args:
        config: names the folders of all known plans.
        paths: plans, folders of plans, or files of a plan; all known plans if there are none.

    Raises:
        AgentError: a path leads to no plan.
    """
    known = config.known_plan_folders
    folders = [_plan_folder(path, known) for path in paths] or known
    others = [folder for folder in known if folder not in folders]
    found = await check_folders(folders, known=others, seconds=config.execution.load_seconds)
    looked_at = {str(task.source.path) for plan in found.plans for task in plan.tasks.values()}
    unsure = await asyncio.to_thread(doubts, found.known, config)
    unsure = [
        replace(doubt, severity="warning") for doubt in unsure if doubt.path in looked_at or not (paths or doubt.task)
    ]
    names = [plan.name for plan in found.plans]
    tasks = sum(len(plan.tasks) for plan in found.plans)
    return Report(found.problems, folders, names, tasks, [*found.remarks, *unsure])


def _plan_folder(path: Path, known: Sequence[Path]) -> Path:
    """The folder to check for a path; a file inside a plan means that plan, the name of a known plan its folder.

    Raises:
        AgentError: there is no such path or plan, or no plan around the file.
    """
    if path.is_dir():
        return path
    if not path.exists():
        named = [plan for folder in known for plan in (folder, folder / path) if (plan / "plan.yaml").is_file()]
        found = next((plan for plan in named if plan.name == str(path)), None)
        if found is None:
            names = sorted(plan.name for folder in known for plan in folder.iterdir() if (plan / "plan.yaml").is_file())
            raise AgentError(sentence(f"There is no file, folder or plan {path}", hint(str(path), names)))
        return found
    for folder in path.resolve().parents:
        if (folder / "plan.yaml").is_file():
            return folder
    raise AgentError(f"{path} belongs to no plan: no plan.yaml is in a folder above it.")
