"""Expressions of the task language: compiled once at load, evaluated with their type, never with full Python."""

from __future__ import annotations

from aura_core.expressions.template import Template, compile_template

__all__ = ["Template", "compile_template"]
