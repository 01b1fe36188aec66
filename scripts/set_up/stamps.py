"""What is done already: one small file per purpose in .venv, written last and in one piece."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from scripts.set_up.purposes import ROOT, Purpose

FOLDER = "set-up"


def fingerprint(purpose: Purpose) -> str:
    """Changes with the lock, with pyproject.toml, with the Python and with the place of the checkout."""
    made = hashlib.sha256(f"{ROOT}\0{sys.version_info[:2]}\0{sys.implementation.name}".encode())
    for file in (purpose.lock, "pyproject.toml", *(["requirements-pips.lock"] if purpose.pips else [])):
        made.update((ROOT / file).read_bytes())
    return made.hexdigest()


def checkout_fingerprint() -> str:
    """Changes when the checkout has to be installed anew."""
    return hashlib.sha256(
        f"{ROOT}\0{sys.version_info[:2]}".encode() + (ROOT / "pyproject.toml").read_bytes()
    ).hexdigest()


def read(folder: Path, name: str) -> str:
    """What a stamp says; empty if there is none."""
    try:
        return (folder / FOLDER / name).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def write(folder: Path, name: str, text: str) -> None:
    """Puts a stamp in its place, whole or not at all."""
    place = folder / FOLDER / name
    place.parent.mkdir(exist_ok=True)
    passing = place.with_name(f"{name}.new")
    passing.write_text(text, encoding="ascii")
    passing.replace(place)


def is_done(purpose: Purpose) -> bool:
    """Whether nothing is left to do."""
    folder = ROOT / purpose.folder
    return read(folder, purpose.name) == fingerprint(purpose) and os.access(folder / "bin" / "python", os.X_OK)
