"""Laws of expressions: the compiled form and Jinja agree on every value and on every refusal."""

from __future__ import annotations

import re
from typing import Any

import jinja2
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jinja2.runtime import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from aura_core.errors import ExpressionError
from aura_core.expressions import compile_template
from aura_core.expressions.pieces import evaluate_slowly, is_constant, plain_copy
from tests.fixtures.examples import examples

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")
NAMES = ["a", "b", "c", "first", "名前", "missing"]
JINJA = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, optimized=False)
REFUSED = object()

scalars = st.one_of(
    st.integers(-9, 9),
    st.sampled_from([0.5, 2.0, -1.25]),
    st.booleans(),
    st.none(),
    st.sampled_from(["", "x", "Ab c", "12", "é", "%s", "<b>"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES[:-1]), inner, max_size=3),
    max_leaves=8,
)
scopes = st.dictionaries(st.sampled_from(NAMES[:-1]), values, max_size=5)

ODD_KEYS = ["", "a b", "0", "items", "keys", "get", "values", "copy", "__class__", "_x", "ÿ", "if", "config", "upper"]
odd_scalars = scalars | st.one_of(
    st.sampled_from([2**63, -(2**70), 10**30, 1e300, -0.0, float("inf"), float("-inf"), float("nan"), 0.1, 1e-9]),
    st.sampled_from(
        ["\n", " x ", "{{ a }}", "日本", "a,b", "0x10", "1e3", "None", "%d", "{0}", "é" * 40, "[1]", "\x00"]
    ),
)
odd_keys = st.sampled_from([*NAMES[:-1], *ODD_KEYS, 0, 1, -1, True, False, None, 0.5, (1, 2)])
odd_values = st.recursive(
    odd_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_keys, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)
odd_scopes = st.dictionaries(
    st.sampled_from([*NAMES[:-1], "items", "config", "loop", "_x", "self", "d"]), odd_values, max_size=6
)

literals = st.one_of(
    st.integers(0, 12).map(str),
    st.sampled_from(["0.5", "2.0", "1e2", "true", "False", "none", "None", "'x'", '"A b"', "'it\\'s'", "''", "012"]),
)


def _binary(inner):
    operators = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in"]
    return st.builds("{} {} {}".format, inner, st.sampled_from(operators), inner)


