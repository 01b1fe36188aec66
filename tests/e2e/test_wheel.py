"""The wheel: it holds plans and prompts, and works installed in another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command, **options):
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=100, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    return folder


def aura(installed, folder, *arguments):
    """Runs the installed `aura` in an empty folder, out of the checkout's reach."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])}
    where = run("-P", "-c", "import agent; print(agent.__file__)", cwd=folder, env=environment)
    assert Path(where.strip()).is_relative_to(installed)
    return run("-P", "-m", "agent.cli", *arguments, cwd=folder, env=environment)


def test_the_wheel_holds_every_built_in_plan_and_prompt_and_no_leftovers(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for kind, pattern in (("plans", "*.yaml"), ("plans", "*.py"), ("prompts", "*.j2")):
        files = [path.relative_to(ROOT).as_posix() for path in (ROOT / kind).rglob(pattern)]
        assert files
        assert {f"aura_builtin/{name}" for name in files} <= names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name or name.endswith(".gguf")]


def test_an_installed_aura_lists_its_tasks(installed, tmp_path):
    cards = json.loads(aura(installed, tmp_path, "tasks", "--json"))
    assert {"aura_base", "files", "notes", "web"} <= {card["task"].split("/")[0] for card in cards}


def test_an_installed_aura_finds_no_mistake_in_its_plans(installed, tmp_path):
    assert "0 mistakes" in aura(installed, tmp_path, "check")


def test_an_installed_aura_keeps_its_data_in_the_persons_folder_and_not_beside_the_code(
    installed, tmp_path, monkeypatch
):
    monkeypatch.delenv("AURA_HOME")
    before = sorted(path for path in installed.rglob("*") if "__pycache__" not in path.parts)
    result = json.loads(aura(installed, tmp_path, "run", "notes/add", "text=milk", "--json"))
    assert result["status"] == "success"
    assert sorted(path for path in installed.rglob("*") if "__pycache__" not in path.parts) == before
    assert list(Path(os.environ["XDG_DATA_HOME"]).rglob("notes*"))
