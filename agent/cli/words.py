"""Where a command's words come from: its arguments or standard input; never more than can be read."""

from __future__ import annotations

import sys

from agent.channels.terminal.words import MAX_CHARACTERS, clean_request

MOST_BYTES = MAX_CHARACTERS * 4 + 8
"""More bytes than the longest request can have."""


def request_text(text: str | None) -> str:
    """The request: the argument, or standard input if it is `-` or missing and something is piped in.

    Raises:
        BadRequestError: there is none, or far too much.
    """
    if text == "-" or (text is None and not sys.stdin.isatty()):
        text = sys.stdin.buffer.read(MOST_BYTES).decode("utf-8-sig", "replace")
    return clean_request(text or "")
