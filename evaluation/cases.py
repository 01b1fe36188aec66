"""Requests of our own with what a right plan is, as data: `requests/open.jsonl` to look at, `closed.jsonl` not to."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

FOLDER = Path(__file__).resolve().parent / "requests"
Part = Literal["open", "closed"]
PARTS: tuple[Part, ...] = get_args(Part)
Language = Literal["en", "ru", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Kind = Literal[
    "single", "wide", "chain", "question", "asking", "negation", "both", "correction", "follow-up", "turns", "forbidden"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Case(BaseModel):
    """One request and what a right plan for it is.

    In all fields a name is that of a task, or `llm`, `ask_user`, `agent`; `a|b` stands for either, and in `expect`
    a `?` behind it says that the step may also be missing.

    Attributes:
        id: unique in all parts.
        lang: the language of the request.
        kind: what makes it hard.
        request: the person's words.
        context: the conversation before it, as the planner reads it.
        files: names of the person's files.
        expect: the acceptable plans, each as the names of its steps in any order; empty only with `asks`.
        must: name of a step, or `*` for any -> texts that stand in what such a step is given; `a|b` is either.
        forbid: names, globs of names, or effects (`write`, `external`) that no step may have.
        feeds: pairs (giver, taker): the result of such a step must reach such a step, where the plan has both.
        asks: the person must be asked before anything is changed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    lang: Language
    kind: Kind
    request: str = Field(min_length=1)
    context: str = ""
    files: list[str] = Field(default_factory=list)
    expect: list[list[str]] = Field(default_factory=list)
    must: dict[str, list[str]] = Field(default_factory=dict)
    forbid: list[str] = Field(default_factory=list)
    feeds: list[tuple[str, str]] = Field(default_factory=list)
    asks: bool = False

    @model_validator(mode="after")
    def _says_what_is_right(self) -> Case:
        if not self.expect and not self.asks:
            raise ValueError(f"{self.id}: `expect` names no plan, and nobody is to be asked")
        return self


def load_cases(part: Part) -> list[Case]:
    """The cases of one part, in the order of the file."""
    lines = (FOLDER / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Case.model_validate_json(line) for line in lines if line.strip()]
