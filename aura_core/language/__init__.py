"""Plans and tasks as their authors write them: loaded, checked and explained."""

from __future__ import annotations
