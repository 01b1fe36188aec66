"""Receivers: who is told of a plan's job: the people that its `deliver` names, and of failures else the owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.addresses import TERMINAL, Address, address_of
from agent.config import AppConfig
from agent.schedules.owner import PLAN_PROFILE
from aura_core.ground.suggestions import hint, sentence


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who is told.

    Attributes:
        addresses: each once, in the order in which they were named.
        problems: names that mean nobody, in words.
    """

    addresses: tuple[Address, ...] = ()
    problems: tuple[str, ...] = ()


def receivers(names: Iterable[str], config: AppConfig) -> Receivers:
    """The people whom names mean.

    Args:
        names: `telegram:ID`, `terminal`, or a profile: everybody in it whose chat is known.
        config: knows the profiles.
    """
    found: dict[str, Address] = {}
    problems: list[str] = []
    profiles = config.all_profiles()
    for name in names:
        address = address_of(name)
        if address is not None:
            found.setdefault(name, address)
        elif name in profiles:
            people = _people_of(name, config)
            found |= {person: its for person, its in people.items() if person not in found}
            if not people:
                problems.append(f"nobody in the profile {name!r} has a chat that is known: name one as telegram:ID")
        else:
            advice = hint(name, [*profiles, TERMINAL], what="there are")
            problems.append(sentence(f"{name!r} is no profile and no telegram:ID", advice).rstrip("."))
    return Receivers(tuple(found.values()), tuple(problems))


def owner_address(config: AppConfig) -> tuple[Address, ...]:
    """Where the owner of this Aura is reached: in Telegram, or else at the terminal."""
    return tuple(_people_of(PLAN_PROFILE, config).values())


def _people_of(profile: str, config: AppConfig) -> dict[str, Address]:
    """The chats of a profile's people; the terminal counts only if there is no other."""
    people = {name: address for name in config.profile(profile).people if (address := address_of(name)) is not None}
    others = {name: address for name, address in people.items() if address.channel != TERMINAL}
    return others or dict(list(people.items())[:1])
