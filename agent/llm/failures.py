"""What went wrong at an endpoint: which of our errors it is, what the person reads, and whether waiting helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

import openai

from agent.errors import ModelContextError, ModelError, ModelOutputError, ModelRefusedError, ModelUnavailableError
from agent.llm.stated import StatedError
from aura_core.ground.reasons import text_of
from aura_core.ground.secrets import mask

PASSING_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529, None})
OUT_OF_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
TOO_LONG = re.compile(
    r"context.{0,12}(length|size|window)|maximum context|too many tokens|prompt is too long|exceed_context_size",
    re.IGNORECASE,
)
KEY_LIKE = re.compile(r"\b(?:sk|pk|rk|key|gsk|xai)-[A-Za-z0-9_*-]{6,}")
DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call went, for messages: the model's name and the host."""

    model: str
    host: str

    def clean(self, text: str) -> str:
        """The text without keys, also such as Aura does not know, on one line, bounded."""
        text = " ".join(KEY_LIKE.sub("[key]", mask(text)).split())
        return text if len(text) <= DETAIL_CHARACTERS else text[:DETAIL_CHARACTERS] + " …"


class BrokenOffError(Exception):
    """The answer ended before it was complete."""


class ForeignAnswerError(Exception):
    """The endpoint answered with success and something that is not a chat completion."""


class EmptyAnswerError(Exception):
    """The model answered nothing at all."""


class UnaskedCallError(Exception):
    """The model answered with the call of a tool, though none was offered."""


def wait_before_retry(error: Exception) -> bool | float:
    """Whether trying again may help: False, True (soon), or the seconds that the endpoint asks to wait."""
    if not isinstance(error, StatedError):
        return isinstance(error, BrokenOffError | openai.APIConnectionError)
    if error.status not in PASSING_STATUS or error.code in OUT_OF_QUOTA or is_too_long(error):
        return False
    return True if error.wait is None else error.wait


def is_too_long(error: StatedError) -> bool:
    """Whether the endpoint says that the prompt is longer than the model can read."""
    return error.code == "context_length_exceeded" or bool(TOO_LONG.search(f"{error.said} {error.code}"))


def explain(error: Exception, place: Place) -> ModelError:
    """The error that a caller of the model client sees, with a message that says what to do."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, StatedError):
        return _explain_stated(error, place)
    if isinstance(error, openai.APIError | TimeoutError):
        return _explain_transport(error, place)
    return _explain_answer(error, place)


def _explain_answer(error: Exception, place: Place) -> ModelError:
    """The endpoint answered, but not with an answer."""
    if isinstance(error, BrokenOffError):
        why = place.clean(str(error))
        return ModelUnavailableError(
            f"The answer of {place.model} at {place.host} broke off{f' ({why})' if why else ''}. Ask again."
        )
    if isinstance(error, EmptyAnswerError):
        return ModelOutputError(f"{place.model} at {place.host} answered nothing. Ask again, or in other words.")
    if isinstance(error, UnaskedCallError):
        return ModelOutputError(
            f"{place.model} at {place.host} answered with the call of a tool, though none was offered to it. Ask "
            "again; if it stays so, switch tools off at that server, or choose another model."
        )
    return ModelRefusedError(
        f"{place.host} does not answer like an OpenAI-compatible endpoint ({place.clean(text_of(error) or '')}). "
        "Check its address; it often ends in /v1."
    )


def _explain_transport(error: Exception, place: Place) -> ModelError:
    """Nothing came."""
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return ModelUnavailableError(f"{place.host} did not answer in time (model {place.model}).")
    cause = place.clean(text_of(error.__cause__ or error) or "")
    return ModelUnavailableError(
        f"The model endpoint {place.host} cannot be reached ({cause}). Is it running, and is its address right?"
    )


def _explain_stated(error: StatedError, place: Place) -> ModelError:
    status, said = error.status, place.clean(error.said)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or is_too_long(error):
        return ModelContextError(
            f"The request is longer than {place.model} can read: {said} Shorten it, or choose a model that reads more."
        )
    if error.code in OUT_OF_QUOTA or status == HTTPStatus.PAYMENT_REQUIRED:
        return ModelRefusedError(f"The account at {place.host} has no quota left ({error.code or status}): {said}")
    advice = {
        401: f"{place.host} refuses the key (401): {said} Check OPENAI_API_KEY.",
        403: f"{place.host} does not let this key use {place.model} (403): {said}",
        404: f"{place.host} does not know the model {place.model} (404): {said} Check AURA_MODEL and the address.",
    }
    if status in advice:
        return ModelRefusedError(advice[status])
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ModelUnavailableError(f"{place.host} is too busy for another request (429): {said} Try again later.")
    if status in PASSING_STATUS or (status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        named = error.code if status is None else f"status {status}"
        about = ", ".join(part for part in (named, f"model {place.model}") if part)
        return ModelUnavailableError(f"{place.host} failed ({about}): {said}")
    return ModelRefusedError(f"{place.host} refuses the request (status {status}, model {place.model}): {said}")
