"""Text files inside one folder: found, decoded, bounded, and written so that no half file is ever seen."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple

from aura_core.api import ActionError, Decoded, composed, decode_text, resolve_inside, service

IfExists = Literal["replace", "rename", "fail"]
MAX_LISTED = 2_000
_MAX_NAMES_TRIED = 1_000
_NO_MARK = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""The encoding of what is added to a text that begins with a byte order mark."""


class TextFile(NamedTuple):
    """A file that was read: its text with plain line ends, its size in bytes and the encoding it was in."""

    path: Path
    text: str
    size: int
    encoding: str


class Written(NamedTuple):
    """A file that was written, and whether another one of that name was there."""

    path: Path
    size: int
    existed: bool


def decode(raw: bytes, name: str) -> Decoded:
    """Text and encoding of a file's bytes.

    Raises:
        ActionError: these bytes are not text.
    """
    found = decode_text(raw)
    if found is None:
        raise ActionError(f"{name} is not a text file.")
    return found


def encode_for(text: str, name: str, raw: bytes, before: Decoded) -> bytes:
    """What is added to a file, in the encoding that the file has; what stood there is never written anew.

    Args:
        text: what is added.
        name: the file's, for messages.
        raw: what stands in it.
        before: the same, decoded.

    Raises:
        ActionError: the encoding has no such letters, or it is only guessed and the letters are not plain ones.
    """
    advice = "Save the whole text under another name, which makes it UTF-8."
    if not (before.certain or text.isascii()):
        raise ActionError(f"It cannot be told for sure in which encoding {name} is, so nothing was added. {advice}")
    encoding = _NO_MARK.get(before.encoding, before.encoding)
    if before.encoding.startswith(("utf-16", "utf-32")) and raw[:1] in (b"\xfe", b"\0"):
        encoding = encoding.replace("-le", "-be")
    try:
        return text.encode(encoding, "replace" if encoding.startswith("utf") else "strict")
    except UnicodeEncodeError as error:
        what = f"{name} is in {before.encoding}, which has no {text[error.start]!r}"
        raise ActionError(f"{what}; nothing was added. {advice}") from None


@service("files")
class TextFiles:
    """Reads and writes text files below a folder that may not be left.

    Args:
        config: settings of the plan: `limits.file_bytes`.
    """

    def __init__(self, config: Callable[..., Any]) -> None:
        self.max_bytes: int = config("limits.file_bytes", 5_000_000)
        self._appending = threading.Lock()

    def walk(self, folder: Path) -> Iterator[Path]:
        """Every plain file below the folder, in order of name; hidden ones and links that lead outside left out."""
        root = folder.resolve()
        for parent, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(parent, name)
                if not name.startswith(".") and path.is_file() and path.resolve().is_relative_to(root):
                    yield path

    def find(self, folder: Path, name: str) -> Path:
        """The existing file of that name.

        Raises:
            ActionError: there is none; names the nearest one.
            ForbiddenPathError: the name leads out of the folder.
        """
        path = resolve_inside(folder, name)
        if path.is_file():
            return path
        if path.is_dir():
            raise ActionError(f"{name} is a folder, not a file.")
        raise ActionError(f"There is no file {name}. {self._nearest(folder, name)}")

    def _nearest(self, folder: Path, name: str) -> str:
        root = folder.resolve()
        by_name: dict[str, str] = {}
        for path, _ in zip(self.walk(folder), range(MAX_LISTED), strict=False):
            shown = path.relative_to(root).as_posix()
            by_name |= {_plain(name): shown for name in (path.name, path.stem, shown)}
        if not by_name:
            return "This conversation has no files yet."
        near = get_close_matches(_plain(name), by_name, 1) or get_close_matches(_plain(Path(name).stem), by_name, 1)
        if near:
            return f"Did you mean {by_name[near[0]]}?"
        return f"There are: {', '.join(sorted(set(by_name.values()))[:5])}."

    def read(self, folder: Path, name: str) -> TextFile:
        """The text of a file.

        Raises:
            ActionError: no such file, too large, no text, or not readable.
        """
        path = self.find(folder, name)
        raw = self._bytes(path, name)
        text, encoding, _ = decode(raw, name)
        return TextFile(path, text.replace("\r\n", "\n"), len(raw), encoding)

    def _bytes(self, path: Path, name: str) -> bytes:
        try:
            size = path.stat().st_size
            if size > self.max_bytes:
                raise ActionError(f"{name} has {size:,} bytes; at most {self.max_bytes:,} are read.")
            return path.read_bytes()
        except OSError as error:
            raise ActionError(f"{name} cannot be read: {error.strerror or error}.") from error

    def write(self, folder: Path, name: str, text: str, if_exists: IfExists = "replace") -> Written:
        """Writes a file as UTF-8, at once or not at all.

        Args:
            folder: the folder that may not be left.
            name: path inside it; folders are made.
            text: all of its content.
            if_exists: what to do about a file of that name with other content; "rename" takes `name (2)` and so on.

        Raises:
            ActionError: too large, exists already, or not writable.
        """
        raw = text.encode("utf-8", "replace")
        path = resolve_inside(folder, name)
        if path.is_dir():
            raise ActionError(f"{name} is a folder; give a file name.")
        existed = path.exists()
        if existed and if_exists != "replace":
            path = self._free(folder, path, raw, if_exists)
        return self._store(path, name, raw, existed=existed)

    def _store(self, path: Path, name: str, raw: bytes, *, existed: bool) -> Written:
        if len(raw) > self.max_bytes:
            raise ActionError(f"{name} would have {len(raw):,} bytes; at most {self.max_bytes:,} are written.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, raw)
        except OSError as error:
            raise ActionError(f"{name} cannot be written: {error.strerror or error}.") from error
        return Written(path, len(raw), existed)

    def _free(self, folder: Path, path: Path, raw: bytes, if_exists: IfExists) -> Path:
        """The path to write to: the first of its name that is free, or already holds these very bytes."""
        for number in range(1, _MAX_NAMES_TRIED):
            candidate = path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")
            if not candidate.exists() or (candidate.is_file() and candidate.read_bytes() == raw):
                return candidate
            if if_exists == "fail":
                break
        shown = path.relative_to(folder.resolve()).as_posix()
        raise ActionError(f"There is a file {shown} already; choose another name.")

    def append(self, folder: Path, name: str, text: str) -> Written:
        """Adds text at the end of a file, on a line of its own; makes the file if need be.

        What stands in the file stays as it is, byte by byte, and the text is added in the encoding that the file has. A
        repetition after a crash may add the text twice.

        Raises:
            ActionError: the file would be too large, is not text, is not writable, or its encoding is not known or has
                no such letters.
        """
        path = resolve_inside(folder, name)
        with self._appending:
            if not path.exists():
                return self.write(folder, name, text)
            raw = self._bytes(self.find(folder, name), name)
            before = decode(raw, name)
            joint = "" if not before.text or before.text.endswith("\n") else "\n"
            return self._store(path, name, raw + encode_for(f"{joint}{text}", name, raw, before), existed=True)

    def delete(self, folder: Path, name: str) -> Path:
        """Removes a file for good.

        Raises:
            ActionError: no such file, or it cannot be removed.
        """
        path = self.find(folder, name)
        try:
            path.unlink()
        except OSError as error:
            raise ActionError(f"{name} cannot be deleted: {error.strerror or error}.") from error
        return path


def _plain(name: str) -> str:
    return composed(name).casefold()


def _replace(path: Path, raw: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".aura-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 (atomic on every system)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
