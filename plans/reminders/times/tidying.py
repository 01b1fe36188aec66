"""What is left of a sentence when its times are cut out, without the words that only led to them."""

from __future__ import annotations

import re

_GLUE_BEFORE = re.compile(
    r"^(?:[\s,，、。:：;；.—–-]|(?:please|can you|could you|remind (?:me|us)|reminder|to|that|about|of|me)\b"
    r"|(?:пожалуйста|напомни(?:те)?|напоминай(?:те)?|напоминание|мне|нам|что|о том|чтобы|о|об|про|надо|нужно)\b"
    r"|(?:请|帮我|提醒我|提醒|叫我|记得|我))+",
    re.IGNORECASE,
)
_SET = re.compile(r"^(?:请|帮我)*(?:设置?|定|订)一?个?\s*\x1f\s*的(?=闹钟|提醒)|(?:^|(?<=请))在(?=\s*\x1f)")
_GLUE_AFTER = re.compile(r"(?:[\s,，、。:：;；.—–-]|\b(?:please|and|at|on|by)|提醒我|叫我|的时候)+$", re.IGNORECASE)


def tidy(text: str) -> str:
    """The words of a text that say of what to remind: without "remind me to", and signs at its ends."""
    text = _GLUE_BEFORE.sub("", _SET.sub("", text))
    return " ".join(_GLUE_AFTER.sub("", text).split())
