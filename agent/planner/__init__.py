"""The planner: a request and a catalogue become a validated plan (seed 004)."""

from agent.planner.config import PlannerConfig
from agent.planner.planning import plan_command, plan_steps

__all__ = ["PlannerConfig", "plan_command", "plan_steps"]
