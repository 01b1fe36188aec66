"""Memory: decides what of a conversation is worth keeping, adds it to MEMORY.md, and keeps that file short (seed 004).

Only the person's own words get in. What they ask to remember in so many words is kept without a model; of other
statements a model decides, and code checks that what it found stands in the message.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from filelock import FileLock, Timeout

from agent.errors import ModelError
from agent.memory.file import (
    bounded,
    cleaned,
    date_of,
    dated,
    dated_lines,
    fact_of,
    is_known,
    replaced,
    stems_from,
    with_facts,
)
from agent.memory.secret_words import looks_secret
from agent.memory.signals import MOST_CHARACTERS, explicit_facts, may_hold_facts
from agent.prompts import as_data, render
from aura_core.data.decoding import decode_text
from aura_core.errors import AuraError, HomeInUseError
from aura_core.ground.logger import get_logger
from aura_core.storage.atomic_file import not_writable, set_aside, write_atomically

if TYPE_CHECKING:
    from agent.llm.client import Message, ModelClient
    from agent.llm.meter import Meter

MEMORY_FILE = "MEMORY.md"
ARCHIVE_FILE = "MEMORY.archive.md"
"""Where lines go that no longer fit; it is never read into a prompt."""
MOST_FACTS = 3
"""Facts that one message may add."""
COMPACT_ABOVE = 8000
"""Characters of MEMORY.md above which its oldest dated lines are merged."""
ARCHIVE_ABOVE = 16000
"""Characters above which they leave even when no model merges them."""
MERGED_INTO_ONE = 3
"""So many old facts become one when they are merged."""
ANSWER_CHARACTERS = 400
LOCK_SECONDS = 10.0

_log = get_logger("agent.memory")
Lost = Callable[[str, Path], None]
"""Is given what the person should know, and the file of which that speaks."""


def _unheard(_notice: str, _path: Path) -> None:
    """Nobody is there to be told."""


async def read_memory(folder: Path, lost: Lost = _unheard) -> str:
    """MEMORY.md of a session, bounded for a prompt; empty if there is none, or none that can be read.

    One that is damaged is set aside like SESSION.json, and what can be read of it goes on.

    Args:
        folder: the session's.
        lost: is given what the person should know of a file that was set aside.
    """
    return bounded(await asyncio.to_thread(_read, folder / MEMORY_FILE, lost))


async def maybe_update_memory(
    user_text: str,
    final_response: str,
    memory_text: str,
    cwd: Path,
    *,
    model: ModelClient,
    meter: Meter | None = None,
    now: datetime | None = None,
    lost: Lost = _unheard,
) -> str | None:
    """Keeps what is worth keeping of one request (seed 004, `_maybe_update_memory`).

    Never fails because of the model: without one, what was asked for in so many words is still kept.

    Args:
        user_text: the person's words.
        final_response: what Aura answered.
        memory_text: the memory as the run read it.
        cwd: the session's folder.
        model: decides when code sees a reason to ask it, and merges old lines.
        meter: the budget that pays.
        now: for the date of new lines; the clock's if left out.
        lost: as in `read_memory`.

    Returns:
        The facts that were added, one a line; None if there were none.

    Raises:
        HomeNotWritableError: MEMORY.md cannot be written; the old one is intact.
        HomeInUseError: another program has been writing it for a long time.
    """
    facts = explicit_facts(user_text)
    if not facts and may_hold_facts(user_text):
        facts = await _decide(user_text, final_response, memory_text, model, meter)
    keepable = [fact for fact in map(cleaned, facts[:MOST_FACTS]) if fact]
    kept = [fact for fact in keepable if not looks_secret(fact)]
    if len(kept) < len(keepable):
        _log.info("a fact that looks like a secret was not kept")
    if not kept:
        return None
    today = (now or datetime.now(UTC).astimezone()).date()
    added, size = await asyncio.to_thread(_append, cwd, kept, today, lost)
    if size > COMPACT_ABOVE:
        await _compact(cwd, model, meter, lost)
    return "\n".join(added) or None


async def _decide(
    user_text: str, final_response: str, memory_text: str, model: ModelClient, meter: Meter | None
) -> list[str]:
    """Asks the model for facts; only those that stem from the person's words.

    Small models also copy what does not last, so of theirs only what looks like a lasting statement counts.
    """
    message = user_text[:MOST_CHARACTERS]
    request = render(
        "memory_request",
        known="" if model.embedded else as_data(memory_text),
        message=as_data(message),
        answer="" if model.embedded else as_data(final_response[:ANSWER_CHARACTERS]),
    )
    found = await _ask(render("memory_system", most=MOST_FACTS), request, MOST_FACTS, model, meter)
    told = [fact for fact in found if stems_from(fact, message)]
    return [fact for fact in told if may_hold_facts(fact)] if model.embedded else told


async def _ask(system: str, request: str, most: int, model: ModelClient, meter: Meter | None) -> list[str]:
    """One model call that gives a list of facts; an empty one if the model is down or makes no sense."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"facts": {"type": "array", "maxItems": most, "items": {"type": "string", "maxLength": 200}}},
        "required": ["facts"],
        "additionalProperties": False,
    }
    messages: list[Message] = [{"role": "system", "content": system}, {"role": "user", "content": request}]
    try:
        completion = await model.complete(messages, purpose="memory", schema=schema, max_tokens=60 * most, meter=meter)
    except ModelError as error:
        _log.info("memory was not decided by the model", reason=str(error))
        return []
    value: object = completion.value
    facts = cast("dict[str, object]", value).get("facts") if isinstance(value, dict) else None
    items = cast("list[object]", facts) if isinstance(facts, list) else []
    return [item for item in items if isinstance(item, str)][:most]


