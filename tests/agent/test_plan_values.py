import pytest

from agent.contracts import TaskCard
from agent.plan_graph.inputs import fit_inputs
from agent.plan_graph.values import MisfitError, fit_value, is_placeholder

INTEGER = {"type": "integer", "minimum": 1, "maximum": 9}


@pytest.mark.parametrize(
    ("schema", "value", "fitted"),
    [
        ({"type": "string"}, 80, "80"),
        ({"type": "string"}, True, "true"),
        ({"type": "string"}, ["a", "b"], "- a\n- b"),
        ({"type": "string"}, {"a": 1, "b": 2}, "a: 1\nb: 2"),
        ({"type": "string", "format": "uri"}, " <example.org/a> ", "https://example.org/a"),
        ({"type": "string", "format": "uri"}, "http://example.org", "http://example.org"),
        ({"type": "string", "format": "path"}, " a.txt ", "a.txt"),
        ({"type": "integer"}, "80", 80),
        ({"type": "integer"}, "+8", 8),
        ({"type": "integer"}, 8.0, 8),
        (INTEGER, 12, 9),
        (INTEGER, "-3", 1),
        ({"type": "number"}, "2.5e1", 25.0),
        ({"type": "number", "minimum": 0}, 0.5, 0.5),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "нет", False),
        ({"type": "boolean"}, 1, True),
        ({"type": "array"}, "a", ["a"]),
        ({"type": "array"}, '["a", "b"]', ["a", "b"]),
        ({"type": "array", "items": {"type": "integer"}}, ["1", 2], [1, 2]),
        ({"type": "array"}, "[not json", ["[not json"]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"enum": ["short", "long"]}, "LONG", "long"),
        ({"enum": ["markdown", "json"]}, "markdwn", "markdown"),
        ({"enum": [1, 2]}, "2", 2),
        ({"const": "a"}, "A", "a"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "5", 5),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "five", "five"),
        ({"type": ["integer", "string"]}, "five", "five"),
        ({"type": "null"}, None, None),
        ({}, {"any": ["thing"]}, {"any": ["thing"]}),
    ],
)
def test_a_value_is_made_to_fit(schema, value, fitted):
    assert fit_value(value, schema) == fitted
    assert fit_value(fitted, schema) == fitted


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        (INTEGER, "many", "is not a number"),
        (INTEGER, 2.5, "is not a whole number"),
        (INTEGER, True, "is not a number"),
        ({"type": "boolean"}, "perhaps", "neither yes nor no"),
        ({"type": "object"}, "[1]", "not a set of named values"),
        ({"enum": ["csv", "json"]}, "pdf", "is not one of csv, json"),
        ({"type": "null"}, 1, "only nothing is allowed"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "x" * 200, "is not a number"),
    ],
)
def test_a_value_that_cannot_fit_says_why(schema, value, reason):
    with pytest.raises(MisfitError, match=reason) as caught:
        fit_value(value, schema)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    "value", ["", "  ", "it", "<text>", "[your text]", "...", "N/A", "your_location", "'this'", "это"]
)
def test_what_says_nothing_is_known(value):
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["milk", "Italy", "a [link] here", 0, None, "this is it"])
def test_what_says_something_is_left_alone(value):
    assert not is_placeholder(value)


def test_names_are_mapped_and_wrong_values_are_told_apart_from_unknown_ones():
    card = TaskCard(
        task="a/b",
        inputs={
            "properties": {"words": {"type": "integer"}, "query": {"type": "string"}, "when": {"type": "string"}},
            "required": ["query"],
        },
    )
    fitted = fit_inputs(card, {"Words": "many", "text": "tea", "when": None})
    assert fitted.inputs == {"query": "tea"}
    assert list(fitted.wrong) == ["words"]
    assert "text became query" in fitted.notes


def test_inputs_that_refer_to_results_are_left_as_they_are():
    card = TaskCard(task="a/b", inputs={"properties": {"count": {"type": "integer"}}, "required": ["count"]})
    assert fit_inputs(card, {"count": "${s1.count}"}).inputs == {"count": "${s1.count}"}
