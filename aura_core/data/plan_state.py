"""A plan's persistent data: one JSON file, read as a mapping, changed only through `edit`."""

from __future__ import annotations

import asyncio
import copy
import json
import os
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aura_core.asynccontext import observe
from aura_core.errors import HomeNotWritableError, PlanStateError
from aura_core.ground.json_text import parse_json
from aura_core.ground.logger import get_logger
from aura_core.storage.atomic_file import set_aside, write_atomically

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

    from aura_core.ground.events import EventBus
    from aura_core.storage.losses import Losses

LOCK_SECONDS = 30.0
"""How long an edit waits for another program that is editing the same file."""

_log = get_logger(__name__)
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class StateSetAside:
    """A plan's data file could not be read and was kept under a new name; the plan starts with no data.

    Attributes:
        plan: name of the plan.
        kept_as: absolute path of the damaged file now.
        reason: what is wrong with it.
    """

    plan: str
    kept_as: Path
    reason: str


class StateView(Mapping[str, Any]):
    """`state` in expressions: what a plan keeps, to be read and nothing else; a recorded task sees it as it was.

    Args:
        state: the plan's data.
    """

    __slots__ = ("_state",)

    def __init__(self, state: PlanState) -> None:
        self._state = state

    def __getitem__(self, key: str) -> Any:
        return observe(f"state.{key}", lambda: self._state[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return observe("state", lambda: list(self._state))

    def __repr__(self) -> str:
        """As a mapping is shown."""
        return repr(dict(self))


class PlanState(Mapping[str, Any]):
    """What a plan keeps between runs: `context.state` in actions; expressions see it through `view` (seed 000).

    What you read is shared by all runs of the plan, so treat it as read-only; to change it:

        async with context.state.edit() as data:
            data.setdefault("notes", []).append(note)

    Every edit works on a copy; the file and the mapping change only when the block ends without an exception.

    A damaged file is set aside, and no empty list: reading and editing fail, until a person has seen what was lost.

    Args:
        plan: name of the plan.
        path: the file.
        events: told when it is set aside.
        losses: keeps that it was until a person has seen it; without, it is told once.
    """

    def __init__(self, plan: str, path: Path, events: EventBus | None = None, losses: Losses | None = None) -> None:
        self.plan = plan
        self.path = path
        self.view = StateView(self)
        self._events = events
        self._losses = losses
        self._data: dict[str, Any] = {}
        self._stamp: _Stamp | None = None
        self._editing = asyncio.Lock()

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    async def refresh(self) -> None:
        """Reads the file if it changed since it was last read; otherwise costs one `stat`.

        Raises:
            PlanStateError: it was damaged, and nobody has seen that yet.
        """
        stamp = _stamp_of(self.path)
        if stamp != self._stamp:
            async with self._editing:
                await self._read()
        elif stamp is None:
            self._check_lost()

    @asynccontextmanager
    async def edit(self) -> AsyncGenerator[dict[str, Any]]:
        """Hands out a copy of the data and stores it when the block ends cleanly; one editor at a time.

        Raises:
            PlanStateError: the data is not JSON, the file cannot be written, another program holds it too long, or it
                was damaged and nobody has seen that yet.
        """
        async with self._editing, self._locked():
            await self._read()
            data = copy.deepcopy(self._data)
            yield data
            text = self._to_json(data)
            try:
                await asyncio.to_thread(write_atomically, self.path, text)
            except HomeNotWritableError as error:
                raise PlanStateError(f"The data of plan {self.plan} was not stored. {error}") from error
            self._data, self._stamp = data, _stamp_of(self.path)

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[None]:
        from filelock import AsyncFileLock, Timeout  # noqa: PLC0415 (most tasks keep nothing)

        lock = AsyncFileLock(f"{self.path}.lock", timeout=LOCK_SECONDS, run_in_executor=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            await lock.acquire()
        except Timeout as error:
            raise PlanStateError(
                f"The data of plan {self.plan} is being edited by another program for more than "
                f"{LOCK_SECONDS:.0f} seconds; end that program or try again."
            ) from error
        except OSError as error:
            raise PlanStateError(f"The data of plan {self.plan} cannot be written to {self.path}: {error}.") from error
        try:
            yield
        finally:
            await lock.release()

    def _to_json(self, data: dict[str, Any]) -> str:
        try:
            return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise PlanStateError(
                f"The data of plan {self.plan} was not stored, because it is no JSON: {error}; "
                "keep only text, numbers, true/false, lists and objects in it."
            ) from error

    async def _read(self) -> None:
        stamp = _stamp_of(self.path)
        if stamp is None:
            self._data, self._stamp = {}, None
            self._check_lost()
            return
        if stamp == self._stamp:
            return
        try:
            value = parse_json(await asyncio.to_thread(self.path.read_text, "utf-8"))
            if not isinstance(value, dict):
                raise ValueError("it is not a JSON object")  # noqa: TRY004, TRY301 (one handler for every damage)
        except ValueError as error:
            raise PlanStateError(self._set_aside(str(error))) from error
        self._data, self._stamp = value, stamp

    def _check_lost(self) -> None:
        if self._losses is not None and (lost := self._losses.about(self.path)):
            raise PlanStateError(lost)

    def _set_aside(self, reason: str) -> str:
        kept_as = set_aside(self.path)
        self._data, self._stamp = {}, None
        _log.warning("plan_data_set_aside", plan=self.plan, kept_as=str(kept_as), reason=reason)
        if self._events is not None:
            self._events.publish(StateSetAside(self.plan, kept_as, reason))
        text = (
            f"The data of plan {self.plan} was damaged ({reason}). It is kept as {kept_as}. Put a sound "
            f"{self.path.name} back in its place; else the plan begins with none once you have seen this."
        )
        if self._losses is not None:
            self._losses.add(text, self.path)
        return text


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 (half the time of Path.stat, once per task)
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
