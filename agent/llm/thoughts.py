"""Thoughts: takes what a model thinks out of what it says, piece by piece or all at once.

A server that knows its model hands thoughts over apart. One that does not leaves them in the text, between marks, or
before a lone closing mark where the opening one stood in the prompt. A mark in code or in quotes is no mark: the text
speaks of it.
"""

from __future__ import annotations

import re

_WORD = r"(?:[\w-]+:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflect(?:ion)?)"
_OPENS = (
    rf"<{_WORD}(?:\s[^<>]*)?>|\[{_WORD}\]|◁{_WORD}▷|<\|(?:start|begin)_(?:of_)?{_WORD}\|>"
    r"|<\|channel\|?>(?:analysis|commentary|thought)\s*(?:<\|message\|>|\n)|<unused94>(?:thought\n)?"
)
_CLOSES = (
    rf"</{_WORD}>|\[/{_WORD}\]|◁/{_WORD}▷|<\|end_(?:of_)?{_WORD}\|>"
    r"|<\|channel\|>final\s*<\|message\|>|<channel\|>|<unused95>"
)
_MARK = re.compile(rf"(?P<opens>{_OPENS})|(?P<closes>{_CLOSES})", re.IGNORECASE)
_BEGUN = re.compile(r"(?:<\|channel\|?>\s*\w*\s*)?(?:[<\[◁][^<>\[\]◁▷\n]{0,40})?\Z")
"""What may become a mark with the next piece."""
_LONGEST = 64
"""Characters that no mark exceeds, and no beginning of one."""
_QUOTES = frozenset("`'\"“‘«„‹「『\\")
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]]|```)")
_FENCE = "```"


class Thoughts:
    """Reads one answer.

    Args:
        unopened: whether an answer of this model may begin inside a thought: then what comes before the closing mark is
            held back, to the end if there is none. None: not known yet, which is held back as well.
        json: the answer is JSON: it is held back until that begins, and then marks are part of its texts.
    """

    def __init__(self, *, unopened: bool | None = False, json: bool = False) -> None:
        self._held = unopened is not False or json
        self._json = json
        self._through = False
        self._mark = ""
        self._aside: list[str] = []
        self._pending = ""
        self._looked = 0
        self.text = ""
        """What was said so far."""
        self.found = False
        """Whether there was a thought."""
        self.found_unopened = False
        """Whether a thought ended that never began."""

    def feed(self, piece: str) -> str:
        """Takes the next piece; gives what of it, and of what was held back, is surely said."""
        if self._through:
            self.text += piece
            return piece
        self._pending += piece
        said = ""
        while not self._json_begins() and (mark := self._next_mark()):
            before, self._pending, self._looked = self._pending[: mark.start()], self._pending[mark.end() :], 0
            said = self._passed(said, before, mark)
        return self._said(said + self._certain())

    def end(self, *, cut: bool) -> str:
        """Takes the end of the answer; gives what was held back and turns out to be said.

        Args:
            cut: the answer stops before its end: an open thought is one, and not a word about a mark, and what is held
                back may be one that would have ended.
        """
        left, self._pending = "".join([*self._aside, self._pending]), ""
        if self._mark and (cut or not self.text.strip()):
            self.found = True
            return ""
        if cut and self._held:
            return ""
        if not self._mark:
            return self._said(left)
        return self._said(self._mark + left)

    def _json_begins(self) -> bool:
        self._through = self._through or (self._json and not self._mark and bool(_JSON.match(self._pending)))
        return self._through

    def _next_mark(self) -> re.Match[str] | None:
        """The next mark that counts: inside a thought a closing one, else any that the text does not speak of."""
        for mark in _MARK.finditer(self._pending, self._looked):
            if not (mark["opens"] if self._mark else self._is_mentioned(mark)):
                return mark
        return None

    def _passed(self, said: str, before: str, mark: re.Match[str]) -> str:
        """What is said up to and with a mark."""
        if self._mark:
            self._mark, self.found = "", True
            self._aside.clear()
        elif mark["opens"]:
            said, self._mark = said + before, mark[0]
        else:
            said, self.text = "", ""
            self.found = self.found_unopened = True
        self._held = self._json
        return said

    def _certain(self) -> str:
        """What of the pending text no later piece can make a thought of; the rest stays pending."""
        if self._through:
            certain, self._pending = self._pending, ""
            return certain
        if self._mark:
            self._aside.append(self._pending[:-_LONGEST])
            self._pending = self._pending[-_LONGEST:]
        self._looked = max(0, len(self._pending) - _LONGEST)
        if self._held or self._mark:
            return ""
        match = _BEGUN.search(self._pending, self._looked)
        place = match.start() if match else len(self._pending)
        certain, self._pending, self._looked = self._pending[:place], self._pending[place:], 0
        return certain

    def _is_mentioned(self, mark: re.Match[str]) -> bool:
        """Whether a mark stands in code or quotes."""
        before = self.text + self._pending[: mark.start()]
        in_code = before.count(_FENCE) % 2 or before.rpartition("\n")[2].count("`") % 2
        return before[-1:] in _QUOTES or bool(in_code)

    def _said(self, piece: str) -> str:
        """Adds what is said; text behind a thought begins without white space."""
        if self.found and not self.text:
            piece = piece.lstrip()
        self.text += piece
        return piece
