"""Which step of before each step of an edited task is: what was done is not repeated, what is to come is not lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

State = Literal["", "open", "done"]
"""How far records know a step: not at all; it has asked and has no answer; something of it is done."""


class Row(NamedTuple):
    """One step, as it is kept.

    Attributes:
        name: what records call it; unique in the task, and never given to another step.
        id: its `id`; empty if it has none.
        does: a short text of what it does, as it is written: two steps that do the same have the same.
        calls: its kind, and what it calls.
        branch: of a step right in a branch: what records call the `parallel` step and the branch.
        gone: not empty if an edit took it out.
    """

    name: str
    id: str
    does: str
    calls: str
    branch: str = ""
    gone: str = ""


def same_steps(earlier: Sequence[Row], now: Sequence[Row], states: Sequence[State]) -> dict[int, int]:
    """Which step of before each step is: index now -> index before.

    A step is the one of before if it has its `id`; else if it does the same and stands where that stood among the
    others; else if it does the same; else, if it only calls the same, where it stands in that one's place. Of several
    that do the same, one that stands behind what waits (else behind the last that was done) is one that stood there.
    Where that leaves a choice, it is one that is still to come: rather is an effect repeated than lost.

    Args:
        earlier: the steps of before, in their order, and behind them those that were gone already.
        now: the steps as they are now, in their order.
        states: how far records know each of `earlier`.
    """
    present = [index for index, row in enumerate(earlier) if not row.gone]
    if [(earlier[index].id, earlier[index].does) for index in present] == [(row.id, row.does) for row in now]:
        return dict(enumerate(present))
    return _Search(earlier, now, states).found()


@dataclass(slots=True)
class _Search:
    """One comparison; `same` grows from what is certain to what is likely."""

    earlier: Sequence[Row]
    now: Sequence[Row]
    states: Sequence[State]
    same: dict[int, int] = field(default_factory=dict[int, int])
    _anchors: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    _known: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        """Notes what steps of before do."""
        self._known = {row.does for row in self.earlier}

    def found(self) -> dict[int, int]:
        """See `same_steps`."""
        self._pair(lambda row: row.id)
        self._anchors = [(old, new) for new, old in self.same.items() if self.states[old] == "open"]
        in_place = self._in_place()
        sure = {new: old for new, old in in_place if self._does_the_same(old, new) or self._is_reworded(old, new)}
        self.same |= sure
        self._anchors += [(old, new) for new, old in sure.items() if self.states[old] == "open"]
        if not self._anchors:
            done = [(old, new) for new, old in self.same.items() if self.states[old] == "done"]
            self._anchors = [max(done)] if done else []
        self._pair(lambda row: row.does, self._is_in_order)
        self._pair(lambda row: row.does)
        taken = set(self.same.values())
        self.same |= {new: old for new, old in in_place if new not in self.same and old not in taken}
        return self.same

    def _does_the_same(self, old: int, new: int) -> bool:
        return self.earlier[old].does == self.now[new].does

    def _is_in_order(self, old: int, new: int) -> bool:
        """Whether the step is on the same side of what waits as before, and was there before the edit."""
        return not self.earlier[old].gone and all((old < other) == (new < place) for other, place in self._anchors)

    def _left(self) -> tuple[list[int], list[int]]:
        """The steps of before, and those of now, that have no partner yet."""
        taken = set(self.same.values())
        return (
            [old for old in range(len(self.earlier)) if old not in taken],
            [new for new in range(len(self.now)) if new not in self.same],
        )

    def _pair(self, mark: Callable[[Row], str], fits: Callable[[int, int], bool] | None = None) -> None:
        """Pairs steps of the same mark that fit, in their order; first with those of before that are still to come."""
        olds, news = self._left()
        olds.sort(key=lambda old: (bool(self.earlier[old].gone), self.states[old] != "", old))
        waiting: dict[str, list[int]] = defaultdict(list)
        for old in olds:
            waiting[mark(self.earlier[old])].append(old)
        waiting.pop("", None)
        for new in news:
            alike = waiting.get(mark(self.now[new]), [])
            old = next((old for old in alike if fits is None or fits(old, new)), None)
            if old is not None:
                self.same[new] = old
                alike.remove(old)

    def _in_place(self) -> list[tuple[int, int]]:
        """The pairs (now, before) of the best alignment: no pair crosses another, nor an anchor."""
        olds, news = self._left()
        olds = [old for old in olds if not self.earlier[old].gone]
        ends = self._alike_at_the_ends(olds, news)
        base = len(olds) + len(news) + 1
        worth = [[self._worth(old, new, base) for new in news] for old in olds]
        best = [[0] * (len(news) + 1) for _ in range(len(olds) + 1)]
        for i in reversed(range(len(olds))):
            for j in reversed(range(len(news))):
                paired = worth[i][j] + best[i + 1][j + 1] if worth[i][j] else 0
                best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
        i = j = 0
        while i < len(olds) and j < len(news):
            if worth[i][j] and best[i][j] == worth[i][j] + best[i + 1][j + 1]:
                ends.append((news[j], olds[i]))
                i, j = i + 1, j + 1
            elif best[i][j] == best[i + 1][j]:
                i += 1
            else:
                j += 1
        return ends

    def _worth(self, old: int, new: int, base: int) -> int:
        """What it is worth that a step is this one of before; 0 if it cannot be.

        What waits counts more than any number of steps that do the same, those more than any number that call the
        same, and those more than any number that are still to come.
        """
        if self.earlier[old].calls != self.now[new].calls or not self._is_in_order(old, new):
            return 0
        to_come = not self.states[old]
        if self._does_the_same(old, new):
            return (2 * base**3 if self.states[old] == "open" else 0) + base**2 + to_come
        return (base**3 if self._is_reworded(old, new) else 0) + base + to_come

    def _is_reworded(self, old: int, new: int) -> bool:
        """Whether the step may be the question that waits, in words that no step of before has."""
        return self.states[old] == "open" and self.now[new].does not in self._known

    def _alike_at_the_ends(self, olds: list[int], news: list[int]) -> list[tuple[int, int]]:
        """Takes the steps off both ends that are the same and like no other: long tasks are edited in few places."""
        count = Counter(self.earlier[old].does for old in olds), Counter(self.now[new].does for new in news)
        pairs: list[tuple[int, int]] = []
        for end in (0, -1):
            while olds and news and self._does_the_same(olds[end], news[end]):
                does = self.now[news[end]].does
                if any(number[does] > 1 for number in count) or not self._is_in_order(olds[end], news[end]):
                    break
                pairs.append((news.pop(end), olds.pop(end)))
        return pairs
