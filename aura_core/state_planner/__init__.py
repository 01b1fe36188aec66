"""StatePlanner: brings a plan into the state that a task requires (seed 001)."""

from __future__ import annotations

from aura_core.state_planner.limits import PlanningLimits
from aura_core.state_planner.planner import StatePlanner

__all__ = ["PlanningLimits", "StatePlanner"]
