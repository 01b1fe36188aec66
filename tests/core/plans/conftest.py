"""The real framework with the plans of this checkout, a session folder, and a model behind real HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import openai
import pytest

from aura_core.framework import Framework
from aura_core.tasklet import RunInfo, Tasklet, TaskResult
from tests.fixtures.scripted_llm import ScriptedModel

PLANS = Path(__file__).parents[3] / "plans"
Run = Callable[..., Awaitable[TaskResult]]


class ModelOverHttp:
    """The `llm` service as a thin client of the scripted server."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    @cached_property
    def _client(self) -> openai.AsyncOpenAI:
        """Made for the first request: that takes longer than most tests, and few make one."""
        return openai.AsyncOpenAI(base_url=self._base_url, api_key="scripted", max_retries=0)

    async def write(
        self,
        instruction: str,
        *,
        data: str = "",
        schema: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        run: RunInfo | None = None,
    ) -> Any:
        messages: Any = [{"role": "system", "content": instruction}, {"role": "user", "content": data}]
        answer = await self._client.chat.completions.create(
            model="scripted", messages=messages, max_tokens=max_tokens or openai.omit
        )
        text = answer.choices[0].message.content or ""
        return json.loads(text) if schema else text

    async def close(self) -> None:
        if "_client" in vars(self):
            await self._client.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files folder of the session."""
    folder = tmp_path / "session" / "files"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def settings() -> dict[str, dict[str, Any]]:
    """Settings of plans that differ from their config.yaml; a test module may override this."""
    return {}


@pytest.fixture
async def model(scripted_model: ScriptedModel) -> AsyncIterator[ModelOverHttp]:
    service = ModelOverHttp(scripted_model.base_url)
    yield service
    await service.close()


@pytest.fixture
async def framework(
    tmp_path: Path, settings: dict[str, dict[str, Any]], model: ModelOverHttp
) -> AsyncIterator[Framework]:
    async with Framework([PLANS], tmp_path / "data", settings=settings, services={"llm": model}) as framework:
        assert framework.problems == []
        yield framework


@pytest.fixture
def run(framework: Framework, files: Path) -> Run:
    """Runs a task of the session: `await run("notes/add", text="milk")`."""

    async def submit(task: str, *, key: str = "", **inputs: Any) -> TaskResult:
        info = RunInfo(corr_id="r1", session_id="s1", files_folder=files, idempotency_key=key)
        return await framework.submit(Tasklet(task, inputs, run=info))

    return submit


@pytest.fixture
def done(run: Run) -> Callable[..., Awaitable[Any]]:
    """Runs a task that must succeed and gives its result."""

    async def succeed(task: str, **inputs: Any) -> Any:
        result = await run(task, **inputs)
        assert result.status == "success", result.error
        return result.result

    return succeed


@pytest.fixture
def refused(run: Run) -> Callable[..., Awaitable[str]]:
    """Runs a task that must fail and gives the message for the person."""

    async def fail(task: str, **inputs: Any) -> str:
        result = await run(task, **inputs)
        assert result.status == "error", result
        assert result.error is not None
        assert "Traceback" not in result.error.message
        return result.error.message

    return fail
