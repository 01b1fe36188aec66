"""What a set-up says when it cannot go on, and what it looks at before it fetches anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.set_up import machine, setting_up
from scripts.set_up.failures import SetUpError, explain
from scripts.set_up.purposes import PURPOSES, ROOT

LOCK = ROOT / "requirements.lock"


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("WARNING: NewConnectionError\nERROR: No matching distribution found for rich", "index cannot be reached"),
        ("socket.gaierror … NameResolutionError", "index cannot be reached"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "cannot be reached"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash is not the pinned one"),
        ("ERROR: No matching distribution found for numpy==2.5.5", "not for this machine"),
        ("ERROR: 403 Client Error: Forbidden for url", "refuses"),
        ("… SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "does not trust"),
        ("ERROR: something new", "Installing packages failed"),
        ("", "Installing packages failed"),
    ],
)  # fmt: skip
def test_what_pip_says_is_put_into_words(said, what):
    text = explain(said.splitlines(), ".venv/set-up.log")
    assert what in text
    assert ".venv/set-up.log" in text
    assert len(text.splitlines()) == 4


def test_passwords_of_an_index_are_not_repeated():
    text = explain(["ERROR: cannot read https://me:s3cret@mirror.example/simple/"], "log")
    assert "s3cret" not in text
    assert "//mirror.example" in text


def with_free(monkeypatch, megabytes):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=megabytes * 10**6))


def test_too_little_room_is_refused_with_numbers(monkeypatch, tmp_path):
    with_free(monkeypatch, 200)
    with pytest.raises(SetUpError, match=r"430 MB are needed .*, 200 MB are free"):
        machine.is_narrow(tmp_path, 430, 90)


def test_little_room_is_not_filled_with_a_cache(monkeypatch, tmp_path):
    with_free(monkeypatch, 500)
    assert machine.is_narrow(tmp_path, 430, 90) is True
    with_free(monkeypatch, 600)
    assert machine.is_narrow(tmp_path, 430, 90) is False


def test_what_is_there_already_needs_no_room():
    chat, test = (setting_up.read_pins(ROOT / PURPOSES[name].lock) for name in ("chat", "test"))
    keys = {pin.key for pin in chat}
    only_tests = [pin for pin in test if pin.key not in keys]
    for_tests, for_chat = PURPOSES["test"], PURPOSES["chat"]
    assert setting_up.room_needed(for_tests, test, there=0) == for_tests.room
    assert setting_up.room_needed(for_tests, test, there=100) == for_tests.room - 100
    assert setting_up.room_needed(for_tests, only_tests, there=300) == for_tests.room - for_chat.room
    assert setting_up.room_needed(for_tests, [], there=0) < 20


def test_this_machine_has_wheels():
    machine.refuse_without_wheels(LOCK)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"glibc": lambda: None}, "another C library than glibc"),
        ({"glibc": lambda: (2, 17)}, "with glibc 2.17"),
        ({"name": lambda: "linux-riscv64"}, "linux-riscv64"),
    ],
)
def test_a_machine_without_wheels_is_refused_before_anything_is_fetched(monkeypatch, change, why):
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in change.items():
        monkeypatch.setattr(machine, name, value)
    with pytest.raises(SetUpError, match=why) as caught:
        machine.refuse_without_wheels(LOCK)
    assert "Nothing was fetched" in str(caught.value)


def test_a_lock_without_a_table_is_no_reason_to_refuse(tmp_path: Path):
    (tmp_path / "some.lock").write_text("one==1.0\n", encoding="utf-8")
    machine.refuse_without_wheels(tmp_path / "some.lock")
