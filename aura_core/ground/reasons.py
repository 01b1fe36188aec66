"""Reasons: what an exception of somebody else's code says, without secrets, even one that cannot say it.

The one door through which the words of foreign errors become words of ours.
"""

from __future__ import annotations

from aura_core.ground.secrets import mask


def reason_of(error: BaseException) -> str:
    """Type and text of an exception, for a message to a person; its type alone if it has no text.

    Args:
        error: of a plan's code: whatever its own `__str__` raises stays here.
    """
    kind, text = type.__getattribute__(type(error), "__name__"), text_of(error)
    if text is None:
        return f"{kind}, which cannot be shown"
    return f"{kind}: {text}" if text else kind


def text_of(error: BaseException) -> str | None:
    """What an exception of a plan's code says, without secrets; None if its own `__str__` raises something."""
    try:
        return mask(str(error))
    except BaseException:  # noqa: BLE001 (a plan's `__str__` may raise anything, SystemExit too)
        return None
