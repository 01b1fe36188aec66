"""Loggers by name: what they are told goes to structlog, which is imported when the first of them has something to say.

structlog brings rich and the like with it: a task that logs nothing does not wait for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Logger:
    """structlog's logger of a name, with the methods that are used here.

    Attributes:
        name: as in `logging.getLogger`.
    """

    name: str

    def debug(self, event: str, **values: Any) -> None:
        """Logs what only a developer wants to know."""
        self._made().debug(event, **values)

    def info(self, event: str, **values: Any) -> None:
        """Logs what happened."""
        self._made().info(event, **values)

    def warning(self, event: str, **values: Any) -> None:
        """Logs what went on in another way than it should."""
        self._made().warning(event, **values)

    def error(self, event: str, **values: Any) -> None:
        """Logs what failed."""
        self._made().error(event, **values)

    def exception(self, event: str, **values: Any) -> None:
        """Logs what failed, with the traceback of the exception that is handled now."""
        self._made().exception(event, **values)

    def _made(self) -> Any:
        import structlog  # noqa: PLC0415 (see above)

        return structlog.get_logger(self.name)


def get_logger(name: str) -> Logger:
    """The logger of a name; `structlog.get_logger` for modules that are imported by every command."""
    return Logger(name)
