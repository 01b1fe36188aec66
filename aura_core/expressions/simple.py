"""Turns the shape of a simple expression into Python source, with the grammar and the meaning of Jinja.

Python's grammar is not Jinja's (`-2 ** 2`, `2 ** 3 ** 2`, `1 + 2 ~ 3` differ), so this follows jinja2.parser method
by method and parenthesises everything. The source may raise where Jinja would not (a missing key under `default`, a
method that hides behind a key): whoever runs it then asks the sandbox, so it only has to be right when it succeeds.
"""

from __future__ import annotations

from aura_core.expressions.limits import MAX_FAST_TOKENS
from aura_core.expressions.names import FAST_FILTERS, FAST_GLOBALS, SLOW_GLOBALS
from aura_core.expressions.scanner import KEYWORDS, NAME, NUMBER, PLACEHOLDERS, STRING, NotSimpleError, Shape

MOST_TERMS = 20
"""Terms of a sum that is added up without looking at what comes out."""
_MAKERS = ("concat(", "filter_", "modulo(", "multiply(", "total(")
"""What may give a long text or list, so that sums with it are looked at."""
_COMPARE = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "in"}
_CONSTANTS = {"true": "True", "True": "True", "false": "False", "False": "False", "none": "None", "None": "None"}
_BEGINS_ARGUMENT = frozenset({NAME, NUMBER, STRING, "(", "[", "{"})
_MAX_DEPTH = 40


