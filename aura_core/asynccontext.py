"""What running code has around it: one scope, kept in one context variable, and what it sees of the world there.

`current_plan_name` and `plan_context` are the names of seed 003.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache
from operator import attrgetter
from typing import Any, Final, Protocol, Self

from aura_core.ground.replay_key import Trail, real_now

Asked = Callable[[], bool]
"""Whether a piece of work was asked to end by itself."""


class Settings(Protocol):
    """Settings of all plans (see `ConfigService`)."""

    def get(self, path: str, default: Any = ..., *, plan: str | None = None) -> Any:
        """The setting at a dotted path."""
        ...


@dataclass(slots=True, eq=False)
class RunScope:
    """What the code that runs in an asynchronous context has around it. Nothing in it changes: `but` makes another.

    The type checker holds that. `frozen=True` would hold it as well, and make a scope six times as dear; every task
    makes one.

    Attributes:
        plan: whose code runs; None outside any plan.
        settings: what `config()` asks; None outside any task.
        trail: the line of steps that runs; None where nothing is recorded.
        zone: the time zone of the person behind the run; None is the machine's.
        ends: the pieces of work around it that may be asked to end by themselves, and whether they were.
    """

    plan: Final[str | None] = None
    settings: Final[Settings | None] = None
    trail: Final[Trail | None] = None
    zone: Final[tzinfo | None] = None
    ends: Final[tuple[Asked, ...]] = ()
    _near: dict[str | None, Self] | None = field(default=None, init=False, repr=False)

    def but(self, **changes: Any) -> Self:
        """A scope that differs in some attributes; `dataclasses.replace` takes twice as long."""
        scope = type(self)(*_values_of(type(self))(self))
        for name, value in changes.items():
            setattr(scope, name, value)
        return scope

    def in_plan(self, plan: str) -> Self:
        """The scope with another plan's code in it; made once, for every call of another plan's action asks for it."""
        return self._neighbour(plan) or self._keep(plan, self.but(plan=plan))

    def unrecorded(self) -> Self:
        """The scope in which nothing is recorded; made once, for every recorded action runs in it."""
        return self._neighbour(None) or self._keep(None, self.but(trail=None))

    def _neighbour(self, name: str | None) -> Self | None:
        return None if self._near is None else self._near.get(name)

    def _keep(self, name: str | None, scope: Self) -> Self:
        if self._near is None:
            self._near = {}
        self._near[name] = scope
        return scope


@cache
def _values_of(kind: type[RunScope]) -> Callable[[RunScope], tuple[Any, ...]]:
    """What gives the values of a scope's attributes, in their order."""
    return attrgetter(*kind.__match_args__)


_NOTHING = RunScope()
current_scope: ContextVar[RunScope] = ContextVar("current_scope", default=_NOTHING)
"""The scope of this asynchronous context."""


def inside(scope: RunScope) -> AbstractContextManager[None]:
    """Makes `scope` the current one for the block, and restores the previous one however the block ends."""
    return _Inside(scope)


_NO_CHANGE = nullcontext()


class _Inside:
    """Written out, not a generator: every task enters one, and this costs a third."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: RunScope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._token = current_scope.set(self._scope)

    def __exit__(self, *_exception: object) -> None:
        current_scope.reset(self._token)


def code_of(plan: str, settings: Settings | None, zone: tzinfo | None = None) -> AbstractContextManager[None]:
    """For the block, a plan's code runs, `config()` in it asks these settings, and clocks are those of a zone."""
    scope = current_scope.get()
    if scope.plan == plan and scope.settings is settings and scope.zone is zone:
        return _NO_CHANGE
    return _Inside(scope.but(plan=plan, settings=settings, zone=zone))


def using_zone(zone: tzinfo | None) -> AbstractContextManager[None]:
    """Makes `zone` the one whose clock is meant, for the block."""
    return _Inside(current_scope.get().but(zone=zone))


def plan_context(plan_name: str) -> AbstractAsyncContextManager[None]:
    """Makes `plan_name` the current plan for the block, and restores the previous one however the block ends.

    Entering the plan that is already current costs nothing and changes nothing.

    Args:
        plan_name: the plan's folder name, as in `plan/task`.
    """
    return _PlanContext(plan_name)


class _PlanContext:
    """Written out as `_Inside` is."""

    __slots__ = ("_plan", "_token")

    def __init__(self, plan: str) -> None:
        self._plan = plan
        self._token: Token[RunScope] | None = None

    async def __aenter__(self) -> None:
        scope = current_scope.get()
        if scope.plan != self._plan:
            self._token = current_scope.set(scope.in_plan(self._plan))

    async def __aexit__(self, *_exception: object) -> None:
        if self._token is not None:
            current_scope.reset(self._token)


class _CurrentPlanName:
    """The plan of the current scope, read and set as a context variable is."""

    def get(self) -> str | None:
        """Name of the plan whose code runs in this asynchronous context; None outside any plan."""
        return current_scope.get().plan

    def set(self, plan_name: str) -> Token[RunScope]:
        """Makes a plan the current one until `reset`."""
        return current_scope.set(current_scope.get().in_plan(plan_name))

    def reset(self, token: Token[RunScope]) -> None:
        """Restores what was current before `set`."""
        current_scope.reset(token)


current_plan_name = _CurrentPlanName()


def on_local_clock(moment: datetime) -> datetime:
    """A moment on the clock of the person behind the running task; on the machine's, where they have none set.

    Args:
        moment: aware.
    """
    return moment.astimezone(current_scope.get().zone)


def local_now() -> datetime:
    """This moment on the clock of the person behind the running task."""
    return on_local_clock(datetime.now(UTC))


def now() -> datetime:
    """This moment, as `now()` in expressions has it: a repeated task gets the moment that it got before."""
    trail = current_scope.get().trail
    return on_local_clock(real_now() if trail is None else trail.now())


def observe(label: str, look: Callable[[], Any]) -> Any:
    """What `look` gives now, or gave to an earlier attempt at the same recorded task.

    Args:
        label: what is looked at, e.g. "state.count".
        look: gives a JSON value, or raises KeyError where there is nothing to be seen.

    Raises:
        KeyError: there is, or was, nothing to be seen.
    """
    trail = current_scope.get().trail
    return look() if trail is None else trail.observe(label, look)
