"""`aura` in a home of its own, with a scripted model behind it: inside this process, or as one of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from agent import logs
from agent.cli import run

AURA = [sys.executable, "-m", "agent.cli"]
ROOT = Path(__file__).resolve().parents[2]


def is_planning(request: dict[str, Any]) -> bool:
    """Whether a model request asks for a plan."""
    schema = (request.get("response_format") or {}).get("json_schema", {}).get("schema", {})
    return "steps" in schema.get("properties", {})


def plan(*steps: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A plan as the model writes it, of (task, inputs)."""
    numbered = enumerate(steps, 1)
    return {"steps": [{"id": f"s{number}", "task": task, "inputs": inputs} for number, (task, inputs) in numbered]}


class Output(io.TextIOWrapper):
    """A standard stream that is no terminal and keeps what is written."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        return self.buffer.getvalue().decode("utf-8")  # pyright: ignore[reportAttributeAccessIssue] (the BytesIO above)


class Program:
    """Runs `aura` command lines. Calls run in this process, which is quick; `start` makes a process of its own."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = {"AURA_HOME": str(home), "AURA_LLM_ATTEMPTS": "1", **environment}

    def __call__(self, *arguments: str, typed: str | bytes = b"") -> subprocess.CompletedProcess[str]:
        data = typed.encode() if isinstance(typed, str) else typed
        out, error = Output(), Output()
        typed_in = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace")
        environment = mock.patch.dict(os.environ, self.environment)
        with environment, mock.patch("sys.stdin", typed_in), redirect_stdout(out), redirect_stderr(error):
            code = run(arguments)
        for handler in [handler for handler in logging.getLogger().handlers if hasattr(handler, logs.MARK)]:
            logging.getLogger().removeHandler(handler)
            handler.close()
        structlog.reset_defaults()
        assert "Traceback" not in out.text + error.text, error.text
        return subprocess.CompletedProcess(arguments, code, out.text, error.text)

    def json(self, *arguments: str, code: int = 0, **options: Any) -> Any:
        """Runs it with `--json`, checks the exit code and returns the document."""
        done = self(*arguments, "--json", **options)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts it as a process, with pipes to type and to read."""
        return subprocess.Popen(
            [*AURA, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env={**os.environ, **self.environment},
        )
