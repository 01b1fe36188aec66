"""The virtual environment: what state it is in, how it is made, what is installed in it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.set_up import stamps
from scripts.set_up.failures import SetUpError
from scripts.set_up.locks import canonical
from scripts.set_up.pip_runs import Programs

HALF_MADE = "half-made"
ASIDE = ("bench", "earlier", "lock", "pips", "fetched", "set-up.log")  # ours, but no part of the environment itself
# Python compiles what it imports and keeps it; only where it may not (PYTHONDONTWRITEBYTECODE), pip does it beforehand.
NO_COMPILE = () if sys.dont_write_bytecode else ("--no-compile",)
ASK = "import json, sys; print(json.dumps([sys.version_info[:2], sys.implementation.name]))"


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in a folder of the checkout."""

    folder: Path

    @property
    def python(self) -> str:
        """Its Python."""
        return str(self.folder / "bin" / "python")

    @property
    def marker(self) -> Path:
        """A file that is there while the environment is made, and afterwards if that was interrupted."""
        return self.folder / HALF_MADE

    def why_anew(self) -> str:
        """Why what is there cannot be used and has to be made anew; empty if it can, or if nothing is there.

        Raises:
            SetUpError: it is somebody else's, and not ours to delete.
        """
        children = self._children()
        if not children:
            return ""
        if self.marker.exists():
            return "is half made, the last set-up was interrupted"
        if not (self.folder / "pyvenv.cfg").is_file():
            raise SetUpError(
                f"{self.folder} is there and is no virtual environment.\n"
                "  It is not touched. Move it away, then run the same command again."
            )
        return self._why_unfit()

    def _why_unfit(self) -> str:
        try:
            done = subprocess.run([self.python, "-I", "-c", ASK], capture_output=True, timeout=60, check=True)
            (major, minor), kind = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.SubprocessError):
            return "holds a Python that does not run any more"
        if ((major, minor), kind) != (sys.version_info[:2], sys.implementation.name):
            return f"is of Python {major}.{minor}"
        try:
            head = (self.folder / "bin" / "pip").read_bytes()[:1000]
        except OSError:
            return "has no pip"
        return "" if str(self.folder).encode() in head else "was moved here from another place"

    def is_there(self) -> bool:
        """Whether something is there that `why_anew` has nothing against."""
        return bool(self._children())

    def _children(self) -> list[Path]:
        if self.folder.is_symlink():
            raise SetUpError(
                f"{self.folder} is a link, to {self.folder.readlink()}.\n"
                "  Nothing is installed through it. Remove the link, then run the same command again."
            )
        try:
            return [child for child in self.folder.iterdir() if child.name not in ASIDE]
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            raise SetUpError(f"{self.folder} is a file, and not ours. Move it away, then run it again.") from error

    def make(self, programs: Programs) -> None:
        """Makes it anew, with the pip that this Python brings.

        Raises:
            SetUpError: this Python cannot make one.
        """
        if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
            raise SetUpError(
                f"{base_python()} cannot make virtual environments: its modules venv and ensurepip are missing.\n"
                "  On Debian and Ubuntu: apt-get install python3-venv"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.marker.touch()
        for child in self._children():
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            elif child != self.marker:
                child.unlink()
        programs.run([base_python(), "-m", "venv", "--without-pip", str(self.folder)])
        programs.run([self.python, *_bring_pip()])
        self.marker.unlink()

    def installed(self) -> set[tuple[str, str]]:
        """Name and version of what is installed as a whole.

        What an interruption left half is taken out of pip's sight; its files are written again.
        """
        there: set[tuple[str, str]] = set()
        for about in self.folder.glob("lib/python3*/site-packages/*.dist-info"):
            if (about / "INSTALLER").is_file():  # pip writes it when all other files are in place
                name, _, version = about.name.removesuffix(".dist-info").rpartition("-")
                there.add((canonical(name), version))
            else:
                shutil.rmtree(about)
        return there

    def megabytes(self) -> int:
        """How much room it takes now."""
        files = (path for child in self._children() for path in [child, *child.rglob("*")])
        return sum(path.lstat().st_size for path in files if not path.is_dir()) // 10**6

    def stamp(self, name: str, text: str) -> None:
        """Remembers that something is done."""
        stamps.write(self.folder, name, text)


def base_python() -> str:
    """The Python behind this one, which may itself be that of the .venv that is made anew."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    with contextlib.suppress(OSError):
        for line in Path(sys.prefix, "pyvenv.cfg").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "executable" and Path(value.strip()).is_file():
                return value.strip()
    return str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))


def _bring_pip() -> list[str]:
    """Python's own wheel of pip installs itself without byte-compiling, in half the time.

    Where it lies elsewhere, ensurepip knows where.
    """
    found = importlib.util.find_spec("ensurepip")
    wheels = sorted(Path(found.origin).parent.glob("_bundled/pip-*.whl")) if found and found.origin else []
    if not wheels:
        return ["-m", "ensurepip", "--default-pip"]
    options = ("--isolated", "--no-index", "--no-deps", *NO_COMPILE, "--no-cache-dir", "--no-input")
    return [str(wheels[-1] / "pip"), "install", *options, str(wheels[-1])]
