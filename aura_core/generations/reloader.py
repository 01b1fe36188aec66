"""Reloader: one reload: reads what changed, takes what is right in one stroke, and tells of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from aura_core.errors import NotFoundError, Problem
from aura_core.generations.events import PlanNotice, PlansReloaded, ReloadReport, notice_of
from aura_core.generations.reading import LOAD_SECONDS, Found, look, read_plan
from aura_core.generations.versions import Refusals, Versions
from aura_core.ground.logger import get_logger
from aura_core.ground.suggestions import hint, sentence
from aura_core.language.edits import Edit, Verdict, judge

if TYPE_CHECKING:
    from aura_core.generations.snapshot import Generation
    from aura_core.ground.events import EventBus
    from aura_core.language.plan_manager import PlanManager
    from aura_core.language.plan_set import PlanSet

MOST_READS = 5
"""Files that change while they are read are read again, so often at most."""

_log = get_logger(__name__)


class Reloader:
    """Reloads plans, one reload at a time.

    Args:
        plans: the plans, just loaded.
        problems: what was wrong when they were loaded.
        make: makes a generation of plans; called in a thread.
        take: makes a generation the current one; called on the event loop.
        events: told what came of it.
        seconds: how long one plan may take to load.

    Attributes:
        seconds: as given.
    """

    def __init__(
        self,
        plans: PlanManager,
        problems: Sequence[Problem],
        *,
        make: Callable[[PlanSet], Generation],
        take: Callable[[Generation], None],
        events: EventBus,
        seconds: float = LOAD_SECONDS,
    ) -> None:
        self._plans = plans
        self._make = make
        self._take = take
        self._events = events
        self.seconds = seconds
        self._versions = Versions(plans, problems)
        self._turn = asyncio.Lock()

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with plans as they stood on the disk when they were last read."""
        return self._versions.problems

    async def reload(self, names: Collection[str] = ()) -> ReloadReport:
        """Reloads what was edited, added and removed; nothing changes for runs in flight.

        An edit with problems, or one that makes problems for another plan, is not taken, and that is told. Nothing
        that stands in a plan makes this raise.

        Args:
            names: plans to reload although nothing in them was edited.

        Raises:
            NotFoundError: there is no plan of such a name.
        """
        async with self._turn:
            edits: dict[str, Edit] = {}
            try:
                found = await self._read(frozenset(names), edits)
                if edits:
                    taken, refused = await self._apply(edits)
                else:
                    taken, refused = frozenset[str](), self._versions.outstanding(found)
                report = self._versions.settle(found, taken, refused)
            finally:
                self._unload_unused(edits)
            for event in self._versions.tell(report, found):
                self._events.publish(event)
                _note(event)
        return report

    async def _read(self, names: frozenset[str], edits: dict[str, Edit]) -> dict[str, Found]:
        """Fills `edits` with what differs from what is in use, read while nothing was written.

        Returns:
            The plans on the disk at that moment.
        """
        found = await look(self._plans.folders)
        for name in names - found.keys():
            advice = hint(name, found, what="the plans are")
            raise NotFoundError(sentence(f"There is no plan {name!r}", advice, "no folder has one"))
        for _ in range(MOST_READS):
            self._unload_unused(edits)
            edits.clear()
            for name in self._versions.changed(found, names):
                edits[name] = await self._read_one(name, found.get(name), anew=name in names)
            now = await look(self._plans.folders) if edits else found
            if now == found:
                break
            found = now
        return found

    async def _read_one(self, name: str, found: Found | None, *, anew: bool) -> Edit:
        if found is None:
            return Edit(None)
        used = self._plans.plans.get(name)
        return await read_plan(found.folder, None if anew or used is None else used.code, self.seconds)

    async def _apply(self, edits: Mapping[str, Edit]) -> tuple[frozenset[str], Refusals]:
        """Makes the plans with the good edits the current ones, in one stroke.

        Returns:
            Names of the plans whose edits are in use now; what is wrong with the others.
        """
        last, services = self._plans.current, self._plans.services

        def prepare() -> tuple[Verdict, Generation | None]:
            verdict = judge(last, edits, services)
            return verdict, self._make(verdict.plans) if verdict.taken else None

        try:
            verdict, generation = await asyncio.to_thread(prepare)
            if generation is not None:
                self._take(generation)
        except Exception as error:  # noqa: BLE001 (the last good plans stay, and whoever edits is told)
            _log.exception("reload_crashed", plans=sorted(edits))
            message = f"this edit cannot be used: {type(error).__name__}: {error}"
            return frozenset(), {name: [Problem(name, 0, 0, message)] for name in edits}
        return verdict.taken, dict(verdict.refused)

    def _unload_unused(self, edits: Mapping[str, Edit]) -> None:
        """Forgets the modules of edits that are not used."""
        used = {id(plan.code) for plan in self._plans.plans.values()}
        for edit in edits.values():
            if edit.plan is not None and id(edit.plan.code) not in used:
                edit.plan.code.unload()


def _note(event: PlanNotice) -> None:
    """A refused edit stands in the log as a warning, and so does its end; other reloads in passing."""
    usual = isinstance(event, PlansReloaded) and not event.mended
    log = _log.info if usual else _log.warning
    for line in notice_of(event):
        log("plans", notice=line)
