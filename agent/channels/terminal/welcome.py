"""What a person reads the first time: what they can ask, what the model is good at, and how to use another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.channels.terminal.controls import one_line
from agent.channels.terminal.draw import notice_view
from agent.llm.choice import label
from agent.llm.known_models import MODELS
from aura_core.plugins.builtin import builtin_folder

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agent.app import App
    from agent.channels.terminal.signs import Signs
    from agent.contracts import Profile

ANOTHER_MODEL = "set OPENAI_API_KEY (OPENAI_BASE_URL for Ollama, vLLM, OpenRouter …) and AURA_MODEL"
SHOWN = 3
TEXT_ENDINGS = (".md", ".txt")


@dataclass(frozen=True, slots=True)
class Example:
    """Something to ask.

    Attributes:
        say: the words.
        shows: what it shows, in a few words.
        needs: tasks without which it would not work.
    """

    say: str
    shows: str
    needs: Sequence[str] = ()


EXAMPLES = (
    Example(
        "What is 12*7? Also list my files.", "two things, done side by side", ("aura_base/calculate", "files/list")
    ),
    Example(
        "Write a haiku about rain and save it as haiku.txt",
        "one after the other, with what came before",
        ("aura_base/write", "files/write"),
    ),
    Example("Remind me in 20 minutes to stretch", "it comes to you by itself", ("reminders/add",)),
    Example(
        "Make a note that the plumber comes on Friday, then show me all my notes",
        "saved for next time",
        ("notes/add", "notes/list"),
    ),
    Example("How many days until Christmas?", "calculated, not guessed", ("aura_base/days_until",)),
)
"""Tried with the embedded model, the best first."""


def fitting_examples(app: App, profile: Profile, files: Sequence[str]) -> list[Example]:
    """Three examples, or fewer, that work with what this person has: files, plugins, the catalogue.

    Args:
        app: says which tasks and commands there are.
        profile: what the person may use.
        files: names of the session's files.
    """
    cards = {card.task for card in app.tasks(profile)}
    found = [*_with_a_file(files), *_with_a_plugin(app, profile), *EXAMPLES]
    return [example for example in found if cards.issuperset(example.needs)][:SHOWN]


def _with_a_file(files: Sequence[str]) -> list[Example]:
    """Something to ask about the first text among the files."""
    texts = [name for name in files if name.lower().endswith(TEXT_ENDINGS)]
    return [
        Example(f"Summarise {name}", "one of your files, summarised", ("files/read", "aura_base/summarise"))
        for name in texts[:1]
    ]


def _with_a_plugin(app: App, profile: Profile) -> list[Example]:
    """The first command of a plan that the person brought: the author's example, or the command, which asks."""
    built_in = builtin_folder("plans")
    own = {name for name, plan in app.framework.plans.plans.items() if not plan.folder.is_relative_to(built_in)}
    for name, card in app.commands(profile).items():
        if card.plan in own:
            said = [example.say for example in card.examples] if card.expose else []
            return [Example(next(iter(said), f"/{name}"), f"your plugin: {one_line(card.title)}")]
    return []


def welcome_view(app: App, profile: Profile, examples: Sequence[Example], signs: Signs) -> RenderableType:
    """The first screen below the title."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for example in examples:
        table.add_row(Text(f"{signs.prompt} {one_line(example.say)}", style="cyan"), example.shows)
    what = "Ask in plain words: I plan the steps, run them and answer."
    return Group(
        notice_view(f"{what} For example:" if examples else what, ""),
        Padding(table, (0, 0, 0, 2), expand=False),
        Text(),
        model_view(app, profile),
    )


def model_view(app: App, profile: Profile) -> RenderableType:
    """What the model of a profile is and is not good at, and how to use another one."""
    model = profile.model or app.config.llm.model
    if app.model.is_embedded(model) and label(model) in MODELS:
        what = "The model runs on this machine and is small."
        rows = [
            ("good at", "sums, dates, files, notes, reminders, short texts; a few steps at a time; best in English"),
            ("not good at", "facts, comparisons, long requests with many parts"),
            ("a larger one", f"{ANOTHER_MODEL}, and start again"),
        ]
    elif app.model.is_embedded(model):
        what = f"{label(model)} runs on this machine; it plans and answers what you ask."
        rows = [("another one", ANOTHER_MODEL)]
    else:
        what = f"{app.model.describe()} plans and answers what you ask; the steps run on this machine."
        rows = [("another one", f"{ANOTHER_MODEL}; without these a small model runs on this machine")]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold", style="dim")
    for name, about in rows:
        table.add_row(name, about)
    return Group(notice_view(what, ""), Padding(table, (0, 0, 0, 4), expand=False))