def _grown(inner):
    plain = ["abs", "capitalize", "count", "first", "float", "int", "join", "last", "length", "list", "lower", "title"]
    plain += ["round", "sort", "string", "sum", "trim", "upper", "default", "d", "join(', ')", "default('z')", "max"]
    plain += [
        "default(0, true)",
        "replace('x', 'yy')",
        "int(7)",
        "round(1)",
        "batch(2) | list",
        "nosuchfilter",
        "float(1.5)",
    ]
    tests = [
        "defined",
        "undefined",
        "not defined",
        "none",
        "not none",
        "not undefined",
        "string",
        "odd",
        "divisibleby 2",
    ]
    return st.one_of(
        _binary(inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("+{}".format, inner),
        st.builds("not {}".format, inner),
        st.builds("{} ** {}".format, inner, st.integers(0, 3)),
        st.builds("{} if {} else {}".format, inner, inner, inner),
        st.builds("{} if {}".format, inner, inner),
        st.builds("{}.{}".format, inner, st.sampled_from([*NAMES, "upper", "__class__", "0"])),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[{}:{}]".format, inner, st.integers(0, 2), st.integers(0, 3)),
        st.builds("{}.get({})".format, inner, inner),
        st.builds("{}.get({}, {})".format, inner, inner, inner),
        st.builds("{} | {}".format, inner, st.sampled_from(plain)),
        st.builds("{} is {}".format, inner, st.sampled_from(tests)),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({}, {})".format, inner, inner),
        st.builds("{{'k': {}, {}: 1}}".format, inner, inner),
        st.builds("{}, {}".format, inner, inner),
        st.builds("{} {}".format, inner, inner),
    )


ODD_FILTERS = [
    "abs", "capitalize", "count", "d", "d(1)", "d('', true)", "date", "default", "default(missing)", "first", "float",
    "float(2)", "fromjson", "int", "int(3, 16)", "join", "join('-')", "join(', ', 'a')", "last", "length", "list",
    "lower", "replace('a', 'b')", "replace('', '-')", "replace('a', 'b', 1)", "replace(1, 2)", "round", "round(2)",
    "round(-1)", "round(1, 'floor')", "sort", "sort(true)", "sort(attribute='a')", "string", "sum", "sum(start=1)",
    "sum('a')", "title", "tojson", "tojson(2)", "trim", "trim('x')", "upper", "map('upper') | list",
    "map(attribute='a') | list", "select | list", "reject('none') | list", "unique | list", "reverse", "min", "max",
    "items | list", "dictsort", "batch(2)", "slice(2) | list", "center(8)", "wordcount", "truncate(3)", "indent",
    "e", "escape", "safe", "format(1)", "attr('a')", "pprint", "filesizeformat", "urlize", "xmlattr", "nosuch",
]  # fmt: skip
ODD_TESTS = [
    "defined", "undefined", "none", "not none", "boolean", "true", "false", "integer", "float", "number", "string",
    "mapping", "sequence", "iterable", "callable", "sameas none", "eq 1", "== 1", "in [1]", "odd", "even", "lower",
    "divisibleby(2)", "filter", "not defined", "nosuch", "escaped",
]  # fmt: skip
ODD_LEAVES = [
    *NAMES, *("self", "config", "now", "loop", "_x", "range", "d", "items", "caller", "now()", "'é'", '"x y"'),
    *("0", "1", "-1", "12", "1.5", "1e2", "true", "false", "none", "None", "''", "'a'", "'it\\'s'", "012", "1_000"),
    "0b1", *("0o7", "0xF", "1.", ".5", "1e400", "9" * 30, "'\\n'", "'\\u00e9'", "'a' 'b'", "[]", "{}", "()", "TRUE"),
]  # fmt: skip
ODD_FORMS = [
    *(f"@ {sign} @" for sign in ("+", "-", "*", "/", "//", "%", "~", "**", "==", "!=", "<", "<=", ">", ">=", "and")),
    *("@ or @", "@ in @", "@ not in @", "not @", "-@", "+@", "(@)", "((@))", "@ if @ else @", "(@ if @)"),
    "@ if @ else @ if @ else @",
    *("[@]", "[@, @]", "[@,]", "(@,)", "(@, @)", "@, @", "{'k': @, @: 1}", "{@: @,}", "@ @", " @\n", "\t@  "),
    "@ < @ < @",
    *("@[@]", "@[@, @]", "@[1:]", "@[:-1]", "@[@:]", "@(@)", "config(@)", "range(@)", "dict(@)", "@.get(@)"),
    "@.get(@, @)",
    *(f"@[{key!r}]" for key in (*NAMES, *ODD_KEYS)),
    *(f"@.get({key!r})" for key in ODD_KEYS),
    *(f"@[{key}]" for key in ("0", "-1", "1.0", "none", "true", "99")),
    *(f"@.{key}" for key in (*NAMES, *ODD_KEYS, "0", "real") if key.isalnum() or key.isidentifier()),
    *(f"@.{name}()" for name in ("upper", "strip", "split", "items", "keys", "values", "copy", "count", "append")),
    *(f"@{space}|{space}{name}" for name in ODD_FILTERS for space in ("", " ")),
    *(f"@ is {name}" for name in ODD_TESTS),
]  # fmt: skip


@st.composite
def odd_expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """What the sandbox and the fast path must agree on, whatever Jinja by itself makes of it."""
    if not depth or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(ODD_LEAVES))
    first, *rest = draw(st.sampled_from(ODD_FORMS)).split("@")
    return first + "".join(draw(odd_expressions(depth - 1)) + part for part in rest)


expressions = st.recursive(literals | st.sampled_from(NAMES), _grown, max_leaves=7)


def _has_undefined(value: Any) -> bool:
    if isinstance(value, jinja2.Undefined):
        return True
    if isinstance(value, dict):
        return any(_has_undefined(part) for pair in value.items() for part in pair)
    return isinstance(value, list | tuple) and any(_has_undefined(part) for part in value)


def _by_jinja(expression: str, scope: dict[str, Any]) -> Any:
    try:
        value = JINJA.from_string(f"{{% set value = {expression} %}}").make_module(scope).value
        return REFUSED if _has_undefined(value) else value
    except Exception:  # noqa: BLE001 (whatever Jinja or Python raises is a refusal)
        return REFUSED


def _by_us(template: str, scope: dict[str, Any]) -> Any:
    try:
        return compile_template(template).render(scope)
    except ExpressionError as error:
        assume("is not computed" not in str(error))
        return REFUSED


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and _shown(left) == _shown(right)


def _shown(value: Any) -> str:
    return re.sub(r" at 0x\w+", "", repr(value))


