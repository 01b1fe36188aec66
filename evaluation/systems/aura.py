"""This build, through the door that `aura plan` uses, so that what is measured is what a person gets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from agent.cli.ask import PlanSource, planning
from agent.cli.invocation import Invocation, current
from agent.errors import ModelMissingError
from agent.llm.token_count import TokenCount
from agent.planner import PlannerConfig, plan_steps
from aura_core.errors import AuraError
from evaluation.systems.system import Made, System, Task


class Aura:
    """Plans in this process.

    Args:
        config_for: what a plan depends on, as `aura plan` makes it.
        meter: makes a meter that has counted nothing.
        without: parts of the planner that are switched off.
    """

    def __init__(
        self,
        config_for: Callable[[TokenCount], PlannerConfig],
        meter: Callable[[], TokenCount],
        without: frozenset[str],
    ) -> None:
        self._config_for = config_for
        self._meter = meter
        self._without = without

    def surroundings(self, task: Task) -> tuple[PlannerConfig, TokenCount]:
        """What a plan depends on, for one request, and the meter that counts for it."""
        meter = self._meter()
        config = replace(self._config_for(meter), files=task.files, past=task.past, without=self._without)
        return (config if task.cards is None else replace(config, catalogue=task.cards)), meter

    async def plan(self, task: Task) -> Made:
        """Plans one request."""
        config, meter = self.surroundings(task)
        try:
            plan = await plan_steps(config, task.request, task.context)
        except ModelMissingError:
            raise
        except AuraError as error:
            return Made(None, str(error), meter.read, meter.written)
        return Made(plan.model_dump(mode="json"), "", meter.read, meter.written, plan.repairs)


@asynccontextmanager
async def opened(without: frozenset[str] = frozenset()) -> AsyncGenerator[Aura]:
    """This build's planner with its model, for the block."""
    token = current.set(Invocation())
    try:
        async with planning(PlanSource(None, None, None)) as (config_for, meter):
            yield Aura(config_for, meter, without)
    finally:
        current.reset(token)


@asynccontextmanager
async def aura(without: frozenset[str]) -> AsyncGenerator[System]:
    """This build's planner as one of the systems."""
    async with opened(without) as system:
        yield system