class SimpleParser:
    """One pass over a shape; every method returns Python source for what it read.

    Args:
        shape: tokens of the expression.
        first_cell: index of the cell that belongs to the shape's first placeholder.
    """

    def __init__(self, shape: Shape, first_cell: int) -> None:
        self._tokens = (*shape, "", "")
        self._at = 0
        self._cell = first_cell
        self._depth = 0
        self._callable: set[str] = set()
        self._lenient = ("", "")  # the last link of a chain, and the same for when it may be missing

    def parse(self) -> tuple[str, int]:
        """Python source of the whole expression, and the index of the next free cell.

        Raises:
            NotSimpleError: it is not simple, or not an expression.
        """
        if len(self._tokens) > MAX_FAST_TOKENS:
            raise NotSimpleError
        source = self._condition()
        if self._tokens[self._at]:
            raise NotSimpleError(self._at)
        return source, self._cell

    def _accept(self, word: str) -> bool:
        if self._tokens[self._at] == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise NotSimpleError(self._at)

    def _next_cell(self) -> str:
        self._cell += 1
        return f"c{self._cell - 1}"

    def _condition(self) -> str:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise NotSimpleError
        value = self._or()
        while self._accept("if"):
            test = self._or()
            if not self._accept("else"):
                raise NotSimpleError
            value = f"({value} if {test} else {self._condition()})"
        self._depth -= 1
        return value

    def _or(self) -> str:
        parts = [self._and()]
        while self._accept("or"):
            parts.append(self._and())
        return _joined(parts, " or ")

    def _and(self) -> str:
        parts = [self._not()]
        while self._accept("and"):
            parts.append(self._not())
        return _joined(parts, " and ")

    def _not(self) -> str:
        count = 0
        while self._tokens[self._at] == "not" and self._accept("not"):
            count += 1
        value = self._compare()
        return f"({'not ' * count}{value})" if count else value

    def _compare(self) -> str:
        source = self._sum()
        chained = False
        while True:
            word = self._tokens[self._at]
            if word in _COMPARE:
                self._at += 1
                operator = _COMPARE[word]
            elif word == "not" and self._tokens[self._at + 1] == "in":
                self._at += 2
                operator = "not in"
            else:
                return f"({source})" if chained else source
            source = f"{source} {operator} {self._sum()}"
            chained = True

    def _sum(self) -> str:
        parts = [self._concat()]
        terms = 1
        while (word := self._tokens[self._at]) in {"+", "-"}:
            self._at += 1
            right = self._concat()
            terms += 1
            if word == "+":
                parts.append(right)
            else:
                parts = [f"{_added(parts)} - {right}"]
        return parts[0] if terms == 1 else f"({_added(parts)})"

    def _concat(self) -> str:
        parts = [self._product()]
        while self._accept("~"):
            parts.append(self._product())
        return parts[0] if len(parts) == 1 else f"concat({', '.join(parts)})"

    def _product(self) -> str:
        source = self._power()
        while (word := self._tokens[self._at]) in {"*", "/", "//", "%"}:
            self._at += 1
            right = self._power()
            if word == "*":
                source = f"multiply({source}, {right})"
            elif word == "%":
                source = f"modulo({source}, {right})"
            else:
                source = f"({source} {word} {right})"
        return source

    def _power(self) -> str:
        source = self._unary()
        while self._accept("**"):
            source = f"power({source}, {self._unary()})"
        return source

    def _unary(self, *, filters: bool = True) -> str:
        word = self._tokens[self._at]
        if word in {"-", "+"}:
            self._at += 1
            source = self._postfix(f"({word}{self._unary(filters=False)})")
        else:
            source = self._postfix(self._primary())
        return self._filters(source) if filters else source

    def _primary(self) -> str:  # noqa: PLR0911 (one return per kind of operand)
        word = self._tokens[self._at]
        self._at += 1
        if word in PLACEHOLDERS:
            if word == STRING and self._tokens[self._at] == STRING:
                raise NotSimpleError
            return self._variable(self._next_cell()) if word == NAME else self._next_cell()
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if word == "(":
            return self._group()
        if word == "[":
            return f"[{', '.join(self._items(']'))}]"
        if word == "{":
            return self._mapping()
        if word in FAST_GLOBALS:
            source = f"(s[{word!r}] if {word!r} in s else {word})"
            self._callable.add(source)
            return source
        if word in SLOW_GLOBALS:
            raise NotSimpleError
        if word.isidentifier() and word not in KEYWORDS:
            return self._variable(repr(word))
        raise NotSimpleError(self._at - 1)

    def _variable(self, name: str) -> str:
        source = f"s[{name}]"
        self._lenient = source, f"s.get({name}, missing)"
        return source

    def _group(self) -> str:
        if self._accept(")"):
            return "()"
        first = self._condition()
        if self._accept(")"):
            return f"({first})"
        self._expect(",")
        return f"({', '.join([first, *self._items(')')])},)"

    def _items(self, end: str) -> list[str]:
        items: list[str] = []
        while not self._accept(end):
            if items:
                self._expect(",")
                if self._accept(end):
                    break
            items.append(self._condition())
        return items

    def _mapping(self) -> str:
        items: list[str] = []
        while not self._accept("}"):
            if items:
                self._expect(",")
                if self._accept("}"):
                    break
            key = self._condition()
            self._expect(":")
            items.append(f"{key}: {self._condition()}")
        return f"{{{', '.join(items)}}}"

    def _postfix(self, source: str) -> str:
        while True:
            word = self._tokens[self._at]
            if word == ".":
                self._at += 1
                source = self._attribute(source)
            elif word == "[":
                self._at += 1
                index = self._condition()
                if not self._accept("]"):
                    raise NotSimpleError(None if self._tokens[self._at] in {":", ","} else self._at)
                item = f"{source}[{index}]"
                self._lenient = item, f"item_or_missing({source}, {index})"
                source = item
            elif word == "(":
                source = self._call(source)
            else:
                return source

    def _attribute(self, source: str) -> str:
        word = self._tokens[self._at]
        self._at += 1
        if word == NAME:
            name = self._next_cell()
        elif word.isidentifier():
            name = repr(word)
        else:
            raise NotSimpleError(None if word == NUMBER else self._at - 1)
        if word == "get" and self._tokens[self._at] == "(":
            self._at += 1
            return f"get({', '.join([source, *self._items(')')])})"
        value = f"(t[{name}] if (t := {source}).__class__ is dict else attribute(t, {name}))"
        self._lenient = value, f"attribute_or_missing({source}, {name})"
        return value

    def _call(self, source: str) -> str:
        if source not in self._callable:
            raise NotSimpleError
        self._at += 1
        return f"{source}({', '.join(self._items(')'))})"

    def _filters(self, source: str) -> str:
        while True:
            word = self._tokens[self._at]
            if word == "|":
                self._at += 1
                source = self._filter(source)
            elif word == "is":
                self._at += 1
                source = self._test(source)
            elif word == "(":
                raise NotSimpleError
            else:
                return source

    def _or_missing(self, source: str) -> str:
        """The same, but `missing` if the last link of a chain is undefined; earlier links still raise, as in Jinja."""
        chain, lenient = self._lenient
        if source != chain:
            raise NotSimpleError
        return lenient

    def _filter(self, source: str) -> str:
        name = self._tokens[self._at]
        self._at += 1
        if name not in FAST_FILTERS or self._tokens[self._at] == ".":
            raise NotSimpleError(None if name == NAME or name.isidentifier() else self._at - 1)
        arguments = self._items(")") if self._accept("(") else []
        if name in {"default", "d"}:
            source = self._or_missing(source)
        return f"filter_{name}({', '.join([source, *arguments])})"

    def _test(self, source: str) -> str:
        negated = self._accept("not")
        name = self._tokens[self._at]
        self._at += 1
        following = self._tokens[self._at]
        argument = following in _BEGINS_ARGUMENT or (
            following.isidentifier() and following not in {"else", "or", "and"}
        )
        if name == "none" and not argument:
            return f"({source} is {'not ' if negated else ''}None)"
        if name in {"defined", "undefined"} and not argument:
            return f"({self._or_missing(source)} {'is' if negated is (name == 'defined') else 'is not'} missing)"
        raise NotSimpleError(None if name == NAME or name.isidentifier() else self._at - 1)


def _joined(parts: list[str], operator: str) -> str:
    return parts[0] if len(parts) == 1 else f"({operator.join(parts)})"


def _added(parts: list[str]) -> str:
    """The sum of some operands; looked at while it grows where a long text or list may come out."""
    if len(parts) > MOST_TERMS or (len(parts) > 1 and any(maker in part for part in parts for maker in _MAKERS)):
        return f"total({', '.join(parts)})"
    return " + ".join(parts)
