"""A set-up from its first look to its stamp."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import time
from collections.abc import Generator
from pathlib import Path

from scripts.set_up import machine, stamps
from scripts.set_up.environment import Environment
from scripts.set_up.failures import SetUpError, in_words
from scripts.set_up.locks import Pin, applies, read_pins
from scripts.set_up.packages import Packages
from scripts.set_up.pip_runs import Programs
from scripts.set_up.progress import say
from scripts.set_up.purposes import PURPOSES, ROOT, Purpose


def set_up(purpose: Purpose) -> None:
    """Makes the environment hold what the purpose needs; goes on where an earlier set-up ended.

    Raises:
        SetUpError: it cannot; in words.
    """
    machine.refuse_without_wheels(ROOT / "requirements.lock")
    with _alone() as lock:
        if stamps.is_done(purpose):
            return
        environment = Environment(ROOT / purpose.folder)
        programs = Programs(environment.folder / "set-up.log", lock)
        try:
            _set_up(purpose, environment, programs)
        except OSError as error:
            raise SetUpError(in_words(error)) from error
        finally:
            programs.stop()


def _set_up(purpose: Purpose, environment: Environment, programs: Programs) -> None:
    why = environment.why_anew()
    fresh = bool(why) or not environment.is_there()
    pins = [pin for pin in read_pins(ROOT / purpose.lock) if applies(pin.marker)]
    installed = set[tuple[str, str]]() if fresh else environment.installed()
    missing = [pin for pin in pins if pin.key not in installed]
    needed = room_needed(purpose, missing, there=environment.megabytes())
    sparing = machine.is_narrow(ROOT, needed, 2 * purpose.fetched)
    if why:
        say(f"{purpose.folder} {why}: it is made anew.")
    started = time.monotonic()
    if missing:
        _announce(purpose, len(missing), first=len(missing) == len(pins))
    environment.folder.mkdir(parents=True, exist_ok=True)
    programs.log.write_text("", encoding="utf-8")
    if fresh:
        environment.make(programs)
    packages = Packages(environment, programs, sparing=sparing)
    if missing:
        packages.install(missing)
    if purpose.checkout and stamps.read(environment.folder, "checkout") != stamps.checkout_fingerprint():
        packages.install_checkout(ROOT)
        environment.stamp("checkout", stamps.checkout_fingerprint())
    if purpose.pips:
        _fetch_pips(packages, environment.folder / "pips")
    environment.stamp(purpose.name, stamps.fingerprint(purpose))
    if missing:
        say(f"{purpose.folder} is set up for {purpose.about}, after {time.monotonic() - started:.0f} s.")


def _announce(purpose: Purpose, missing: int, *, first: bool) -> None:
    what = f"{missing}{'' if first else ' more'} package{'' if missing == 1 else 's'}"
    much = f"about {purpose.fetched} MB to fetch, " if first else ""
    say(
        f"Setting up {purpose.folder} with Python {platform.python_version()}: {what} for {purpose.about}, "
        f"{much}half a minute on a quick line"
    )


def room_needed(purpose: Purpose, missing: list[Pin], there: int) -> int:
    """Megabytes that are needed still, where an environment of so many megabytes is `there` or makes room."""
    if not missing:
        return 10
    needed = max(purpose.room - there, purpose.fetched)
    included = PURPOSES.get(purpose.includes)
    keys = {pin.key for pin in missing}
    if included and not any(pin.key in keys for pin in read_pins(ROOT / included.lock) if applies(pin.marker)):
        return min(needed, purpose.room - included.room)
    return needed


def _fetch_pips(packages: Packages, folder: Path) -> None:
    there = {path.name.split("-")[1] for path in folder.glob("pip-*.whl")}
    wanted = read_pins(ROOT / "requirements-pips.lock")
    packages.download([pin for pin in wanted if pin.version not in there], folder)


@contextlib.contextmanager
def _alone() -> Generator[int]:
    """One set-up at a time; yields the open folder that holds the lock. Programs of a killed one keep theirs."""
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work in this checkout; waiting for its end (Ctrl-C stops waiting) …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass  # a network drive without locks: two set-ups at once are then the person's own care
        yield handle
    finally:
        os.close(handle)
