"""Laws of converters that wait for the first call of their action: nothing about them can fail later than at load."""

from __future__ import annotations

from typing import Any, Literal, Optional, Union

from hypothesis import given
from hypothesis import strategies as st

from aura_core.plugins.signature import _is_plain, _Later, read_signature

LITERALS = st.lists(st.text(max_size=3) | st.integers() | st.booleans(), min_size=1, max_size=3)
TYPES = st.recursive(
    st.sampled_from([Any, str, int, float, bool, None, list, dict])
    | LITERALS.map(lambda values: Literal.__getitem__(tuple(values))),
    lambda inner: st.one_of(
        inner.map(lambda kind: list[kind]),
        st.tuples(inner, inner).map(lambda kinds: dict[kinds]),
        inner.map(lambda kind: Optional[kind]),  # noqa: UP045 (`|` is another type)
        st.tuples(inner, inner).map(lambda kinds: Union[kinds]),  # noqa: UP007 (the same)
    ),
    max_leaves=6,
)


def function_of(kind):
    def function(value, count=1):
        return value, count

    function.__annotations__ = {"value": kind, "count": int}
    return function


@given(TYPES)
def test_whatever_is_taken_for_plain_can_be_built(kind):
    assert _is_plain(kind)
    convert = read_signature(function_of(kind), {}).convert
    assert isinstance(convert, _Later)
    assert callable(convert._build())


def test_a_type_of_a_plan_is_built_at_load():
    class Own:
        pass

    for kind in (Own, list[Own], Own | None, dict[str, Own], tuple[int, ...]):
        assert not _is_plain(kind)
        assert not isinstance(read_signature(function_of(kind), {}).convert, _Later)


def test_a_plain_converter_is_built_once():
    convert = read_signature(function_of(int), {}).convert
    assert convert({"value": "7"}) == {"value": 7}
    built = convert._built
    assert convert({"value": 8, "count": 2}) == {"value": 8, "count": 2}
    assert convert._built is built
