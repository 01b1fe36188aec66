"""The Transport protocol for Telegram: final answers, files and questions of a run, each at most once per key.

What Telegram does not take for about an hour is a ChannelAwayError: the run sends it again later, under the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiogram.methods import SendDocument, SendMessage
from aiogram.types import BufferedInputFile, FSInputFile, LinkPreviewOptions

from agent.channels.telegram.asking import Asking
from agent.channels.telegram.destination import CHANNEL, Destination
from agent.channels.telegram.sending import Sender
from agent.channels.telegram.text import MAX_UNITS, Part, parts_of, render, shorten, split
from agent.contracts import Question

MAX_MESSAGES = 3
"""A longer answer goes as a file."""
PREVIEW_UNITS = 900
MAX_CAPTION = 1000
MAX_UPLOAD = 50_000_000
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class TelegramTransport:
    """What a run sends to a chat (seed 004's `bot`).

    Args:
        sender: makes the calls.
        asking: shows questions.
        on_answer: called with a chat id when the answer is there, so that "typing" ends.
    """

    name = CHANNEL

    def __init__(self, sender: Sender, asking: Asking, on_answer: Callable[[int], None]) -> None:
        self._sender = sender
        self._asking = asking
        self._on_answer = on_answer

    async def send_text(self, dest: dict[str, Any], text: str, *, key: str) -> None:
        """Shows a final text; what is longer than three messages goes as a file with its beginning shown."""
        place = Destination.of(dest)
        self._on_answer(place.chat_id)
        parts = parts_of(text) or [Part("Done.")]
        if len(parts) > MAX_MESSAGES:
            await self._send_long(place, text, key)
            return
        for number, part in enumerate(parts):
            await self._sender.send(f"{key}#{number}", message(place, part))

    async def send_file(self, dest: dict[str, Any], path: Path, caption: str, *, key: str) -> None:
        """Hands over a file as a document; what Telegram cannot take is said in words."""
        place = Destination.of(dest)
        size = _size(path)
        problem = {-1: "is gone", 0: "is empty"}.get(size, "is larger than the 50 MB that Telegram takes")
        if not 0 < size <= MAX_UPLOAD:
            text = f"The file {path.name} {problem}, so it cannot be sent. It belongs into this session's files folder."
            await self._sender.send(f"{key}#problem", message(place, Part(text)))
            return
        method = SendDocument(
            chat_id=place.chat_id,
            document=FSInputFile(path),
            caption=shorten(caption.strip(), MAX_CAPTION) or None,
            message_thread_id=place.thread_id,
        )
        await self._sender.send(key, method)

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        """Shows a question with its choices as buttons."""
        await self._asking.show(dest, question)

    async def _send_long(self, place: Destination, text: str, key: str) -> None:
        beginning = split(render(text[: MAX_UNITS * 2]), PREVIEW_UNITS)[0]
        note = "\n\n… The whole answer is in the file."
        await self._sender.send(f"{key}#begin", message(place, Part(beginning.text + note, beginning.spans)))
        data = text.encode("utf-8", "replace")
        method = SendDocument(
            chat_id=place.chat_id,
            document=BufferedInputFile(data, "answer.md"),
            message_thread_id=place.thread_id,
        )
        await self._sender.send(f"{key}#file", method)


def message(place: Destination, part: Part) -> SendMessage:
    """A plain message to a place, links without previews."""
    return SendMessage(
        chat_id=place.chat_id,
        text=part.text,
        entities=part.entities(),
        message_thread_id=place.thread_id,
        link_preview_options=NO_PREVIEW,
    )


def _size(path: Path) -> int:
    """Bytes of a file; -1 if there is none."""
    return path.stat().st_size if path.is_file() else -1
