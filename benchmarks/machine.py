"""What machine this is and what runs on it: figures mean nothing without that."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("pypyr", "langgraph", "dask", "apache-burr", "jinja2", "pyyaml", "pydantic", "networkx")
BUSY = 0.5
"""A load above so much a core, before anything was measured, means that others use the machine too."""


def describe() -> dict[str, object]:
    """The machine: processor, cores, memory in GiB, system, Python, load at the start (tasks a core, last minute)."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0] / cores if hasattr(os, "getloadavg") else 0.0
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gib": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_at_start": round(load, 2),
        "busy": load > BUSY,
    }


def versions() -> dict[str, str]:
    """Versions of the peers and of what Aura stands on; a package that is not installed is left out."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> int:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):
        return 0
