"""Storable: values as JSON files and documents can carry them: UTF-8 knows no lone surrogates."""

from __future__ import annotations

from typing import Any, cast


def storable_text(text: str) -> str:
    r"""Text with lone surrogates written out: a name that is not UTF-8 becomes signs, e.g. `\udcff`.

    Args:
        text: any text; it may hold the name of a file whose bytes are not UTF-8.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def storable(value: Any) -> Any:
    """The same value, with every text in it as `storable_text` gives it.

    Args:
        value: texts, numbers, and mappings, lists and tuples of them; of another kind it stays as it is.
    """
    match value:
        case str():
            return storable_text(value)
        case dict():
            return {storable(key): storable(one) for key, one in cast("dict[Any, Any]", value).items()}
        case list() | tuple():
            return [storable(one) for one in cast("list[Any]", value)]
        case _:
            return value