async def _compact(cwd: Path, model: ModelClient, meter: Meter | None, lost: Lost) -> None:
    """Merges the older half of Aura's own lines; the originals move to the archive. The person's lines stay.

    An embedded model is not asked: it would take a minute, and lose facts.
    """
    memory = await asyncio.to_thread(_read, cwd / MEMORY_FILE, lost)
    lines = dated_lines(memory)
    old = lines[: len(lines) // 2]
    merged = [] if model.embedded or not old else await _merge([fact_of(line) for line in old], model, meter)
    if merged or (old and len(memory) > ARCHIVE_ABOVE):
        await asyncio.to_thread(_archive, cwd, old, merged, lost)


async def _merge(facts: list[str], model: ModelClient, meter: Meter | None) -> list[str]:
    """Fewer facts that say the same; none if the model is down or invents."""
    most = max(1, len(facts) // MERGED_INTO_ONE)
    found = await _ask(render("memory_compact", most=most), "\n".join(facts), most, model, meter)
    cleaned_facts = [fact for fact in map(cleaned, found) if fact and not looks_secret(fact)]
    return [fact for fact in cleaned_facts if stems_from(fact, "\n".join(facts))]


def _append(cwd: Path, facts: Sequence[str], today: date, lost: Lost) -> tuple[list[str], int]:
    """Adds the facts that are new, under a lock; those that were added, and the file's size in characters."""
    with _locked(cwd):
        memory = _read_for_change(cwd / MEMORY_FILE, lost)
        added: list[str] = []
        for fact in facts:
            if not is_known(fact, memory):
                memory = with_facts(memory, [fact], today)
                added.append(fact)
        if added:
            write_atomically(cwd / MEMORY_FILE, memory)
        return added, len(memory)


def _archive(cwd: Path, old: Sequence[str], merged: Sequence[str], lost: Lost) -> None:
    """Moves lines to the archive, that first, and puts the merged facts where they stood, dated as the last of them."""
    last = date_of(old[-1])
    with _locked(cwd):
        memory = _read_for_change(cwd / MEMORY_FILE, lost)
        archive = _read_for_change(cwd / ARCHIVE_FILE, lost)
        write_atomically(cwd / ARCHIVE_FILE, archive + "".join(f"{line}\n" for line in old))
        write_atomically(cwd / MEMORY_FILE, replaced(memory, old, [dated(fact, last) for fact in merged]))


def _read(path: Path, lost: Lost) -> str:
    """The whole text for reading; empty if there is none, or none that can be read."""
    try:
        text, kind = _understood(path.read_bytes())
        if kind == "damaged":
            with _locked(path.parent):
                return _read_for_change(path, lost)
    except FileNotFoundError:
        return ""
    except (OSError, AuraError) as error:
        _log.warning("the memory cannot be read", path=str(path), reason=str(error))
        return ""
    return text


def _read_for_change(path: Path, lost: Lost) -> str:
    """The whole text; a file that is not UTF-8 is set aside first, so that the person's bytes are kept.

    What could be read of it takes its place.
    """
    try:
        text, kind = _understood(path.read_bytes())
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise not_writable(path, error) from error
    if kind != "sound":
        kept_as = set_aside(path).name
        if text.strip():
            write_atomically(path, text)
        _log.warning("a memory was set aside", path=str(path), reason=kind, kept_as=kept_as)
        rest = "What can be read of it goes on." if text.strip() else "A new one is begun."
        lost(f"The memory {path} was {kind}. It was set aside as {kept_as}. {rest}", path)
    return text


def _understood(raw: bytes) -> tuple[str, Literal["sound", "not UTF-8", "damaged"]]:
    """The text of a memory, and what its bytes are; a power cut leaves zeros where the text was."""
    decoded = decode_text(raw)
    if decoded is None:
        return "".join(filter(_is_text, raw.decode("utf-8", "ignore"))), "damaged"
    return decoded.text, "sound" if decoded.encoding.startswith("utf-8") else "not UTF-8"


def _is_text(letter: str) -> bool:
    return letter in "\n\r\t" or unicodedata.category(letter) != "Cc"


@contextmanager
def _locked(cwd: Path) -> Generator[None]:
    """One writer at a time, of all programs."""
    path = cwd / f".{MEMORY_FILE}.lock"
    lock = FileLock(path, timeout=LOCK_SECONDS)
    try:
        cwd.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise HomeInUseError(f"Another program has been writing {cwd / MEMORY_FILE} for a long time.") from error
    except OSError as error:
        raise not_writable(path, error) from error
    try:
        yield
    finally:
        lock.release()
