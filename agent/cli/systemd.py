"""What systemd reads of Aura: the unit of the bot, and the file of its environment."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import AgentError

MARK = "# Written by `aura service install`; what you change here is lost at the next one."
_OURS = ("AURA_", "OPENAI_", "TELEGRAM_")
_SURROUNDINGS = frozenset(
    ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ", "LANG", "PATH")
)
"""Of the machine: how the network is reached, whose clock and language count, where programs are."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The service of one AURA_HOME.

    Attributes:
        name: of the unit, without its ending.
        home: AURA_HOME.
        folder: where the bot works: aura.yaml and relative paths are looked for there.
    """

    name: str
    home: Path
    folder: Path

    @property
    def path(self) -> Path:
        """The file of the unit."""
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(base) / "systemd" / "user" / f"{self.name}.service"

    @property
    def environment_path(self) -> Path:
        """The file of its environment; it holds tokens, so nobody else may read it."""
        return self.home / f"{self.name}.env"

    def text(self) -> str:
        """The unit."""
        command = [sys.executable, "-P", "-m", "agent.cli", "bot"]
        return "\n".join([
            MARK,
            "[Unit]",
            "Description=Aura: its Telegram bot",
            "StartLimitIntervalSec=10min",
            "StartLimitBurst=5",
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart={' '.join(map(_word, command))}",
            f"WorkingDirectory={_path(self.folder)}",
            f"EnvironmentFile={_path(self.environment_path)}",
            "Restart=on-failure",
            "RestartSec=10",
            "UMask=0077",
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        ])  # fmt: skip


def environment_text(now: Mapping[str, str], kept: str, **always: str) -> str:
    """The file of an environment: what counts for Aura now, then what was there before and is not set now.

    Args:
        now: the environment of this program.
        kept: the file as it was, perhaps edited by hand; empty if there was none.
        always: variables that are set in any case.

    Raises:
        AgentError: the former file cannot be read.
    """
    values = dict(_assignments(kept)) | {name: value for name, value in now.items() if value and _counts(name)} | always
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted(values.items())]
    return "\n".join(["# The environment of the bot; `aura service install` adds what is set then.", *lines, ""])


def _counts(name: str) -> bool:
    return name.startswith(_OURS) or name.upper() in _SURROUNDINGS


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    try:
        words: Sequence[str] = shlex.split(text, comments=True)
    except ValueError as error:
        raise AgentError(
            f"The environment file of the service cannot be read: {error}. Correct or delete it."
        ) from error
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            yield name, value


def _word(word: str) -> str:
    """A word of a command line as a unit spells it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _path(path: Path) -> str:
    """A path that is the whole value of a setting."""
    return os.fspath(path).replace("%", "%%")
