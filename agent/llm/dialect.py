"""Dialect: in which form a server is asked, and what is learnt from its refusals."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from agent.llm import structured
from agent.llm.failures import is_too_long
from agent.llm.stated import StatedError

REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_IMPLEMENTED)
_NO_SYSTEM = re.compile(r"system.{0,40}(?:not supported|unsupported|not allowed|invalid)|unsupported.{0,20}system")
_FORMAT = re.compile(r"response_format|json_schema|json_object|schema|grammar|\bformat\b")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a model at an endpoint understands, and how it answers; learnt from its answers and kept per model.

    Attributes:
        structured: how it is asked for JSON.
        limit: what it calls the bound of an answer.
        temperature: whether it takes one.
        stream_usage: whether it can be asked what a streamed answer cost.
        system: whether it takes a system message; else its words come before the first message of the person.
        unopened: whether its answers may begin inside a thought; None until an answer told.
        room: tokens that its thoughts get beside the answer.
    """

    structured: structured.Mode = "json_schema"
    limit: str = "max_tokens"
    temperature: bool = True
    stream_usage: bool = True
    system: bool = True
    unopened: bool | None = None
    room: int = 0


def sendable(messages: list[dict[str, str]], told: str, *, system: bool) -> list[dict[str, str]]:
    """The messages as every server takes them: one system message, first, or its words before the person's first ones.

    Args:
        messages: the conversation.
        told: a further instruction, or empty.
        system: whether a system message is taken.
    """
    instructions = [message["content"] for message in messages if message["role"] == "system"]
    rules = "\n\n".join(part for part in (*instructions, told) if part)
    rest = [message for message in messages if message["role"] != "system"]
    if not rules:
        return rest
    if system:
        return [{"role": "system", "content": rules}, *rest]
    if rest and rest[0]["role"] == "user":
        return [{"role": "user", "content": f"{rules}\n\n{rest[0]['content']}"}, *rest[1:]]
    return [{"role": "user", "content": rules}, *rest]


def simplified(dialect: Dialect, error: StatedError, *, structured_wanted: bool) -> Dialect | None:
    """The dialect to try next after a refusal; None if the refusal is about something else.

    Servers that fail at a form answer with a status of failure too (500), so there only their words count.
    """
    said = f"{error.said} {error.code}".lower()
    about_format = bool(_FORMAT.search(said))
    failed_at_form = error.status == HTTPStatus.INTERNAL_SERVER_ERROR and (about_format or "system" in said)
    if (error.status not in REFUSALS and not failed_at_form) or is_too_long(error) or "filter" in error.code:
        return None
    changes: list[tuple[bool, dict[str, Any]]] = [
        ("max_completion_tokens" in said and dialect.limit == "max_tokens", {"limit": "max_completion_tokens"}),
        ("temperature" in said and dialect.temperature, {"temperature": False}),
        ("stream_options" in said and dialect.stream_usage, {"stream_usage": False}),
        (bool(_NO_SYSTEM.search(said)) and dialect.system, {"system": False}),
    ]
    change = next((change for applies, change in changes if applies), None)
    if change is not None:
        return dataclasses.replace(dialect, **change)
    unexplained = error.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    return less_structured(dialect) if structured_wanted and (about_format or unexplained) else None


def less_structured(dialect: Dialect) -> Dialect | None:
    """The next simpler way to ask for JSON; None if there is none."""
    if dialect.structured == "plain":
        return None
    simpler: structured.Mode = "json_object" if dialect.structured == "json_schema" else "plain"
    return dataclasses.replace(dialect, structured=simpler)
