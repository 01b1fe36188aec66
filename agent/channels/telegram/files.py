"""Files that a person sends: taken into the session's files folder, under a safe name that is not taken yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiofiles
import aiohttp
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramNetworkError
from aiogram.methods import GetFile
from aiogram.types import Message

from agent.errors import AgentError
from aura_core.data.files import composed
from aura_core.storage.atomic_file import unfinished_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

TELEGRAM_LIMIT = 20_000_000
"""What a bot may download."""
DOWNLOAD_SECONDS = 120
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
EDGES = re.compile(r"^[\s.]+|[\s.]+$")
DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)
"""Names that mean a device on Windows, whatever follows them."""
LONGEST_NAME, LONGEST_ENDING = 120, 10


class FileRefusedError(AgentError):
    """A file cannot be taken; says which and why."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with a message; size in bytes, 0 if Telegram does not say."""

    file_id: str
    name: str
    size: int


def attached_to(message: Message) -> Attached | None:
    """The file of a message, a photo in its largest size; None if there is none."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return Attached(largest.file_id, f"photo-{message.message_id}.jpg", largest.file_size or 0)
    if message.voice:
        return Attached(message.voice.file_id, f"voice-{message.message_id}.ogg", message.voice.file_size or 0)
    found = message.document or message.audio or message.video
    if found is None:
        return None
    return Attached(found.file_id, safe_name(found.file_name or f"file-{message.message_id}"), found.file_size or 0)


def safe_name(name: str) -> str:
    """A file name without folders, control characters and leading dots, at most 120 bytes long."""
    clean = EDGES.sub("", UNSAFE.sub("_", composed(name).replace("\\", "/").rsplit("/", 1)[-1])) or "file"
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > LONGEST_ENDING:
        stem, ending = clean, ""
    room = LONGEST_NAME - len(ending.encode()) - 1
    stem = EDGES.sub("", stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")) or "file"
    if DEVICES.fullmatch(stem.partition(".")[0].rstrip()):
        stem = f"_{stem}"
    return f"{stem}.{ending}" if ending else stem


async def take(bot: Bot, attached: Attached, folder: Path, limit: int) -> str:
    """Downloads a file.

    Args:
        bot: who downloads.
        attached: the file.
        folder: the session's files folder.
        limit: most bytes that the person's profile allows.

    Returns:
        Its name in the folder.

    Raises:
        FileRefusedError: it is larger than allowed, or Telegram will not hand it out.
        TelegramNetworkError: the download broke; trying again may help.
    """
    most = min(limit, TELEGRAM_LIMIT)
    if attached.size > most:
        raise _too_large(attached.name, most)
    method = GetFile(file_id=attached.file_id)
    try:
        path = (await bot(method)).file_path
    except TelegramBadRequest as error:
        raise FileRefusedError(f"Telegram does not hand out {attached.name}: {error.message}.") from error
    if path is None:
        raise FileRefusedError(f"Telegram does not hand out {attached.name}.")
    target = _free(folder, attached.name)
    part = unfinished_name(folder)
    try:
        stream = bot.session.stream_content(bot.session.api.file_url(bot.token, path), timeout=DOWNLOAD_SECONDS)
        await _write(stream, part, attached.name, most)
        part.rename(target)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TelegramNetworkError(method, f"the download of {attached.name} broke: {type(error).__name__}") from error
    finally:
        part.unlink(missing_ok=True)
    return target.name


async def _write(stream: AsyncGenerator[bytes, None], part: Path, name: str, most: int) -> None:
    written = 0
    async with aiofiles.open(part, "wb") as file:
        async for chunk in stream:
            written += len(chunk)
            if written > most:
                raise _too_large(name, most)
            await file.write(chunk)


def _free(folder: Path, name: str) -> Path:
    """The first of `name`, `name-2`, `name-3`, … that nothing has."""
    path, number = folder / name, 2
    while path.exists():
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
    return path


def _too_large(name: str, most: int) -> FileRefusedError:
    return FileRefusedError(f"{name} is too large: at most {most / 1_000_000:g} MB can be taken.")
