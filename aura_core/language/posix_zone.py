"""POSIX zone: a time zone that is given by its rule (`EST5EDT,M3.2.0,M11.1.0`) and not by a name."""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from zoneinfo import ZoneInfo

PREFIX = "TZ="
"""Begins the name of a zone that is a rule; without it `UTC+8`, which POSIX reads as eight hours behind, is refused."""
_LONGEST = 200
_USUAL_RULES = ",M3.2.0,M11.1.0"
"""What the C library takes if summer time has a name and no rules."""


@lru_cache(maxsize=64)
def posix_zone(rule: str) -> ZoneInfo:
    """The time zone of a POSIX rule, as the C library reads the variable TZ.

    Args:
        rule: e.g. "EST5", "<+03>-3", "CET-1CEST,M3.5.0,M10.5.0/3".

    Raises:
        ValueError: it is not such a rule.
    """
    try:
        return _from_rule(rule)
    except ValueError:
        if "," in rule:
            raise
    return _from_rule(rule + _USUAL_RULES)


def _from_rule(rule: str) -> ZoneInfo:
    """A zone file without a single transition (RFC 8536), whose last line, the rule, counts for all times."""
    if not 0 < len(rule) <= _LONGEST or not rule.isascii() or not rule.isprintable():
        raise ValueError(f"{rule!r} is not a rule of a time zone")
    block = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lbb", 0, 0, 0) + b"UTC\0"
    return ZoneInfo.from_file(io.BytesIO(block + block + b"\n" + rule.encode() + b"\n"), key=PREFIX + rule)


def rule_in(zone_file: bytes) -> str:
    """The rule in which a zone file ends; empty if it has none or is not a zone file."""
    if not zone_file.startswith(b"TZif") or not zone_file.endswith(b"\n"):
        return ""
    return zone_file[:-1].rpartition(b"\n")[2].decode("ascii", "replace")
