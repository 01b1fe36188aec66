"""Paths stay where they belong."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.data.files import resolve_inside
from aura_core.errors import ForbiddenPathError


@pytest.mark.parametrize("name", ["a.txt", "deep/er/a.txt", "./a.txt", "deep/../a.txt", "not/there/yet", "..a", "a\\b"])
def test_paths_inside_are_resolved(tmp_path: Path, name: str):
    path = resolve_inside(tmp_path, name)
    assert path.is_absolute()
    assert path.is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "x" * 5000,
        "C:\\x",
        "..",
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\0b",
        "..\\x",
        "a\\..\\..\\x",
        "//host/x",
        "\\\\x\\y",
    ],
)
def test_paths_that_leave_are_refused(tmp_path: Path, name: str):
    (tmp_path / "inside").mkdir()
    with pytest.raises(ForbiddenPathError):
        resolve_inside(tmp_path / "inside", name)


def test_links_are_followed_before_they_are_judged(tmp_path: Path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "good").symlink_to(inside)
    (inside / "bad").symlink_to(tmp_path)
    (inside / "loop").symlink_to("loop")
    assert resolve_inside(inside, "good/x") == inside / "x"
    for name in ("bad", "bad/x", "loop/x"):
        with pytest.raises(ForbiddenPathError):
            resolve_inside(inside, name)


def test_only_plain_files_and_folders_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name in ("pipe", "socket"):
            with pytest.raises(ForbiddenPathError, match="not a plain file"):
                resolve_inside(tmp_path, name)


@given(st.text(alphabet="ab./\\\0 ~", max_size=30))
def test_whatever_is_asked_for_nothing_outside_is_reached(name: str):
    folder = Path("/nonexistent/folder")
    with suppress(ForbiddenPathError):
        assert resolve_inside(folder, name).is_relative_to(folder)
