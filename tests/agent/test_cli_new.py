from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import run


def words(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return captured.out + captured.err


def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("AURA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.mark.parametrize("name", ["weather", "my-plan", "a", "x_2"])
def test_a_new_plan_is_found_is_free_of_mistakes_and_runs(name, monkeypatch, tmp_path, capsys):
    folder = home(monkeypatch, tmp_path) / "plugins" / name
    assert run(["new", "plan", name]) == 0
    assert f"aura run {name}/hello name=Ada" in words(capsys)
    assert run(["check", str(folder)]) == 0
    assert run(["run", f"{name}/hello", "name=Ada"]) == 0
    assert "Hello, Ada!" in words(capsys)
    assert run(["tasks", name]) == 0
    assert f"{name}/hello" in words(capsys)


@pytest.mark.slow
def test_the_test_of_a_new_plan_passes_anywhere(monkeypatch, tmp_path, capsys):
    home(monkeypatch, tmp_path)
    assert run(["new", "plan", "weather", "--into", str(tmp_path / "mine")]) == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "mine" / "weather")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_new_plan_goes_where_plans_are_looked_for(monkeypatch, tmp_path, capsys):
    home(monkeypatch, tmp_path)
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("AURA_PLANS", str(tmp_path / "mine"))
    assert run(["new", "plan", "weather"]) == 0
    assert (tmp_path / "mine/weather/plan.yaml").is_file()
    assert "AURA_PLANS" not in words(capsys)


def test_a_plan_where_nobody_looks_says_how_it_is_found(monkeypatch, tmp_path, capsys):
    home(monkeypatch, tmp_path)
    assert run(["new", "plan", "weather", "--into", str(tmp_path / "else where")]) == 0
    assert f"export AURA_PLANS='{tmp_path / 'else where'}'" in words(capsys)


@pytest.mark.parametrize("name", ["Weather", "2nd", "", "../up", "a/b", "with space", "a" * 33, "день"])
def test_a_name_that_is_none_is_refused_with_what_to_write(name, monkeypatch, tmp_path, capsys):
    root = home(monkeypatch, tmp_path)
    assert run(["new", "plan", name]) == 1
    assert "not a name for a plan" in words(capsys)
    assert not (root / "plugins").exists()


@pytest.mark.parametrize("name", ["notes", "mine"])
def test_a_plan_that_exists_is_left_as_it_is(name, monkeypatch, tmp_path, capsys):
    plan = home(monkeypatch, tmp_path) / "plugins" / "mine"
    plan.mkdir(parents=True)
    (plan / "plan.yaml").write_text("name: mine")
    assert run(["new", "plan", name]) == 1
    assert "there already" in words(capsys)
    assert [path.name for path in plan.iterdir()] == ["plan.yaml"]


def test_a_folder_that_cannot_be_written_is_said(monkeypatch, tmp_path, capsys):
    home(monkeypatch, tmp_path)
    (tmp_path / "file").write_text("no folder")
    assert run(["new", "plan", "weather", "--into", str(tmp_path / "file")]) == 1
    assert "cannot be written" in words(capsys)


def test_a_plan_is_checked_by_its_name_wherever_one_stands(monkeypatch, tmp_path, capsys):
    home(monkeypatch, tmp_path)
    assert run(["new", "plan", "weather"]) == 0
    assert run(["check", "weather"]) == 0
    assert run(["check", "notes"]) == 0
    words(capsys)
    assert run(["check", "wether"]) == 1
    assert "did you mean 'weather'?" in words(capsys)
