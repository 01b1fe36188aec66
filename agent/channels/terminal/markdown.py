"""Markdown as chats mean it: a line break is a line break, and `<tags>` are text and never vanish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markdown import Markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token


class ChatMarkdown(Markdown):
    """Rich's Markdown for what models and tasks write.

    Args:
        text: the Markdown; HTML in it is shown as it is written.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text, code_theme="ansi_dark", hyperlinks=False)
        self.parsed = [shown for token in self.parsed for shown in _shown(token)]


def _shown(token: Token) -> Iterator[Token]:
    """The token itself with its breaks and tags as text; a block of HTML as a paragraph."""
    kind = type(token)
    if token.type == "html_block":
        yield kind("paragraph_open", "p", 1)
        yield kind("inline", "", 0, children=list(_lines(kind, token.content.strip("\n"))))
        yield kind("paragraph_close", "p", -1)
        return
    for child in token.children or []:
        child.type = {"softbreak": "hardbreak", "html_inline": "text"}.get(child.type, child.type)
    yield token


def _lines(kind: type[Token], text: str) -> Iterator[Token]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield kind("hardbreak", "br", 0)
        yield kind("text", "", 0, content=line)
