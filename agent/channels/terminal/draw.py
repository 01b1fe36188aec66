"""How runs, plans, questions and answers look: pure functions from the board to what rich draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.channels.terminal.controls import one_line, printable
from agent.channels.terminal.signs import UNICODE

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType

    from agent.channels.terminal.board import Readiness, RunBoard, StepRow, StepState
    from agent.channels.terminal.signs import Signs
    from agent.contracts import Question

FRAMES_PER_SECOND = 5
"""Of everything that moves: what draws has the same cores as the model that is waited for."""
SHOW_SECONDS_FROM = 0.05
NOTE_CHARACTERS = 240
PHASES = {
    "queued": "waiting for its turn",
    "planning": "planning",
    "running": "working",
    "waiting": "waiting for you",
    "answering": "writing the answer",
    "remembering": "remembering",
}


def spinner(signs: Signs, now: float) -> str:
    """The spinner's frame at a time in seconds."""
    return signs.spinner[int(now * FRAMES_PER_SECOND) % len(signs.spinner)]


def duration(seconds: float) -> str:
    """Seconds as a person reads them: `0.4 s`, `12 s`, `3:05 min`."""
    if seconds < 9.95:  # noqa: PLR2004 (from here on tenths say nothing)
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d} min"  # noqa: PLR2004 (a minute)


def run_view(
    run: RunBoard, now: float, signs: Signs, *, live: bool, named: bool = False, aside: str = ""
) -> RenderableType:
    """A run's plan as it stands: a headline while it is live, and a line per step.

    Args:
        run: the run.
        now: the board's clock, for spinners and running times.
        signs: marks the terminal can show.
        live: whether it still moves; a finished run has no headline, its steps and the answer say it all.
        named: the headline repeats the request, because there are several runs.
        aside: what else the headline says, e.g. what the run waits for.
    """
    table = Table.grid(padding=(0, 1), expand=False)
    table.add_column(width=1)
    table.add_column(overflow="fold")
    for row in run.rows.values():
        _add_row(table, row, now, signs, live=live)
    parts: list[RenderableType] = [headline(run, now, signs, named=named, aside=aside)] if live else []
    if run.rows:
        parts.append(Padding(table, (0, 0, 0, 2), expand=False))
    return Group(*parts)


def headline(run: RunBoard, now: float, signs: Signs, *, named: bool = False, aside: str = "") -> Text:
    """One line: what the run does now, and for how long."""
    waits = run.phase == "waiting" or bool(
        run.questions and not any(row.state == "running" for row in run.rows.values())
    )
    mark, style = signs.states["waiting"] if waits else (spinner(signs, now), "cyan")
    text = Text().append(f"{mark} ", style=style)
    text.append(PHASES["waiting"] if waits else PHASES.get(run.phase, run.phase), style="bold")
    if run.revision:
        text.append(f" (plan {run.revision + 1})", style="dim")
    if run.detail:
        text.append(f" {printable(run.detail)}", style="dim")
    text.append(f"  {duration(now - run.since)}", style="dim")
    if aside:
        text.append(f" {signs.dot} {aside}", style="dim italic")
    if named:
        text.append(f"  {one_line(run.text)}", style="dim italic")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def readiness_view(readiness: Readiness, now: float, signs: Signs) -> Text:
    """One line: how far the model is with getting ready, and for how long it will be."""
    text = Text().append(f"{spinner(signs, now)} ", style="cyan")
    if readiness.part is None:
        text.append("loading the model", style="dim")
    else:
        part, left = readiness.read(now)
        text.append("the model reads its instructions, once", style="dim")
        text.append(f"  {part:.0%}" if part else "", style="dim")
        text.append(f"  about {max(1, round(left))} s left" if left is not None else "", style="dim")
    text.append(f" {signs.dot} you can type already", style="dim italic")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def waits_for_model(readiness: Readiness | None) -> str:
    """Why a plan takes longer than the next one will: what the model has to do first; nothing if it is ready."""
    if readiness is None:
        return ""
    return "the model is loaded first" if readiness.part is None else "the model reads its instructions first, once"


def _add_row(table: Table, row: StepRow, now: float, signs: Signs, *, live: bool) -> None:
    mark, style = signs.states[row.state]
    took = row.seconds
    if row.state == "running" and live:
        mark, took = spinner(signs, now), now - row.since
    title = Text(printable(row.title), style="dim" if row.state in ("drafted", "pending") else "")
    if took >= SHOW_SECONDS_FROM:
        title.append(f"  {duration(took)}", style="dim")
    table.add_row(Text(mark, style=style), title)
    if row.note:
        note = printable(row.note)
        note = note if len(note) <= NOTE_CHARACTERS else note[:NOTE_CHARACTERS] + signs.ellipsis
        table.add_row("", Text(note, style=_note_style(row.state)))


def _note_style(state: StepState) -> str:
    return "red" if state == "error" else "dim"


def said_view(text: str, signs: Signs) -> RenderableType:
    """The person's own words, as they stay in the scroll-back."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=len(signs.prompt), style="bold cyan")
    grid.add_column(overflow="fold")
    grid.add_row(signs.prompt, Text(printable(text), style="bold"))
    return grid


def answer_view(text: str, *, formatted: bool = True) -> RenderableType:
    """An answer as Markdown, set in a little; as it is where nobody looks at the format, e.g. in a pipe."""
    if not formatted:
        return Text(text)
    from agent.channels.terminal.markdown import ChatMarkdown  # noqa: PLC0415 (plans and questions do without)

    return Padding(ChatMarkdown(printable(text)), (0, 1, 0, 2))


def question_view(question: Question, signs: Signs) -> RenderableType:
    """A question with its numbered choices, and how to answer it."""
    body = Table.grid(padding=(0, 1))
    body.add_column(justify="right", style="bold yellow")
    body.add_column(overflow="fold")
    for number, option in enumerate(question.options, 1):
        body.add_row(str(number), Text(printable(option)))
    own_words = "." if question.strict else ", or your own words."
    hint = f"Type a number{own_words}" if question.options else "Type your answer."
    parts: list[RenderableType] = [Text(printable(question.text))]
    if question.options:
        parts.append(Padding(body, (1, 0, 0, 1), expand=False))
    parts.append(Padding(Text(hint, style="dim"), (int(bool(question.options)), 0, 0, 0), expand=False))
    title = "May I?" if question.purpose == "approval" else "A question"
    shape = box.ROUNDED if signs is UNICODE else box.ASCII
    return Panel(
        Group(*parts), title=title, title_align="left", border_style="yellow", box=shape, padding=(0, 1), expand=False
    )


def file_view(path: Path, caption: str, signs: Signs) -> RenderableType:
    """A file that a run made for the person, with its absolute path."""
    text = Text().append(f"  {signs.file} ", style="green")
    text.append(printable(str(path)), style="underline")
    if caption:
        text.append(f"  {printable(caption)}", style="dim")
    return text


def notice_view(text: str, style: str = "dim") -> RenderableType:
    """A remark of the program itself."""
    return Padding(Text(printable(text), style=style), (0, 0, 0, 2), expand=False)


def tail(console: Console, renderable: RenderableType, lines: int) -> list[str]:
    """The last `lines` lines of what is drawn, as text with colours."""
    with console.capture() as capture:
        console.print(renderable, end="")
    drawn = capture.get().splitlines()
    return drawn[-lines:] if lines > 0 else []
