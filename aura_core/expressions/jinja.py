"""Compiles what is not simple in the sandbox, and turns whatever goes wrong there into an ExpressionError."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import jinja2
from jinja2 import nodes
from jinja2.parser import Parser

from aura_core.expressions import limits
from aura_core.expressions.explain import explain
from aura_core.expressions.guard import RESULT, Guard
from aura_core.expressions.limits import LimitError
from aura_core.expressions.sandbox import SANDBOX, Scope, required, settled

Evaluator: TypeAlias = Callable[[Mapping[str, Any]], Any]


@lru_cache(maxsize=1024)
def compile_expression(source: str) -> Evaluator:
    """Compiles one expression, without its braces, whose value keeps its type.

    Raises:
        ExpressionError: it is not an expression.
    """

    def parse() -> nodes.Template:
        parser = Parser(SANDBOX, source, state="variable")
        expression = parser.parse_tuple()
        if not parser.stream.eos:
            raise jinja2.TemplateSyntaxError(f"unexpected {parser.stream.current.value!r}", 1)
        return nodes.Template([nodes.Assign(nodes.Name(RESULT, "store"), expression, lineno=1)], lineno=1)

    template = _compile(parse, f"{{{{ {source.strip()} }}}}")

    def evaluate(variables: Mapping[str, Any]) -> Any:
        try:
            scope = Scope(SANDBOX, variables)
            "".join(template.root_render_func(scope))
            return settled(required(scope.vars[RESULT]))
        except Exception as error:
            raise explain(error, f"{{{{ {source.strip()} }}}}", variables) from error

    return evaluate


def is_single(text: str) -> bool:
    """Whether a text is one expression in braces; a text that is not a template at all counts as one."""
    try:
        body = Parser(SANDBOX, text).parse().body
    except (jinja2.TemplateSyntaxError, RecursionError, ValueError):
        return True
    output = body[0] if len(body) == 1 else None
    return isinstance(output, nodes.Output) and len(output.nodes) == 1


@lru_cache(maxsize=1024)
def compile_text(source: str) -> Evaluator:
    """Compiles text with expressions, `{% if %}` and `{% for %}` inside.

    Raises:
        ExpressionError: it is not a template, or has other statements.
    """
    template = _compile(lambda: Parser(SANDBOX, source).parse(), source)

    def evaluate(variables: Mapping[str, Any]) -> Any:
        try:
            return _bounded(template.root_render_func(Scope(SANDBOX, variables)))
        except Exception as error:
            raise explain(error, source.strip(), variables) from error

    return evaluate


def _bounded(written: Iterable[str]) -> str:
    size = 0
    pieces: list[str] = []
    for piece in written:
        size += len(piece)
        if size > limits.MAX_OUTPUT:
            raise LimitError(f"it writes more than {limits.MAX_OUTPUT:,} characters")
        pieces.append(piece)
    return "".join(pieces)


def _compile(parse: Callable[[], nodes.Template], source: str) -> jinja2.Template:
    try:
        limits.check_source(source)
        tree = Guard().visit(parse())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # `true[0]` fails when it is evaluated, in our own words
            return SANDBOX.from_string(tree)
    except (jinja2.TemplateError, LimitError, SyntaxError, RecursionError, MemoryError, ValueError) as error:
        raise explain(error, source.strip(), {}) from error
