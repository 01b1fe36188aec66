"""`aura service`: a bot that is always on, before an emulated Telegram and under what stands in for systemd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.systemd import Unit, environment_text
from tests.e2e.program import Program
from tests.fixtures.telegram_emulator import Emulator, Person

OWNER = 1001
STAND_IN = Path(__file__).resolve().parents[1] / "fixtures" / "systemctl.py"
READER = Path("/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator")


@pytest.fixture
def telegram() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def olga(telegram: Emulator) -> Person:
    return telegram.person(OWNER)


@pytest.fixture
def systemd(tmp_path, monkeypatch) -> Iterator[Path]:
    """Puts the stand-in before the real systemctl; its folder. What it started is ended."""
    folder, programs = tmp_path / "systemd", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    for name in ("systemctl", "loginctl"):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SYSTEMD", str(folder))
    yield folder
    for pid in folder.glob("*.pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), 9)


@pytest.fixture
def aura(tmp_path, telegram: Emulator, scripted_model) -> Program:
    environment = {**scripted_model.environment, **telegram.environment, "AURA_TELEGRAM_OWNERS": f"[{OWNER}]"}
    return Program(tmp_path / "a home of 100% $HOME", environment)


def unit_path(name: str = "aura-bot") -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user" / f"{name}.service"


def test_a_bot_is_installed_reached_renewed_and_removed(aura, olga: Person, systemd: Path):
    done = aura("service", "install")
    assert done.returncode == 0, done.stderr
    assert "aura bot (process " in done.stderr
    olga.send("/calc 6*7")
    asyncio.run(olga.wait_for("42"))
    assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"
    environment = aura.home / "aura-bot.env"
    assert stat.S_IMODE(environment.stat().st_mode) == 0o600

    with environment.open("a") as file:
        file.write("AURA_LOG_LEVEL=error\n")
    token = aura.environment.pop("TELEGRAM_TOKEN")
    assert "TELEGRAM_TOKEN" in aura("service", "install").stderr
    aura.environment["TELEGRAM_TOKEN"] = token
    first = (systemd / "aura-bot.pid").read_text()
    assert aura("service", "install").returncode == 0
    assert (systemd / "aura-bot.pid").read_text() != first
    assert "AURA_LOG_LEVEL=error" in environment.read_text()

    said = aura("service", "status")
    assert said.returncode == 0
    assert "aura-bot is active and enabled; aura bot (process " in said.stderr
    assert token not in said.stderr + said.stdout + unit_path().read_text()
    assert aura("service", "remove").returncode == 0
    assert not unit_path().exists()
    assert not environment.exists()
    assert "enabled" not in {path.suffix for path in systemd.iterdir()}
    assert aura("service", "status").returncode == 1
    assert aura("service", "remove").returncode == 0
    assert aura("run", "aura_base/calculate", "expression=6*7").stdout == "42\n"


def test_where_systemd_runs_nothing_nothing_is_written_and_the_way_on_is_said(aura, systemd: Path, monkeypatch):
    (systemd / "broken").touch()
    done = aura("service", "install")
    assert done.returncode == 1
    assert "No medium found" in done.stderr
    assert "docs/operations.md" in done.stderr
    monkeypatch.setenv("PATH", "/nowhere")
    assert "There is no systemd on this machine" in aura("service", "install").stderr
    assert not unit_path().exists()
    assert not (aura.home / "aura-bot.env").exists()


def test_nothing_that_is_not_ours_is_touched(tmp_path, aura, systemd: Path):
    unit_path().parent.mkdir(parents=True)
    unit_path().write_text("[Service]\nExecStart=/bin/true\n")
    for command in ("install", "remove"):
        assert "--name" in aura("service", command).stderr
    assert unit_path().read_text() == "[Service]\nExecStart=/bin/true\n"
    assert "is not a name" in aura("service", "install", "--name", "../x").stderr

    assert aura("service", "install", "--name", "second").returncode == 0
    another = Program(tmp_path / "another", aura.environment | {"AURA_HOME": str(tmp_path / "another")})
    done = another("service", "remove", "--name", "second")
    assert done.returncode == 1
    assert "another AURA_HOME" in done.stderr
    assert unit_path("second").exists()


def test_a_home_that_a_chat_has_is_named_before_anything_is_written(aura, systemd: Path):
    with aura.start("chat") as chat:
        assert chat.stdout is not None
        assert any("Aura" in line for line in chat.stdout)
        done = aura("service", "install")
        assert done.returncode == 1
        assert "aura chat" in done.stderr
        assert not unit_path().exists()
        chat.communicate("/quit\n", timeout=30)


def test_a_bot_that_does_not_come_up_is_said(aura, systemd: Path, monkeypatch):
    monkeypatch.setattr("agent.cli.service.UP_SECONDS", 3.0)
    aura.environment["TELEGRAM_TOKEN"] = "no token"
    done = aura("service", "install")
    assert done.returncode == 1
    assert "journalctl" in done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    home = tmp_path / 'a "home" of 100% $HOME \\ more'
    home.mkdir()
    unit = Unit("aura-bot", home, home)
    unit.environment_path.touch()
    path = tmp_path / "aura-bot.service"
    path.write_text(unit.text())
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_LOG_LEVEL": "warning"}
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(path)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "aura-bot" not in done.stderr


values = st.text(st.characters(codec="utf-8", exclude_characters="\0$", exclude_categories=("Cc", "Cs")), min_size=1)


@given(st.dictionaries(st.from_regex(r"\AAURA_[A-Z]{1,5}\Z"), values | values.map(lambda text: f"{text}\n{text}")))
def test_an_environment_comes_back_as_it_was_written(environment):
    text = environment_text(environment, "", AURA_HOME="/home of aura")
    assert environment_text({}, text) == text
    assert environment_text({"AURA_HOME": "/x", "UNRELATED": "y"}, text, AURA_HOME="/home of aura") == text


@pytest.mark.skipif(not READER.is_file(), reason="there is no systemd here")
def test_systemd_reads_the_environment_as_it_was_written(tmp_path):
    values = ["plain", 'it\'s "quoted" \\ back', "two\nlines", "{a: [1], 'b': \"c\"}", "tail\\", " sp ace ", "#h;s"]
    environment = {f"AURA_{chr(65 + number)}": value for number, value in enumerate(values)}
    (tmp_path / "environment.d").mkdir()
    (tmp_path / "environment.d" / "aura.conf").write_text(environment_text(environment, ""))
    done = subprocess.run(
        [READER], env={"XDG_CONFIG_HOME": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=60
    )
    for name, value in environment.items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        assert f'{name}="{escaped}"' in done.stdout or f"{name}={value}" in done.stdout
