"""The interpreter of the task language: ExecutionEngine and one module per kind of step (seed 002)."""

from __future__ import annotations

from aura_core.engine.engine import ExecutionEngine
from aura_core.engine.result import EngineResult
from aura_core.engine.runtime import PlanRuntime

__all__ = ["EngineResult", "ExecutionEngine", "PlanRuntime"]
