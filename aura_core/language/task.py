"""TaskDefinition: what a loaded task is to the rest of the core: immutable, complete, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from aura_core.expressions import Template
from aura_core.language import inputs
from aura_core.language.input_spec import object_schema
from aura_core.language.meta import OnFailure, TaskFile, TaskMeta
from aura_core.language.source import Source
from aura_core.language.steps import Place, Step, StepBase


@dataclass(frozen=True, eq=False)
class TaskDefinition:
    """One task.

    Attributes:
        plan: name of its plan.
        name: name inside the plan: `task` or `folder/task`.
        file: what its author wrote, as models.
        source: the file it stands in.
        root: path of the task inside that file: empty, or its name in a file of several.
    """

    plan: str
    name: str
    file: TaskFile
    source: Source
    root: Place = ()

    @property
    def ref(self) -> str:
        """Full reference, `plan/name`."""
        return f"{self.plan}/{self.name}"

    @property
    def meta(self) -> TaskMeta:
        """The `meta` block."""
        return self.file.meta

    @property
    def steps(self) -> list[Step]:
        """The top-level steps."""
        return self.file.steps

    @property
    def returns(self) -> Template | None:
        """Rendered at the end: the result."""
        return self.file.returns

    @property
    def outputs(self) -> Template | None:
        """What `run_task` hands back; None takes `returns`."""
        return self.file.outputs

    @property
    def on_failure(self) -> OnFailure | None:
        """What runs when the task failed."""
        return self.file.on_failure

    @cached_property
    def input_model(self) -> type[BaseModel]:
        """The inputs as a pydantic model, made when first asked for."""
        return inputs.create_model(f"Inputs of {self.ref}", self.meta.inputs)

    def input_schema(self) -> dict[str, Any]:
        """The inputs as JSON Schema, with `ask`, `needs`, `grounded` and `verbatim` as extra keys of a property."""
        return object_schema(self.meta.inputs)

    def validate_inputs(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Converts and checks inputs, and fills in defaults.

        Raises:
            InputError: names the task, every input that is wrong, and what is allowed.
        """
        if not values and not self.meta.inputs:
            return {}
        return inputs.validate(self.input_model, self.meta.inputs, self.ref, values)

    def location(self, place: Place) -> str:
        """`file:line:column` of something inside the task; worked out when asked for.

        Args:
            place: path inside the task, e.g. a step's `place`.
        """
        line, column = self.source.position((*self.root, *place))
        return f"{self.source.path}:{line}:{column}"

    def walk(self) -> Iterator[StepBase]:
        """All steps of the task, those of `on_failure` last, in the order of the file."""
        for step in self.steps:
            yield from step.walk()
        for step in self.on_failure.steps if self.on_failure else []:
            yield from step.walk()
