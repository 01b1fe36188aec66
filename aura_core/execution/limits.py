"""ExecutionLimits: how much runs at once, and for how long; set by whoever embeds the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aura_core.errors import InputError


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    """How much runs at once.

    Attributes:
        concurrency: tasks at once, over all plans.
        threads: threads for blocking actions.
        processes: processes for actions marked cpu.
        resources: resource name -> how many tasks at once; wins over tags.
        task_timeout: seconds for tasks that name none; None: no limit.
        grace: seconds that running tasks get at shutdown before they are cancelled.
    """

    concurrency: int = 16
    threads: int = 16
    processes: int = 2
    resources: Mapping[str, int] = field(default_factory=dict[str, int])
    task_timeout: float | None = None
    grace: float = 5.0

    def __post_init__(self) -> None:
        """Refuses limits with which nothing could ever run.

        Raises:
            InputError: names every limit that is wrong.
        """
        counts = {"concurrency": self.concurrency, "threads": self.threads, "processes": self.processes}
        counts |= {f"resource {name!r}": limit for name, limit in self.resources.items()}
        wrong = [f"{name} is {count}; 1 is the least" for name, count in counts.items() if count < 1]
        if self.task_timeout is not None and not self.task_timeout > 0:
            wrong.append(f"task_timeout is {self.task_timeout:g}; it must be more than 0, or None for no limit")
        if not self.grace >= 0:
            wrong.append(f"grace is {self.grace:g}; 0 is the least")
        if wrong:
            raise InputError(f"These limits let nothing run: {', '.join(wrong)}.")
