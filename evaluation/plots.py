"""The plots of the report, as small SVG files that are the same for the same results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.cases import LANGUAGES
from evaluation.figures import ForeignOutcome, Outcome, mean, warm_seconds
from evaluation.verdict import VERDICTS, Verdict

COLOURS: Mapping[Verdict, str] = {
    "right": "#4c9f70",
    "told": "#a8d5a2",
    "asked": "#9ecae1",
    "wrong": "#f2c14e",
    "error": "#bdbdbd",
    "silent": "#f08a4b",
    "degenerate": "#b56576",
    "forbidden": "#9b2226",
}


def draw(
    own: Mapping[str, Mapping[str, Sequence[Outcome]]],
    foreign: Mapping[str, Mapping[str, Sequence[ForeignOutcome]]],
    folder: Path,
) -> list[Path]:
    """Draws what has results; what has none is not drawn.

    Args:
        own: set -> planner -> outcomes, of our own requests.
        foreign: the same of other people's tools.
        folder: where the files go; made if needed.

    Returns:
        The files.
    """
    pictures = {f"verdicts-{name}": _verdicts(systems) for name, systems in own.items() if any(systems.values())}
    pictures |= {f"seconds-{name}": _seconds(systems) for name, systems in own.items() if any(systems.values())}
    scored = {name: systems for name, systems in foreign.items() if any(_scored(each) for each in systems.values())}
    if scored:
        pictures["graphs"] = _graphs(scored)
    folder.mkdir(parents=True, exist_ok=True)
    return [_saved(figure, folder / f"{name}.svg") for name, figure in pictures.items()]


def _scored(outcomes: Sequence[ForeignOutcome]) -> bool:
    return any(one.node is not None for one in outcomes)


def _figure(columns: int, height: float, *, alike: bool = True) -> tuple[Any, Sequence[Any]]:
    """A figure and its panels side by side, `alike` if they share the vertical axis; matplotlib's types are loose."""
    import matplotlib as mpl  # noqa: PLC0415 (only a report draws)
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams.update({"svg.hashsalt": "aura", "svg.fonttype": "none", "font.size": 9})
    figure: Any = Figure(figsize=(9, height), layout="constrained")
    panels: Any = figure.subplots(1, columns, sharey=alike, squeeze=False)
    return figure, list(panels[0])


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    return path


def _verdicts(systems: Mapping[str, Sequence[Outcome]]) -> Any:
    """One panel a language, one bar a planner, one colour a verdict."""
    figure, panels = _figure(len(LANGUAGES), 1.2 + 0.35 * len(systems))
    for lang, panel in zip(LANGUAGES, panels, strict=True):
        for place, outcomes in enumerate(systems.values()):
            verdicts = [one.judged.verdict for one in outcomes if one.case.lang == lang]
            left = 0.0
            for verdict in COLOURS:
                width = 100 * verdicts.count(verdict) / max(1, len(verdicts))
                panel.barh(place, width, left=left, color=COLOURS[verdict])
                left += width
        panel.set_yticks(range(len(systems)), list(systems))
        panel.set_title(lang)
        panel.set_xlim(0, 100)
        panel.set_xlabel("% of requests")
    panels[0].invert_yaxis()
    _legend(figure, list(COLOURS), list(COLOURS.values()))
    return figure


def _legend(figure: Any, names: Sequence[str], colours: Sequence[str]) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415

    patches = [Patch(color=colour, label=name) for name, colour in zip(names, colours, strict=True)]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(names), frameon=False)


def _seconds(systems: Mapping[str, Sequence[Outcome]]) -> Any:
    """How many of a planner's plans were there after so many seconds."""
    figure, (panel,) = _figure(1, 3.2)
    for name, outcomes in systems.items():
        seconds = warm_seconds(one.row for one in outcomes)
        if seconds and seconds[-1] > 0:
            panel.ecdf(seconds, label=name)
    if panel.lines:
        panel.set_xscale("log")
        panel.legend(frameon=False)
    panel.set_xlabel("seconds for a plan, warm")
    panel.set_ylabel("share of plans")
    return figure


def _graphs(sets: Mapping[str, Mapping[str, Sequence[ForeignOutcome]]]) -> Any:
    """Node and link F1, one panel a set, one pair of bars a planner."""
    figure, panels = _figure(len(sets), 1.2 + 0.4 * max(len(systems) for systems in sets.values()), alike=False)
    colours = ["#4c78a8", "#f58518"]
    for (name, systems), panel in zip(sets.items(), panels, strict=True):
        for place, outcomes in enumerate(systems.values()):
            panel.barh(place - 0.2, mean(one.node for one in outcomes) or 0, 0.4, color=colours[0])
            panel.barh(place + 0.2, mean(one.link for one in outcomes) or 0, 0.4, color=colours[1])
        panel.set_yticks(range(len(systems)), list(systems))
        panel.set_title(name)
        panel.set_xlim(0, 1)
        panel.invert_yaxis()
    _legend(figure, ["node F1", "link F1"], colours)
    return figure


assert set(COLOURS) == set(VERDICTS)  # noqa: S101 (a verdict without a colour would not be drawn)
