"""The plan that `aura new plan` writes: one action, one task, one test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from agent.errors import AgentError

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")

_FILES: Mapping[str, str] = {
    "plan.yaml": """\
name: {name}
version: 0.1.0
title: {title}
description: What this plan is for, in one line.
""",
    "actions/greeting.py": '''\
"""Actions of the plan {name}: Python functions that steps call by name."""

from __future__ import annotations

from aura_core.api import ActionError, action


@action("greet")
def greet(name: str) -> str:
    """A greeting.

    Args:
        name: whom to greet.

    Raises:
        ActionError: the name is empty; the message is what the person reads.
    """
    if not name.strip():
        raise ActionError("A greeting needs a name.")
    return f"Hello, {{name.strip()}}!"
''',
    "tasks/hello.yaml": """\
meta:
  title: Say hello
  description: Greet somebody by name.  # what the model reads when it plans
  command: {command}  # also /{command} in chat
  inputs:
    name: {{type: string, required: true, description: Whom to greet., ask: Whom shall I greet?}}
steps:
  - action: greet
    params: {{name: "{{{{ inputs.name }}}}"}}
    output_to: greeting
returns: "{{{{ greeting }}}}"
""",
    "tests/test_hello.py": '''\
"""The task hello, run as Aura runs it."""

from __future__ import annotations

from pathlib import Path

from aura_core.testing import run_task

PLAN = Path(__file__).parent.parent


def test_a_greeting_names_the_person() -> None:
    assert run_task(PLAN, "hello", {{"name": "Ada"}}).result == "Hello, Ada!"


def test_nobody_cannot_be_greeted() -> None:
    failed = run_task(PLAN, "hello", {{"name": " "}})
    assert failed.error is not None
    assert "needs a name" in failed.error.message
''',
}


def write_plan(name: str, folder: Path) -> Path:
    """Writes a new plan; nothing that exists is touched.

    Args:
        name: the plan's name: small letters, digits, `_` and `-`.
        folder: the folder of plans; made when missing.

    Returns:
        The plan's folder.

    Raises:
        AgentError: the name is not allowed, or the folder exists already.
    """
    if not NAME.fullmatch(name):
        raise AgentError(
            f"{name!r} is not a name for a plan: begin with a small letter; then up to 31 letters, digits, _ and -."
        )
    plan = folder / name
    if plan.exists():
        raise AgentError(f"{plan} is there already; choose another name, or another folder with --into.")
    values = {"name": name, "title": name.replace("_", " ").replace("-", " ").capitalize(), "command": name}
    try:
        for path, text in _FILES.items():
            target = plan / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.format(**values), encoding="utf-8")
    except OSError as error:
        raise AgentError(f"The plan cannot be written to {plan}: {error.strerror or error}.") from error
    return plan
