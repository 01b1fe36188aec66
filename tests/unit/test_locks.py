"""The locks: each is complete in itself, has wheels for every Python that is let in, and is read as pip reads it."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from scripts.lock import LOCKS, MACHINES
from scripts.set_up.locks import applies, canonical, read_pins, read_table, shared_out
from scripts.set_up.purposes import PURPOSES

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = [lock for lock, _, _ in LOCKS]


def pinned(lock: str) -> dict[str, str]:
    return {canonical(pin.name): pin.version for pin in read_pins(ROOT / lock) if applies(pin.marker)}


def required(name: str, extras: set[str]) -> list[Requirement]:
    """What an installed distribution requires here, with these extras."""
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []  # a lock for another purpose than that of this environment
    requirements = [Requirement(line) for line in lines]
    return [
        each
        for each in requirements
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in {"", *extras})
    ]


@pytest.mark.parametrize(("lock", "extras"), [(lock, extras) for lock, extras, _ in LOCKS])
def test_a_lock_is_complete_in_itself(lock, extras):
    pins = pinned(lock)
    own = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    waiting = [(requirement, "pyproject.toml") for requirement in map(Requirement, own)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, by = waiting.pop()
        name, asked = canonical(requirement.name), frozenset(requirement.extras)
        assert name in pins, f"{lock} lacks {requirement}, which {by} requires"
        assert requirement.specifier.contains(pins[name], prereleases=True), f"{requirement} of {by}"
        if (name, asked) not in seen:
            seen.add((name, asked))
            waiting += [(each, name) for each in required(name, set(asked))]
    assert {name for name, _ in seen} <= set(pins)


@pytest.mark.parametrize(("lock", "of"), [(lock, of) for lock, _, of in LOCKS if of])
def test_a_lock_takes_over_the_pins_of_the_one_before(lock, of):
    pins, before = pinned(lock), pinned(of)
    assert {name: pins[name] for name in before if name in pins} == {n: v for n, v in before.items() if n in pins}
    assert lock == "requirements-bench.lock" or set(before) <= set(pins)


def test_chatting_needs_nothing_of_the_tests():
    assert not {"pytest", "hypothesis", "coverage"} & set(pinned("requirements.lock"))


def test_what_an_extra_of_lxml_brings_is_a_dependency_of_our_own():
    assert "lxml-html-clean" in {canonical(Requirement(line).name) for line in PROJECT["dependencies"]}


def test_every_python_that_is_let_in_has_all_wheels_on_every_machine():
    table = read_table(ROOT / "requirements.lock")
    script = (ROOT / "scripts" / "find_python.sh").read_text(encoding="utf-8")
    found = re.search(r"^oldest=3\.(\d+).*\nnewest=3\.(\d+)", script, re.MULTILINE)
    assert found is not None
    let_in = [f"3.{minor}" for minor in range(int(found[1]), int(found[2]) + 1)]
    assert table == dict.fromkeys(MACHINES, let_in)
    assert PROJECT["requires-python"] == f">=3.{found[1]},<3.{int(found[2]) + 1}"


@pytest.mark.parametrize("lock", [*NAMES, "requirements-pips.lock"])
def test_markers_and_pins_are_read_as_pip_reads_them(lock, monkeypatch):
    pins = read_pins(ROOT / lock)
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert len(pins) == len(re.findall(r"^[a-z0-9].*==", text, re.MULTILINE))
    assert sum(pin.hashes for pin in pins) == text.count("--hash=")
    for version in ((3, 11, 7), (3, 12, 0), (3, 14, 1)):
        monkeypatch.setattr(sys, "version_info", version)
        for platform in ("linux", "win32"):
            monkeypatch.setattr(sys, "platform", platform)
            numbers = ".".join(map(str, version))
            there = {"python_full_version": numbers, "python_version": numbers[:4], "sys_platform": platform}
            for pin in pins:
                assert applies(pin.marker) == (not pin.marker or Marker(pin.marker).evaluate(there)), pin.marker


def test_pins_are_shared_out_whole_and_evenly():
    pins = read_pins(ROOT / "requirements.lock")
    parts = shared_out(pins, 3)
    assert sorted(pin.name for part in parts for pin in part) == sorted(pin.name for pin in pins)
    work = [sum(pin.hashes + 10 for pin in part) for part in parts]
    assert max(work) < 1.2 * min(work)
    assert shared_out(pins[:1], 3) == [pins[:1]]


def test_every_purpose_has_its_lock():
    assert {purpose.lock for purpose in PURPOSES.values()} == set(NAMES)
