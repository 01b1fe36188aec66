"""Text files of the session: `file.read`, `file.write`, `file.append`, `file.list`, `file.find`, `file.delete`.

Plain functions: they run in the thread pool, so that a slow disk never holds up other tasks.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

from aura_core.api import ActionError, Context, action, composed, requires_services, resolve_inside

from ..services.text_files import MAX_LISTED, IfExists, TextFiles

MAX_LINES_SHOWN = 20
MAX_LINE_CHARS = 200


def _shown(path: Path, context: Context) -> str:
    return composed(path.relative_to(context.files.resolve()).as_posix())


def _size(size: int) -> str:
    return f"{size} bytes" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"  # noqa: PLR2004 (SI steps)


@action("file.read")
@requires_services(files="files")
def read(path: str, files: TextFiles, context: Context) -> dict[str, Any]:
    """The text of a file.

    Args:
        path: inside the session's files folder.
        files: the plan's service.
        context: the running task's.

    Returns:
        `{path, text, bytes, encoding}`, the text with plain line ends.
    """
    file = files.read(context.files, path)
    context.show_names([_shown(file.path, context)])
    return {"path": _shown(file.path, context), "text": file.text, "bytes": file.size, "encoding": file.encoding}


@action("file.write", effects="write")
@requires_services(files="files")
def write(path: str, text: str, files: TextFiles, context: Context, if_exists: IfExists = "replace") -> dict[str, Any]:
    """Writes a text file as UTF-8; it is there completely or not at all.

    Args:
        path: inside the session's files folder; folders are made.
        text: the whole content.
        files: the plan's service.
        context: the running task's.
        if_exists: about a file with other content: replace it, take a free name (“list (2).txt”), or fail.

    Returns:
        `{path, bytes, message}`; `path` is the name that was taken.
    """
    written = files.write(context.files, path, text, if_exists)
    name = _shown(written.path, context)
    context.keep_origin(name)
    wanted = composed(Path(path).as_posix())
    message = f"Saved {name} ({_size(written.size)})."
    if written.existed and name == wanted:
        message = f"Saved {name} ({_size(written.size)}); it replaced the former file of that name."
    elif written.existed:
        message = f"Saved as {name} ({_size(written.size)}), because there is a {wanted} already."
    return {"path": name, "bytes": written.size, "message": message}


@action("file.append", effects="write")
@requires_services(files="files")
def append(path: str, text: str, files: TextFiles, context: Context) -> dict[str, Any]:
    """Adds text at the end of a file, on a new line; makes the file if need be.

    Args:
        path: inside the session's files folder.
        text: what is added.
        files: the plan's service.
        context: the running task's.

    Returns:
        `{path, bytes, message}` with the size afterwards.
    """
    written = files.append(context.files, path, text)
    name = _shown(written.path, context)
    if not written.existed:
        context.keep_origin(name)
    done = "Added to" if written.existed else "Started"
    return {"path": name, "bytes": written.size, "message": f"{done} {name} ({_size(written.size)})."}


@action("file.list")
@requires_services(files="files")
def list_files(files: TextFiles, context: Context) -> dict[str, Any]:
    """All files of the session.

    Args:
        files: the plan's service.
        context: the running task's.

    Returns:
        `{count, files: [{path, bytes, changed}], text}`; at most 2,000 files.
    """
    found = [_entry(path, context) for path in islice(files.walk(context.files), MAX_LISTED)]
    context.show_names(file["path"] for file in found)
    lines = [f"{file['path']} ({_size(file['bytes'])})" for file in found]
    return {"count": len(found), "files": found, "text": "\n".join(lines) or "There are no files yet."}


def _entry(path: Path, context: Context) -> dict[str, Any]:
    status = path.stat()
    changed = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
    return {"path": _shown(path, context), "bytes": status.st_size, "changed": changed}


@action("file.find")
@requires_services(files="files")
def find(files: TextFiles, context: Context, name: str = "", text: str = "") -> dict[str, Any]:
    """Files by name, by what stands in them, or both.

    Args:
        files: the plan's service.
        context: the running task's.
        name: part of the name, or a pattern such as `*.csv`; case does not matter.
        text: words that stand in the file; case does not matter.

    Returns:
        `{count, files: [{path, bytes, changed, lines: [{number, text}]}], text}`; at most 20 lines a file.
    """
    if not name.strip() and not text.strip():
        raise ActionError("file.find needs a name, a text to look for, or both.")
    found: list[dict[str, Any]] = []
    for path in islice(files.walk(context.files), MAX_LISTED):
        if name.strip() and not _is_named(_shown(path, context), name.strip()):
            continue
        lines = _lines_with(files, context, path, text.strip()) if text.strip() else []
        if lines or not text.strip():
            found.append({**_entry(path, context), "lines": lines})
    return {"count": len(found), "files": found, "text": _found_text(found)}


def _is_named(path: str, wanted: str) -> bool:
    path, wanted = path.casefold(), composed(wanted).casefold()
    if not re.search(r"[*?\[]", wanted):
        return wanted in path
    return fnmatchcase(path, wanted) or fnmatchcase(path.rsplit("/", 1)[-1], wanted)


def _lines_with(files: TextFiles, context: Context, path: Path, text: str) -> list[dict[str, Any]]:
    try:
        content = files.read(context.files, _shown(path, context)).text
    except ActionError:
        return []
    wanted = composed(text).casefold()
    lines = enumerate(composed(content).splitlines(), 1)
    hits = ((number, line) for number, line in lines if wanted in line.casefold())
    return [{"number": n, "text": line.strip()[:MAX_LINE_CHARS]} for n, line in islice(hits, MAX_LINES_SHOWN)]


def _found_text(found: list[dict[str, Any]]) -> str:
    rows: list[str] = []
    for file in found:
        rows.append(str(file["path"]))
        rows.extend(f"  line {line['number']}: {line['text']}" for line in file["lines"])
    return "\n".join(rows) or "No file matches."


@action("file.exists")
def exists(path: str, context: Context) -> dict[str, Any]:
    """Whether there is such a file: `{exists, path}` (a plain False would count as a failed step).

    Args:
        path: inside the session's files folder.
        context: the running task's.
    """
    return {"exists": resolve_inside(context.files, path).is_file(), "path": path}


@action("file.delete", effects="write")
@requires_services(files="files")
def delete(path: str, files: TextFiles, context: Context) -> dict[str, Any]:
    """Removes a file for good.

    Args:
        path: inside the session's files folder.
        files: the plan's service.
        context: the running task's.

    Returns:
        `{path, message}`.
    """
    name = _shown(files.delete(context.files, path), context)
    return {"path": name, "message": f"Deleted {name}."}


@action("file.attach", effects="read")
@requires_services(files="files")
def attach(path: str, files: TextFiles, context: Context, caption: str = "") -> dict[str, Any]:
    """Hands a file to the person when the task ends.

    Args:
        path: inside the session's files folder.
        files: the plan's service.
        context: the running task's.
        caption: one line beside it.

    Returns:
        `{path}`.
    """
    attachment = context.attach(files.find(context.files, path), caption)
    return {"path": _shown(attachment.path, context)}
