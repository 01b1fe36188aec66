"""Changes Jinja's syntax tree before it is compiled: forbids and counts what Jinja cannot forbid or count itself.

Of its statements only `if` and `for` stay; loop turns and concatenation are counted; an undefined value cannot slip
into a list, a mapping or a call.
"""

from __future__ import annotations

from math import isinf
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.visitor import NodeTransformer

from aura_core.expressions.sandbox import CONCAT, COUNTED, REQUIRED, SELF

RESULT = "aura_result"
"""The variable that takes the value of a whole expression."""
_STATEMENTS = (nodes.Output, nodes.If, nodes.For)
_NEVER_MISSING = (nodes.Literal, nodes.Slice)


class Guard(NodeTransformer):
    """Visits every node of a template once.

    Raises:
        TemplateSyntaxError: a statement that is not for tasks.
    """

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Refuses statements; visits what is inside of the rest."""
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            name = type(node).__name__.lower()
            word, instead = ("set", "use a set step") if name in _SETTING else (name, "only if and for are")
            raise TemplateSyntaxError(f"{{% {word} %}} is not for tasks: {instead}", node.lineno)
        return super().generic_visit(node, *args, **kwargs)

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802 (as Jinja's visitor has it)
        """The assignment that takes the result stays."""
        if isinstance(node.target, nodes.Name) and node.target.name == RESULT:
            return super().generic_visit(node)
        return self.generic_visit(node)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        """`self` is a variable like any other; Jinja would make it its template."""
        if node.name == "self":
            node.name = SELF
        return node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802
        """A number must be one that can be held; Jinja would take `inf` for a name."""
        if isinstance(node.value, float) and isinf(node.value):
            raise TemplateSyntaxError("a number is too large", node.lineno)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        """Counts turns."""
        if node.recursive:
            raise TemplateSyntaxError("a recursive loop is not for tasks", node.lineno)
        self.generic_visit(node)
        node.iter = _filtered(node.iter, COUNTED)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """Counts characters."""
        self.generic_visit(node)
        first, *rest = node.nodes
        return _filtered(first, CONCAT, rest)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        """Its items must have values."""
        self.generic_visit(node)
        node.items = [_required(item) for item in node.items]
        return node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        """Its items must have values; as the target of a loop they get them."""
        self.generic_visit(node)
        if node.ctx == "load":
            node.items = [_required(item) for item in node.items]
        return node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:  # noqa: N802
        """Key and value of a mapping must have values."""
        self.generic_visit(node)
        node.key, node.value = _required(node.key), _required(node.value)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        """An index must have a value."""
        self.generic_visit(node)
        node.arg = _required(node.arg)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        """Arguments must have values."""
        self.generic_visit(node)
        node.args = [_required(argument) for argument in node.args]
        for keyword in node.kwargs:
            keyword.value = _required(keyword.value)
        return node


_SETTING = frozenset({"assign", "assignblock", "with"})


def _required(node: Any) -> Any:
    return node if isinstance(node, _NEVER_MISSING) else _filtered(node, REQUIRED)


def _filtered(node: Any, name: str, arguments: list[Any] | None = None) -> nodes.Filter:
    return nodes.Filter(node, name, arguments or [], [], None, None, lineno=node.lineno)
