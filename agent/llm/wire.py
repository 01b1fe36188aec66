"""Wire: what servers send as an answer, whole or piece by piece, read in one way for everything behind it.

Servers agree on little: the words may be a text or a list of parts, thoughts stand apart or between marks, a failure
may come with a status of success, and the reason of the end may be missing, worded anew, or the only sign of trouble.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from agent.llm.failures import BrokenOffError, EmptyAnswerError, ForeignAnswerError, UnaskedCallError
from agent.llm.stated import stated_in
from agent.llm.thoughts import Thoughts

Finish = Literal["stop", "length", "filter"]
"""Why an answer ended: by itself, at a bound of its length, or because somebody's filter stopped it."""
END_MARK = "[DONE]"
CHARACTERS_PER_TOKEN = 4
_LENGTH = re.compile(r"length|max.{0,8}token|token.{0,8}limit|context", re.IGNORECASE)
_FILTER = re.compile(
    r"filter|safety|sensitive|block|prohibit|recitation|spii|refus|guardrail|policy|violat", re.IGNORECASE
)
_BROKEN = re.compile(r"error|abort|cancel|interrupt|insufficient|network|time.?out|malformed", re.IGNORECASE)
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came whole.

    Attributes:
        text: what was said, without thoughts.
        finish: why it ended.
        thought: whether the model thought before it spoke.
        unopened: whether an answer of this model may begin inside a thought; None if this one does not tell.
        tokens_read: of the prompt; 0 where the server does not say.
        tokens_written: of the answer and its thoughts; estimated likewise.
        tokens_cached: of those read, how many the server had ready.
    """

    text: str
    finish: Finish
    thought: bool
    unopened: bool | None
    tokens_read: int
    tokens_written: int
    tokens_cached: int


class AnswerReader:
    """Reads one answer: every event of a stream, or the one body, then the end.

    Args:
        unopened: what is known of the model; see `Thoughts`.
        json: the answer is JSON.
        on_text: takes what is said, as soon as that is sure.
    """

    def __init__(self, *, unopened: bool | None, json: bool, on_text: Callable[[str], None] | None) -> None:
        self._thoughts = Thoughts(unopened=unopened, json=json)
        self._unopened = unopened
        self._json = json
        self._on_text = on_text
        self._apart = False
        self._called = False
        self._choices = False
        self._finish = ""
        self._characters = 0
        self._usage: dict[str, Any] = {}

    def take(self, data: object) -> None:
        """Takes one event, or the body.

        Raises:
            StatedError: it is a failure.
            ForeignAnswerError: it is nothing of a chat completion.
        """
        failure = stated_in(data)
        if failure is not None:
            raise failure
        if not isinstance(data, dict):
            raise ForeignAnswerError("the answer is no JSON object")
        fields = cast("dict[str, Any]", data)
        if isinstance(usage := fields.get("usage"), dict):
            self._usage = cast("dict[str, Any]", usage)
        choices = fields.get("choices")
        if not isinstance(choices, list):
            return
        for choice in cast("list[object]", choices)[:1]:
            if isinstance(choice, dict):
                self._choices = True
                self._take_choice(cast("dict[str, Any]", choice))

    def whole(self, body: object) -> Answer:
        """Takes an answer that came in one body: JSON, or the text of a stream that nobody asked for.

        Raises:
            StatedError, ForeignAnswerError, BrokenOffError, UnaskedCallError, EmptyAnswerError: see `take` and `end`.
        """
        if not isinstance(body, str):
            self.take(body)
            return self.end(marked=True)
        lines = [line.removeprefix("data:").strip() for line in body.split("\n") if line.startswith("data:")]
        if not lines:
            raise ForeignAnswerError("the answer is no JSON")
        for line in lines:
            if line != END_MARK:
                self.take(json.loads(line))
        return self.end(marked=END_MARK in lines)

    def end(self, *, marked: bool) -> Answer:
        """Takes the end.

        Args:
            marked: the server said that this is the end.

        Raises:
            BrokenOffError: it is not the end.
            ForeignAnswerError: there was no answer.
            UnaskedCallError: the answer is a call of a tool that nobody offered.
            EmptyAnswerError: nothing was said, although nothing cut it off.
        """
        if not self._choices:
            raise ForeignAnswerError("the answer has no choices") if marked else BrokenOffError
        if not self._finish and not marked:
            raise BrokenOffError
        if _BROKEN.search(self._finish):
            raise BrokenOffError(f"the server ended it: {self._finish}")
        finish: Finish = "stop"
        if _LENGTH.search(self._finish):
            finish = "length"
        elif _FILTER.search(self._finish):
            finish = "filter"
        self._say(self._thoughts.end(cut=finish != "stop"))
        text = self._thoughts.text
        if not text.strip() and finish == "stop":
            raise UnaskedCallError if self._called else EmptyAnswerError
        read, written = _count(self._usage, "prompt_tokens"), _count(self._usage, "completion_tokens")
        written = written or -(-self._characters // CHARACTERS_PER_TOKEN)
        details: object = self._usage.get("prompt_tokens_details")
        cached = _count(cast("dict[str, Any]", details), "cached_tokens") if isinstance(details, dict) else 0
        thought = self._apart or self._thoughts.found
        return Answer(text, finish, thought, self._learnt(finish), read, written, cached)

    def _learnt(self, finish: Finish) -> bool | None:
        if self._thoughts.found_unopened or self._unopened:
            return True
        told = self._apart or self._thoughts.found or (finish == "stop" and not self._json)
        return False if told else self._unopened

    def _take_choice(self, choice: dict[str, Any]) -> None:
        self._finish = str(choice.get("finish_reason") or self._finish)
        message: object = choice.get("delta") or choice.get("message") or {}
        if isinstance(message, str):
            self._hear(message)
        elif isinstance(message, dict):
            said = cast("dict[str, Any]", message)
            thoughts = [said[name] for name in _THOUGHT_FIELDS if said.get(name)]
            self._apart = self._apart or bool(thoughts)
            self._characters += max((len(str(thought)) for thought in thoughts), default=0)
            self._called = self._called or bool(said.get("tool_calls") or said.get("function_call"))
            words = self._words(said.get("content")) or self._words(said.get("refusal"))
            self._hear(words)
        if isinstance(text := choice.get("text"), str):
            self._hear(text)

    def _words(self, content: object) -> str:
        """The words of a content: a text, or the texts among its parts."""
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            return "".join(self._words(part) for part in cast("list[object]", content))
        if not isinstance(content, dict):
            return ""
        part = cast("dict[str, Any]", content)
        kind = str(part.get("type") or "text")
        self._apart = self._apart or "think" in kind or "reason" in kind
        if kind not in ("text", "output_text", "refusal"):
            return ""
        text: object = part.get("text") or part.get("refusal")
        inner: object = cast("dict[str, Any]", text).get("value") if isinstance(text, dict) else text
        return inner if isinstance(inner, str) else ""

    def _hear(self, words: str) -> None:
        self._characters += len(words)
        if words:
            self._say(self._thoughts.feed(words))

    def _say(self, piece: str) -> None:
        if piece and self._on_text is not None:
            self._on_text(piece)


def _count(usage: dict[str, Any], name: str) -> int:
    value: object = usage.get(name)
    return int(value) if isinstance(value, int | float) and value > 0 else 0
