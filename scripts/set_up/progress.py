"""How far it is: one line that is written anew on a terminal, and nothing in between elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

LOOK_SECONDS = 0.3


def say(text: str) -> None:
    """A line for the person; standard output is left to what `make` runs next."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def shown(now: Callable[[], str]) -> Generator[None]:
    """Shows what `now` says several times a second, as long as the block runs, if a terminal is there to show it."""
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(LOOK_SECONDS):
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r{now()[:width]}\x1b[K")
            sys.stderr.flush()

    thread = threading.Thread(target=show, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
