"""Recording: an action of a recorded task is called once, a question asked once; after a crash the record counts.

Reads are kept in memory until an effect or a question follows, so that a task that only reads pays nothing. With the
first of those the text of the task is recorded too (see `task_texts`): what goes on after a crash has the same steps,
whatever the files say by then. So a record is found by its step alone, an action that is called once more has the same
`once_key`, and an answer belongs to the question that was asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2s
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aura_core.asynccontext import current_scope
from aura_core.context import RESERVED
from aura_core.engine.interpreter import Interpreter
from aura_core.errors import ActionError
from aura_core.ground.journal import NotKeptError, fingerprint, kept, revived
from aura_core.ground.logger import get_logger
from aura_core.ground.replay_key import JournalBuffer, Trail
from aura_core.ground.secrets import masked
from aura_core.language.steps import ActionStep, AskStep, ParallelStep, RunTaskStep, StepBase, place_text
from aura_core.tasklet import Attachment, RunInfo

if TYPE_CHECKING:
    from aura_core.context import Context
    from aura_core.ground.journal import Journal
    from aura_core.language.task import TaskDefinition
    from aura_core.plugins.registry import ActionDefinition

CHAT = "chat"
ValueT = TypeVar("ValueT")
_log = get_logger(__name__)


def begin(journal: Journal | None, path: str, first: Mapping[str, Any] | None = None) -> None:
    """Begins the line of a whole task in this asynchronous context; with None, nothing is recorded in it.

    Args:
        journal: where it is recorded.
        path: what tells it from other tasks of the same journal; may be empty.
        first: entries that are recorded before anything else.
    """
    trail = None if journal is None else Trail(JournalBuffer(journal, first), path)
    current_scope.set(current_scope.get().but(trail=trail))


def here() -> Trail:
    """The line of steps that runs now; asked for only by an engine whose task is recorded."""
    trail = current_scope.get().trail
    if trail is None:
        raise LookupError("nothing is recorded here")
    return trail


async def along(trail: Trail | None, work: Awaitable[ValueT]) -> ValueT:
    """Awaits work whose steps belong to this line; with None, none of them is recorded."""
    scope = current_scope.get()
    token = current_scope.set(scope.unrecorded() if trail is None else scope.but(trail=trail))
    try:
        return await work
    finally:
        current_scope.reset(token)


@dataclass(slots=True)
class Recording:
    """One execution of one action step, over all its attempts.

    Its record is found by the step as it is written, and a count if it runs on its line again: an effect that was done
    there is done, whatever values it would get now. A read is found only for the same values.

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
            await self.trail.journal.flush()
        return await self._call(params)

    async def done(self, result: Any) -> None:
        """Records that the step succeeded, before the engine goes on."""
        if self._recalled:
            return
        try:
            entry = {
                "result": _fit_to_keep(result),
                "set": _fit_to_keep(self._set),
                "params": self._mark,
                "files": [[str(file.path), file.caption] for file in self._attached],
                "marks": sorted(self.context.run.marks),
            }
        except NotKeptError as reason:
            _log.info("action_result_not_kept", action=self.action.ref, reason=str(reason))
            if not self._has_effect:
                return
            entry = {"lost": str(reason)}
        self.trail.journal.note(self._key, entry)
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
        self.context.run.marks.update(entry.get("marks", ()))
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


def _fit_to_keep(value: Any) -> Any:
    """A value as it is recorded.

    Raises:
        NotKeptError: it cannot be, or holds a secret, which belongs into no record.
    """
    entry = kept(value)
    if masked(entry) != entry:
        raise NotKeptError("it holds a secret")
    return entry


def _own(variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables that steps and actions give values to; the others the runtime keeps itself."""
    return ((name, value) for name, value in variables.items() if name not in RESERVED)


def _changed(before: tuple[Any, str] | None, value: Any) -> bool:
    """Whether an action gave a variable another value, or changed its value in place."""
    return before is None or before[0] is not value or before[1] != fingerprint(value)


class RecordedQuestion:
    """One execution of one `ask` step: a question is answered once.

    Args:
        engine: runs the step.
        step: the step.

    Attributes:
        known: whether it was answered before.
        answer: what the answer was.
    """

    def __init__(self, engine: Interpreter, step: AskStep) -> None:
        self._journal = here().journal
        self._key = here().key(step_label(engine, step))
        self._answer_key = f"{self._key}:answer"
        entry = self._journal.recall(self._answer_key)
        self.known = entry is not None
        self.answer: Any = None if entry is None else revived(entry["result"])

    async def before(self, run: RunInfo) -> RunInfo:
        """Records what the question may depend on; returns the run under which the same question is found again."""
        await self._journal.flush()
        return scoped(run, self._key)

    async def done(self, answer: Any) -> None:
        """Records the answer, before the engine goes on."""
        try:
            self._journal.note(self._answer_key, {"result": kept(answer)})
        except NotKeptError:
            return  # no text, and no answer of a person then: it is for its service to keep
        await self._journal.flush()


def scoped(run: RunInfo, key: str) -> RunInfo:
    """The run as an action or a question sees it: what it counts, it counts for itself."""
    return replace(run, scope=blake2s(key.encode(), digest_size=8).hexdigest(), calls={})


def step_label(engine: Interpreter, step: StepBase) -> str:
    """The step, told from all others of its plan."""
    task = _task_of(engine)
    return f"{task.ref}:{_name(task, step)}"


def call_label(engine: Interpreter, step: ActionStep | RunTaskStep) -> str:
    """The step and what it gives along, as it is written; worked out once, for loops call it often."""
    known, label = here().journal.labels, step_label(engine, step)
    if label not in known:
        written = (
            [f"action {step.action}", step.params.raw]
            if isinstance(step, ActionStep)
            else [f"run_task {step.run_task}", step.pass_params.raw]
        )
        known[label] = f"{label}:{fingerprint(written)}"
    return known[label]


def branch_lines(engine: Interpreter, step: ParallelStep) -> Sequence[Trail]:
    """A line of steps for each branch."""
    whole, name = here().inside(step_label(engine, step)), _name(_task_of(engine), step)
    return [whole.inside(f"{name}|{index}") for index in range(len(step.parallel))]


def _name(task: TaskDefinition, step: StepBase) -> str:
    """What records call a step of a task; its `id` may be there twice, once in `on_failure`."""
    if step.id is None:
        return place_text(step.place)
    is_second = step.place[0] == "on_failure" and any(
        other.id == step.id for first in task.steps for other in first.walk()
    )
    return f"{step.id}~2" if is_second else step.id


def _task_of(engine: Interpreter) -> TaskDefinition:
    if engine.task is None:
        raise LookupError("no task runs")
    return engine.task


def does_more_than_read(
    tasks: Iterable[TaskDefinition], actions_of: Callable[[str], Mapping[str, ActionDefinition]]
) -> bool:
    """Whether any of some tasks asks a person or calls an action with an effect: only then a run is recorded.

    Args:
        tasks: one, and those that it may run or go on with.
        actions_of: plan -> the actions that its steps may use.
    """
    return any(_matters(step, actions_of(task.plan)) for task in tasks for step in task.walk())


def _matters(step: StepBase, actions: Mapping[str, ActionDefinition]) -> bool:
    if isinstance(step, AskStep):
        return True
    action = actions.get(step.action) if isinstance(step, ActionStep) else None
    return action is not None and (action.spec.effects != "read" or CHAT in action.signature.services.values())
