"""Readiness: an embedded model is loaded and has read the planner's rules before the first request comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.config import PlannerSettings
from agent.contracts import Profile
from agent.dispatcher import Dispatcher
from agent.llm.client import ModelClient
from agent.planner.messages import planner_rules
from aura_core.generations.events import PlansReloaded
from aura_core.ground.events import EventBus

PURPOSE = "plan"
"""Of the planner's calls, by which the state of its rules is known."""


async def make_ready(
    model: ModelClient,
    dispatcher: Dispatcher,
    profiles: Sequence[Profile],
    *,
    settings: PlannerSettings,
    report: Callable[[float | None], None],
) -> None:
    """Makes the model ready for requests of these profiles.

    Args:
        model: the model client; one at an endpoint has nothing to do.
        dispatcher: says which tasks a profile may use.
        profiles: whose requests may come, the likeliest first.
        settings: limits on what the planner reads.
        report: learns how much is read, from 0 to 1; None once everything is.

    Raises:
        ModelError: there is no such model here, or it cannot be loaded; says why.
    """
    for profile in profiles:
        cards = dispatcher.catalogue(profile)
        same = len(cards) <= settings.shortlist  # otherwise the rules of each request name other tasks
        rules = planner_rules(cards, dispatcher.examples(profile), full=not model.embedded) if same else ""
        await model.prepare(rules, purpose=PURPOSE, model=profile.model, report=report)
    report(None)


async def keep_ready(
    model: ModelClient,
    dispatcher: Dispatcher,
    profiles: Sequence[Profile],
    *,
    settings: PlannerSettings,
    report: Callable[[float | None], None],
    events: EventBus,
) -> None:
    """Makes the model ready, and again after every edit of a plan, until cancelled; see `make_ready`.

    Args:
        model: as there.
        dispatcher: as there.
        profiles: as there.
        settings: as there.
        report: as there.
        events: tells of edited plans.
    """
    with events.subscribe(PlansReloaded) as edits:
        while True:
            await make_ready(model, dispatcher, profiles, settings=settings, report=report)
            await edits.next()
            edits.pending()
