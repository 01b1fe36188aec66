"""Reading below a folder: real links, pipes and sockets, real races; nothing outside, nothing without end or bound."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_core.data import file_reading
from aura_core.data.file_reading import read_beneath, resolve_readable
from aura_core.errors import ForbiddenPathError, InputError, NotFoundError

SECRET = b"the secret outside"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_bytes(SECRET)
    folder = tmp_path / "plan"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_bytes(b"inside")
    return folder


def read(folder: Path, name: str, limit: int = file_reading.MAX_BYTES) -> bytes:
    return read_beneath(folder, resolve_readable(folder, name), limit=limit)


def without_folder_handles(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems that cannot open a file relative to an open folder."""
    monkeypatch.setattr(os, "supports_dir_fd", set())


@pytest.fixture(params=["folder by folder", "as a whole"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "as a whole":
        without_folder_handles(monkeypatch)


either = pytest.mark.usefixtures("either_way")


@either
@pytest.mark.parametrize("content", [b"", b"text", b"\0\xff\0", b"x" * 3_000_000])
def test_what_stands_in_a_file_is_read_as_it_is(folder: Path, content: bytes):
    (folder / "deep" / "a.bin").write_bytes(content)
    assert read(folder, "deep/a.bin") == content
    assert read(folder, "./deep/../deep\\a.bin") == content


@either
def test_links_inside_the_folder_are_followed_and_links_that_leave_it_are_not(folder: Path, tmp_path: Path):
    (folder / "file").symlink_to("deep/a.txt")
    (folder / "place").symlink_to("deep")
    (folder / "absolute").symlink_to(folder / "deep" / "a.txt")
    for good in ("file", "place/a.txt", "absolute"):
        assert read(folder, good) == b"inside"
    (folder / "out").symlink_to("../secret.txt")
    (folder / "out_folder").symlink_to(tmp_path / "outside")
    (folder / "chain").symlink_to("chain2")
    (folder / "chain2").symlink_to("deep/../chain3")
    (folder / "chain3").symlink_to(tmp_path / "secret.txt")
    (folder / "self").symlink_to("self")
    (folder / "process").symlink_to("/proc/self/environ")
    for bad in ("out", "out_folder/a.txt", "chain", "self", "self/a.txt", "process", "place/../../secret.txt"):
        with pytest.raises(ForbiddenPathError):
            read(folder, bad)


@either
def test_a_link_to_nothing_is_a_missing_file(folder: Path):
    (folder / "dangling").symlink_to("deep/none.txt")
    with pytest.raises(NotFoundError, match=r"no file 'deep/none\.txt'"):
        read(folder, "dangling")


@either
@pytest.mark.parametrize("name", ["none.txt", "deep/none.txt", "none/a.txt", "deep/a.txt/b", "DEEP/none.TXT"])
def test_a_missing_file_is_named(folder: Path, name: str):
    with pytest.raises(NotFoundError, match="There is no file"):
        read(folder, name)


@either
@pytest.mark.parametrize("name", ["deep", ".", "deep/.."])
def test_a_folder_is_no_file(folder: Path, name: str):
    with pytest.raises(NotFoundError, match="is a folder"):
        read(folder, name)


@either
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: socket.socket(socket.AF_UNIX).bind(path)])
def test_a_pipe_or_socket_is_refused_at_once(
    folder: Path, make: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
):
    """Nobody ever writes to the pipe: a plain open would wait for ever."""
    monkeypatch.chdir(folder)
    make("thing")
    with pytest.raises(ForbiddenPathError, match="not a plain file"):
        read(folder, "thing")


@either
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: socket.socket(socket.AF_UNIX).bind(path)])
def test_a_file_that_becomes_a_pipe_after_the_check_is_refused_at_once(
    folder: Path, make: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
):
    checked = resolve_readable(folder, "deep/a.txt")
    checked.unlink()
    monkeypatch.chdir(folder / "deep")
    make("a.txt")
    with pytest.raises(ForbiddenPathError, match="not a plain file"):
        read_beneath(folder, checked)


@either
def test_a_file_that_becomes_a_link_after_the_check_is_refused(folder: Path):
    checked = resolve_readable(folder, "deep/a.txt")
    checked.unlink()
    checked.symlink_to("../../secret.txt")
    with pytest.raises(ForbiddenPathError, match="became a link"):
        read_beneath(folder, checked)


