"""Sessions: one folder each with SESSION.json, MEMORY.md and files/; one program per AURA_HOME (seed 004)."""

from agent.sessions.store import HomeLock, SessionStore

__all__ = ["HomeLock", "SessionStore"]
