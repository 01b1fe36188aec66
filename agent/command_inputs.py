"""What a person typed behind a command, as the inputs of its task."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from aura_core.errors import InputError
from aura_core.language.input_spec import InputSpec
from aura_core.language.inputs import fitted

_PAIR = re.compile(r"(?P<name>[^\W\d]\w*)=(?P<value>.*)", re.DOTALL)
_LAST_PAIR = re.compile(r"(?:^|(?P<rest>.*\S)\s+)(?P<name>[^\W\d]\w*)=(?P<value>\"[^\"]*\"|'[^']*'|\S*)", re.DOTALL)
_WORDS = frozenset({"uri", "date", "date-time", "time", "email", "uuid"})
"""Formats of texts that are one word."""


def command_inputs(specs: Mapping[str, InputSpec], text: str) -> dict[str, str]:
    """Reads what stands behind a command: `/spent 12.50 pizza`, `/spent 12.50 pizza on=2026-11-30`, `/note buy milk`.

    1. Words `name=value` at the end (in quotes, where a value holds spaces) are inputs of those names.
    2. The required inputs take a word each from the front, in the order in which the task declares them, as long as the
       word fits: a number, a date, one of the choices. The first one that takes free text ends this.
    3. What is left goes, as a whole, to the first input that takes free text, a required one first. If there is none,
       its words go to the inputs that they fit.

    Args:
        specs: the inputs of the task, in their order.
        text: everything behind the command.
    """
    pairs = _all_pairs(specs, text)
    if pairs is not None:
        return pairs
    rest, given = _without_last_pairs(specs, text.strip())
    free = {name: spec for name, spec in specs.items() if name not in given}
    for name in [name for name, spec in free.items() if spec.required]:
        word, after = _split(rest)
        if _is_free_text(free[name]) or not _fits(free[name], word):
            break
        given[name], rest = word, after
    if rest:
        given |= _of_the_rest({name: spec for name, spec in free.items() if name not in given}, rest)
    return given


def _all_pairs(specs: Mapping[str, InputSpec], text: str) -> dict[str, str] | None:
    """`name=value` pairs, or None if any part of the text is something else."""
    try:
        parts = shlex.split(text)
    except ValueError:
        return None
    matches = [match for match in map(_PAIR.fullmatch, parts) if match is not None and match["name"] in specs]
    return {match["name"]: match["value"] for match in matches} if len(matches) == len(parts) else None


def _without_last_pairs(specs: Mapping[str, InputSpec], text: str) -> tuple[str, dict[str, str]]:
    """The text without the pairs at its end, and those; what takes the text itself is not given by a pair as well."""
    target, given = _text_input(specs), dict[str, str]()
    while (match := _LAST_PAIR.fullmatch(text)) is not None:
        name = match["name"]
        if name not in specs or name == target or name in given:
            break
        given[name], text = match["value"].strip("\"'"), match["rest"] or ""
    return text, given


def _of_the_rest(free: Mapping[str, InputSpec], rest: str) -> dict[str, str]:
    """Where what is left goes; nowhere if the task takes nothing more."""
    target = _text_input(free)
    if target is not None:
        return {target: rest}
    given: dict[str, str] = {}
    while rest:
        word, after = _split(rest)
        name = next((name for name, spec in free.items() if name not in given and _fits(spec, word)), None)
        if name is None:
            return given | dict.fromkeys([name for name in free if name not in given][:1], rest)
        given[name], rest = word, after
    return given


def _text_input(specs: Mapping[str, InputSpec]) -> str | None:
    """The first input that takes free text, a required one first."""
    texts = [name for name, spec in specs.items() if _is_free_text(spec)]
    return next(iter([*(name for name in texts if specs[name].required), *texts]), None)


def _is_free_text(spec: InputSpec) -> bool:
    if spec.type in ("array", "object", "any"):
        return True
    return spec.type == "string" and spec.enum is None and spec.format not in _WORDS


def _split(text: str) -> tuple[str, str]:
    """The first word of a text and what follows it; both empty if there is nothing."""
    word, after, *_ = *text.split(maxsplit=1), "", ""
    return word, after


def _fits(spec: InputSpec, word: str) -> bool:
    if not word:
        return False
    try:
        fitted(spec, word)
    except InputError:
        return False
    return True


def checked_inputs(task: str, specs: Mapping[str, InputSpec], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs with the texts among them converted.

    Args:
        task: named in the message.
        specs: the inputs of the task.
        inputs: by name; names that the task does not have, and values that are no text, stay as they are.

    Raises:
        InputError: names every value that does not fit, and what is wanted.
    """
    checked, wrong = dict(inputs), list[str]()
    for name, value in inputs.items():
        if name in specs and isinstance(value, str):
            try:
                checked[name] = fitted(specs[name], value)
            except InputError as error:
                wrong.append(f"the input {name!r}: {str(error).rstrip('.')}")
    if wrong:
        raise InputError(f"{task}: {'; '.join(wrong)}.")
    return checked
