"""MEMORY.md: what is worth keeping of a conversation, decided, checked and kept within bounds (seed 004)."""

from agent.memory.update import maybe_update_memory, read_memory

__all__ = ["maybe_update_memory", "read_memory"]
