"""What must be true of this machine before anything is made or fetched: packages exist for it, and there is room."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from scripts.set_up.failures import SetUpError
from scripts.set_up.locks import read_table

GLIBC = (2, 28)
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
PROCESSORS = {"amd64": "x86_64", "arm64": "aarch64"}


def name() -> str:
    """This machine as the table of wheels names it."""
    system = SYSTEMS.get(sys.platform, sys.platform)
    processor = platform.machine().lower()
    processor = PROCESSORS.get(processor, processor)
    if system == "macos" and processor == "aarch64":
        processor = "arm64"
    return f"{system}-{processor}"


def glibc() -> tuple[int, ...] | None:
    """The version of the C library where it is glibc, which wheels for Linux are made for; None where it is another."""
    try:
        said = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return None
    numbers = said.rpartition(" ")[2].split(".")
    return tuple(int(number) for number in numbers if number.isdigit()) or None


def refuse_without_wheels(lock: Path) -> None:
    """Says it where the pinned packages do not exist for this machine and this Python.

    Raises:
        SetUpError: they do not.
    """
    table = read_table(lock)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not table or (version in table.get(name(), []) and _c_library() is None):
        return
    there = "; ".join(f"{machine} with Python {', '.join(versions)}" for machine, versions in table.items() if versions)
    raise SetUpError(
        f"The pinned packages do not exist for this machine: {name()}, Python {version}"
        f"{_c_library() or ''}.\n  They exist for: {there} (Linux with glibc {GLIBC[0]}.{GLIBC[1]} or newer).\n"
        "  Nothing was fetched. Take another machine or Python, or a container of such a system."
    )


def _c_library() -> str | None:
    """What is wrong with the C library, for the end of a sentence."""
    if sys.platform != "linux":
        return None
    version = glibc()
    if version is None:
        return ", with another C library than glibc (musl?)"
    return None if version >= GLIBC else f", with glibc {'.'.join(map(str, version))}"


def is_narrow(place: Path, needed: int, more: int) -> bool:
    """Whether there is no room for `more` than what is `needed` (both in megabytes), such as pip's cache.

    Raises:
        SetUpError: there is not even room for what is installed.
    """
    free = shutil.disk_usage(place).free // 10**6
    if free < needed:
        raise SetUpError(
            f"Not enough room: {needed} MB are needed in {place}, {free} MB are free.\n"
            "  Nothing was fetched. Make room, or put the checkout on a larger disk; then run the same command again."
        )
    return free < needed + more
