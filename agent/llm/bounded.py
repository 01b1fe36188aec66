"""Answers without end: a model server that never stops is left after more bytes than any answer has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import openai

from agent.llm.failures import ForeignAnswerError

MOST_BYTES = 64_000_000
"""Of one answer; 100,000 tokens that come one by one, each with its frame, are half of that."""


def bounded_client(*, timeout: float, trust_env: bool) -> httpx2.AsyncClient:
    """An HTTP client for the openai SDK whose answers have an end.

    Args:
        timeout: seconds without a byte after which a request is given up.
        trust_env: whether a proxy of the environment counts.
    """
    hooks = {"response": [_bound]}
    return openai.DefaultAsyncHttpxClient(trust_env=trust_env, timeout=timeout, event_hooks=hooks)


async def _bound(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        arrived = 0
        async for piece in self._stream:
            arrived += len(piece)
            if arrived > MOST_BYTES:
                raise ForeignAnswerError(f"its answer had no end: more than {MOST_BYTES:,} bytes came")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
