"""An App on real parts, with a scripted model behind it and a transport that keeps what the person would see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.app import App
from agent.config import AppConfig
from agent.contracts import Incoming, Question


class KeepingTransport:
    """What a person would have seen, in order; a key is shown once."""

    name = "test"

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.files: list[tuple[str, bytes]] = []
        self.questions: list[Question] = []
        self.keys: list[str] = []

    async def send_text(self, dest: dict[str, Any], text: str, *, key: str) -> None:
        self.keys.append(key)
        self.texts.append(text)

    async def send_file(self, dest: dict[str, Any], path: Path, caption: str, *, key: str) -> None:
        self.keys.append(key)
        self.files.append((path.name, await asyncio.to_thread(path.read_bytes)))

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        self.questions.append(question)


def incoming(text: str, session: str = "s", **fields: Any) -> Incoming:
    return Incoming(
        session_id=session, person=fields.pop("person", "terminal:me"), text=text, dest={"channel": "test"}, **fields
    )


@pytest.fixture
def transport() -> KeepingTransport:
    return KeepingTransport()


@pytest.fixture
def plan_folder(tmp_path: Path) -> Path:
    """A folder for plans of the test's own; AURA_PLANS names it."""
    folder = tmp_path / "plans"
    folder.mkdir()
    return folder


@pytest.fixture
def open_app(
    tmp_path: Path, scripted_model, transport: KeepingTransport, plan_folder: Path
) -> Callable[..., contextlib.AbstractAsyncContextManager[App]]:
    """Opens an App on `tmp_path/home`; the same home again is a restart."""

    @contextlib.asynccontextmanager
    async def opened(**environment: str) -> AsyncIterator[App]:
        values = {
            "AURA_HOME": str(tmp_path / "home"),
            "AURA_PLANS": str(plan_folder),
            "AURA_LLM_ATTEMPTS": "1",
            **scripted_model.environment,
            **environment,
        }
        async with App.open(AppConfig.load(values, tmp_path), program="test") as app:
            app.add_transport(transport)
            yield app

    return opened
