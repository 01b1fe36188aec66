"""ExecutionManager: decides when and how a tasklet runs: slots, time, hooks, pools (seed 001)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from aura_core.asynccontext import current_scope
from aura_core.engine.failure import explain
from aura_core.engine.time_limit import standing_still_with_the_task
from aura_core.errors import CoreError, InputError, ShutDownError, StatePlanningError
from aura_core.execution.calls import Unfinished
from aura_core.execution.clock import Clock
from aura_core.execution.limits import ExecutionLimits
from aura_core.execution.pools import Pools
from aura_core.execution.resources import Resources
from aura_core.execution.semaphores import PrioritySemaphore
from aura_core.execution.slots import Slots
from aura_core.execution.task_events import TaskChanged, TaskPhase
from aura_core.execution.task_scope import TaskScope
from aura_core.ground.logger import get_logger
from aura_core.submission.abandoned_calls import AbandonedCalls
from aura_core.submission.job import Job
from aura_core.submission.jobs import Jobs
from aura_core.submission.snapshot import Snapshot
from aura_core.tasklet import RunInfo, TaskError, Tasklet, TaskResult

if TYPE_CHECKING:
    from aura_core.ground.events import EventBus
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.hooks import HookManager

_log = get_logger(__name__)


class StatePlanner(Protocol):
    """Brings a plan into the state that a task requires."""

    async def reach(self, task: TaskDefinition, run: RunInfo) -> None:
        """Reaches `task.meta.requires_initial_state`; runs its own tasks without taking slots.

        Raises:
            StatePlanningError: it cannot be reached.
        """
        ...


class Guard(AbstractAsyncContextManager[None], Protocol):
    """Around a running task, from its state planning to its end."""

    def watch(self) -> None:
        """The task's own steps begin: whatever watches over them does too."""
        ...


class Interrupts(Protocol):
    """Watches over running tasks."""

    def guard(self, task: TaskDefinition, run: RunInfo, slots: Slots) -> Guard | None:
        """What is to be entered around a running task; None if nothing watches over it."""
        ...


