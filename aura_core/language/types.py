"""Types of things that tasks find and need: `gives: {id: note.id}` beside `needs: note.id`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_NAME = r"[A-Za-z0-9_\u0080-\uffff-]+"
_TYPE = rf"[A-Za-z\u0080-\uffff]({_NAME})?(\.{_NAME})*"
_PATH = rf"(\[\]|{_NAME})(\[\]|\.{_NAME})*"
WHOLE = ""
"""The path of the result itself."""


def _type_name(text: str) -> str:
    if not re.fullmatch(_TYPE, text):
        message = "{text} is not a type: write a thing and what of it, e.g. note.id"
        raise PydanticCustomError("type_name", message, {"text": repr(text)})
    return text


def _path(text: str) -> str:
    if text != WHOLE and not re.fullmatch(_PATH, text):
        message = "{text} is not a path into the result: write id, note.id, or notes[].id for each of a list"
        raise PydanticCustomError("result_path", message, {"text": repr(text)})
    return text


def _by_path(value: Any) -> Any:
    return {WHOLE: value} if isinstance(value, str) else value


TypeName = Annotated[str, AfterValidator(_type_name), WithJsonSchema({"type": "string", "pattern": f"^{_TYPE}$"})]
"""What kind of thing a value is, such as `note.id`: a name that several tasks agree on."""
ResultPath = Annotated[str, AfterValidator(_path)]
"""Where in a result: names with dots between them, `[]` for each item of a list."""
Gives = Annotated[
    dict[ResultPath, TypeName],
    BeforeValidator(_by_path),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{_TYPE}$"},
                {
                    "type": "object",
                    "propertyNames": {"pattern": f"^({_PATH})?$"},
                    "additionalProperties": {"type": "string", "pattern": f"^{_TYPE}$"},
                },
            ]
        }
    ),
]
"""Types by their place in the result; a type alone is that of the result itself."""
