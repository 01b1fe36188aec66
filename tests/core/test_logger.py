"""Loggers by name: each method is an event of its level in structlog."""

from __future__ import annotations

import pytest
import structlog.testing

from aura_core.ground.logger import get_logger


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_an_event_has_its_level_and_its_values(level):
    with structlog.testing.capture_logs() as logged:
        getattr(get_logger("somebody"), level)("it happened", count=1)
    assert logged == [{"event": "it happened", "count": 1, "log_level": level}]


def test_an_exception_is_logged_with_its_traceback():
    with structlog.testing.capture_logs() as logged:
        try:
            int("no number")
        except ValueError:
            get_logger("somebody").exception("it failed")
    assert logged == [{"event": "it failed", "exc_info": True, "log_level": "error"}]
