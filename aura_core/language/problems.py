"""Turns what pydantic found wrong into Problems: with file, line, column, task, step, and the nearest right word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aura_core.errors import Problem
from aura_core.ground.suggestions import hint, nearest
from aura_core.language.input_spec import InputSpec
from aura_core.language.meta import OnFailure, Schedule, TaskMeta
from aura_core.language.source import Source
from aura_core.language.steps import STEP_KINDS, STEP_MODELS, Place, Retry, kinds_in, place_text

STEP_LISTS = frozenset({"steps", "then", "else", "do", "parallel"})
MOST_PROBLEMS = 200
"""Mistakes of one task that are told; nobody mends more at once."""
_PLAIN_WORDS = {
    "bool_parsing": "true or false is wanted",
    "number_type": "a number is wanted, without quotes",
    "bool_type": "true or false is wanted",
    "dict_type": "a mapping (`key: value`) is wanted",
    "model_type": "a mapping (`key: value`) is wanted",
    "model_attributes_type": "a mapping (`key: value`) is wanted",
    "list_type": "a list (`- item`) is wanted",
    "string_type": "text is wanted",
    "invalid_key": "a key is text: put it in quotes",
    "int_parsing": "a whole number is wanted",
    "int_type": "a whole number is wanted",
    "int_from_float": "a whole number is wanted",
    "float_parsing": "a number is wanted",
    "float_type": "a number is wanted",
    "greater_than_equal": "{ge} or more is wanted",
    "less_than_equal": "{le} or less is wanted",
    "too_short": "at least {min_length} is wanted",
}


class Finder:
    """Makes the problems of one part of a file.

    Args:
        source: the file.
        raw: the value of the whole file.
        root: path of the part inside the file.
        task: full reference of the task, empty for other files.
    """

    def __init__(self, source: Source, raw: Any, root: Place = (), task: str = "") -> None:
        self._source = source
        self._raw = raw
        self._root = root
        self._task = task

    def at(self, place: Place, message: str, advice: str = "", *, key: bool = False, offset: int = 0) -> Problem:
        """A problem at a place inside the part; `key` means the key, `offset` a character inside the text."""
        line, column = self._source.position((*self._root, *place), key=key, offset=offset)
        problem = self._source.problem_at(line, column, message, advice)
        return replace(problem, task=self._task, step=self._step(place) if self._task else "")

    def of(self, error: ValidationError, model: type[BaseModel]) -> list[Problem]:
        """All problems of a validation error, in the order of the file."""
        details = error.errors(include_url=False)[:MOST_PROBLEMS]
        problems = [self._problem(detail, model) for detail in details]
        return sorted(set(problems), key=lambda problem: (problem.line, problem.column))

    def _problem(self, detail: ErrorDetails, model: type[BaseModel]) -> Problem:
        place = place_of(detail["loc"])
        kind = detail["type"]
        if kind == "expression":
            context = detail.get("ctx", {})
            return self.at((*place, *context["path"]), context["message"], offset=context["offset"])
        if kind == "extra_forbidden":
            known = _keys(_model_at(detail["loc"][:-1], model))
            return self.at(
                place, f"unknown key {place[-1]!r}", hint(str(place[-1]), known, what="known keys"), key=True
            )
        if kind == "union_tag_not_found":
            return self.at(place, *_kind_problem(detail["input"]))
        if kind == "missing":
            return self.at(place[:-1], f"the key {place[-1]!r} is missing", f"add `{place[-1]}:`", key=True)
        if kind == "literal_error":
            allowed: str = detail.get("ctx", {})["expected"]
            near = nearest(str(detail["input"]), [word.strip("' ") for word in allowed.replace(" or ", ",").split(",")])
            message = f"{detail['input']!r} is not one of {allowed}"
            return self.at(place, message, f"did you mean {near!r}?" if near else "")
        key = kind == "invalid_key" or detail["loc"][-1:] == ("[key]",)
        words = (
            _PLAIN_WORDS.get(kind, detail["msg"]).format(**detail.get("ctx", {}))
            if kind in _PLAIN_WORDS
            else detail["msg"]
        )
        return self.at(place, words, key=key)

    def _step(self, place: Place) -> str:
        """Id, name or position of the innermost step that holds a place."""
        inside: Any = self._raw
        for part in self._root:
            inside = inside[part]
        label = last_name = ""
        for index, part in enumerate(place):
            try:
                inside = inside[part]
            except (KeyError, IndexError, TypeError):
                break
            if isinstance(part, str):
                last_name = part
            elif last_name in STEP_LISTS and hasattr(inside, "get"):
                label = str(inside.get("id") or inside.get("name") or place_text(place[: index + 1]))
        return label


def place_of(location: Iterable[str | int]) -> Place:
    """The path in the file: without the marks that pydantic adds for unions and keys."""
    return tuple(part for part in location if isinstance(part, int) or not part.startswith(("<", "[", "function-")))


def _model_at(location: tuple[str | int, ...], model: type[BaseModel]) -> type[BaseModel]:
    """The model whose keys are allowed at a location."""
    for index in range(len(location) - 1, -1, -1):
        part = location[index]
        if isinstance(part, str) and part in STEP_MODELS:
            return Retry if location[index + 1 :] == ("retry",) else STEP_MODELS[part]
        if part == "inputs" and location[:index] == ("meta",) and index + 1 < len(location):
            return InputSpec
    return _PARTS.get(location) or _part_of(model, location)


def _part_of(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel]:
    """The model of a part that is a model itself; the outer one where the path leads into something else."""
    for part in location:
        if isinstance(part, int):
            continue
        field = next((field for name, field in model.model_fields.items() if part in (name, field.alias)), None)
        inner = None if field is None else _model_of(field.annotation)
        if inner is None:
            return model
        model = inner
    return model


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model that a key holds, alone or in a list."""
    if get_origin(annotation) is list:
        (annotation,) = get_args(annotation)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


_PARTS: dict[tuple[str | int, ...], type[BaseModel]] = {
    ("meta",): TaskMeta,
    ("meta", "schedule"): Schedule,
    ("on_failure",): OnFailure,
}


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _kind_problem(value: Any) -> tuple[str, str]:
    """Message and advice for something that is not a step."""
    if not isinstance(value, dict):
        return "a step is a mapping", "begin with its kind, e.g. `action: name`"
    keys = [str(key) for key in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] (any keys)
    found = kinds_in(value)  # pyright: ignore[reportUnknownArgumentType]
    if found:
        return f"a step has one kind, this one has {len(found)}: {', '.join(found)}", "make a step of each"
    common = {"id", "name", "when", "params", "output_to", "then", "else", "do", "as", "retry", "timeout"}
    for key in keys:
        near = None if key in common else nearest(key, STEP_KINDS)
        if near is not None:
            return f"unknown key {key!r}, so the step has no kind", f"did you mean {near!r}?"
    return "the step has no kind", f"it needs one of {', '.join(STEP_KINDS)}"
