"""`aura check --examples`: the model plans every example of the plans, as if a person had said it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from agent.channels.terminal.controls import one_line
from agent.cli.invocation import err, out, print_json, settings

if TYPE_CHECKING:
    from rich.text import Text

    from agent.app import App
    from agent.cli.checking import Report
    from agent.cli.example_plans import Planned
    from agent.config import AppConfig
    from agent.contracts import PlanExample, Profile


async def check_examples(report: Report, *, as_json: bool) -> int:
    """Plans the examples of the plans that were checked, and says which plans are others.

    Args:
        report: of `checked`, without problems.
        as_json: print a JSON list, one entry an example.

    Returns:
        The exit code: 1 if a plan is not that of its example.
    """
    from agent.cli.ask import opened_with_model

    config = _with_folders(settings(), report.folders)
    results: list[Planned] = []
    async with opened_with_model(config, None, "aura check", durable=False) as (app, profile, _):
        await app.model.check()
        examples = _examples(app, profile, report.names)
        with err().status("planning") as status:
            for number, example in enumerate(examples, 1):
                status.update(f"planning {number} of {len(examples)}: {one_line(example.say)}")
                results.append(await _planned(app, profile, example))
                if not as_json:
                    _print(results[-1])
    others = sum(bool(result.differences) for result in results)
    if as_json:
        print_json([asdict(result) for result in results])
    else:
        err().print(f"{len(results) - others} of {len(results)} examples are planned as they stand", highlight=False)
    return 1 if others else 0


def _with_folders(config: AppConfig, folders: Sequence[Path]) -> AppConfig:
    """The settings with the folders that were asked for among those in which plans are looked for."""
    new = [folder for folder in folders if folder not in config.known_plan_folders]
    return config.model_copy(update={"plan_folders": [*new, *config.plan_folders]})


def _examples(app: App, profile: Profile, plans: Collection[str]) -> list[PlanExample]:
    """The examples of some plans that the model may be shown for this profile: those of tasks, then the plans' own."""
    single = [example for card in app.tasks(profile) if card.plan in plans for example in card.plan_examples()]
    return [*single, *app.dispatcher.examples(profile, plans)]


async def _planned(app: App, profile: Profile, example: PlanExample) -> Planned:
    """Plans one example; a request for which no plan can be made is one that is planned differently."""
    from agent.cli.ask import make_plan
    from agent.cli.example_plans import compared, failed
    from agent.errors import ModelContextError, ModelOutputError, PlanningError

    try:
        plan = await make_plan(app, profile, example.say)
    except (ModelContextError, ModelOutputError, PlanningError) as error:
        return failed(example, str(error))
    return compared(example, plan, {card.task: card for card in app.tasks(profile)})


def _print(result: Planned) -> None:
    """Says what is different, if anything is."""
    from rich.text import Text

    told = [*((line, "") for line in result.differences), *((line, "dim") for line in result.values)]
    if not told:
        return
    head: Text = Text("differs  " if result.differences else "as meant ", style="bold")
    console = out()
    console.print(head.append(one_line(result.say)), soft_wrap=True)
    for line, style in told:
        console.print(Text(f"         {one_line(line)}", style=style), soft_wrap=True)