@settings(max_examples=examples(600), suppress_health_check=[HealthCheck.too_slow])
@given(expressions, scopes)
def test_an_expression_gives_what_jinja_gives(expression: str, scope: dict[str, Any]):
    before = repr(scope)
    expected = _by_jinja(expression, scope)
    assume(not callable(expected))
    got = _by_us(f"{{{{ {expression} }}}}", scope)
    if got is REFUSED and expected is not REFUSED:
        # Jinja lets an undefined value into a list, tuple, mapping or call, as long as nobody looks at it there.
        assert set("[({,").intersection(expression), (expression, scope, expected)
        with pytest.raises(ExpressionError, match=r"there is no|has no value|No (first|last) item"):
            compile_template(f"{{{{ {expression} }}}}").render(scope)
    else:
        assert _same(got, expected), (expression, scope, got, expected)
    assert repr(scope) == before


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(["", "x ", "}} ", "{ ", "é\n"]), expressions), min_size=1, max_size=3), scopes
)
def test_a_text_gives_what_jinja_gives(parts: list[tuple[str, str]], scope: dict[str, Any]):
    # Jinja folds a slice of a constant while it compiles text, and evaluates it by other rules than at run time.
    assume(not any(re.search(r"\d:\d", expression) for _, expression in parts))
    text = "|" + "".join(f"{before}{{{{ {expression} }}}}" for before, expression in parts) + "."
    try:
        expected: Any = JINJA.from_string(text).render(**scope)
    except Exception:  # noqa: BLE001 (whatever Jinja or Python raises is a refusal)
        expected = REFUSED
    assume(expected is REFUSED or "built-in method" not in expected)
    if any(_by_jinja(expression, scope) is REFUSED for _, expression in parts):
        expected = REFUSED
    got = _by_us(text, scope)
    assert _same(got, expected) or (got is REFUSED and set("[({,").intersection(text)), (text, scope, got, expected)


def _told(render: Any, scope: dict[str, Any]) -> Any:
    """The value, or what the error says."""
    try:
        return render(scope)
    except ExpressionError as error:
        return f"refused: {error}"


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.too_slow])
@given(odd_expressions(), odd_scopes)
def test_the_compiled_form_and_the_sandbox_give_the_same_value_or_the_same_error(
    expression: str, scope: dict[str, Any]
):
    before = repr(scope)
    raw = f"{{{{ {expression} }}}}"
    try:
        template = compile_template(raw)
    except ExpressionError:
        with pytest.raises(ExpressionError):
            evaluate_slowly(raw, scope)
        return
    expected = _told(lambda data: evaluate_slowly(raw, data), scope)
    got = _told(template.render, scope)
    assert _same(got, expected), (raw, scope, got, expected)
    assert repr(scope) == before


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "x ", "}} ", "{ ", "é\n", "{{ '}}' }}"]), odd_expressions()),
        min_size=1,
        max_size=3,
    ),
    odd_scopes,
)
def test_in_text_too_the_compiled_form_and_the_sandbox_agree(parts: list[tuple[str, str]], scope: dict[str, Any]):
    raw = "|" + "".join(f"{before}{{{{{expression}}}}}" for before, expression in parts) + "."
    try:
        template = compile_template(raw)
    except ExpressionError:
        with pytest.raises(ExpressionError):
            evaluate_slowly(raw, scope)
        return
    expected = _told(lambda data: evaluate_slowly(raw, data), scope)
    assert _same(_told(template.render, scope), expected), (raw, scope, expected)


@settings(max_examples=examples(300))
@given(st.text("{}%#-+ab.|()[]'\"0 \n\\", max_size=20), scopes)
def test_no_text_breaks_the_compiler(text: str, scope: dict[str, Any]):
    problem = None
    try:
        compile_template(text).render(scope)
    except ExpressionError as error:
        problem = error
    assert problem is None or (str(problem) and 0 <= problem.offset <= len(text))


@settings(max_examples=examples(200))
@given(values)
def test_a_value_without_expressions_comes_back_equal_and_unshared(value: Any):
    template = compile_template(value)
    assert template.constant is is_constant(value) is True
    made = template.render({})
    assert _same(made, value)
    if isinstance(made, list | dict) and made:
        made.clear()
        assert _same(template.render({}), plain_copy(value))


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text("klm", min_size=1, max_size=2), expressions, min_size=1, max_size=4), scopes)
def test_nested_values_give_what_their_parts_give(parts: dict[str, str], scope: dict[str, Any]):
    raw = {"list": [f"{{{{ {expression} }}}}" for expression in parts.values()]} | {
        key: f"{{{{ {expression} }}}}" for key, expression in parts.items()
    }
    singles = {key: _by_us(f"{{{{ {expression} }}}}", scope) for key, expression in parts.items()}
    got = _by_us(raw, scope)  # pyright: ignore[reportArgumentType]
    if any(value is REFUSED for value in singles.values()):
        assert got is REFUSED
    else:
        assume(not any(callable(value) for value in singles.values()))
        assert _same(got, {"list": list(singles.values())} | singles)


@pytest.mark.parametrize("name", NAMES[:-1])
def test_names_of_filters_and_other_scripts_are_variables(name: str):
    assert compile_template(f"{{{{ {name} + 1 }}}}").render({name: 1}) == 2
