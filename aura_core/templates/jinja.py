"""Compiles what is not simple in the sandbox, and turns whatever goes wrong there into an ExpressionError."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias, cast

import jinja2
from jinja2 import nodes
from jinja2.parser import Parser

from aura_core.templates import limits
from aura_core.templates.explain import explain
from aura_core.templates.limits import LimitError
from aura_core.templates.sandbox import COUNTED, REQUIRED, SANDBOX, Scope, settled

Evaluator: TypeAlias = Callable[[Mapping[str, Any]], Any]

_RESULT = "aura_result"
_STATEMENTS = (nodes.Output, nodes.If, nodes.For)
_MAY_BE_MISSING = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.CondExpr)


@lru_cache(maxsize=1024)
def compile_expression(source: str) -> Evaluator:
    """Compiles one expression, without its braces, whose value keeps its type.

    Raises:
        ExpressionError: it is no expression.
    """

    def parse() -> nodes.Template:
        parser = Parser(SANDBOX, source, state="variable")
        expression = parser.parse_tuple()
        if not parser.stream.eos:
            raise jinja2.TemplateSyntaxError(f"unexpected {parser.stream.current.value!r}", 1)
        return nodes.Template([nodes.Assign(nodes.Name(_RESULT, "store"), _required(expression), lineno=1)], lineno=1)

    template = _compile(parse, f"{{{{ {source.strip()} }}}}")

    def evaluate(variables: Mapping[str, Any]) -> Any:
        try:
            scope = Scope(SANDBOX, variables)
            for _ in template.root_render_func(scope):
                pass
            return settled(scope.vars[_RESULT])
        except Exception as error:
            raise explain(error, f"{{{{ {source.strip()} }}}}", variables) from error

    return evaluate


def is_single(text: str) -> bool:
    """Whether a text is one expression in braces; a text that is no template at all counts as one."""
    try:
        body = Parser(SANDBOX, text).parse().body
    except (jinja2.TemplateSyntaxError, RecursionError):
        return True
    output = body[0] if len(body) == 1 else None
    return isinstance(output, nodes.Output) and len(output.nodes) == 1


@lru_cache(maxsize=1024)
def compile_text(source: str) -> Evaluator:
    """Compiles text with expressions, `{% if %}` and `{% for %}` inside.

    Raises:
        ExpressionError: it is no template, or has other statements.
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
        tree = parse()
        _guard(tree)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # `true[0]` fails when it is evaluated, in our own words
            return SANDBOX.from_string(tree)
    except (jinja2.TemplateError, LimitError, SyntaxError, RecursionError, MemoryError, ValueError) as error:
        raise explain(error, source.strip(), {}) from error


def _guard(tree: nodes.Template) -> None:
    """Refuses other statements than `if` and `for`, and counts loop turns."""
    for node in tree.find_all(nodes.Stmt):
        if isinstance(node, nodes.Assign) and cast("nodes.Name", node.target).name == _RESULT:
            continue
        if not isinstance(node, _STATEMENTS):
            raise jinja2.TemplateSyntaxError(_no_statement(node), node.lineno)
        if isinstance(node, nodes.For):
            if node.recursive:
                raise jinja2.TemplateSyntaxError("a recursive loop is not for tasks", node.lineno)
            node.iter = _filtered(node.iter, COUNTED)
    _require_values(tree)


def _require_values(tree: nodes.Template) -> None:
    """Lets no undefined value slip into a list, a mapping or a call."""
    for listed in list(tree.find_all((nodes.List, nodes.Tuple))):
        if not (isinstance(listed, nodes.Tuple) and listed.ctx == "store"):
            listed.items = [_required(item) for item in listed.items]
    for item in list(tree.find_all(nodes.Getitem)):
        item.arg = _required(item.arg)
    for pair in list(tree.find_all(nodes.Pair)):
        pair.key, pair.value = _required(pair.key), _required(pair.value)
    for call in list(tree.find_all(nodes.Call)):
        call.args = [_required(argument) for argument in call.args]
        for keyword in call.kwargs:
            keyword.value = _required(keyword.value)


def _no_statement(node: nodes.Node) -> str:
    name = type(node).__name__.lower()
    instead = "use a set step" if name in {"assign", "assignblock", "with"} else "only if and for are"
    return f"{{% {'set' if name.startswith('assign') else name} %}} is not for tasks: {instead}"


def _required(node: Any) -> Any:
    return _filtered(node, REQUIRED) if isinstance(node, _MAY_BE_MISSING) else node


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
