"""PlanningLimits: how long and how often state planning tries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanningLimits:
    """The bounds of one journey to a state.

    Attributes:
        replans: how often a new way is looked for after a transition failed.
        looks: how often a plan that is in no known state is looked at before that counts as an answer.
        look_delay: seconds between two such looks.
        check_seconds: for a check task without a `timeout` of its own.
        transition_seconds: for a transition task without a `timeout` of its own.
    """

    replans: int = 5
    looks: int = 3
    look_delay: float = 0.5
    check_seconds: float = 30.0
    transition_seconds: float = 300.0