@either
def test_a_folder_that_becomes_a_link_after_the_check_is_refused(folder: Path, tmp_path: Path):
    checked = resolve_readable(folder, "deep/a.txt")
    (folder / "deep").rename(folder / "moved")
    (folder / "deep").symlink_to(tmp_path / "outside")
    with pytest.raises(ForbiddenPathError, match="became a link"):
        read_beneath(folder, checked)


@pytest.mark.parametrize("victim", ["deep", "deep/a.txt"])
def test_whoever_swaps_files_and_links_meanwhile_never_gets_what_is_outside(folder: Path, tmp_path: Path, victim: str):
    """A thread swaps the real thing and a link to the outside as fast as it can while the file is read."""
    real, link, done = folder / "real", folder / "link", threading.Event()
    (folder / victim).rename(real)
    link.symlink_to(tmp_path / ("outside" if victim == "deep" else "secret.txt"))

    def swap() -> None:
        while not done.is_set():
            for thing in (real, link):
                thing.rename(folder / victim)
                (folder / victim).rename(thing)

    thread = threading.Thread(target=swap)
    thread.start()
    seen: set[bytes] = set()
    try:
        for _ in range(500):
            with suppress(ForbiddenPathError, NotFoundError):
                seen.add(read(folder, "deep/a.txt"))
    finally:
        done.set()
        thread.join()
    assert seen <= {b"inside"}


@either
def test_a_file_that_is_too_large_is_refused_before_it_is_read(folder: Path):
    with (folder / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="'huge' has at least 1,099,511,627,776 bytes; at most 32,000,000"):
        read(folder, "huge")


@either
def test_the_limit_is_the_last_size_that_is_read(folder: Path):
    assert read(folder, "deep/a.txt", limit=6) == b"inside"
    with pytest.raises(InputError, match="at most 5 are read"):
        read(folder, "deep/a.txt", limit=5)


@either
def test_a_file_that_grows_while_it_is_read_is_cut_off_at_the_limit(folder: Path, monkeypatch: pytest.MonkeyPatch):
    real = os.fstat

    def before_it_grew(handle: int) -> os.stat_result:
        status = list(real(handle))
        status[stat.ST_SIZE] = 0
        return os.stat_result(status)

    monkeypatch.setattr(file_reading.os, "fstat", before_it_grew)
    with pytest.raises(InputError, match="at most 5 are read"):
        read(folder, "deep/a.txt", limit=5)


@either
def test_a_file_that_may_not_be_read_says_so(folder: Path):
    checked, me = resolve_readable(folder, "deep/a.txt"), os.geteuid()
    checked.chmod(0)
    if me == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            read_beneath(folder, checked)
    finally:
        os.seteuid(me)


@pytest.mark.parametrize(
    "name",
    [
        *("con", "NUL", "nul.txt", "Aux.tar.gz", "deep/COM1", "lpt9.txt", "com¹", "prn .txt", "CONIN$", "con:x"),
        *("a.txt.", "a.txt ", "deep./a.txt", "deep /a.txt", "...", "a.txt::$DATA", "a.txt:hidden", "deep\\nul"),
    ],
)
def test_names_that_mean_something_else_on_windows_are_refused_everywhere(folder: Path, name: str):
    with pytest.raises(ForbiddenPathError, match=r"cannot be used|leads out"):
        read(folder, name)


@pytest.mark.parametrize("name", ["console.txt", "nullable", "auxiliary/con_text.md", ".hidden", "com10", "a.con"])
def test_names_that_only_look_like_devices_are_free(folder: Path, name: str):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert read(folder, name) == b"x"


@pytest.fixture(scope="module")
def riddled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every `b` is a link to the outside and every `a` is a file or a folder of its own."""
    root = tmp_path_factory.mktemp("riddled")
    (root / "a").write_bytes(SECRET)
    folder = root / "plan"
    (folder / "c").mkdir(parents=True)
    for place in (folder, folder / "c"):
        (place / "a").write_bytes(b"inside")
        (place / "b").symlink_to(root)
    return folder


@given(name=st.text(alphabet="abc./\\\0: ~", max_size=20))
def test_whatever_is_asked_for_only_the_inside_is_read(riddled: Path, name: str):
    with suppress(ForbiddenPathError, NotFoundError):
        assert read(riddled, name) == b"inside"
