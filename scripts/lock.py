"""`make lock`: renews the pins in requirements*.lock, and looks for which machines and Pythons they have wheels.

Each lock is complete in itself, so that pip installs from it with --no-deps. `--keep` renews nothing that is pinned.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from scripts.set_up.environment import Environment, base_python
from scripts.set_up.purposes import ROOT

UV = Environment(ROOT / ".venv" / "lock")
OPTIONS = (
    *("--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"),
    *("--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock"),
)
# A lock, the extras of pyproject.toml in it, and the lock whose pins it takes over.
LOCKS = (
    ("requirements.lock", ("local", "checkout"), None),
    ("requirements-test.lock", ("local", "checkout", "test"), "requirements.lock"),
    ("requirements-check.lock", ("local", "checkout", "test", "check"), "requirements-test.lock"),
    ("requirements-eval.lock", ("local", "checkout", "eval"), "requirements.lock"),
    ("requirements-bench.lock", ("bench",), "requirements.lock"),
)
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
MACHINES = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "macos-arm64": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
    "windows-x86_64": "x86_64-pc-windows-msvc",
}
HEADING = "# All pins below have wheels for these machines and Pythons (Linux: glibc 2.28 or newer).\n"


def main(arguments: list[str]) -> int:
    """Writes all locks; 0 if that worked."""
    if not Path(UV.python).exists():
        subprocess.run([base_python(), "-m", "venv", str(UV.folder)], check=True)
    subprocess.run([UV.python, "-m", "pip", "install", "--quiet", "--upgrade", "uv"], check=True)
    for lock, extras, of in LOCKS:
        compile_lock(lock, extras, of, upgrade="--keep" not in arguments)
    table = wheels(ROOT / "requirements.lock")
    write_table(ROOT / "requirements.lock", table)
    for machine, versions in table.items():
        print(f"{machine}: wheels for Python {', '.join(versions) or 'none'}")
    return 0


def compile_lock(lock: str, extras: tuple[str, ...], of: str | None, *, upgrade: bool) -> None:
    """Writes one lock."""
    named = [word for extra in extras for word in ("--extra", extra)]
    more = [*(["--upgrade"] if upgrade else []), *(["--constraint", of] if of else [])]
    command = [str(UV.folder / "bin" / "uv"), "pip", "compile", "pyproject.toml", *named, *OPTIONS, *more, "-o", lock]
    subprocess.run(command, check=True, cwd=ROOT)


def wheels(lock: Path) -> dict[str, list[str]]:
    """For each machine the Pythons for which everything that is pinned has a wheel; only metadata is fetched."""
    asked = [(machine, version) for machine in MACHINES for version in PYTHONS]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(partial(has_wheels, lock), *zip(*asked, strict=True)))
    there = [both for both, answer in zip(asked, answers, strict=True) if answer]
    return {machine: [version for other, version in there if other == machine] for machine in MACHINES}


def has_wheels(lock: Path, machine: str, version: str) -> bool:
    """Whether uv would find a wheel for every pin.

    Raises:
        subprocess.CalledProcessError: uv failed for another reason.
    """
    with tempfile.TemporaryDirectory() as nowhere:
        command = [
            *(str(UV.folder / "bin" / "uv"), "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:"),
            *("--python-version", version, "--python-platform", MACHINES[machine], "--target", nowhere),
            *("--require-hashes", "-r", str(lock)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "no usable wheels" not in done.stderr and "no wheels" not in done.stderr:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.returncode == 0


def write_table(lock: Path, table: dict[str, list[str]]) -> None:
    """Puts the table at the top of a lock, in the place of the one that was there."""
    kept = re.sub(
        rf"^({re.escape(HEADING.strip())}|# wheels: .*)\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    rows = "".join(f"# wheels: {' '.join([machine, *versions])}\n" for machine, versions in table.items())
    lock.write_text(HEADING + rows + kept, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
