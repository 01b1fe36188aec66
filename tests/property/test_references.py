from hypothesis import given
from hypothesis import strategies as st

from agent.references import (
    Reference,
    as_text,
    escape_references,
    find_references,
    parse_reference,
    references_in,
    replace_references,
    resolve_references,
)

names = st.from_regex(r"[a-z_][a-z0-9_-]{0,6}", fullmatch=True)
fields = st.text(alphabet=st.characters(codec="utf-8", exclude_characters='"]\n'), min_size=1, max_size=8)
paths = st.lists(st.one_of(fields, st.integers(-99, 99)), max_size=4).map(tuple)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
texts_full_of_dollars = st.lists(
    st.sampled_from(["$", "{", "}", "${", "s1", "${s1}", "$${s1}", ".a", "[0]", "x ", "é", "${s1.a[0]}"]), max_size=9
).map("".join)


@given(names, paths)
def test_a_written_reference_reads_back_as_itself(step, path):
    reference = Reference(step, path)
    assert parse_reference(str(reference)) == reference
    assert list(references_in([{"x": f"see {reference}!"}])) == [reference]


@given(values)
def test_a_whole_string_reference_keeps_the_value_and_its_type(value):
    resolved = resolve_references({"a": ["${s1}"]}, {"s1": value})["a"][0]
    assert resolved is value


@given(st.text(), texts_full_of_dollars, st.text())
def test_an_inserted_value_is_never_scanned_again(before, hostile, after):
    before, after = escape_references(before.rstrip("$")), escape_references(after)
    plain = resolve_references(f"{before}<", {}) + hostile + resolve_references(f">{after}", {})
    assert resolve_references(f"{before}<${{s1}}>{after}", {"s1": hostile}) == plain


@given(texts_full_of_dollars)
def test_an_escaped_text_comes_back_as_it_was_and_refers_to_nothing(text):
    escaped = escape_references(text)
    assert find_references(escaped) == set()
    assert resolve_references(escaped, {}) == text


@given(values)
def test_a_value_without_dollars_is_left_alone(value):
    clean = _without_dollars(value)
    assert resolve_references(clean, {}) == clean
    assert find_references(clean) == set()


@given(st.lists(names, min_size=1, max_size=4, unique=True))
def test_replacing_references_by_themselves_changes_nothing(steps):
    text = " and ".join(f"${{{step}.a}}" for step in steps)
    assert replace_references(text, str) == text
    assert find_references(text) == set(steps)


@given(values)
def test_inside_text_a_value_is_inserted_as_text(value):
    assert resolve_references("<${s1}>", {"s1": value}) == f"<{as_text(value)}>"


def _without_dollars(value):
    if isinstance(value, str):
        return value.replace("$", "")
    if isinstance(value, list):
        return [_without_dollars(part) for part in value]
    if isinstance(value, dict):
        return {key.replace("$", ""): _without_dollars(part) for key, part in value.items()}
    return value
