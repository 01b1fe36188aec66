"""`aura plan` with other people's tools, with past plans, and for a whole file of requests."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import run
from agent.cli.plan_files import read_batch, read_history
from agent.contracts import TaskCard
from agent.errors import InputFileError
from agent.tool_lists import JSON_TYPES, cards_from

WEATHER = {
    "name": "get_weather",
    "description": "The weather\n in one city.",
    "parameters": {
        "type": "dict",
        "properties": {"city": {"type": "string"}, "degrees": {"type": "float", "description": "at least"}},
        "required": ["city"],
    },
}
FLIGHT = {"name": "book.flight", "inputSchema": {"type": "object", "properties": {"to": {"type": "string"}}}}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "type", "function", "parameters", "properties", "required", "items", "tools", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, scripted_model):
    for name, value in scripted_model.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AURA_LLM_ATTEMPTS", "1")
    return scripted_model


@pytest.fixture
def files(tmp_path):
    """Writes a file and gives its path: text as it is, a list of objects as lines of JSON, else JSON."""

    def write(name, content):
        path = tmp_path / name
        if not isinstance(content, str):
            content = "\n".join(map(json.dumps, content)) if name.endswith("l") else json.dumps(content)
        path.write_text(content, encoding="utf-8")
        return str(path)

    return write


def calls(*steps):
    return {"steps": [{"task": task, "inputs": inputs} for task, inputs in steps]}


def records(capsys):
    said = capsys.readouterr()
    return [json.loads(line) for line in said.out.splitlines()], said.err


def test_a_batch_gives_a_line_for_each_request_and_an_error_stops_no_other(model, files, capsys):
    model.say(calls(("get_weather", {"city": "Oslo"})), when="in Oslo", usage=(100, 7))
    model.say("no plan at all", when="in Rome", times=None)
    model.say(calls(("get_weather", {"city": "Bern"})), when="in Bern")
    tools = files("tools.json", [{"type": "function", "function": WEATHER}])
    batch = files(
        "batch.jsonl",
        '{"id": 7, "request": "The weather in Oslo"}\n\n{"id": "b", "request": "The weather in Rome"}\nnonsense\n'
        '{"id": "d"}\n{"id": "e", "request": "The weather in Bern"}\n',
    )
    assert run(["plan", "--catalogue", tools, "--batch", batch]) == 0
    (oslo, rome, odd, empty, bern), said = records(capsys)
    assert (oslo["id"], oslo["line"], oslo["tokens"]) == (7, 1, {"read": 100, "written": 7})
    assert [(step["task"], step["inputs"]) for step in oslo["plan"]["steps"]] == [("get_weather", {"city": "Oslo"})]
    assert oslo["seconds"] > 0
    assert rome["id"] == "b"
    assert rome["error"].startswith("line 3: ")
    assert "plan" not in rome
    assert odd["error"].startswith("line 4: no JSON")
    assert empty["error"] == "line 5: it has no `request`"
    assert bern["plan"]["steps"][0]["inputs"] == {"city": "Bern"}
    assert "3 of 5 requests could not be planned" in said


def test_a_line_may_bring_its_own_tools_its_conversation_and_its_files(model, files, capsys, monkeypatch):
    model.say(calls(("book.flight", {"to": "Lima"})), when="as I said", times=2)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    lines = [
        {"id": 1, "request": "Book it, as I said", "context": "Person: to Lima", "catalogue": [FLIGHT]},
        {"id": 2, "request": "Book it, as I said", "files": ["map.txt"], "catalogue": files("f.json", [FLIGHT])},
        {"id": 3, "request": "Book it", "catalogue": files("broken.json", "{")},
        {"id": 4, "request": "Book it", "files": "map.txt"},
    ]
    batch = files("batch.jsonl", lines)
    assert run(["plan", "--batch", batch]) == 0
    (inline, named, broken, odd), _ = records(capsys)
    assert inline["plan"]["steps"][0]["task"] == named["plan"]["steps"][0]["task"] == "book.flight"
    first, second = ("\n".join(message["content"] for message in request["messages"]) for request in model.requests)
    assert "to Lima" in first
    assert "map.txt" in second
    assert "broken.json is no JSON: line 1" in broken["error"]
    assert odd["error"] == "line 4: `files` is not a list of names"


def test_a_batch_comes_from_standard_input_too(model, capsys, monkeypatch):
    model.say(calls(("aura_base/calculate", {"expression": "2+2"})), when="2+2")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO('\ufeff{"request": "2+2?"}'.encode())))
    assert run(["plan", "--batch", "-"]) == 0
    (record,), _ = records(capsys)
    assert record["id"] is None
    assert record["plan"]["steps"][0]["task"] == "aura_base/calculate"


def test_one_request_is_planned_with_the_tools_of_a_file(model, files, capsys):
    model.say(calls(("get_weather", {"city": "Oslo"})), when="get_weather(city")
    tools = files("tools.json", {"tools": [WEATHER, {"name": "llm"}, WEATHER]})
    history = files("past.jsonl", [{"request": "weather in Bern", "steps": [{"task": "get_weather"}]}, {"request": ""}])
    assert run(["plan", "Weather in Oslo", "--catalogue", tools, "--history", history, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["steps"][0]["task"] == "get_weather"
    assert "left out: tool 2: 'llm' means something else" in said.err
    assert "left out: tool 3: the name 'get_weather' is taken" in said.err
    assert "past.jsonl line 2: it has no `request`" in said.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "is no JSON: line 1"),
        ("7", "no tool list"),
        ("[]", "it is empty"),
        ('[{"description": "x"}]', "tool 1: it has no name"),
        (f"{'[' * 100_000}", "nested too deeply"),
    ],
)
def test_a_file_that_is_no_tool_list_is_named(files, capsys, content, message):
    assert run(["plan", "x", "--catalogue", files("tools.json", content)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "tools.json" in said


@pytest.mark.parametrize("option", ["--catalogue", "--history", "--batch"])
def test_a_file_that_is_not_there_is_named(model, capsys, tmp_path, option):
    words = [] if option == "--batch" else ["x"]
    assert run(["plan", *words, option, str(tmp_path / "gone")]) == 1
    assert f"{tmp_path / 'gone'} cannot be read" in capsys.readouterr().err


def test_a_request_beside_a_batch_is_refused(files, capsys):
    assert run(["plan", "x", "--batch", files("b.jsonl", "")]) == 1
    assert "it is one or the other" in capsys.readouterr().err


def test_past_plans_keep_their_steps(files, tmp_path):
    steps = [{"task": "a", "inputs": {"x": 1}}, {"task": "b", "inputs": {"y": "${s1}"}}]
    path = files("past.jsonl", [{"request": "r", "steps": steps, "id": 3}, {"request": "r", "steps": [7]}])
    plans, odd = read_history(tmp_path / "past.jsonl")
    assert [(plan.request, plan.steps) for plan in plans] == [("r", steps)]
    assert odd == [f"{path} line 2: step 1 is not an object"]


def test_types_that_json_does_not_have_say_nothing():
    (card,), left_out = cards_from([WEATHER])
    assert left_out == []
    assert card.description == "The weather in one city."
    assert card.properties == {"city": {"type": "string"}, "degrees": {"description": "at least"}}
    assert card.required == ["city"]


@given(ANY_JSON)
def test_whatever_is_given_as_a_tool_list_gives_cards_or_one_error(document):
    try:
        cards, _ = cards_from(document)
    except InputFileError:
        return
    assert len({card.task for card in cards}) == len(cards) > 0
    for card in cards:
        assert TaskCard.model_validate(card.model_dump()) == card
        assert set(card.required) <= set(card.properties)
        assert all(schema.get("type") is None or kinds(schema) <= JSON_TYPES for schema in card.properties.values())


def kinds(schema):
    return set(schema["type"] if isinstance(schema["type"], list) else [schema["type"]])


@given(st.lists(st.text(max_size=30) | ANY_JSON.map(json.dumps), max_size=6))
def test_every_line_of_a_batch_that_is_not_empty_is_answered_for_in_order(lines):
    numbers = [number for number, line in enumerate(lines, start=1) if line.removeprefix("\ufeff").strip()]
    assert [line.number for line in read_batch(lines)] == numbers


def test_a_plan_says_what_it_does_not_do_and_what_it_asks_first(model, capsys):
    write = {"for": "add it to notes", "task": "notes/add", "inputs": {"text": "milk"}}
    model.say({"steps": [write]}, times=None)
    assert run(["plan", "buy milk, but do not add it to notes; water the red roses"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "s1 asks first, since you wrote: but do not add it to notes" in said
    assert "no step does: water the red roses" in said
