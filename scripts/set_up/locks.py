"""Reading a lock: its pins, which of them apply to this Python, and the table of wheels at its top."""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]*?))?\s*\\?$")
TABLE = re.compile(r"^# wheels: (?P<machine>\S+)(?P<versions>(?: \d+\.\d+)*)$", re.MULTILINE)
COMPARISON = re.compile(r"^\(*\s*(?P<name>\w+)\s*(?P<sign>[<>=!]=|[<>])\s*['\"](?P<value>[^'\"]*)['\"]\s*\)*$")
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock."""

    name: str
    version: str
    marker: str
    text: str
    """The lines of the lock with its hashes, as pip reads them."""

    @property
    def key(self) -> tuple[str, str]:
        """What an installed distribution is compared by."""
        return canonical(self.name), self.version

    @property
    def hashes(self) -> int:
        """How many files there are; what pip has to read of an index grows with it."""
        return self.text.count("--hash=")


def canonical(name: str) -> str:
    """A package's name as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(lock: Path) -> list[Pin]:
    """All pins of a lock, also those that do not apply here."""
    pins: list[Pin] = []
    lines: list[str] = []
    for line in [*lock.read_text(encoding="utf-8").splitlines(), ""]:
        if lines and not line.startswith("    --hash="):
            pins.append(_pin(lines))
            lines = []
        if line and not line.startswith((" ", "#")):
            lines = [line]
        elif lines:
            lines.append(line)
    return pins


def _pin(lines: list[str]) -> Pin:
    found = PIN.match(lines[0])
    if found is None:
        raise ValueError(f"not a pin: {lines[0]!r}")
    return Pin(found["name"], found["version"], (found["marker"] or "").strip(), "\n".join(lines).rstrip(" \\") + "\n")


def applies(marker: str) -> bool:
    """Whether a marker is true for the running Python; a marker of a kind that locks do not hold counts as true."""
    return not marker or any(
        all(_holds(part) for part in alternative.split(" and ")) for alternative in marker.split(" or ")
    )


def _holds(part: str) -> bool:
    found = COMPARISON.match(part.strip())
    values = {
        "sys_platform": sys.platform,
        "os_name": os.name,
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "implementation_name": sys.implementation.name,
    }
    if found is None:
        return True
    sign, value = SIGNS[found["sign"]], found["value"]
    if found["name"] in {"python_version", "python_full_version"}:
        return sign(sys.version_info[:3], tuple([*map(int, re.findall(r"\d+", value)), 0, 0][:3]))
    return found["name"] not in values or sign(values[found["name"]], value)


def read_table(lock: Path) -> dict[str, list[str]]:
    """For which machines and Pythons every pin of a lock has a wheel, as `make lock` found and wrote it."""
    text = lock.read_text(encoding="utf-8")
    return {found["machine"]: found["versions"].split() for found in TABLE.finditer(text)}


def shared_out(pins: Iterable[Pin], count: int) -> list[Sequence[Pin]]:
    """The pins in at most `count` parts that take pip about the same time, the longest part first."""
    parts: list[list[Pin]] = [[] for _ in range(count)]
    weights = [0] * count
    for pin in sorted(pins, key=lambda pin: pin.hashes, reverse=True):
        lightest = weights.index(min(weights))
        parts[lightest].append(pin)
        weights[lightest] += 10 + pin.hashes
    return [part for part in parts if part]
