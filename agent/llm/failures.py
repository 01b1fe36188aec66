"""What went wrong at an endpoint: which of our errors it is, what the person reads, and whether waiting helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import openai

from agent.errors import ModelContextError, ModelError, ModelOutputError, ModelRefusedError, ModelUnavailableError

PASSING_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
OUT_OF_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
TOO_LONG = re.compile(
    r"context.{0,12}(length|size|window)|maximum context|too many tokens|prompt is too long|exceed_context_size",
    re.IGNORECASE,
)
KEY_LIKE = re.compile(r"\b(?:sk|pk|rk|key|gsk|xai)-[A-Za-z0-9_*-]{6,}")
DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call went, for messages: the model's name, the host, and the key that must not appear."""

    model: str
    host: str
    key: str = ""

    def clean(self, text: str) -> str:
        """The text without keys, on one line, bounded."""
        if self.key:
            text = text.replace(self.key, "[key]")
        text = " ".join(KEY_LIKE.sub("[key]", text).split())
        return text if len(text) <= DETAIL_CHARACTERS else text[:DETAIL_CHARACTERS] + " …"


class BrokenOffError(Exception):
    """The stream ended before the answer was complete."""


class ForeignAnswerError(Exception):
    """The endpoint answered 200 with something that is not a chat completion."""


class EmptyAnswerError(Exception):
    """The model answered nothing at all."""


def detail_of(error: openai.APIError) -> str:
    """The endpoint's own words about an error."""
    body = error.body
    if isinstance(body, dict):
        fields = cast("dict[str, object]", body)
        inner = fields.get("error", fields)
        if isinstance(inner, dict):
            return str(cast("dict[str, object]", inner).get("message") or error.message)
        return str(inner)
    return str(body or error.message)


def wait_before_retry(error: Exception) -> bool | float:
    """Whether trying again may help: False, True (soon), or the seconds that the endpoint asks to wait."""
    if isinstance(error, BrokenOffError | openai.APIConnectionError):
        return True
    if not isinstance(error, openai.APIStatusError):
        return type(error) is openai.APIError  # an error event inside a stream
    if error.status_code not in PASSING_STATUS or error.code in OUT_OF_QUOTA:
        return False
    for header, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(error.response.headers[header]) / divisor)
        except (KeyError, ValueError):
            continue
    return True


def is_too_long(error: openai.APIError) -> bool:
    """Whether the endpoint says that the prompt is longer than the model can read."""
    return error.code == "context_length_exceeded" or bool(TOO_LONG.search(f"{detail_of(error)} {error.type}"))


def explain(error: Exception, place: Place) -> ModelError:
    """The error that a caller of the model client sees, with a message that says what to do."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _explain_status(error, place)
    if isinstance(error, openai.APIError):
        return _explain_transport(error, place)
    return _explain_answer(error, place)


def _explain_answer(error: Exception, place: Place) -> ModelError:
    """The endpoint answered, but not with an answer."""
    if isinstance(error, BrokenOffError):
        return ModelUnavailableError(f"The answer of {place.model} at {place.host} broke off. Ask again.")
    if isinstance(error, TimeoutError):
        return ModelUnavailableError(f"{place.host} did not answer in time.")
    if isinstance(error, EmptyAnswerError):
        return ModelOutputError(f"{place.model} at {place.host} answered nothing. Ask again, or in other words.")
    return ModelRefusedError(
        f"{place.host} does not answer like an OpenAI-compatible endpoint ({place.clean(str(error))}). "
        "Check its address; it often ends in /v1."
    )


def _explain_transport(error: openai.APIError, place: Place) -> ModelError:
    """Errors without a status: nothing came, or an error event came inside the stream."""
    if isinstance(error, openai.APITimeoutError):
        return ModelUnavailableError(f"{place.host} did not answer in time (model {place.model}).")
    if isinstance(error, openai.APIConnectionError):
        cause = place.clean(str(error.__cause__ or error))
        return ModelUnavailableError(
            f"The model endpoint {place.host} cannot be reached ({cause}). Is it running, and is its address right?"
        )
    if is_too_long(error):
        return _too_long(error, place)
    return ModelUnavailableError(
        f"{place.host} broke off with an error (model {place.model}): {place.clean(detail_of(error))}"
    )


def _too_long(error: openai.APIError, place: Place) -> ModelContextError:
    return ModelContextError(
        f"The request is longer than {place.model} can read: {place.clean(detail_of(error))} "
        "Shorten it, or choose a model that reads more."
    )


def _explain_status(error: openai.APIStatusError, place: Place) -> ModelError:
    status, said = error.status_code, place.clean(detail_of(error))
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or is_too_long(error):
        return _too_long(error, place)
    if error.code in OUT_OF_QUOTA or status == HTTPStatus.PAYMENT_REQUIRED:
        return ModelRefusedError(f"The account at {place.host} has no quota left ({status}): {said}")
    advice = {
        401: f"{place.host} refuses the key (401): {said} Check OPENAI_API_KEY.",
        403: f"{place.host} does not let this key use {place.model} (403): {said}",
        404: f"{place.host} does not know the model {place.model} (404): {said} Check AURA_MODEL and the address.",
    }
    if status in advice:
        return ModelRefusedError(advice[status])
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ModelUnavailableError(f"{place.host} is too busy for another request (429): {said} Try again later.")
    if status in PASSING_STATUS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ModelUnavailableError(f"{place.host} failed (status {status}, model {place.model}): {said}")
    return ModelRefusedError(f"{place.host} refuses the request (status {status}, model {place.model}): {said}")
