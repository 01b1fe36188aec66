"""PlanWatcher: edits as editors, version control and people make them, seen by the operating system."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aura_core.framework import Framework
from aura_core.generations.events import PlanNotice, notice_of
from aura_core.generations.watching import PlanWatcher, is_relevant
from aura_core.ground.events import Subscription
from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

PATIENCE = 20.0
"""Seconds after which a test gives up; it never waits that long unless something is wrong."""


def says(word: str) -> str:
    return f"steps: []\nreturns: {word}\n"


class Watched:
    """A framework whose plans are watched, and what was told of them."""

    def __init__(self, framework: Framework, events: Subscription[PlanNotice]) -> None:
        self.framework = framework
        self._events = events

    async def notices(self) -> list[str]:
        """What is told next."""
        async with asyncio.timeout(PATIENCE):
            return notice_of(await self._events.next())

    async def notice(self) -> str:
        """The one line that is told next."""
        (line,) = await self.notices()
        return line

    async def result(self, task: str = "p/t") -> object:
        return (await self.framework.submit(Tasklet(task))).result


@asynccontextmanager
async def watched(project: Project, **options: object) -> AsyncGenerator[Watched]:
    async with project.running_with_problems() as framework:
        with framework.events.subscribe(PlanNotice) as events:
            async with PlanWatcher([project.plans], framework.reload, look_ms=100, **options):  # pyright: ignore[reportArgumentType] (options of the watcher)
                yield Watched(framework, events)


async def test_a_saved_file_counts_for_the_next_run(project: Project):
    path = project.task("t", says("one"))
    async with watched(project) as plans:
        assert await plans.result() == "one"
        path.write_text(says("two"))
        assert await plans.notice() == "plan p reloaded"
        assert await plans.result() == "two"


async def test_an_edit_between_the_load_and_the_first_look_is_not_missed(project: Project):
    path = project.task("t", says("one"))
    async with project.running() as framework:
        path.write_text(says("two"))
        with framework.events.subscribe(PlanNotice) as events:
            async with PlanWatcher([project.plans], framework.reload), asyncio.timeout(PATIENCE):
                assert notice_of(await events.next()) == ["plan p reloaded"]


async def test_editors_that_write_beside_and_rename(project: Project):
    path = project.task("t", says("one"))
    async with watched(project) as plans:
        for word in ("two", "three"):
            shutil.copy(path, path.with_name("t.yaml~"))
            beside = path.with_name(".t.yaml.swp")
            beside.write_text(says(word))
            beside.replace(path)
            assert await plans.notice() == "plan p reloaded"
            assert await plans.result() == word


async def test_a_file_that_is_written_in_pieces_is_read_when_it_is_whole(project: Project):
    path = project.task("t", says("one"))
    async with watched(project) as plans:
        with path.open("w") as file:
            for piece in ("steps: [{act", "ion: echo, ", "params: {value: 1}}]\n", "returns: two\n"):
                file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        assert await plans.notice() == "plan p reloaded"
        assert await plans.result() == "two"


async def test_a_broken_edit_and_its_mending_are_told(project: Project):
    path = project.task("t", says("one"))
    async with watched(project) as plans:
        path.write_text("steps: [")
        assert (await plans.notice()).startswith("plan p: edit not taken, still the version of ")
        assert await plans.result() == "one"
        path.write_text(says("two"))
        assert await plans.notice() == "plan p reloaded"
        assert await plans.result() == "two"


async def test_plans_come_move_and_go(project: Project):
    async with watched(project) as plans:
        project.write("fresh/plan.yaml", "name: fresh")
        assert await plans.notice() == "plan fresh loaded"
        project.write("fresh/tasks/t.yaml", says("fresh"))
        assert await plans.notice() == "plan fresh reloaded"
        assert await plans.result("fresh/t") == "fresh"
        (project.plans / "fresh" / "plan.yaml").write_text("")
        assert await plans.notice() == "plan fresh reloaded"
        (project.plans / "fresh").rename(project.plans / "moved")
        assert await plans.notices() == ["plan moved loaded", "plan fresh removed"]
        assert await plans.result("moved/t") == "fresh"
        shutil.rmtree(project.plans / "moved")
        assert await plans.notice() == "plan moved removed"


async def test_a_folder_of_plans_that_is_replaced_is_still_watched(project: Project):
    project.task("t", says("one"))
    async with watched(project) as plans:
        shutil.copytree(project.plans, project.root / "other")
        shutil.rmtree(project.plans)
        assert await plans.notice() == "plan p removed"
        (project.root / "other").rename(project.plans)
        assert await plans.notice() == "plan p loaded"
        project.task("t", says("two"))
        assert await plans.notice() == "plan p reloaded"
        assert await plans.result() == "two"


async def test_where_the_system_tells_nothing_files_are_looked_at(project: Project):
    path = project.task("t", says("one"))
    async with watched(project, polling=True) as plans:
        path.write_text(says("two, in another way"))
        assert await plans.notice() == "plan p reloaded"


async def test_a_reload_that_fails_does_not_end_watching(project: Project):
    path, calls = project.task("t", says("one")), asyncio.Queue[None]()

    async def fails() -> None:
        calls.put_nowait(None)
        raise RuntimeError("a bug")

    async with PlanWatcher([project.plans], fails), asyncio.timeout(PATIENCE):
        await calls.get()
        path.write_text(says("two"))
        await calls.get()


async def test_the_end_does_not_wait_for_a_reload(project: Project):
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def hangs() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with PlanWatcher([project.plans], hangs), asyncio.timeout(PATIENCE):
        await begun.wait()
    assert cancelled.is_set()


@pytest.mark.parametrize(
    ("name", "relevant"),
    [
        ("p/plan.yaml", True),
        ("p/tasks/deep/t.yml", True),
        ("p/actions/a.py", True),
        ("p/folder", True),
        ("p/gone.d", True),
        ("p/actions/__pycache__/a.cpython-311.pyc", False),
        ("p/actions/__pycache__", False),
        ("p/.git/index", False),
        ("p/tasks/.t.yaml.swp", False),
        ("p/tasks/t.yaml~", False),
        ("p/data.json", False),
        ("p/.hidden/t.yaml", False),
    ],
)
def test_what_is_looked_at(tmp_path: Path, name: str, relevant: bool):
    path = tmp_path / name
    if "." in path.name and path.suffix != ".d":
        path.parent.mkdir(parents=True)
        path.write_text("")
    assert is_relevant(str(path), [tmp_path]) is relevant


def test_a_folder_of_plans_may_itself_be_hidden(tmp_path: Path):
    assert is_relevant(str(tmp_path / ".local" / "plans" / "p" / "plan.yaml"), [tmp_path / ".local" / "plans"])
