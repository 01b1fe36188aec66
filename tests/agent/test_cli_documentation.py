"""docs/operations.md says what is: its table of settings and its JSON shapes are held against the code.

`python tests/agent/test_cli_documentation.py` writes the table anew.
"""

from __future__ import annotations

import json
import re
import types
import typing
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel, SecretStr

from agent.cli.command_line import program
from agent.config import ENVIRONMENT_NAMES, AppConfig
from agent.contracts import ExecutorResponse, Plan, PlanStep, Question, RunOutcome, RunSummary, TaskCard

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
TABLE = re.compile(r"(<!-- settings:[^\n]*-->\n).*?(<!-- end of settings -->)", re.DOTALL)
OWN_VARIABLES = {
    "home": "AURA_HOME",
    "plan_folders": "AURA_PLANS",
    "hot_reload": "AURA_HOT_RELOAD",
    "log_level": "AURA_LOG_LEVEL",
    "timezone": "AURA_TIMEZONE",
    "trusted": "AURA_TRUSTED",
}


def type_name(annotation):
    """A type as a person who writes aura.yaml reads it."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(str(item) for item in inner)
    if origin in (typing.Union, types.UnionType):
        return type_name(next(item for item in inner if item is not type(None)))
    if origin is typing.Annotated:
        return type_name(inner[0])
    if origin is not None:
        return {list: "list", dict: "mapping", tuple: "list"}.get(origin, str(origin))
    names = {str: "text", SecretStr: "text", Path: "path", int: "whole number", float: "number", bool: "true or false"}
    return names.get(annotation, annotation.__name__)


def default_of(name, field):
    if name == "home" or field.default_factory is not None:
        return "see below" if name == "home" else "none"
    return "none" if field.default in (None, "") else str(field.default)


def rows(model, section=""):
    """One row per setting, sections flattened."""
    for name, field in model.model_fields.items():
        path = f"{section}.{name}" if section else name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from rows(field.annotation, path)
            continue
        variable = OWN_VARIABLES.get(path, f"AURA_{section}_{name}".upper() if section else "")
        own = [variable_ for variable_, place in ENVIRONMENT_NAMES.items() if ".".join(place) == path]
        variables = ", ".join(f"`{item}`" for item in [*own, variable] if item)
        kind, default = type_name(field.annotation), default_of(name, field)
        yield f"| `{path}` | {kind} | {default} | {variables} | {field.description} |"


def settings_table():
    head = ["| setting | type | default | environment | meaning |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows(AppConfig)]) + "\n"


def test_the_table_of_settings_is_the_code():
    match = TABLE.search(DOCUMENT.read_text(encoding="utf-8"))
    assert match is not None
    assert match.group() == f"{match.group(1)}{settings_table()}{match.group(2)}", f"run: python {__file__}"


@pytest.mark.parametrize(
    ("label", "model"),
    [
        ("outcome", RunOutcome),
        ("step", PlanStep),
        ("result", ExecutorResponse),
        ("question", Question),
        ("plan", Plan),
        ("card", TaskCard),
        ("summary", RunSummary),
    ],
)
def test_the_documented_json_shapes_are_the_contracts(label, model):
    blocks = dict(re.findall(r"```json (\w+)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL))
    assert set(json.loads(blocks[label])) == set(model.model_fields)


def test_every_command_is_documented_and_every_documented_command_exists():
    group = typer.main.get_command(program())
    commands = set(group.commands)
    section = DOCUMENT.read_text(encoding="utf-8").split("## Commands")[1].split("## Exit codes")[0]
    documented = {
        name for line in section.splitlines() if line.startswith("| `aura") for name in re.findall(r"`aura (\w+)", line)
    }
    assert documented == commands


def test_every_environment_variable_of_the_table_is_read():
    for variable, path, value in (
        ("AURA_LLM_TIMEOUT", "llm.timeout", "7"),
        ("AURA_PLANNER_SHORTLIST", "planner.shortlist", "9"),
        ("AURA_EMBEDDED_THREADS", "embedded.threads", "3"),
    ):
        assert f"`{variable}`" in settings_table()
        section, name = path.split(".")
        config = AppConfig.load({variable: value}, DOCUMENT.parent)
        assert getattr(getattr(config, section), name) == int(value)


if __name__ == "__main__":
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(
        TABLE.sub(lambda match: match.group(1) + settings_table() + match.group(2), text), encoding="utf-8"
    )
