"""What a person typed or piped, made fit to be a request: decoded, bounded, not empty."""

from __future__ import annotations

from agent.errors import AgentError

MAX_CHARACTERS = 100_000


class BadRequestError(AgentError):
    """The words cannot be taken as a request: there are none, or far too many."""


def clean_request(text: str) -> str:
    """Takes a person's words as a request.

    Args:
        text: as the terminal gave it; bytes that were no UTF-8 may be in it as lone surrogates.

    Returns:
        The text without surrounding white space, NUL characters and lone surrogates.

    Raises:
        BadRequestError: nothing is left, or more than 100,000 characters.
    """
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "").strip()
    if not text:
        raise BadRequestError('The request is empty. Say what you want, e.g. "What is 12*7?".')
    if len(text) > MAX_CHARACTERS:
        raise BadRequestError(
            f"The request has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read. "
            "Put the long part into a file of the session and ask about that file."
        )
    return text
