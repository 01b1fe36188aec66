"""Source: the text of one YAML file, read safely and quickly; positions are worked out only when asked for."""

from __future__ import annotations

import codecs
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from aura_core.errors import DefinitionError, Problem
from aura_core.language.yaml_nodes import YamlError, build, compose

MAX_BYTES = 2_000_000
"""Larger files are refused: no person wrote them."""

_OTHER_TEXT = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class Source:
    """One YAML file.

    Attributes:
        path: the file, as the author would name it.
        text: its whole text.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text

    @classmethod
    def read(cls, path: Path) -> Source:
        """Reads a file: UTF-8, a byte order mark is fine.

        Raises:
            DefinitionError: it cannot be read, is too large, or is not UTF-8; says where.
        """
        try:
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise _refused(path, f"the file has {size:,} bytes", f"split it; {MAX_BYTES:,} bytes is the most")
            data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        except OSError as error:
            raise _refused(path, f"the file cannot be read: {error.strerror or error}", "") from error
        try:
            return cls(path, data.decode())
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            before = data[data.rfind(b"\n", 0, error.start) + 1 : error.start]
            column = len(before.decode()) + 1
            named = next((f"the file is {name}" for mark, name in _OTHER_TEXT.items() if data.startswith(mark)), None)
            what = named or f"the byte 0x{data[error.start]:02x} is not UTF-8"
            problem = Problem(str(path), line, column, what, "save the file as UTF-8")
            raise DefinitionError([problem]) from error

    def load(self) -> Any:
        """The value of the file: mappings, lists, texts, numbers, true, false, null.

        Raises:
            DefinitionError: it is not YAML, or uses what plans may not; one problem with its place.
        """
        try:
            return build(compose(self.text))
        except YamlError as error:
            raise DefinitionError([self.problem_at(error.line, error.column, error.message, error.hint)]) from error

    def problem_at(self, line: int, column: int, message: str, hint: str = "") -> Problem:
        """A problem of this file."""
        return Problem(str(self.path), line, column, message, hint)

    @cached_property
    def _root(self) -> yaml.Node | None:
        return compose(self.text)

    def position(self, place: tuple[str | int, ...], *, key: bool = False, offset: int = 0) -> tuple[int, int]:
        """Line and column, counted from 1, of the value at a place.

        Args:
            place: keys and indexes from the top of the file; where the path ends early, the last value on it counts.
            key: the position of the key instead of its value.
            offset: characters from the beginning of a text value.
        """
        node, key_node = self._find(place)
        if node is None:
            return 1, 1
        if key and key_node is not None:
            return key_node.start_mark.line + 1, key_node.start_mark.column + 1
        line, column = node.start_mark.line, node.start_mark.column
        if offset and isinstance(node, yaml.ScalarNode):
            return self._inside(node, offset)
        return line + 1, column + 1

    def _find(self, place: tuple[str | int, ...]) -> tuple[yaml.Node | None, yaml.Node | None]:
        node, key_node = self._root, None
        for part in place:
            found: tuple[yaml.Node, yaml.Node | None] | None = None
            if isinstance(node, yaml.MappingNode):
                found = next(((value, name) for name, value in node.value if _is_key(name, part)), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                found = node.value[part], None
            if found is None:
                return node, key_node
            node, key_node = found
        return node, key_node

    def _inside(self, node: yaml.ScalarNode, offset: int) -> tuple[int, int]:
        """Where the text of a scalar stands, `offset` characters on; exact unless escapes or folding move it."""
        line, column = node.start_mark.line, node.start_mark.column
        before: str = node.value[:offset]
        if node.style in {"|", ">"}:
            rows = self.text.splitlines()
            line += 1 + before.count("\n")
            first = next((row for row in rows[node.start_mark.line + 1 :] if row.strip()), "")
            return line + 1, len(first) - len(first.lstrip()) + len(before.rpartition("\n")[2]) + 1
        return line + 1, column + offset + (1 if node.style else 0) + 1


def _is_key(name: yaml.Node, part: object) -> bool:
    return name.value == part if isinstance(part, str) else build(name) == part


def _refused(path: Path, message: str, hint: str) -> DefinitionError:
    return DefinitionError([Problem(str(path), 0, 0, message, hint)])
