"""Recording: an action of a recorded task is called once; after a crash its recorded result takes its place.

Reads are kept in memory until an effect or a question follows, so that a task that only reads pays nothing. Before the
first of those it is recorded what the steps are called, so that they are the same steps in an edited task: an action
that is called once more then has the same `once_key`, and its questions are found again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2s
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aura_core.context import RESERVED
from aura_core.engine.interpreter import Interpreter
from aura_core.engine.replay_key import Trail, along, begin, current_trail, here
from aura_core.errors import ActionError
from aura_core.ground.journal import NotKeptError, fingerprint, kept, revived
from aura_core.ground.logger import get_logger
from aura_core.language.steps import ActionStep, AskStep, GoTaskStep, ParallelStep, RunTaskStep, StepBase
from aura_core.tasklet import Attachment, RunInfo

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.engine.runtime import PlanRuntime
    from aura_core.engine.same_steps import State
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.registry import ActionDefinition

CHAT = "chat"
_log = get_logger(__name__)


@dataclass(slots=True)
class Recording:
    """One execution of one action step, over all its attempts.

    Its record is found by the step as it is written, and the how-manieth time it runs on its line: an effect that was
    done there is done, whatever values it would get now. A read is found only for the same values.

    Attributes:
        engine: runs the step.
        step: the step.
        action: what it calls.
        context: the step's variables.
        trail: the line of steps it belongs to.
    """

    engine: Interpreter
    step: ActionStep
    action: ActionDefinition
    context: Context
    trail: Trail = field(default_factory=here)
    _place: str = ""
    _key: str = ""
    _mark: str = ""
    _set: dict[str, Any] = field(default_factory=dict[str, Any])
    _attached: list[Attachment] = field(default_factory=list[Attachment])
    _recalled: bool = False

    def __post_init__(self) -> None:
        """Takes its place on the line."""
        self._place = self.trail.key(f"{call_label(self.engine, self.step)}:{self.action.ref}")

    async def attempt(self, params: Any) -> Any:
        """The recorded result, or that of calling the action now.

        The key does not say which attempt it is: an action that failed, was tried again and then succeeded is not
        tried from the start again after a crash.

        Args:
            params: what the step gives, by name.
        """
        self._mark = fingerprint(params)
        self._key = self._place if self._has_effect else f"{self._place}:{self._mark}"
        entry = self.trail.journal.recall(self._key)
        if entry is not None:
            return self._recall(entry)
        if self._has_effect or CHAT in self.action.signature.services.values():
            await self.trail.journal.flush(shapes=True)
        return await self._call(params)

    async def done(self, result: Any) -> None:
        """Records that the step succeeded, before the engine goes on."""
        if self._recalled:
            return
        try:
            entry = {
                "result": kept(result),
                "set": kept(self._set),
                "params": self._mark,
                "files": [[str(file.path), file.caption] for file in self._attached],
            }
        except NotKeptError as reason:
            _log.info("action_result_not_kept", action=self.action.ref, reason=str(reason))
            if not self._has_effect:
                return
            entry = {"lost": str(reason)}
        self.trail.journal.note(self._key, entry)
        mark(self.engine, self.step, "done")
        if self._has_effect:
            await self.trail.journal.flush()
        else:
            await self.trail.journal.flush_if_full()

    @property
    def _has_effect(self) -> bool:
        return self.action.spec.effects != "read"

    def _recall(self, entry: dict[str, Any]) -> Any:
        if "lost" in entry:
            raise ActionError(
                f"Action {self.action.ref} was done before Aura was interrupted and is not done again, but its result "
                f"could not be kept ({entry['lost']}); let it return plain values."
            )
        if entry.get("params", self._mark) != self._mark:
            _log.warning("recorded_with_other_params", action=self.action.ref, step=self.step.label)
        self._recalled = True
        self.context.variables.update(revived(entry["set"]))
        self.context.run.attachments.extend(Attachment(Path(path), caption) for path, caption in entry["files"])
        return revived(entry["result"])

    async def _call(self, params: Any) -> Any:
        """Calls the action in a context of its own: what it attaches, sets and counts is told from what others do."""
        run, variables = self.context.run, self.context.variables
        watches = bool(self.action.signature.injected)
        before = {name: (value, fingerprint(value)) for name, value in _own(variables)} if watches else {}
        context = self.context.fork()
        context.variables = variables
        context.run = scoped(run, self._key)
        context.run.attachments = self._attached = []
        try:
            result = await along(None, self.engine.call_action(self.action, params, context, self.engine))
        finally:
            run.attachments.extend(self._attached)
            run.files_folder = context.run.files_folder
        if watches:
            self._set = {name: value for name, value in _own(variables) if _changed(before.get(name), value)}
        return result


def _own(variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables that steps and actions give values to; the others the runtime keeps itself."""
    return ((name, value) for name, value in variables.items() if name not in RESERVED)


