"""A missing save in a plan: the request names a new file to save to, and no step of the plan mentions it."""

from __future__ import annotations

import re

from agent.contracts import PlanStep, TaskCard
from agent.phrases import language_of
from agent.plan_graph.draft import Draft
from agent.plan_graph.edges import needed_ids
from agent.plan_graph.fields import TEXT_INPUTS, pointed
from agent.plan_graph.grounding import PATH_FORMATS, SPEAKS_OF_FILES, KnownWords, is_grounded, named_files

_SAVE = re.compile(
    r"\b(?:save|store|export|put\b.*\bin(?:to)?|speicher\w*|guarda\w*|enregistr\w*)\b"
    r"|\bсохран\w*|\bзапиш\w+ в\b|保存|存为|存到|存成|写入|儲存",
    re.IGNORECASE,
)


def add_missing_save(draft: Draft) -> None:
    """Saves the one result that nothing else uses, where the person asked for a file and the plan left it out."""
    request = draft.world.known.request
    planned = {value.strip() for step in draft.steps for value in step.inputs.values() if isinstance(value, str)}
    wanted = [name for name in named_files(request) if name not in planned and name not in draft.world.known.files]
    writer = next(filter(_writes_text, draft.world.cards.values()), None)
    used = set[str]().union(*(needed_ids(step) for step in draft.steps))
    results = [step for step in draft.steps if step.id not in used and step.kind != "ask_user"]
    if writer is None or len(wanted) != 1 or len(results) != 1 or not _SAVE.search(request):
        return
    source = results[0]
    if source.effects != "read":
        return
    path, text = _path_and_text(writer)
    added = PlanStep(id=draft.free_id(f"save_{source.id}"), task=writer.task, effects=writer.effects)
    draft.steps.insert(draft.position(source.id) + 1, added)
    inputs = {path: wanted[0], text: pointed(draft, added, text, f"${{{source.id}}}")}
    note = f"{wanted[0]} was asked for and not planned"
    draft.change(added, note, inputs=inputs, depends_on=[source.id])


def drop_unasked_saves(draft: Draft) -> None:
    """Leaves out saving a result under a name that nobody said, where no word of the request is about saving."""
    request = draft.world.known.request
    if language_of(request) == "other" or _SAVE.search(request) or SPEAKS_OF_FILES.search(request):
        return
    for step in reversed(draft.steps.copy()):
        card = draft.card(step)
        used = set[str]().union(*(needed_ids(other) for other in draft.steps))
        if card is None or not _writes_text(card) or step.id in used or len(draft.steps) == 1:
            continue
        path = str(step.inputs.get(_path_and_text(card)[0], ""))
        if not is_grounded(path, KnownWords(request)):
            draft.remove(step.id, f"dropped, nobody asked to save anything as {path!r}")


def _writes_text(card: TaskCard) -> bool:
    """Whether a task needs a new file's name and its text, and nothing else."""
    path, text = _path_and_text(card)
    return card.effects == "write" and bool(path and text) and not card.properties[path].get("grounded")


def _path_and_text(card: TaskCard) -> tuple[str, str]:
    if len(card.required) != len(("path", "text")):
        return "", ""
    path = next((name for name in card.required if card.properties[name].get("format") in PATH_FORMATS), "")
    text = next((name for name in card.required if name in TEXT_INPUTS), "")
    return path, text
