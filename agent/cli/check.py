"""`aura check`: every mistake in plans, with its line and a caret; and the schema of the language, for editors."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.invocation import asynchronously, print_json, print_text, remark, settings

if TYPE_CHECKING:
    from agent.cli.checking import Report
    from aura_core.errors import Problem


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("check")(check)


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Plan folders, or folders of plans; all known plans if left out.")
    ] = None,
    *,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", help="Print the JSON Schema of a task file, or of: `--schema plan`, `states`, `interrupts`."
        ),
    ] = False,
    examples: Annotated[
        bool, typer.Option("--examples", help="Have the model plan every example, and say which plans differ.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of the mistakes and warnings.")] = False,
) -> int:
    """Check plans: every mistake with file, line and column, and what is probably not meant."""
    if schema:
        return _print_schema([str(path) for path in paths or []])
    return asynchronously(_check(paths or [], examples=examples, as_json=as_json))


def _print_schema(kinds: list[str]) -> int:
    from agent.errors import AgentError
    from aura_core.ground.suggestions import hint, sentence
    from aura_core.language.schema import FILES, schema_text

    kind, *more = kinds or ["task"]
    if more:
        raise AgentError(f"One schema is printed at a time: {' or '.join(FILES)}.")
    if kind not in FILES:
        raise AgentError(sentence(f"There is no schema {kind!r}", hint(kind, FILES, what="there are")))
    sys.stdout.write(schema_text(kind))
    return 0


async def _check(paths: list[Path], *, examples: bool, as_json: bool) -> int:
    from agent.cli.check_examples import check_examples
    from agent.cli.checking import checked
    from agent.cli.mistakes import print_mistakes
    from aura_core.language.display import ordered

    report = await checked(settings(), paths)
    if examples and not report.problems:
        return await check_examples(report, as_json=as_json)
    if as_json:
        print_json([_as_json(problem) for problem in ordered([*report.problems, *report.remarks])])
    elif report.problems or report.remarks:
        print_mistakes([*report.problems, *report.remarks])
        remark(f"\n{_summary(report)}")
    else:
        print_text(_summary(report))
    return 1 if report.problems else 0


def _as_json(problem: Problem) -> dict[str, Any]:
    found = asdict(problem)
    return {"file": found.pop("path"), **found}


def _summary(report: Report) -> str:
    good = f"{_counted(len(report.names), 'plan')} with {_counted(report.tasks, 'task')} in order"
    warnings = f", {_counted(len(report.remarks), 'warning')}" if report.remarks else ""
    if not report.problems:
        return f"{good}, 0 mistakes{warnings}"
    files = len({problem.path for problem in report.problems})
    mistakes = f"{_counted(len(set(report.problems)), 'mistake')} in {_counted(files, 'file')}"
    return f"{mistakes}{warnings}; {good}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
