"""Context: the variables of one running task, its run and its plan's data; ContextManager makes them."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aura_core.data.files import resolve_inside
from aura_core.data.plan_state import PlanState
from aura_core.errors import ForbiddenPathError
from aura_core.tasklet import FROM_OUTSIDE, Attachment, RunInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aura_core.ground.events import EventBus
    from aura_core.storage.losses import Losses

RESERVED = frozenset({"inputs", "state", "loop", "error"})
"""Names in the scope that the runtime keeps itself; a step may not set them."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


class Context:
    """What the steps of a task see and change (seeds 000, 002).

    Attributes:
        variables: the scope of expressions: variable name -> value, with `inputs`, `state`, `loop`, `error` in it.
        plan: name of the plan whose task runs.
        run: who asked, the session, its files and attachments; shared by all tasks of the run.
        state: the plan's persistent data.
        last: result of the step that ran last in this context, or None.
        folder: where a run without a session gets a files folder of its own.
    """

    __slots__ = ("folder", "last", "plan", "run", "state", "variables")

    def __init__(self, variables: dict[str, Any], plan: str, run: RunInfo, state: PlanState, folder: Path) -> None:
        self.variables = variables
        self.plan = plan
        self.run = run
        self.state = state
        self.folder = folder
        self.last: Any = None

    @property
    def inputs(self) -> dict[str, Any]:
        """The validated inputs of the task."""
        return self.variables["inputs"]

    @property
    def from_outside(self) -> bool:
        """Whether words of strangers may be in what the task works on; what keeps something keeps this beside it."""
        return self.run.untrusted or FROM_OUTSIDE in self.run.marks

    def mark_from_outside(self) -> None:
        """Says that what the action gives back holds words of strangers, e.g. a note that was made of a page."""
        self.run.marks.add(FROM_OUTSIDE)

    def keep_origin(self, name: str) -> None:
        """Keeps beside a file that was made whether its name came from outside; call it after making one.

        Args:
            name: relative to `files`.
        """
        from aura_core.data.outside_names import keep_name  # noqa: PLC0415 (most tasks make no file)

        keep_name(self.files, name, from_outside=self.from_outside)

    def show_names(self, names: Iterable[str]) -> None:
        """Marks what the action gives back if it holds the name of a file that came from outside.

        Args:
            names: relative to `files`.
        """
        from aura_core.data.outside_names import names_from_outside  # noqa: PLC0415 (most tasks name no file)

        if not names_from_outside(self.files).isdisjoint(names):
            self.mark_from_outside()

    def fork(self) -> Context:
        """A context whose variables start as these and change on their own; run and state are shared."""
        return Context(self.variables.copy(), self.plan, self.run, self.state, self.folder)

    @property
    def files(self) -> Path:
        """The session's files folder, made if need be; without a session, a folder of the run's own."""
        folder = self.run.files_folder
        if folder is None:
            name = self.run.corr_id if _SAFE_NAME.fullmatch(self.run.corr_id) else uuid.uuid4().hex
            folder = self.run.files_folder = (self.folder / "files" / name).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def attach(self, path: Path | str, caption: str = "") -> Attachment:
        """Hands a file of this run to the person, after the task.

        Args:
            path: a file inside `files`, relative to it or absolute.
            caption: one line of text beside it.

        Raises:
            ForbiddenPathError: the path leaves the files folder, or there is no such file.
        """
        folder = self.files
        inside = Path(path)
        if inside.is_absolute() and inside.resolve().is_relative_to(folder.resolve()):
            inside = inside.resolve().relative_to(folder.resolve())
        file = resolve_inside(folder, inside)
        if not file.is_file():
            raise ForbiddenPathError(f"The file {str(path)!r} cannot be attached: it does not exist.")
        attachment = Attachment(file, caption)
        self.run.attachments.append(attachment)
        return attachment


class ContextManager:
    """Makes contexts and keeps one PlanState per plan.

    Args:
        data_folder: where `<plan>.json` files live; created with the first edit.
        events: told when a damaged file is set aside.
        losses: keeps that it was until a person has seen it.
    """

    def __init__(self, data_folder: Path, events: EventBus | None = None, losses: Losses | None = None) -> None:
        self._folder = data_folder
        self._events = events
        self._losses = losses
        self._states: dict[str, PlanState] = {}

    def state(self, plan: str) -> PlanState:
        """The persistent data of `plan`, as it was read last."""
        state = self._states.get(plan)
        if state is None:
            state = self._states[plan] = PlanState(plan, self._folder / f"{plan}.json", self._events, self._losses)
        return state

    async def create(self, plan: str, run: RunInfo, inputs: dict[str, Any], **variables: Any) -> Context:
        """A fresh context for a task of `plan`, with the plan's data as it stands on disk."""
        state = self.state(plan)
        await state.refresh()
        return Context({**variables, "inputs": inputs, "state": state.view}, plan, run, state, self._folder)

    async def sub_context(self, parent: Context, plan: str, inputs: Mapping[str, Any]) -> Context:
        """A fork of `parent` for a sub-task, with the sub-task's inputs and its plan's data."""
        state = parent.state if plan == parent.plan else self.state(plan)
        await state.refresh()
        variables = {**parent.variables, "inputs": dict(inputs), "state": state.view}
        return Context(variables, plan, parent.run, state, self._folder)
