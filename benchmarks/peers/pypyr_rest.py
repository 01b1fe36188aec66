"""A step for pypyr: sleeps."""

from __future__ import annotations

import time
from typing import Any


def run_step(context: Any) -> None:
    """Sleeps as long as it is told."""
    time.sleep(context["seconds"])
