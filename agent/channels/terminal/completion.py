"""What the input line completes: /commands at its beginning, names of the session's files anywhere (with Tab)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion

from agent.channels.terminal.session_files import session_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from prompt_toolkit.document import Document


class ChatCompleter(Completer):
    """Completes commands and file names.

    Args:
        commands: command with its slash -> one line about it; asked anew each time, so that plans may come and go.
        files: the session's files folder.
    """

    def __init__(self, commands: Callable[[], Mapping[str, str]], files: Path) -> None:
        self._commands = commands
        self._files = files

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Completions of the word before the cursor."""
        text = document.text_before_cursor
        if text.startswith("/") and " " not in text:
            for name, about in sorted(self._commands().items()):
                if name.startswith(text):
                    yield Completion(name, start_position=-len(text), display_meta=about)
            return
        word = document.get_word_before_cursor(WORD=True)
        if not complete_event.completion_requested:
            return
        for name in session_files(self._files):
            if name.startswith(word):
                yield Completion(name, start_position=-len(word))