def _changed(before: tuple[Any, str] | None, value: Any) -> bool:
    """Whether an action gave a variable another value, or changed its value in place."""
    return before is None or before[0] is not value or before[1] != fingerprint(value)


def scoped(run: RunInfo, key: str) -> RunInfo:
    """The run as an action or a question sees it: what it counts, it counts for itself."""
    return replace(run, scope=blake2s(key.encode(), digest_size=8).hexdigest(), calls={})


def step_label(engine: Interpreter, step: StepBase) -> str:
    """The step, told from all others of its plan: what records call it, also when steps around it were edited.

    A step with others inside counts as done from here on: what is recorded inside is found by its label.
    """
    task = _task_of(engine)
    if not isinstance(step, ActionStep | AskStep):
        mark(engine, step, "done")
    return f"{task.ref}:{here().journal.shape(task).names[step.place]}"


def mark(engine: Interpreter, step: StepBase, state: State) -> None:
    """Says how far a step is, for the case that its task is edited."""
    task, journal = _task_of(engine), here().journal
    journal.mark(task, journal.shape(task).names[step.place], state)


def call_label(engine: Interpreter, step: ActionStep | RunTaskStep) -> str:
    """The step and what it gives along, as it is written: with other `params` it is another call."""
    return f"{step_label(engine, step)}:{here().journal.shape(_task_of(engine)).does[step.place]}"


def branch_lines(engine: Interpreter, step: ParallelStep) -> Sequence[Trail]:
    """A line of steps for each branch; one that was there before an edit keeps its line."""
    trail = here()
    return trail.branches(step_label(engine, step), trail.journal.shape(_task_of(engine)).branches[step.place])


def _task_of(engine: Interpreter) -> TaskDefinition:
    if engine.task is None:
        raise LookupError("no task runs")
    return engine.task


def begin_task(runtime: PlanRuntime, task: TaskDefinition, run: RunInfo) -> None:
    """Begins to record a task in this asynchronous context, if its run has a journal and it does more than read."""
    journal = run.journal
    if journal is None and current_trail.get() is None:
        return
    begin(journal if journal is not None and does_more_than_read(runtime, task) else None, run.scope)


def does_more_than_read(runtime: PlanRuntime, task: TaskDefinition) -> bool:
    """Whether the task, or one that it runs or goes on with, asks a person or calls an action with an effect."""
    return any(_matters(runtime, step) for runtime, step in _all_steps(runtime, task, set()))


def _matters(runtime: PlanRuntime, step: StepBase) -> bool:
    if isinstance(step, AskStep):
        return True
    action = runtime.actions.get(step.action) if isinstance(step, ActionStep) else None
    return action is not None and (action.spec.effects != "read" or CHAT in action.signature.services.values())


def _all_steps(runtime: PlanRuntime, task: TaskDefinition, seen: set[str]) -> Iterator[tuple[PlanRuntime, StepBase]]:
    """The steps of a task and of all tasks it may lead to, each with the plan it belongs to."""
    if task.ref in seen:
        return
    seen.add(task.ref)
    for step in task.walk():
        yield runtime, step
        ref = step.run_task if isinstance(step, RunTaskStep) else step.go_task if isinstance(step, GoTaskStep) else None
        if ref is not None:
            other = runtime.find_task(ref)
            plan = runtime if other.plan == runtime.plan else runtime.runtime_of(other.plan)
            yield from _all_steps(plan, other, seen)