class ExecutionManager:
    """The one entry for work: every task of every plan runs through `submit`.

    Args:
        snapshot: the plans with which a run begins now.
        pools: where plain functions run; started and ended with the manager.
        hooks: called at the moments of a task's life.
        events: told of every change of a task's status.
        limits: how much runs at once.
        state_planner: for tasks with `requires_initial_state`; without one they fail.
        interrupts: watches over running tasks; without it nothing does.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        *,
        pools: Pools,
        hooks: HookManager,
        events: EventBus,
        limits: ExecutionLimits,
        state_planner: StatePlanner | None = None,
        interrupts: Interrupts | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._hooks = hooks
        self._events = events
        self._limits = limits
        self.state_planner = state_planner
        self._interrupts = interrupts
        self.pools = pools
        self.resources = Resources(limits.resources)
        self._global_sem = PrioritySemaphore(limits.concurrency)
        self._mode_sems = {"io": PrioritySemaphore(limits.threads), "cpu": PrioritySemaphore(limits.processes)}
        self._jobs = Jobs()
        self._abandoned = AbandonedCalls()
        self._follow = self._abandoned.follow
        self._accepting = False

    @property
    def _resource_sems(self) -> dict[str, PrioritySemaphore]:
        return self.resources.semaphores

    @property
    def busy(self) -> int:
        """Tasklets that wait or run now."""
        return len(self._jobs)

    async def startup(self) -> None:
        """Makes the pools and begins to take work."""
        self.pools.startup()
        self._accepting = True

    async def shutdown(self) -> None:
        """Takes no more work, lets running tasks end within the grace period, cancels the rest, ends the pools.

        Tasks that have not begun are cancelled at once. Submitters of cancelled tasks get a result with status
        `cancelled`; nobody is left without one.
        """
        self._accepting = False
        grace = self._limits.grace
        await self._jobs.end(grace)
        await self.pools.shutdown(grace)
        await self._abandoned.end(grace)

    async def submit(self, tasklet: Tasklet) -> TaskResult:
        """Runs a tasklet when its slots are free.

        Cancelling the caller cancels the task; its slots become free only when its work has really ended.

        Args:
            tasklet: what to run.

        Returns:
            How it ended; unknown tasks, refused inputs and everything that goes wrong are in `error`.

        Raises:
            ShutDownError: no work is taken any more, or not yet.
        """
        if not self._accepting:
            raise ShutDownError(f"Task {tasklet.task} was not started: Aura is shutting down.")
        try:
            snapshot = self._snapshot().as_begun(tasklet.task, tasklet.run)
            task = snapshot.task(tasklet.task)
            inputs = task.validate_inputs(tasklet.inputs)
            semaphores = self._get_semaphores_for(tasklet, snapshot.resources_of(task))
            seconds = self._seconds(tasklet, task)
        except CoreError as error:
            return self._ended(tasklet, _failed(error, tasklet.task))
        slots = Slots(semaphores, _priority(tasklet, task), lambda phase: self._publish(tasklet, phase))
        unfinished = Unfinished(slots, self._follow)
        ended = asyncio.get_running_loop().create_future()
        job = Job(tasklet, task, inputs, slots, seconds, snapshot, ended, unfinished)
        self._jobs.add(job)
        self._publish(tasklet, "queued")
        work = job.work = asyncio.create_task(self._run_in_slots(job))
        snapshot.refcount.begin()
        work.add_done_callback(job.has_ended)
        try:
            await job.ended
        except asyncio.CancelledError:
            job.end("cancelled")
            await job.is_over()
            self._outcome(job, work)
            raise
        finally:
            self._jobs.discard(job)
        return self._outcome(job, work)

    def _outcome(self, job: Job, work: asyncio.Task[TaskResult]) -> TaskResult:
        """What the work gave; work that was cancelled before its first turn, or let go, could not say so itself."""
        if work.done() and not work.cancelled():
            return work.result()
        if job.result is None:
            job.result = self._ended(job.tasklet, job.given_up())
        return job.result

    def _seconds(self, tasklet: Tasklet, task: TaskDefinition) -> float | None:
        """How long a tasklet may run; None: without limit.

        Raises:
            InputError: it may not run at all.
        """
        if tasklet.timeout is not None and not tasklet.timeout > 0:
            raise InputError(f"The timeout of {tasklet.task} is {tasklet.timeout:g} s; give it more than 0, or none.")
        limits = (tasklet.timeout, task.meta.timeout, self._limits.task_timeout)
        return next((seconds for seconds in limits if seconds is not None), None)

    def _get_semaphores_for(self, tasklet: Tasklet, declared: Collection[str]) -> list[PrioritySemaphore]:
        """The semaphores of a tasklet, in the one order in which everybody takes them, so that nobody deadlocks.

        Also those of the tasks that its task may run or go on with: taken on the way they could block each other.

        Resources by name, then the pool the task keeps busy, then the global one: who waits for a resource keeps
        nobody else from running.
        """
        semaphores = self.resources.for_tags(tasklet.resources, declared=declared)
        if tasklet.mode != "async":
            semaphores.append(self._mode_sems[tasklet.mode])
        return [*semaphores, self._global_sem]

    async def _run_in_slots(self, job: Job) -> TaskResult:
        """Takes the slots, runs the job, and frees them when nothing of it runs any more, not even in a thread."""
        try:
            await job.slots.take()
        except asyncio.CancelledError:
            return self._ended(job.tasklet, job.given_up())
        current_scope.set(
            TaskScope(
                plan=job.task.plan,
                settings=job.snapshot.config,
                ends=(job.is_ending,),
                slots=job.slots,
                unfinished=job.unfinished,
                snapshot=job.snapshot,
            )
        )
        try:
            return await self._run(job)
        finally:
            if job.unfinished:
                self._abandoned.hold(job)
            else:
                await job.slots.give_back()
            job.wake_submitter()

    async def _run(self, job: Job) -> TaskResult:
        """One task with its slots: state, hooks, clock; expected ends apart from unexpected ones."""
        tasklet, task = job.tasklet, job.task
        job.started, before = perf_counter(), len(tasklet.run.done)
        try:
            result = await self._run_guarded(job)
        except asyncio.CancelledError:
            result = job.given_up()
        except StatePlanningError as error:
            result = _failed(error, task.ref)
        except Exception as error:  # noqa: BLE001 (a mistake of ours must not end whoever submitted the task)
            _log.exception("task_crashed", task=task.ref, corr_id=tasklet.run.corr_id)
            result = _failed(error, task.ref)
        if job.reason is not None:
            result = job.given_up()
        return await self._after(job, _timed(result, perf_counter() - job.started, tasklet.run.done[before:]))

    async def _run_under_clock(self, job: Job) -> TaskResult:
        if job.seconds is None:
            return await self._run_execution_chain(job)
        clock = Clock(lambda: job.end("timeout"))
        clock.start(job.seconds)
        try:
            with standing_still_with_the_task(clock):
                return await self._run_execution_chain(job)
        finally:
            clock.stop()

    async def _run_guarded(self, job: Job) -> TaskResult:
        """The task, watched over if it or anybody wants that; its state planning can be held as its steps can."""
        interrupts = self._interrupts
        guard = None if interrupts is None else interrupts.guard(job.task, job.tasklet.run, job.slots)
        if guard is None:
            await self._prepare(job)
            return await self._run_under_clock(job)
        async with guard:
            await self._prepare(job)
            guard.watch()
            return await self._run_under_clock(job)

    async def _prepare(self, job: Job) -> None:
        """All that comes before the task's own steps."""
        tasklet, task = job.tasklet, job.task
        await self._handle_state_planning(tasklet, task)
        self._publish(tasklet, "running")
        if "before_task_run" in self._hooks:
            await self._hooks.trigger("before_task_run", tasklet=tasklet, task=task)

    async def _handle_state_planning(self, tasklet: Tasklet, task: TaskDefinition) -> None:
        """Reaches the state that the task requires, if it requires one.

        Raises:
            StatePlanningError: it cannot be reached, or nobody can reach states here.
        """
        state = task.meta.requires_initial_state
        if state is None:
            return
        if self.state_planner is None:
            raise StatePlanningError(
                f"Task {task.ref} requires the state {state!r}, but there is no state planner here that could reach it."
            )
        self._publish(tasklet, "planning")
        await self.state_planner.reach(task, tasklet.run)

    async def _run_execution_chain(self, job: Job) -> TaskResult:
        """Hands the task to the Orchestrator of its plan."""
        return await job.snapshot.execute(job.task, job.inputs, job.tasklet.run)

    async def _after(self, job: Job, result: TaskResult) -> TaskResult:
        """Publishes how the task ended and calls the hooks of that moment, unless it was let go before."""
        if job.result is not None:
            return job.result
        job.result = self._ended(job.tasklet, result)
        moment = "after_task_success" if result.ok else "after_task_failure"
        for name in (moment, "after_task_run"):
            if name in self._hooks:
                with suppress(asyncio.CancelledError):  # it ended the hook; the task has ended before
                    await self._hooks.trigger(
                        name, tasklet=job.tasklet, task=job.task, result=result, error=result.error
                    )
        return result

    def _ended(self, tasklet: Tasklet, result: TaskResult) -> TaskResult:
        error = result.error
        if error is not None:
            log = _log.info if result.status == "cancelled" else _log.warning
            log(
                "task_failed",
                task=tasklet.task,
                status=result.status,
                step=error.step,
                location=error.location,
                reason=error.message,
                corr_id=tasklet.run.corr_id,
            )
        self._publish(tasklet, result.status, error)
        return result

    def _publish(self, tasklet: Tasklet, phase: TaskPhase, error: TaskError | None = None) -> None:
        if not self._events.has_subscribers:
            return
        run = tasklet.run
        self._events.publish(TaskChanged(tasklet.task, run.corr_id, run.session_id, phase, error))


def _priority(tasklet: Tasklet, task: TaskDefinition) -> int:
    return task.meta.priority if tasklet.priority is None else tasklet.priority


def _timed(result: TaskResult, seconds: float, done: Sequence[str]) -> TaskResult:
    """The result with its time; what the task had done before it failed is told."""
    error = None if result.error is None else result.error.after(done)
    return TaskResult(result.status, result.result, error, seconds, result.message, result.attachments)


def _failed(error: Exception, task: str) -> TaskResult:
    return TaskResult("error", error=TaskError(type(error).__name__, explain(error), task))
