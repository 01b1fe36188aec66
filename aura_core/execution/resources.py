"""Resource tags `name:limit`: what they mean, and which limit holds when several places name one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic_core import PydanticCustomError

from aura_core.errors import InputError
from aura_core.execution.semaphores import PrioritySemaphore


def split_resource(tag: str) -> tuple[str, int | None]:
    """`name:limit` as name and limit; the limit is None if it is left out, which counts as 1.

    Raises:
        PydanticCustomError: the name is empty, or the limit is not a whole number above zero.
    """
    name, colon, limit = tag.partition(":")
    if not name.strip() or (colon and not (limit.isdecimal() and int(limit) > 0)):
        message = "{tag} is not a resource: write name or name:limit, with a limit of 1 or more"
        raise PydanticCustomError("resource", message, {"tag": repr(tag)})
    return name, int(limit) if colon else None


def parse_tag(tag: str) -> tuple[str, int | None]:
    """Name and limit of a tag; None if the tag names no limit.

    Args:
        tag: e.g. "net:4" or "notes".

    Raises:
        InputError: it is not a tag, or its limit is below 1.
    """
    try:
        return split_resource(tag)
    except ValueError as error:
        raise InputError(f"{error}.") from error


class Resources:
    """The semaphores of all resources, one per name.

    The limit of a resource is the configured one, else the one its tags name, else 1.

    Args:
        configured: resource name -> limit, 1 or more; wins over every tag.
    """

    def __init__(self, configured: Mapping[str, int]) -> None:
        self._configured = dict(configured)
        self._limits: dict[str, int] = {}
        self._of_plans: Mapping[str, int] = {}
        self.semaphores: dict[str, PrioritySemaphore] = {}

    def declare(self, tag: str) -> str:
        """Notes what a tag says and returns the resource's name.

        Raises:
            InputError: it is not a tag, or another place gave this resource another limit.
        """
        name, limit = parse_tag(tag)
        if name in self._configured or limit is None:
            return name
        known = self._limits.setdefault(name, limit)
        if known != limit:
            raise InputError(
                f"The resource {name!r} has two limits, {known} and {limit}; "
                "give it the same one everywhere, or set it in the configuration."
            )
        return name

    def follow(self, tags: Iterable[str]) -> None:
        """Puts what plans say in the place of what they said before; what runs keeps the places it has.

        Args:
            tags: those of all plans; they do not contradict each other.
        """
        plans = Resources(self._configured)
        for tag in tags:
            plans.declare(tag)
        tasklets = {name: limit for name, limit in self._limits.items() if name not in self._of_plans}
        self._of_plans, self._limits = plans._limits, {**tasklets, **plans._limits}
        for name in self.semaphores:
            self.semaphore(name)

    def semaphore(self, name: str) -> PrioritySemaphore:
        """The semaphore of a resource."""
        semaphore = self.semaphores.get(name)
        limit = self._configured.get(name) or self._limits.get(name, 1)
        if semaphore is None:
            semaphore = self.semaphores[name] = PrioritySemaphore(limit)
        elif semaphore.limit != limit:
            semaphore.resize(limit)
        return semaphore

    def for_tags(self, tags: Iterable[str], *, declared: Iterable[str] = ()) -> list[PrioritySemaphore]:
        """The semaphores of some tags, each once, in the one order in which everybody takes them.

        Args:
            tags: of a tasklet.
            declared: of its task: limits in them counted when the plan was loaded, and may be others by now.
        """
        names = {self.declare(tag) for tag in tags} | {parse_tag(tag)[0] for tag in declared}
        return [self.semaphore(name) for name in sorted(names)]
