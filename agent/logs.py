"""Logs: structlog to stderr at the configured level, and everything from `info` up to AURA_HOME/logs/aura.log.

Commands that a person sits before log to the file only, and tracebacks always go there. Every line carries `corr_id`,
the run's id, wherever a run is behind it: the run binds it with `structlog.contextvars.bind_contextvars(corr_id=…)`
(seed 004). No secret that this process holds gets into a line: each is masked when it is whole.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from functools import cached_property
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from agent.late import when_imported
from agent.secrets import hold_secrets
from aura_core.ground.secrets import mask

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from agent.config import AppConfig

LOG_FILE = "aura.log"
FILE_BYTES = 2_000_000
FILES_KEPT = 3
MARK = "_aura"
"""Attribute on handlers that `configure` added, so that configuring again replaces them and nothing else."""


class _CurrentStderr(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is now: the chat puts a stream above its input line there."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # pyright: ignore[reportIncompatibleVariableOverride] (logging's own lastResort does so)
        return sys.stderr


class _NotSaid(logging.Filter):
    """Lets through what no program has said to the person already: events without `said=True`."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (isinstance(record.msg, dict) and record.msg.get("said"))  # pyright: ignore[reportUnknownMemberType] (structlog's event)


class _QuietFile(RotatingFileHandler):
    """A log file that says once when it cannot be written, instead of a traceback per line."""

    _said = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 (logging's signature)
        if not self._said:
            self._said = True
            print(f"The log file {self.baseFilename} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)  # noqa: T201


class _Late(logging.Formatter):
    """A formatter that is made when there is a first line to write."""

    def __init__(self, make: Callable[[], logging.Formatter]) -> None:
        super().__init__()
        self._make = make

    def format(self, record: logging.LogRecord) -> str:
        return self._made.format(record)

    @cached_property
    def _made(self) -> logging.Formatter:
        return self._make()


def _without_secrets(_logger: Any, _method: str, line: Any) -> str:
    """A line as it is written, whatever values it was made of."""
    return mask(str(line))


def _one_line(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The last line of a traceback instead of all of it: a person reads standard error."""
    trace = event.pop("exception", None)
    if trace:
        event["error"] = str(trace).strip().splitlines()[-1]
    return event


def log_folder(config: AppConfig) -> Path:
    """AURA_HOME/logs; the temporary folder when that cannot be written."""
    folder = config.home / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG_FILE).open("ab"):
            return folder
    except OSError:
        return Path(tempfile.gettempdir())


def configure(config: AppConfig, *, debug: bool = False, quiet: bool = False) -> Path:
    """Sets up logging for this process.

    Args:
        config: its `log_level` says what goes to stderr; its `home` says where the file is.
        debug: everything goes to both.
        quiet: a person reads stderr, who is told of mistakes in words of their own: unless the configuration names a
            level, nothing is logged there.

    Returns:
        The log file's path, for messages that point to it.
    """
    path = log_folder(config) / LOG_FILE
    when_imported("structlog", _through_logging)
    hold_secrets(config)
    stderr = _CurrentStderr()
    silent = quiet and "log_level" not in config.model_fields_set
    stderr.setLevel(logging.DEBUG if debug else logging.CRITICAL if silent else config.log_level.upper())
    stderr.addFilter(_NotSaid())
    tracebacks: list[structlog.typing.Processor] = [] if debug else [_one_line]
    colors = sys.stderr.isatty()
    stderr.setFormatter(_Late(lambda: _formatter(tracebacks, colors=colors)))
    file = _QuietFile(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=True)
    file.setLevel(logging.DEBUG if debug else logging.INFO)
    file.setFormatter(_Late(lambda: _formatter([], colors=False)))
    _install(stderr, file)
    return path


def _through_logging() -> None:
    """Lets structlog hand its events to the standard library's handlers, whoever logs them."""
    import structlog  # noqa: PLC0415 (it is there already when this runs)

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared() -> list[structlog.typing.Processor]:
    """What every event goes through, ours and those of libraries."""
    import structlog  # noqa: PLC0415 (only whoever logs waits for it)

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
    ]


def _formatter(last: list[structlog.typing.Processor], *, colors: bool) -> structlog.stdlib.ProcessorFormatter:
    import structlog  # noqa: PLC0415 (only whoever logs waits for it)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *last,
            structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0, pad_level=False),
            _without_secrets,
        ],
    )


def _install(*handlers: logging.Handler) -> None:
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if hasattr(handler, MARK)]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        setattr(handler, MARK, True)
        root.addHandler(handler)
    root.setLevel(min(handler.level for handler in handlers))
    for noisy in ("asyncio", "markdown_it", "hpack", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
