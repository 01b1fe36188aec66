"""Sessions: one folder each with SESSION.json, MEMORY.md and files/ (seed 004)."""

from agent.sessions.store import SessionStore

__all__ = ["SessionStore"]
