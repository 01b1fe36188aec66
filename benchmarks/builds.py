"""Builds of Aura that are timed as whole programs: this one, and an earlier one beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from benchmarks.case import AURA

ROOT = Path(__file__).resolve().parents[1]
EARLIER = "13e86e8"
"""The commit that the front door is measured against."""
PLACE = ROOT / ".venv" / "earlier" / EARLIER
FOREIGN_PREFIXES = ("OPENAI_", "AURA_", "TELEGRAM_", "OMP_", "GOMP_", "PYTHON", "MAKE", "MFLAGS", "VIRTUAL_ENV")
"""Variables that a person's shell would not have, or that `make bench` and its Python leave behind."""


class BuildError(Exception):
    """The earlier build cannot be made here; says which command failed."""


@dataclass(frozen=True, slots=True)
class Build:
    """One build.

    Attributes:
        name: the contestant's name.
        root: its checkout.
        python: of its virtual environment.
    """

    name: str
    root: Path
    python: Path

    def command(self, *words: str) -> list[str]:
        """A command line of `aura`, to be run in `root`."""
        return [str(self.python), "-m", "agent.cli", *words]


def this() -> Build:
    """The build that this checkout holds, with what `make setup` installed."""
    own = ROOT / ".venv" / "bin" / "python"
    return Build(AURA, ROOT, own if own.exists() else Path(sys.executable))


@cache
def earlier() -> Build:
    """The earlier build, cloned from this checkout; made at its first use, which fetches what it needs.

    Raises:
        BuildError: it cannot be made, e.g. because the commit or the network is not there.
    """
    done = PLACE / "ready"
    if not done.exists():
        shutil.rmtree(PLACE, ignore_errors=True)
        clone(ROOT, PLACE, EARLIER)
        venv_that_can_install(PLACE)
        python = PLACE / ".venv" / "bin" / "python"
        install = (str(python), "-m", "pip", "install", "--quiet", "--no-deps")
        run([*install, "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock"], PLACE)
        run([*install, "--no-build-isolation", "--editable", "."], PLACE)
        done.touch()
    return Build(EARLIER, PLACE, PLACE / ".venv" / "bin" / "python")


def clone(source: Path, target: Path, commit: str) -> None:
    """A clone of a checkout at one commit."""
    run(["git", "clone", "--quiet", str(source), str(target)], ROOT)
    run(["git", "checkout", "--quiet", commit], target)


def venv_that_can_install(folder: Path) -> None:
    """Makes `.venv` with the newest pip: the earlier build cannot be installed by the one that Python 3.11 brings."""
    run([sys.executable, "-m", "venv", ".venv"], folder)
    run([".venv/bin/python", "-m", "pip", "install", "--quiet", "--upgrade", "pip"], folder)


def run(command: list[str], folder: Path) -> None:
    """Runs a command to its end.

    Raises:
        BuildError: it failed.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 (named above)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise BuildError(f"{' '.join(command[:5])} … failed: {''.join(last)}")


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """A person's environment with an empty home of Aura and no prompt states; weights and pip's cache stay.

    Args:
        home: a folder for AURA_HOME and for what is kept in the user's cache.
        more: further variables.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_PREFIXES)}
    weights = os.environ.get("AURA_EMBEDDED_FOLDER") or str(platformdirs.user_cache_path("aura") / "models")
    return {
        **kept,
        "AURA_HOME": str(home / "aura"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or str(platformdirs.user_cache_path("pip")),
        "AURA_EMBEDDED_FOLDER": weights,
        "TERM": "xterm-256color",
        **more,
    }
