"""What makes two steps the same work: by their words, or by a fingerprint of what they do."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from agent.contracts import PlanStep


def fingerprint(step: PlanStep, resolved_inputs: dict[str, Any]) -> str:
    """A hash of kind, task, instruction, question and inputs without references.

    Args:
        step: the step.
        resolved_inputs: its inputs after `resolve_references`.

    Returns:
        32 hexadecimal digits.
    """
    work = [step.kind, step.task, step.instruction, step.question, resolved_inputs]
    text = json.dumps(work, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def same_work(one: PlanStep, other: PlanStep) -> bool:
    """Whether two steps say the same, references included; ids and titles do not count."""
    return fingerprint(one, one.inputs) == fingerprint(other, other.inputs)
