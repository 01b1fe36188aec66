"""Fetching and installing what is missing, by several pips side by side.

Reading the pages of an index is most of pip's work and takes a processor each, so the pins are shared out; no two parts
write the same files. Every pip gets `--no-deps`: a lock is complete, and an old pip that looks for dependencies itself
takes the newest release of a package with extras instead of the pinned one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from scripts.set_up.environment import NO_COMPILE, Environment
from scripts.set_up.locks import Pin, shared_out
from scripts.set_up.pip_runs import Programs
from scripts.set_up.progress import shown

STRICT = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-input", "--progress-bar", "off")
LOCAL = ("--isolated", "--no-index", "--no-deps", "--no-build-isolation", "--no-compile", "--no-input")
BEGUN = re.compile(r"^(?:Collecting|Processing) ")
MOST_PIPS = 4
WORTH_SHARING = 8


class Packages:
    """What is fetched and installed in one set-up.

    Args:
        environment: where to.
        programs: runs pip.
        sparing: there is not much room: pip's cache is not filled, nothing is byte-compiled.
    """

    def __init__(self, environment: Environment, programs: Programs, *, sparing: bool) -> None:
        self._environment = environment
        self._programs = programs
        self._cache = ("--no-cache-dir",) if sparing else ()
        self._compile = ("--no-compile",) if sparing else NO_COMPILE
        self._begun = 0
        self._basket = environment.folder / "fetched"

    def install(self, pins: Sequence[Pin]) -> None:
        """Fetches and installs.

        Raises:
            SetUpError: pip failed; packages that are whole by then stay, the others are missing again next time.
        """
        workers = min(MOST_PIPS, os.cpu_count() or 1) if len(pins) > WORTH_SHARING else 1

        def now() -> str:
            size = sum(entry.stat().st_size for entry in _files(self._basket)) // 10**6
            return f"  {self._begun} of {len(pins)} packages, {size} MB fetched and not yet installed"

        with self._fresh_basket(), shown(now), self._side_by_side(workers) as pool:
            parts = enumerate(shared_out(pins, workers))
            running = [
                pool.submit(self._pip, f"part-{number}", part, "install", *self._compile) for number, part in parts
            ]
            for done in as_completed(running):
                done.result()

    def download(self, pins: Sequence[Pin], into: Path) -> None:
        """Fetches wheels that are not installed: several versions of one package, one after the other."""
        into.mkdir(exist_ok=True)
        with self._fresh_basket():
            for pin in pins:
                self._pip(pin.version, [pin], "download", "--dest", str(into))

    def install_checkout(self, checkout: Path) -> None:
        """Installs the checkout itself, so that its files are used as they are; needs no network."""
        command = [self._environment.python, "-m", "pip", "install", *LOCAL, "--editable", str(checkout)]
        self._programs.run(command)

    def _pip(self, name: str, pins: Sequence[Pin], *command: str) -> None:
        passing = self._basket / name
        passing.mkdir()
        listed = passing / "pins.txt"
        listed.write_text("".join(pin.text for pin in pins), encoding="utf-8")
        pip = [self._environment.python, "-m", "pip", *command, *STRICT, *self._cache, "--requirement", str(listed)]
        self._programs.run(pip, self._heard, {"PYTHONUNBUFFERED": "1", "TMPDIR": str(passing)})

    def _heard(self, line: str) -> None:
        if BEGUN.match(line):
            self._begun += 1

    @contextlib.contextmanager
    def _fresh_basket(self) -> Generator[None]:
        """A folder for what is fetched and not yet installed, on the disk whose room was looked at."""
        shutil.rmtree(self._basket, ignore_errors=True)
        self._basket.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(self._basket, ignore_errors=True)

    @contextlib.contextmanager
    def _side_by_side(self, count: int) -> Generator[ThreadPoolExecutor]:
        """When one fails, or the person stops it, all end."""
        with ThreadPoolExecutor(count) as pool:
            try:
                yield pool
            except BaseException:
                self._programs.stop()
                raise


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(OSError):  # pip moves and deletes while we look
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield entry
