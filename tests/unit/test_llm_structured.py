"""Structured output: what is found in a model's words, what fits, and what strict mode takes."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm import structured

ANYTHING: dict[str, Any] = {}
JSON_OBJECTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
PROSE = st.text(alphabet=st.characters(exclude_characters="{}[]`<>", exclude_categories=["Cs"]), max_size=30).map(
    lambda text: f"Answer: {text}"
)


@given(value=JSON_OBJECTS, before=PROSE, after=PROSE)
def test_any_object_is_found_between_words(value, before, after):
    text = f"{before}\n{json.dumps(value)}\n{after}"
    assert structured.parse(text, {"type": "object"}) == value


@given(value=JSON_OBJECTS, before=PROSE, indent=st.sampled_from([None, 2]))
def test_any_object_is_found_inside_a_code_fence(value, before, indent):
    text = f"{before}\n```json\n{json.dumps(value, indent=indent)}\n```\n"
    assert structured.parse(text, {"type": "object"}) == value


@given(text=st.text())
def test_no_text_makes_the_parser_fail_otherwise_than_by_saying_so(text):
    with contextlib.suppress(structured.MisfitError):
        assert isinstance(structured.parse(text, {"type": "object"}), dict)


def test_deep_nesting_is_a_misfit_and_no_crash():
    with pytest.raises(structured.MisfitError):
        structured.parse("[" * 100_000, ANYTHING)


def test_raw_line_breaks_inside_strings_are_read():
    assert structured.parse('{"a": "one\ntwo"}', ANYTHING) == {"a": "one\ntwo"}


def test_not_a_number_is_not_json():
    with pytest.raises(structured.MisfitError):
        structured.parse('{"a": NaN}', ANYTHING)


def test_a_misfit_says_where():
    schema = {"type": "object", "properties": {"steps": {"type": "array", "items": {"type": "string"}}}}
    with pytest.raises(structured.MisfitError, match=r"steps\[1\] must be string"):
        structured.parse('{"steps": ["a", 2]}', schema)


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "string"}, {"type": "integer", "enum": [1, 2]}]}, True),
    ],
)
def test_strict_mode_is_asked_for_only_where_the_schema_keeps_its_rules(schema, strict):
    assert structured.is_strict(schema) is strict


def test_the_embedded_decoder_gets_a_grammar_without_line_breaks():
    fields = structured.request_fields({"type": "object"}, "plan", "json_schema", embedded=True)
    assert '"whitespace_flexible": false' in fields["grammar"]
    assert "response_format" not in fields
