"""The one reader of YAML: text to nodes with the C parser, and nodes to plain values by the core schema of YAML 1.2.

Quicker than PyYAML's own constructor, and stricter: `on`, `no` and `12:30` are texts, dates stay texts, a key twice is
an error, tags are refused, anchors may not blow up. Only one thing differs from that schema: digits behind a leading
zero (`0755`, `08`, a phone number) stay the text that was written, where YAML 1.1 reads octal and 1.2 drops the zero.
"""

from __future__ import annotations

import re
from typing import Any, cast

import yaml
from yaml._yaml import CParser

MAX_DEPTH = 100
"""Levels of nesting."""
MAX_ALIASED = 100_000
"""Values that anchors may multiply into."""

_PLAIN = ""
_QUOTED = "quoted"
_STARTS_SPECIAL = frozenset("-+.0123456789tTfFnN~")
_CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_DIGITS = 4000
_PLAIN_WORDS = {
    "but found another document": ("a second document begins here", "a file holds one: make a file of each"),
    "did not find expected <document start>": ("this does not go on from the lines above", "indent it, or quote it"),
    "found undefined alias": ("there is no such anchor before this alias", "name a value above with &name"),
}
_BRACKETS = re.compile(r"[\[\]{}]")
_DASHES = re.compile(rf"(?:[-?] +){{{MAX_DEPTH}}}")


