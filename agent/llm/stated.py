"""StatedError: what a server says went wrong, whatever shape it says it in, and whatever status it answered with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, cast

import openai

_WORDS = ("message", "msg", "status_msg", "error_msg", "errorMessage", "detail", "error_description", "reason")
_CODES = ("code", "status_code", "status", "error_code", "errorCode")
_NESTED = 3
"""Objects inside objects that are looked into for words."""
_MEANINGS: tuple[tuple[HTTPStatus, re.Pattern[str]], ...] = tuple(
    (status, re.compile(pattern, re.IGNORECASE))
    for status, pattern in (
        (HTTPStatus.PAYMENT_REQUIRED, r"insufficient.{0,3}(?:quota|balance|credit|fund)|billing|arrears|payment"),
        (HTTPStatus.TOO_MANY_REQUESTS, r"rate.?limit|too.?many|resource.?exhausted|throttl|overloaded|concurrency"),
        (
            HTTPStatus.UNAUTHORIZED,
            r"unauthori[sz]ed|authenticat|(?:invalid|incorrect|missing).{0,12}(?:key|token)",
        ),
        (HTTPStatus.FORBIDDEN, r"permission|forbidden|denied"),
        (HTTPStatus.NOT_FOUND, r"not.?found|no such model|unknown model|does not exist"),
        (HTTPStatus.SERVICE_UNAVAILABLE, r"unavailable|server.?error|internal|timed?.?out|deadline|busy|capacity"),
        (HTTPStatus.BAD_REQUEST, r"invalid|bad.?request|unsupported|content.?filter|validation"),
    )
)
"""What the words of a code, or failing that of the message, mean in HTTP; the first that fits."""


class StatedError(Exception):
    """A server says that it does not answer.

    Attributes:
        status: in HTTP's terms; None if nothing tells it.
        code: the server's own code, as text.
        said: its words.
        wait: seconds after which it wants to be asked again; None if it names none.
    """

    def __init__(self, status: int | None, code: str, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.status = status
        self.code = code
        self.said = said
        self.wait = wait


def from_sdk(error: openai.APIError) -> StatedError:
    """What an answer with a status of failure, or an event of failure inside a stream, says."""
    body: Any = error.body
    is_told = isinstance(body, dict | list)
    told = next(_complaints({"error": error.body}, 0), None) if is_told else None
    code, words = told or (str(error.code or ""), "")
    said = words or (body if isinstance(body, str) and body.strip() else error.message)
    kind = str(error.type or "")
    if isinstance(error, openai.APIStatusError):
        return StatedError(error.status_code, code or kind, said, _wait(error.response.headers))
    return StatedError(_status(code, kind, said), code or kind, said)


def stated_in(data: object) -> StatedError | None:
    """The failure that a body or an event states although its status is that of success; None if it states none."""
    if isinstance(data, list):
        return next(filter(None, map(stated_in, cast("list[object]", data)[:1])), None)
    if not isinstance(data, dict):
        return None
    fields = cast("dict[str, object]", data)
    choices = fields.get("choices")
    answers = cast("list[object]", choices) if isinstance(choices, list) else []
    accused = [fields, *(cast("dict[str, object]", one) for one in answers if isinstance(one, dict))]
    guilty: object = next(filter(None, (one.get("error") for one in accused)), None)
    if guilty is None and not answers:
        guilty = {name: value for name, value in fields.items() if name not in ("object", "model", "id")}
    told = next(_complaints({"error": guilty}, 0), None) if guilty else None
    if told is None:
        return None
    code, said = told
    kind = str(cast("dict[str, object]", guilty).get("type") or "") if isinstance(guilty, dict) else ""
    return StatedError(_status(code, kind, said), code or kind, said)


def _complaints(data: object, depth: int) -> Iterator[tuple[str, str]]:
    """Codes and words inside a value, the outermost first; a code of 0 or success complains of nothing."""
    if depth > _NESTED:
        return
    for part in cast("list[object]", data) if isinstance(data, list) else []:
        yield from _complaints(part, depth + 1)
    if not isinstance(data, dict):
        return
    fields = cast("dict[str, object]", data)
    code = next((str(fields[name]) for name in _CODES if isinstance(fields.get(name), int | str)), "")
    said = next((words for name in _WORDS if isinstance(words := fields.get(name), str) and words.strip()), "")
    if said and code not in ("0", "200", "success"):
        yield code, said.strip()
    for name, part in fields.items():
        if isinstance(part, str) and part.strip() and name == "error":
            yield code, part.strip()
        elif isinstance(part, dict | list):
            for inner, words in _complaints(cast("object", part), depth + 1):
                yield inner or code, words


def _status(code: str, kind: str, said: str) -> int | None:
    """A code in HTTP's terms."""
    if code.isdecimal() and HTTPStatus.BAD_REQUEST <= int(code) < 600:  # noqa: PLR2004 (the end of HTTP's failures)
        return int(code)
    for words in (f"{code} {kind}", said):
        for status, pattern in _MEANINGS:
            if pattern.search(words):
                return status
    return None


def _wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that the headers ask to wait."""
    for header, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[header]) / divisor)
        except (KeyError, ValueError):
            continue
    return None
