"""Contexts and a plan's persistent data: forks, files, attachments, edits that survive and damage that is set aside."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from aura_core.context import ContextManager
from aura_core.data import plan_state
from aura_core.data.plan_state import PlanState, StateSetAside
from aura_core.errors import ForbiddenPathError, PlanStateError
from aura_core.ground.events import EventBus
from aura_core.storage.losses import Losses
from aura_core.tasklet import RunInfo


@pytest.fixture
def contexts(tmp_path: Path) -> ContextManager:
    return ContextManager(tmp_path / "data")


async def test_a_fork_changes_on_its_own_and_shares_the_run(contexts: ContextManager):
    context = await contexts.create("p", RunInfo(corr_id="c"), {"n": 1}, a=1)
    fork = context.fork()
    fork.variables["a"] = 2
    assert (context.variables["a"], fork.variables["a"], fork.inputs) == (1, 2, {"n": 1})
    assert fork.run is context.run
    assert fork.state is context.state is contexts.state("p")


async def test_files_without_a_session_have_a_folder_of_the_runs_own(contexts: ContextManager, tmp_path: Path):
    run = RunInfo(corr_id="run-1")
    first, second = await contexts.create("p", run, {}), await contexts.create("q", run, {})
    assert first.files == second.files == tmp_path / "data" / "files" / "run-1"
    assert first.files.is_dir()
    for strange in ("", "../evil", "a/b", ".hidden"):
        folder = (await contexts.create("p", RunInfo(corr_id=strange), {})).files
        assert folder.parent == tmp_path / "data" / "files"
        assert folder.name != strange


async def test_only_files_of_the_run_can_be_attached(contexts: ContextManager, tmp_path: Path):
    run = RunInfo(files_folder=tmp_path / "session" / "files")
    context = await contexts.create("p", run, {})
    (context.files / "a.txt").write_text("x")
    (tmp_path / "outside.txt").write_text("x")
    (context.files / "link.txt").symlink_to(tmp_path / "outside.txt")
    relative, absolute = context.attach("a.txt", "one"), context.attach(context.files / "a.txt")
    assert run.attachments == [relative, absolute]
    assert relative.path == absolute.path == context.files / "a.txt"
    assert relative.caption == "one"
    for bad in ("../../outside.txt", tmp_path / "outside.txt", "link.txt", "missing.txt", "."):
        with pytest.raises(ForbiddenPathError):
            context.attach(bad)


async def test_an_edit_is_kept_and_seen_by_everybody(contexts: ContextManager, tmp_path: Path):
    context = await contexts.create("p", RunInfo(), {})
    assert (context.state.get("notes", []), len(context.state), list(context.state)) == ([], 0, [])
    async with context.state.edit() as data:
        data["notes"] = ["grün"]
    assert context.state["notes"] == ["grün"]
    assert (await contexts.create("p", RunInfo(), {})).variables["state"]["notes"] == ["grün"]
    assert "grün" in (tmp_path / "data" / "p.json").read_text("utf-8")
    assert (await ContextManager(tmp_path / "data").create("p", RunInfo(), {})).state["notes"] == ["grün"]


async def test_an_edit_that_fails_changes_nothing(contexts: ContextManager, tmp_path: Path):
    state = contexts.state("p")
    async with state.edit() as data:
        data["n"] = [1]
    with pytest.raises(ZeroDivisionError):
        async with state.edit() as data:
            data["n"] = data.clear() or 1 / 0
    for wrong in ({1, 2}, float("nan"), object()):
        with pytest.raises(PlanStateError, match="no JSON"):
            async with state.edit() as data:
                data["wrong"] = wrong
    assert dict(state) == {"n": [1]}
    assert json.loads((tmp_path / "data" / "p.json").read_text()) == {"n": [1]}
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["p.json", "p.json.lock"]


async def test_edits_come_one_after_the_other(contexts: ContextManager):
    state = contexts.state("p")

    async def add() -> None:
        async with state.edit() as data:
            n = data.get("n", 0)
            await asyncio.sleep(0)
            data["n"] = n + 1

    await asyncio.gather(*(add() for _ in range(20)))
    assert state["n"] == 20


@pytest.mark.slow
async def test_two_programs_lose_no_edit(tmp_path: Path):
    code = f"""
