"""Short-lists the catalogue by the words of a request, once it is larger than a model should read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.contracts import TaskCard
from agent.plan_graph.types import finder_of, needs_of
from agent.wording import rank

HEAD_WEIGHT = 2
"""How often a task's name, title and command count, beside its description once."""


def shortlist(cards: Sequence[TaskCard], request: str, limit: int, *, known: Iterable[str] = ()) -> list[TaskCard]:
    """The tasks that have most in common with the request, in the catalogue's own order.

    What a listed task needs is listed too: the task that finds it takes the place of the last one.

    Args:
        cards: the catalogue.
        request: the person's words, and whatever else says what is wanted.
        limit: how many may stay; all of them if there are no more.
        known: tasks that stay in any case, such as those of earlier plans for a request like this.
    """
    if len(cards) <= limit:
        return list(cards)
    scores = rank([_described(card) for card in cards], request)
    wanted = set(known)
    best = sorted(range(len(cards)), key=lambda place: (cards[place].task not in wanted, -scores[place]))
    kept: dict[int, None] = {}
    places = {card.task: place for place, card in enumerate(cards)}
    for place in best:
        if len(kept) == limit:
            break
        finders = [finder_of(kind, cards, cards[place]) for kind in needs_of(cards[place]).values()]
        group = [place, *(places[finder.task] for finder in finders if finder)]
        if len(kept.keys() | set(group)) <= limit:
            kept |= dict.fromkeys(group)
    return [cards[place] for place in sorted(kept)]


def _described(card: TaskCard) -> str:
    head = " ".join([card.task.replace("/", " ").replace("_", " "), card.title, card.command or ""])
    inputs = [f"{name} {schema.get('description', '')}" for name, schema in card.properties.items()]
    said = [example.say for example in card.examples]
    return " ".join([*[head] * HEAD_WEIGHT, card.description, *inputs, *said])
