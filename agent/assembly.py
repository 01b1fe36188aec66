"""Assembly: makes the parts of an App from the bottom up, as the configuration wants them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.config import AppConfig
from agent.llm.client import ModelClient
from agent.llm.meter import Ledger, Meter
from agent.llm.service import PlanModelService
from agent.prompts import use_prompts_from
from agent.questions.desk import QuestionDesk
from agent.schedules.owner import JobOwner
from agent.schedules.service import UserScheduleService
from agent.schedules.user_jobs import UserJobs, check_job
from agent.sessions import SessionStore
from agent.transports import Channels
from aura_core.durable.local import LocalEngine
from aura_core.durable.protocol import Engine
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.ground.events import EventBus
from aura_core.language.task import TaskDefinition
from aura_core.scheduler.jobs import Jobs
from aura_core.storage.database import Database
from aura_core.storage.documents import Documents, SqliteDocuments


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an App is made of.

    Attributes:
        events: progress of all runs.
        channels: where answers and questions go.
        model: the model client.
        database: the file of everything that lasts.
        engine: the durable engine, on the database.
        documents: small values that last, in the database.
        framework: the task framework.
        sessions: session folders.
        ledger: what was spent per profile and day.
        desk: questions to the person.
        schedules: jobs that run by themselves.
        step_meters: meters of the steps in flight, by idempotency key.
    """

    events: EventBus
    channels: Channels
    model: ModelClient
    database: Database
    engine: Engine
    documents: Documents
    framework: Framework
    sessions: SessionStore
    ledger: Ledger
    desk: QuestionDesk
    schedules: UserScheduleService
    step_meters: dict[str, Meter]


async def assemble(config: AppConfig, database: Database, stack: AsyncExitStack, *, model: ModelClient | None) -> Parts:
    """Makes the parts from the bottom up, the model client too unless there is one; `stack` ends what it made."""
    use_prompts_from(config.home / "prompts")
    events, channels, step_meters = EventBus(), Channels(), dict[str, Meter]()
    if model is None:
        model = await ModelClient.open(config)
        stack.push_async_callback(model.close)
    engine = LocalEngine(database)
    desk = QuestionDesk(engine, events, channels)
    documents = SqliteDocuments(database)

    def check(owner: JobOwner, task: str, inputs: Mapping[str, Any]) -> TaskDefinition:
        return check_job(config, framework, owner, task, inputs)  # plans, whose service it is, are loaded by then

    schedules = UserScheduleService(UserJobs(Jobs(documents), check))
    services = {"llm": PlanModelService(model, step_meters), "chat": desk, "schedule": schedules}
    framework = await stack.enter_async_context(build_framework(config, events, services))
    return Parts(
        events=events,
        channels=channels,
        model=model,
        database=database,
        engine=engine,
        documents=documents,
        framework=framework,
        sessions=SessionStore(config.home),
        ledger=Ledger(config.home / "usage.json"),
        desk=desk,
        schedules=schedules,
        step_meters=step_meters,
    )


def build_framework(config: AppConfig, events: EventBus, services: dict[str, Any]) -> Framework:
    """The task framework as the configuration wants it; not started yet. Makes the folder of the person's own plans."""
    config.own_plans.mkdir(parents=True, exist_ok=True)
    limits = ExecutionLimits(
        concurrency=config.execution.concurrency,
        threads=config.execution.threads,
        processes=config.execution.processes,
        resources=config.execution.limits,
        task_timeout=config.execution.task_timeout,
    )
    return Framework(
        config.known_plan_folders,
        config.home / "plans",
        settings=config.plans,
        services=services,
        limits=limits,
        events=events,
        load_seconds=config.execution.load_seconds,
    )


def local_now() -> datetime:
    """The local time, aware."""
    return datetime.now().astimezone()
