"""Naming: the id of a job: a short one, and the same again whenever the same durable step adds it."""

from __future__ import annotations

import hashlib
import uuid


def new_name() -> str:
    """An id for a new job."""
    return name_for("")


def name_for(key: str) -> str:
    """The id that belongs to a key; a new one if the key is empty."""
    return hashlib.sha256((key or uuid.uuid4().hex).encode()).hexdigest()[:8]
