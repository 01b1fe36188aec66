"""Trying a plan's tasks in tests: the real framework, real files, and a scripted person and model in their services.

    PLAN = Path(__file__).parent.parent

    def test_a_greeting_names_the_person():
        assert run_task(PLAN, "hello", {"name": "Ada"}).result == "Hello, Ada!"

In an asynchronous test, `plan_under_test` gives the same as a context manager.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aura_core.errors import ActionError, CoreError, DefinitionError
from aura_core.framework import Framework
from aura_core.language.source import Source
from aura_core.plugins.builtin import builtin_folder
from aura_core.tasklet import RunInfo, Tasklet, TaskResult

__all__ = ["PlanUnderTest", "ScriptedModel", "ScriptedPerson", "plan_under_test", "run_task"]


@dataclass(slots=True)
class ScriptedPerson:
    """Service `chat`: answers the questions of tasks in order.

    Attributes:
        answers: what is said, first question first; used up.
        asked: the questions that came, with their options.
    """

    answers: list[str] = field(default_factory=list[str])
    asked: list[tuple[str, list[str]]] = field(default_factory=list[tuple[str, list[str]]])

    async def ask(self, run: RunInfo, text: str, options: Sequence[str] = (), *, strict: bool = False) -> str:
        """The next answer.

        Raises:
            ActionError: there is none left.
        """
        del run
        self.asked.append((text, list(options)))
        if not self.answers:
            raise ActionError(f"The task asked {text!r} and the test has no answer left: pass answers=[…].")
        answer = self.answers.pop(0)
        if strict and answer not in options:
            raise ActionError(f"The answer {answer!r} is not one of {', '.join(options)}, and only those count.")
        return answer


@dataclass(slots=True)
class ScriptedModel:
    """Service `llm`: gives replies in order.

    Attributes:
        replies: text, or a JSON value where a schema is asked for; used up.
        calls: what it was told, as `{instruction, data, schema}`.
    """

    replies: list[Any] = field(default_factory=list[Any])
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def write(
        self,
        instruction: str,
        *,
        data: str = "",
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        run: RunInfo | None = None,
    ) -> Any:
        """The next reply.

        Raises:
            ActionError: there is none left.
        """
        del max_tokens, run
        self.calls.append({"instruction": instruction, "data": data, "schema": schema})
        if not self.replies:
            raise ActionError(
                f"The model was told {instruction[:80]!r} and the test has no reply left: pass replies=[…]."
            )
        return self.replies.pop(0)


@dataclass(frozen=True, slots=True)
class PlanUnderTest:
    """A plan that runs in a test.

    Attributes:
        name: the plan's name.
        framework: runs it; its `events` and `hooks` may be listened to.
        files: the folder that stands for the session's files.
        person: the service `chat`.
        model: the service `llm`.
    """

    name: str
    framework: Framework
    files: Path
    person: ScriptedPerson
    model: ScriptedModel

    async def run(self, task: str, inputs: Mapping[str, Any] | None = None, **options: Any) -> TaskResult:
        """Runs a task to its end; a task that fails is a result with `error`, not an exception.

        Args:
            task: its name inside the plan, or `plan/task`.
            inputs: its inputs.
            options: further fields of `Tasklet`: timeout, resources, priority.
        """
        ref = self.framework.plans.task(task, plan=self.name).ref
        run = RunInfo(corr_id="test", session_id="test", source="test", files_folder=self.files)
        return await self.framework.submit(Tasklet(ref, dict(inputs or {}), run=run, **options))


@asynccontextmanager
async def plan_under_test(
    folder: Path,
    *,
    answers: Sequence[str] = (),
    replies: Sequence[Any] = (),
    settings: Mapping[str, Any] | None = None,
    services: Mapping[str, object] | None = None,
    data: Path | None = None,
) -> AsyncGenerator[PlanUnderTest]:
    """Loads one plan, with those that it requires, and ends everything when the block ends.

    Args:
        folder: the plan's folder; plans that it requires are looked for beside it and among the built-in ones.
        answers: what the person answers, in order.
        replies: what the model replies, in order.
        settings: the plan's settings, over its config.yaml.
        services: further services of the embedder by name; `chat` and `llm` here replace the scripted ones.
        data: where the plan keeps its data; a folder that is removed afterwards if left out.

    Raises:
        DefinitionError: the plan has mistakes; names all of them.
    """
    name, folders = _with_required(folder)
    person, model = ScriptedPerson(list(answers)), ScriptedModel(list(replies))
    with tempfile.TemporaryDirectory(prefix="aura-test-") as scratch:
        files = Path(scratch) / "files"
        files.mkdir()
        framework = Framework(
            [*folders, builtin_folder("plans")],
            data or Path(scratch) / "data",
            settings={name: settings or {}},
            services={"chat": person, "llm": model, **(services or {})},
        )
        async with framework:
            if name not in framework.plans.plans:
                raise DefinitionError(framework.problems)
            yield PlanUnderTest(name, framework, files, person, model)


def run_task(folder: Path, task: str, inputs: Mapping[str, Any] | None = None, **options: Any) -> TaskResult:
    """Runs one task of a plan to its end, in a test that is not asynchronous.

    Args:
        folder: the plan's folder.
        task: the task's name inside the plan.
        inputs: its inputs.
        options: as for `plan_under_test`.

    Raises:
        DefinitionError: the plan has mistakes; names all of them.
        CoreError: called from asynchronous code.
    """

    async def run() -> TaskResult:
        async with plan_under_test(folder, **options) as plan:
            return await plan.run(task, inputs)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    raise CoreError("run_task is for plain tests; an asynchronous one writes `async with plan_under_test(…) as plan`.")


def _with_required(folder: Path) -> tuple[str, list[Path]]:
    """The plan's name, its folder, and the folders of the plans beside it that it requires, and so on."""
    folder = folder.resolve()
    found: dict[str, Path] = {}
    waiting = [folder]
    while waiting:
        plan = waiting.pop()
        if plan.name in found or (plan != folder and not (plan / "plan.yaml").is_file()):
            continue
        found[plan.name] = plan
        waiting += [folder.parent / name for name in _required(plan / "plan.yaml")]
    return folder.name, list(found.values())


def _required(path: Path) -> list[str]:
    """What a plan.yaml requires; nothing where it cannot be read, for loading it says why."""
    try:
        raw: Any = Source.read(path).load()
    except DefinitionError:
        return []
    names: Any = raw.get("requires") if isinstance(raw, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] (JSON-like)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []  # pyright: ignore[reportUnknownVariableType] (the same)
