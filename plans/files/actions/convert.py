"""The action `convert`: a table from one form of text into another."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Literal

from aura_core.api import ActionError, action

from .tables import READERS, WRITERS

Form = Literal["csv", "tsv", "json", "jsonl", "markdown"]
_FORMS = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".md": "markdown"}
_FORMS[".markdown"] = "markdown"
_ENDINGS = {"csv": ".csv", "tsv": ".tsv", "json": ".json", "jsonl": ".jsonl", "markdown": ".md"}


def form_of(name: str, text: str) -> str:
    """The form of a file, by the ending of its name, else by how its text begins.

    Raises:
        ActionError: it cannot be told.
    """
    form = _FORMS.get(PurePosixPath(name).suffix.casefold())
    if form:
        return form
    start = text.lstrip("\ufeff \n\t")[:1]
    if start in {"[", "{"}:
        return "json"
    if start == "|":
        return "markdown"
    first_line = text.strip().split("\n", 1)[0]
    if any(separator in first_line for separator in ",;\t"):
        return "csv"
    raise ActionError(f"{name} is not a table that can be converted; name it with one of {', '.join(_FORMS)}.")


@action("convert")
def convert(text: str, name: str, to: Form) -> dict[str, Any]:
    """Converts the text of a table.

    Args:
        text: what stands in the file.
        name: its name; the ending says its form.
        to: the wanted form.

    Returns:
        `{text, path, rows}`: the new text, a name that fits it, and how many rows the table has.

    Raises:
        ActionError: the text does not hold such a table; says where.
    """
    table = READERS[form_of(name, text)](text)
    if not table.columns:
        raise ActionError(f"{name} holds no table: it has no columns.")
    path = PurePosixPath(name).with_suffix(_ENDINGS[to])
    return {"text": WRITERS[to](table), "path": path.as_posix(), "rows": len(table.rows)}
