"""Wiring: makes every part of an App, from the bottom up, and joins them as the configuration wants it."""

from __future__ import annotations

from typing import Any

from agent.clock import now_for
from agent.config import AppConfig
from agent.delivery import Channels, Deliveries
from agent.dispatcher import Dispatcher
from agent.executor import Executor
from agent.llm.client import ModelClient
from agent.llm.meter import Ledger, Meter
from agent.llm.service import PlanModelService
from agent.orchestrator import OrchestratorRunner
from agent.past_plans import PastPlans
from agent.questions.service import QuestionService
from agent.questions.waits import Waits
from agent.run.activities import Activities
from agent.run.crash_loop import CrashLoopGuard
from agent.run.missing_plugins import MissingPlugins
from agent.run.runs import Runs
from agent.run.state import LiveRun
from agent.run.steps import StepTask
from agent.run.turns import Turns
from agent.schedules.owner import PLAN_PROFILE
from agent.schedules.runner import JobRunner
from agent.schedules.service import UserScheduleService
from agent.schedules.telling import Telling
from agent.schedules.user_jobs import Check, UserJobs, check_job
from agent.sessions import SessionStore
from aura_core.durable.local import LocalEngine
from aura_core.durable.protocol import Engine
from aura_core.execution_manager import ExecutionLimits
from aura_core.framework import Framework
from aura_core.ground.events import EventBus
from aura_core.scheduler.jobs import Jobs
from aura_core.storage.database import Database
from aura_core.storage.documents import Documents, SqliteDocuments
from aura_core.storage.losses import Losses


class Parts:
    """Everything an App is made of; each part gets all that it needs when it is made. Nothing is started yet.

    Args:
        config: settings.
        database: of AURA_HOME.
        model: the model client.
    """

    def __init__(self, config: AppConfig, database: Database, model: ModelClient) -> None:
        self.database = database
        self.model = model
        self.events = EventBus()
        self.channels = Channels()
        self.engine: Engine = LocalEngine(database)
        self.documents: Documents = SqliteDocuments(database)
        self.sessions = SessionStore(config.home)
        waits = Waits()
        self.questions = QuestionService(config, self.engine, self.events, self.channels, waits)
        check: Check = lambda owner, task, inputs: check_job(config, self.framework, owner, task, inputs)  # noqa: E731
        jobs = Jobs(self.documents, timezone=config.profile(PLAN_PROFILE).timezone)
        self.schedules = UserScheduleService(UserJobs(jobs, check))

        step_meters: dict[str, Meter] = {}
        services = {"llm": PlanModelService(model, step_meters), "chat": self.questions, "schedule": self.schedules}
        self.framework = _framework(config, self.events, services)
        self.dispatcher = Dispatcher(self.framework)

        deliveries = Deliveries(self.engine, self.channels, self.sessions)
        missing_plugins = MissingPlugins(self.framework, self.engine, waits, deliveries)
        executor = Executor(
            self.framework,
            model,
            self.dispatcher,
            self.sessions,
            missing_plugins,
            CrashLoopGuard(self.engine),
            self.questions,
            now_for,
            config.planner.agent_turns,
        )
        self.past_plans = PastPlans(self.documents)
        activities = Activities(
            config,
            model,
            self.dispatcher,
            executor,
            self.sessions,
            self.events,
            deliveries,
            self.past_plans,
            now_for,
        )
        live: dict[str, LiveRun] = {}
        ledger = Ledger(config.home / "usage.json")
        steps = StepTask(config, self.engine, self.events, executor, ledger, step_meters, live)
        turns = Turns(waits, self.events)
        self.runner = OrchestratorRunner(
            config, self.engine, self.events, activities, steps, self.questions, turns, live
        )
        self.runs = Runs(config, self.engine, live, self.events, self.questions, missing_plugins, deliveries)
        telling = Telling(config, self.channels, deliveries)
        self.jobs = JobRunner(config, self.dispatcher, self.channels, self.runs, telling)


def _framework(config: AppConfig, events: EventBus, services: dict[str, Any]) -> Framework:
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
        losses=Losses(config.home),
        load_seconds=config.execution.load_seconds,
    )