import asyncio
from pathlib import Path
from aura_core.data.plan_state import PlanState
async def main():
    state = PlanState("p", Path({str(tmp_path / "p.json")!r}))
    for _ in range(15):
        async with state.edit() as data:
            data["n"] = data.get("n", 0) + 1
asyncio.run(main())
"""
    root = Path(__file__).parents[2]
    programs = [await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=root) for _ in range(2)]
    assert [await program.wait() for program in programs] == [0, 0]
    state = PlanState("p", tmp_path / "p.json")
    await state.refresh()
    assert state["n"] == 30


async def test_what_another_program_wrote_is_seen_by_the_next_task(contexts: ContextManager, tmp_path: Path):
    await contexts.create("p", RunInfo(), {})
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "p.json"
    path.write_text('{"n": 1}')
    assert (await contexts.create("p", RunInfo(), {})).state["n"] == 1
    path.unlink()
    assert dict((await contexts.create("p", RunInfo(), {})).state) == {}


@pytest.mark.parametrize("damage", [b'{"n": 1', b"[1]", b"\xff\xfe", b""])
async def test_a_damaged_file_is_set_aside_and_said_so(tmp_path: Path, damage: bytes):
    events = EventBus()
    (tmp_path / "p.json").write_bytes(damage)
    state = PlanState("p", tmp_path / "p.json", events)
    with events.subscribe(StateSetAside) as told:
        with pytest.raises(PlanStateError, match=r"Put a sound p\.json back"):
            await state.refresh()
        (event,) = told.pending()
    assert (event.plan, event.kept_as.read_bytes(), dict(state)) == ("p", damage, {})
    async with state.edit() as data:
        data["n"] = 2
    assert event.kept_as.read_bytes() == damage
    assert json.loads((tmp_path / "p.json").read_text()) == {"n": 2}


async def test_damaged_data_is_no_empty_list_until_a_person_has_seen_it(tmp_path: Path):
    losses = Losses(tmp_path)
    (tmp_path / "p.json").write_text("?")
    for _ in range(2):
        state = PlanState("p", tmp_path / "p.json", losses=losses)
        for _ in range(2):
            with pytest.raises(PlanStateError, match=r"p\.damaged-"):
                await state.refresh()
        with pytest.raises(PlanStateError, match=r"p\.damaged-"):
            async with state.edit():
                pytest.fail("it was opened for editing")
    losses.seen(losses.unseen())
    await state.refresh()
    assert dict(state) == {}


async def test_data_that_was_put_back_is_read_whether_the_loss_was_seen_or_not(tmp_path: Path):
    state = PlanState("p", tmp_path / "p.json", losses=Losses(tmp_path))
    (tmp_path / "p.json").write_text("?")
    with pytest.raises(PlanStateError):
        await state.refresh()
    (tmp_path / "p.json").write_text('{"n": 1}')
    await state.refresh()
    assert dict(state) == {"n": 1}


async def test_a_damaged_file_is_set_aside_also_when_nobody_listens(tmp_path: Path):
    (tmp_path / "p.json").write_text("?")
    state = PlanState("p", tmp_path / "p.json")
    with pytest.raises(PlanStateError):
        await state.refresh()
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["p.damaged"]


async def test_data_that_cannot_be_written_is_an_error_with_the_path(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    state = PlanState("p", tmp_path / "file" / "p.json")
    with pytest.raises(PlanStateError, match=r"cannot be written to .*p\.json"):
        async with state.edit():
            pass


async def test_a_full_disk_leaves_the_old_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    state = PlanState("p", tmp_path / "p.json")
    async with state.edit() as data:
        data["n"] = 1

    def no_space(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plan_state.os, "fsync", no_space)
    with pytest.raises(PlanStateError, match="No space left"):
        async with state.edit() as data:
            data["n"] = 2
    assert dict(state) == {"n": 1}
    assert json.loads((tmp_path / "p.json").read_text()) == {"n": 1}
    assert not list(tmp_path.glob(".*tmp"))


async def test_another_program_that_holds_the_data_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plan_state, "LOCK_SECONDS", 0.1)
    state, other = PlanState("p", tmp_path / "p.json"), PlanState("p", tmp_path / "p.json")
    async with state.edit():
        with pytest.raises(PlanStateError, match="being edited by another program"):
            async with other.edit():
                pass