class YamlError(Exception):
    """The text is not YAML, or uses what plans may not.

    Attributes:
        message: what is wrong.
        hint: what to do; may be empty.
        line: counted from 1; 0 if the whole file is meant.
        column: counted from 1.
    """

    def __init__(self, message: str, hint: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column


class _Parser(CParser):
    """The C parser; instead of a tag by regular expressions, a scalar only gets whether it is plain."""

    def descend_resolver(self, _parent: object, _index: object) -> None:
        """PyYAML's path resolvers are not used."""

    def ascend_resolver(self) -> None:
        """PyYAML's path resolvers are not used."""

    def resolve(self, kind: type[yaml.Node], _value: object, implicit: Any) -> str:
        """The tag of a node without one."""
        return _PLAIN if kind is not yaml.ScalarNode or implicit[0] else _QUOTED


def compose(text: str) -> yaml.Node | None:
    """The nodes of a YAML text; None if it is empty.

    Raises:
        YamlError: says what is wrong and where.
    """
    try:
        if _may_be_deep(text):
            _check_depth(text)
        return _Parser(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text) from error
    except yaml.reader.ReaderError as error:
        raise _unreadable(error.position, text) from error


def _unreadable(position: int, text: str) -> YamlError:
    """A character that no YAML file may hold; the position is in bytes of UTF-8."""
    before = text.encode()[:position].decode("utf-8", "ignore")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    character = text[len(before) : len(before) + 1]
    message = f"the character U+{ord(character or chr(0)):04X} cannot stand in a file of text"
    return YamlError(message, "save the file as UTF-8 text" if character == "\0" else "remove it", line, column)


def _may_be_deep(text: str) -> bool:
    """Whether the C composer, which calls itself for every level, could run out of its stack; errs on the safe side."""
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1 if depth else 0
        if depth > MAX_DEPTH:
            return True
    return _DASHES.search(text) is not None


def _check_depth(text: str) -> None:
    """Counts levels by events, which no depth can harm."""
    parser = _Parser(text)
    depth = 0
    while (event := parser.get_event()) is not None:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                place = event.start_mark.line + 1, event.start_mark.column + 1
                raise YamlError(f"it is nested more than {MAX_DEPTH} levels deep", "make it flatter", *place)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def build(root: yaml.Node | None) -> Any:
    """The plain value of nodes.

    Raises:
        YamlError: a key twice, a tag, a key that is a list, an anchor inside itself, or a bomb of anchors.
    """
    return None if root is None else _Builder().value(root, 0)


def read_value(text: str) -> Any:
    """A value that stands alone, in the environment or on a command line, as a file would have it.

    Numbers, `true`, `false`, `null`, lists, mappings and quoted texts mean what they mean in a file. Everything else
    is the text as it was written, also what a file would not allow or take for a comment (`#garden`, `@home`).
    """
    try:
        node = compose(text)
        if node is not None and (node.__class__ is not yaml.ScalarNode or node.tag):
            return build(node)
        word = text.strip()
        return word if word[:1] not in _STARTS_SPECIAL and word else _scalar(word, node)
    except YamlError:
        return text


class _Builder:
    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._aliased = 0
        self._repeating = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        if node.tag:
            return self._tagged(node)
        if node.__class__ is yaml.ScalarNode:
            text: str = node.value
            return text if text and text[0] not in _STARTS_SPECIAL else _scalar(text, node)
        return self._collection(node, depth + 1)

    def _tagged(self, node: yaml.Node) -> str:
        if node.tag != _QUOTED:
            raise _at(node, f"the tag {node.tag} is not allowed", "plans hold plain values only: remove the tag")
        return node.value

    def _collection(self, node: yaml.Node, depth: int) -> Any:
        identity = id(node)
        if depth > MAX_DEPTH:
            raise _at(node, f"it is nested more than {MAX_DEPTH} levels deep", "make it flatter")
        if identity in self._open:
            raise _at(node, "an anchor is used inside itself", "write the value out")
        repeated = identity in self._seen
        self._seen.add(identity)
        self._open.add(identity)
        self._repeating += repeated
        if self._repeating:
            self._aliased += len(node.value) + 1
            if self._aliased > MAX_ALIASED:
                raise _at(node, f"its anchors multiply into more than {MAX_ALIASED:,} values", "use fewer aliases")
        if node.__class__ is yaml.SequenceNode:
            made: Any = [self.value(item, depth) for item in node.value]
        else:
            made = self._mapping(node, depth)
        self._repeating -= repeated
        self._open.discard(identity)
        return made

    def _mapping(self, node: yaml.Node, depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        merged: list[tuple[yaml.Node, Any]] = []
        for key_node, value_node in node.value:
            if key_node.__class__ is not yaml.ScalarNode:
                raise _at(key_node, "a key must be a name, not a list or mapping", 'quote it if it is text: "{{ … }}"')
            key = self.value(key_node, depth)
            if key == "<<" and key_node.tag != _QUOTED:
                merged.append((value_node, self.value(value_node, depth)))
                continue
            if key in made:
                raise _at(key_node, f"the key {key!r} is there twice", "remove one of them")
            made[key] = self.value(value_node, depth)
        for value_node, value in merged:
            _merge(made, value, value_node)
        return made


def _merge(made: dict[Any, Any], value: Any, node: yaml.Node) -> None:
    for mapping in cast("list[Any]", value if isinstance(value, list) else [value]):
        if not isinstance(mapping, dict):
            raise _at(node, "<< merges mappings only", "give it an alias of a mapping")
        for key, item in cast("dict[Any, Any]", mapping).items():
            made.setdefault(key, item)


def _scalar(text: str, node: yaml.Node | None) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise _at(node, f"a number has {_MAX_DIGITS:,} digits at most", "quote it if it is text")
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "", 1)) if _INFINITE.fullmatch(text) else text


def _at(node: yaml.Node | None, message: str, hint: str) -> YamlError:
    mark = None if node is None else node.start_mark
    return YamlError(message, hint, mark.line + 1, mark.column + 1) if mark else YamlError(message, hint)


def _explained(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    rows = text.split("\n")
    row = rows[line] if line < len(rows) else ""
    message = error.problem or error.context or "it is not YAML"
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return YamlError("a tab is used to indent", "YAML wants spaces: replace the tab", line + 1, row.index("\t") + 1)
    if "cannot start any token" in message and row[column : column + 1] in {"%", "@", "`"}:
        message = f"a value cannot begin with {row[column]}"
        return YamlError(message, "put it in quotes", line + 1, column + 1)
    if message in _PLAIN_WORDS:
        return YamlError(*_PLAIN_WORDS[message], line + 1, column + 1)
    hint = ""
    if "mapping values are not allowed" in message or "{{" in row:
        hint = "put text with a colon, and every {{ … }}, in quotes"
    elif error.context and error.context != message:
        hint = error.context + (f" (line {error.context_mark.line + 1})" if error.context_mark else "")
    return YamlError(message, hint, line + 1, column + 1)
