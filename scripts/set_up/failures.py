"""What can go wrong in a set-up, in words: what happened, and what to do. Imports no sibling."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

CREDENTIALS = re.compile(r"//[^/\s]+@")
AGAIN = "Nothing is broken: run the same command again, it goes on from there."
NO_NETWORK = (
    "NameResolutionError",
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ConnectionResetError",
    "RemoteDisconnected",
    "IncompleteRead",
    "IncompleteDownload",
    "Connection broken",
    "Connection aborted",
    "Network is unreachable",
    "Read timed out",
    "Max retries exceeded",
    "ProxyError",
    "connection error",
)
# In this order: what stands first is the reason of what stands below it.
KINDS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("No space left on device", "[Errno 28]", "Disk quota exceeded"),
        "The disk is full.",
        f"Make room where the checkout is. {AGAIN}",
    ),
    (
        ("DO NOT MATCH THE HASHES",),
        "What was fetched for a package is not what is pinned, its hash is not the pinned one; it was not installed.",
        "If the connection broke off, run the same command again. If it stays so, the index has another file.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED",),
        "The package index has a certificate that this machine does not trust.",
        f"Behind a proxy with a certificate of its own: pip config set global.cert /path/to/it. {AGAIN}",
    ),
    (
        ("401 Client Error", "403 Client Error", "407 Proxy", "Proxy Authentication Required"),
        "The package index refuses: it wants a name and a password, or does not let this machine in.",
        f"Look at pip's settings (pip config list). {AGAIN}",
    ),
    (
        NO_NETWORK,
        "The package index cannot be reached, or the connection broke.",
        f"Is there a network? Behind a proxy or a mirror: see docs/operations.md. {AGAIN}",
    ),
    (
        ("No matching distribution found", "Could not find a version"),
        "The package index does not have a package that is pinned, or not for this machine.",
        "A mirror of yours may lag behind; which machines have packages is said at the top of requirements.lock.",
    ),
)


class SetUpError(Exception):
    """The set-up cannot go on; the message says what happened and what to do."""


class StoppedError(SetUpError):
    """A person, or the system, asked the set-up to end."""


def in_words(error: OSError) -> str:
    """What the system refused us, before or beside pip: what happened, and what to do."""
    where = error.filename or "the checkout"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk is full: {where} cannot be written.\n  Make room where the checkout is. {AGAIN}"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return (
            f"{where} cannot be written: {error.strerror}.\n"
            "  Whose is the checkout, and is its disk read-only? Make it yours, or clone it to a place that is."
        )
    return f"The set-up cannot go on: {error}.\n  {AGAIN}"


def without_passwords(text: str) -> str:
    """The text with what stands before an @ in addresses left out."""
    return CREDENTIALS.sub("//", text)


def explain(lines: Sequence[str], log: str) -> str:
    """What pip's output means: what happened, pip's own last complaint, what to do, where all of it is kept."""
    text = "\n".join(lines)
    complaints = [line.strip() for line in lines if line.lstrip().startswith(("ERROR", "error:", "OSError"))]
    complaint = without_passwords((complaints or [line.strip() for line in lines if line.strip()] or [""])[-1])
    what, todo = "Installing packages failed.", AGAIN
    for signs, meaning, remedy in KINDS:
        if any(sign in text for sign in signs):
            what, todo = meaning, remedy
            break
    said = complaint.removeprefix("ERROR:").strip()[:300] or "nothing"
    return f"{what}\n  pip said: {said}\n  {todo}\n  All that pip said is in {log}."
