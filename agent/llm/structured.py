"""Structured output: how it is asked for, found in what a model wrote, checked and repaired."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, cast

import fastjsonschema

Mode = Literal["json_schema", "json_object", "plain"]
FENCE = re.compile(r"```(?:json|JSON)?\s*\n?(.*?)(?:```|\Z)", re.DOTALL)
ONE_LINE = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":", "lenient": True}
"""The embedded model's decoder may write no white space around values: of 30 requests in three languages the plans were
as good, and made in three quarters of the time."""
COMPACT = (",", ":")
"""The same for `json.dumps`: what a model sees of its own answers, and examples, are written as it will write them."""


class MisfitError(ValueError):
    """What a model wrote is not JSON, or does not fit the schema; the text says where."""


def request_fields(schema: dict[str, Any], name: str, mode: Mode, *, embedded: bool) -> dict[str, Any]:
    """The fields of a chat request that ask for structured output.

    Args:
        schema: JSON Schema of the answer.
        name: names the schema to the endpoint: letters, digits, `_` and `-`.
        mode: what the endpoint can do.
        embedded: the endpoint is our own, whose decoder takes a grammar.
    """
    if embedded:
        grammar = "%llguidance {}\nstart: %json " + json.dumps({**schema, "x-guidance": ONE_LINE})
        return {"grammar": grammar}
    if mode == "json_schema":
        wanted = {"name": re.sub(r"[^\w-]", "_", name)[:64] or "answer", "schema": schema, "strict": is_strict(schema)}
        return {"response_format": {"type": "json_schema", "json_schema": wanted}}
    return {"response_format": {"type": "json_object"}} if mode == "json_object" else {}


def is_strict(schema: Any) -> bool:
    """Whether the schema keeps the rules of strict mode: every property required, no other allowed."""
    if isinstance(schema, list):
        return all(is_strict(item) for item in cast("list[Any]", schema))
    if not isinstance(schema, dict):
        return True
    node = cast("dict[str, Any]", schema)
    if node.get("type") == "object" or "properties" in node:
        names = set(node.get("properties", {}))
        if node.get("additionalProperties") is not False or names != set(node.get("required", [])):
            return False
    return all(is_strict(value) for key, value in node.items() if key not in ("enum", "const", "default", "examples"))


def instruction(schema: dict[str, Any]) -> str:
    """What an endpoint that takes no schema is told instead."""
    return "Answer with exactly one JSON value that fits this JSON Schema, and nothing around it:\n" + json.dumps(
        schema, ensure_ascii=False
    )


def parse(text: str, schema: dict[str, Any]) -> Any:
    """Finds the JSON value in what a model wrote and checks it.

    Tolerated: code fences, words before or after it, raw line breaks inside strings.

    Raises:
        MisfitError: there is no JSON value, or none that fits `schema`.
    """
    misfit = MisfitError("there is no JSON value in it")
    for value in _candidates(text.strip()):
        try:
            return check(value, schema)
        except MisfitError as error:
            misfit = error
    raise misfit


def check(value: Any, schema: dict[str, Any]) -> Any:
    """Returns `value` if it fits `schema`.

    Raises:
        MisfitError: says where it does not.
    """
    try:
        fastjsonschema.compile(schema, use_default=False, use_formats=False)(value)
    except fastjsonschema.JsonSchemaValueException as error:
        raise MisfitError(str(error).replace("data", "the answer", 1)) from error
    return value


def repair_request(problem: MisfitError, schema: dict[str, Any]) -> str:
    """What a model is told once when its answer does not fit."""
    return f"That does not fit: {problem}. Write the whole answer again, corrected. {instruction(schema)}"


def _candidates(text: str) -> list[Any]:
    """Every way to read the text as JSON, the most literal first."""
    decoder = json.JSONDecoder(strict=False, parse_constant=_refuse_constant)
    found: list[Any] = []
    for part in (text, *(match.strip() for match in FENCE.findall(text))):
        for start in _starts(part):
            try:
                found.append(decoder.raw_decode(part, start)[0])
                break
            except (ValueError, RecursionError):
                continue
    return found


def _starts(part: str) -> list[int]:
    """Where a JSON value may begin: at the start, at the first brace, at the first bracket."""
    places = {0, part.find("{"), part.find("[")} - {-1}
    return sorted(places)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
