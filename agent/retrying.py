"""Retries: stamina, without its own log line, which would show a request's error in the chat."""

from __future__ import annotations

import stamina.instrumentation
from stamina import AsyncRetryingCaller, retry_context

__all__ = ["AsyncRetryingCaller", "retry_context"]

stamina.instrumentation.set_on_retry_hooks([])
