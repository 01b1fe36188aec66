"""What was lost is told by every command, alone or beside a program that has the home, until a person has seen it."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from aura_core.storage.losses import Losses
from tests.e2e.program import Output, Program
from tests.e2e.test_beside import running

LOST = "The store was damaged. It was set aside as aura.damaged-1.db."
COMMANDS = [("ask", "/notes"), ("run", "notes/list")]


@pytest.fixture
def aura(tmp_path: Path, scripted_model) -> Program:
    return Program(tmp_path / "home", scripted_model.environment)


def check_until_seen(aura: Program, command: tuple[str, str]) -> None:
    """Pipes and files do not count as a person; a terminal does, once, and then all are quiet."""
    Losses(aura.home).add(LOST, aura.home / "aura.db")
    for _ in range(2):
        assert aura(*command).stderr.count(LOST) == 1
    with mock.patch.object(Output, "isatty", return_value=True):
        assert aura(*command).stderr.count(LOST) == 1
        assert LOST not in aura(*command).stderr
    assert LOST not in aura(*command).stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_tells_what_was_lost_until_a_person_has_seen_it(aura: Program, command):
    check_until_seen(aura, command)


def test_a_command_that_fails_tells_what_was_lost_too(aura: Program):
    Losses(aura.home).add(LOST, aura.home / "aura.db")
    failed = aura("runs", "resume", "run-0")
    assert failed.returncode == 1
    assert LOST in failed.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_beside_a_chat_that_nobody_watches_tells_it_the_same_way(aura: Program, command):
    with running(aura, "chat"):
        check_until_seen(aura, command)
        Losses(aura.home).add(LOST, aura.home / "aura.db")
        assert LOST in aura("runs", "cancel", "run-0").stderr
