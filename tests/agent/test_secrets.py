"""Whatever a foreign error says: no secret that Aura holds reaches the chat, a file, the log, the store or an event."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from agent import logs
from agent.app import App
from agent.cli.guard import guarded
from agent.cli.invocation import Invocation
from agent.config import AppConfig
from agent.errors import ConfigError
from agent.progress import Progress
from agent.sessions.store import SessionStore
from aura_core.ground.secrets import hold
from tests.agent.conftest import incoming

KEY, TOKEN, ODD, CODE, OTHER, PROXY = (
    "sk-live-0123456789abcdef",
    "123456789:AAHk-token_of-the-bot",
    "pa\"ss'w\\ord/+%é&1",
    "door-4711-front",
    "ghp-0123456789",
    "proxy-pass-1",
)
SECRETS = [KEY, TOKEN, ODD, CODE, OTHER, PROXY]
SPELLINGS: list[Callable[[str], str]] = [
    str,
    repr,
    json.dumps,
    html.escape,
    lambda text: json.dumps({"error": repr(text)}),
    lambda text: quote(text, safe=""),
    lambda text: base64.b64encode(f"user:{text}-and-more".encode()).decode(),
]
SETTINGS = {
    "OPENAI_API_KEY": f"  {KEY}\n",
    "TELEGRAM_TOKEN": f"{TOKEN} \n",
    "AURA_PLANS__LEAKY__PASSWORD": json.dumps(ODD),
    "AURA_LOG_LEVEL": "debug",
}
WORDS = "\n".join(f"refused: {spell(secret)} !" for secret in SECRETS for spell in SPELLINGS)
ACTIONS = """
from pathlib import Path
from aura_core.api import ActionError, action, hook, service, requires_services

WORDS = (Path(__file__).parent.parent / "words.txt").read_text(encoding="utf-8")

class Foreign(Exception):
    def __init__(self) -> None:
        super().__init__({"body": WORDS})

@action("raises")
async def raises() -> None:
    raise RuntimeError(WORDS)

@action("chains")
async def chains() -> None:
    try:
        raise KeyError(WORDS)
    except KeyError as error:
        raise Foreign from error

@action("says")
async def says() -> None:
    raise ActionError(WORDS)

@action("gives")
async def gives() -> dict:
    return {"error": WORDS, WORDS: [{"text": WORDS}]}

@action("tells", effects="write")
async def tells() -> str:
    return WORDS

@action("exits")
async def exits() -> None:
    raise SystemExit(WORDS)

@action("blocks", cpu=True)
def blocks() -> None:
    raise ValueError(WORDS)

@action("serves")
@requires_services(bad="bad")
async def serves(bad) -> None:
    pass
"""
SERVICES = """
from pathlib import Path
from aura_core.api import hook, service

WORDS = (Path(__file__).parent.parent / "words.txt").read_text(encoding="utf-8")

@service("bad")
class Bad:
    def __init__(self) -> None:
        raise OSError(WORDS)

@hook("after_task_run")
async def after(**_) -> None:
    raise OSError(WORDS)
"""
TASK = (
    "{name}:\n  meta: {{title: {name}, command: {name}, effects: read}}\n  steps: [{{action: {name}, output_to: x}}]\n"
)
TASK += '  returns: "{{{{ x }}}}"\n'
HANDLED = """
handled:
  meta: {title: handled, command: handled, effects: read}
  steps: [{action: raises}]
  on_failure: {steps: [{stop: "It failed: {{ error.message }}"}], recover: true}
"""
NAMES = ["raises", "chains", "says", "gives", "tells", "exits", "blocks", "serves"]


@pytest.fixture
def leaky(plan_folder, monkeypatch):
    """A plan whose errors hold every secret in every spelling, and one that cannot even be imported."""
    for name, files in {"leaky": {"actions/leak.py": ACTIONS, "services/bad.py": SERVICES}, "broken": {}}.items():
        folder = plan_folder / name
        (folder / "actions").mkdir(parents=True)
        (folder / "services").mkdir()
        (folder / "tasks").mkdir()
        (folder / "plan.yaml").write_text(f"name: {name}\nsecrets: [door.code]\n")
        (folder / "config.yaml").write_text(f"door: {{code: ' {CODE} '}}\n")
        (folder / "words.txt").write_text(WORDS, encoding="utf-8")
        for file, text in files.items():
            (folder / file).write_text(text)
    (plan_folder / "broken/actions/all.py").write_text(f"raise RuntimeError({WORDS!r})\n")
    (plan_folder / "leaky/tasks/all.yaml").write_text("".join(TASK.format(name=name) for name in NAMES) + HANDLED)
    monkeypatch.setenv("GITHUB_TOKEN", f" {OTHER}\n")
    monkeypatch.setenv("https_proxy", f"http://me:{PROXY}@127.0.0.1:9")


@pytest.fixture(autouse=True)
def log_again():
    yield
    for handler in [handler for handler in logging.getLogger().handlers if hasattr(handler, logs.MARK)]:
        logging.getLogger().removeHandler(handler)
        handler.close()
    structlog.reset_defaults()


def found_in(text: str) -> list[str]:
    """The secrets that can be read in a text, in whatever spelling."""
    cores = [base64.b64encode(f"user:{secret}-and-more".encode()).decode()[8:-12] for secret in SECRETS]
    spelled = {spell(secret) for secret in SECRETS for spell in SPELLINGS[:-1]} | {core for core in cores if core}
    return sorted(one for one in spelled if one in text)


class Everything:
    """All that left: what the person saw, events, standard error, and every file of the home."""

    def __init__(self, home: Path, transport: Any, capsys: pytest.CaptureFixture[str], open_app: Any) -> None:
        self.home, self.transport, self.capsys, self.open_app = home, transport, capsys, open_app
        self.events: list[str] = []

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[App]:
        logs.configure(AppConfig.load({"AURA_HOME": str(self.home), **SETTINGS}, self.home.parent), debug=True)
        async with self.open_app(**SETTINGS) as app:
            with app.events.subscribe(Progress) as heard:
                yield app
                self.events += map(repr, heard.pending())
            self.events += [str(problem) for problem in app.framework.problems]

    def text(self) -> str:
        said = self.capsys.readouterr()
        parts = [*self.transport.texts, *map(str, self.transport.questions), *self.events, said.out, said.err]
        files = [path for path in self.home.rglob("*") if path.is_file()]
        assert any(path.name == "aura.db" for path in files)
        return "\n".join([*parts, *(path.read_bytes().decode("utf-8", "replace") for path in files)])


@pytest.fixture
def everything(tmp_path, transport, capsys, open_app, leaky):
    return Everything(tmp_path / "home", transport, capsys, open_app)


async def test_no_error_of_a_plan_says_a_secret(everything: Everything, transport):
    async with everything.kept() as app:
        for name in [*NAMES, "handled"]:
            run = await app.submit_command(incoming(f"/{name}", session=name), f"leaky/{name}", {})
            assert run is not None
            await app.outcome(run)
        assert any("refused: •••" in str(problem) for problem in app.framework.problems)
    assert len(transport.texts) == len(NAMES) + 1
    assert all("•••" in text for text in transport.texts)
    assert found_in(everything.text()) == []


@pytest.mark.parametrize("spell", range(len(SPELLINGS)))
@pytest.mark.parametrize("how", ["status", "success", "stream", "page"])
async def test_no_error_of_a_model_server_says_a_secret(everything: Everything, scripted_model, how, spell):
    words = " ".join(SPELLINGS[spell](secret) for secret in SECRETS)
    body = {"error": {"message": words, "code": 401}}
    if how == "status":
        scripted_model.fail(401, words, times=None)
    elif how == "page":
        scripted_model.reply_raw(f"<p>{words}</p>".encode(), times=None)
    else:
        text = json.dumps(body) if how == "success" else f"data: {json.dumps(body)}\n\n"
        kind = "application/json" if how == "success" else "text/event-stream"
        scripted_model.reply_raw(text.encode(), content_type=kind, times=None)
    async with everything.kept() as app:
        run = await app.submit(incoming("What is 12 * 7?"))
        assert run is not None
        assert (await app.outcome(run)).status == "error"
    assert scripted_model.requests[0]["headers"]["authorization"] == f"Bearer {KEY}"
    assert found_in(everything.text()) == []


@pytest.mark.parametrize("place", ["file_names", "append", "current_task_key"])
async def test_no_error_of_ours_says_a_secret(everything: Everything, monkeypatch, place):
    """What nobody expects: the run breaks off, and its record says why."""

    async def fails(*_: object) -> None:
        raise RuntimeError(WORDS)

    monkeypatch.setattr(SessionStore, place, fails)
    async with everything.kept() as app:
        run = await app.submit_command(incoming("/handled"), "leaky/handled", {})
        assert run is not None
        await app.outcome(run)
        detail = await app.run_detail(run)
    assert "refused: •••" in detail.answer
    assert found_in(f"{detail.model_dump_json()}\n{everything.text()}") == []


@pytest.mark.parametrize("debug", [False, True])
def test_a_command_that_fails_says_no_secret(tmp_path, capsys, leaky, debug):
    log = logs.configure(AppConfig.load({"AURA_HOME": str(tmp_path / "home"), **SETTINGS}, tmp_path))

    hold([ODD, CODE])  # of plans, which this command did not load

    def fails() -> None:
        raise RuntimeError(WORDS)

    assert guarded(fails, Invocation(debug=debug, log_file=log)) == 1
    said = capsys.readouterr()
    assert "refused: •••" in said.err
    assert found_in(said.out + said.err + log.read_text(encoding="utf-8")) == []


def test_a_broken_settings_file_is_named_without_its_lines(tmp_path):
    (tmp_path / "aura.yaml").write_text(f"llm:\n  api_key: {KEY}: x\n")
    with pytest.raises(ConfigError, match=r"line 2, column \d+") as caught:
        AppConfig.load({"AURA_HOME": str(tmp_path)}, tmp_path)
    assert KEY not in str(caught.value)


def test_white_space_at_the_ends_of_settings_is_dropped(tmp_path):
    (tmp_path / "aura.yaml").write_text(f"llm:\n  api_key: |\n    {KEY}\n  base_url: ' http://localhost/v1 '\n")
    settings = {"AURA_HOME": str(tmp_path), "TELEGRAM_TOKEN": f"\t{TOKEN}\n", "AURA_MODEL": "  \n"}
    config = AppConfig.load(settings, tmp_path)
    assert config.llm.api_key is not None
    assert config.llm.api_key.get_secret_value() == KEY
    assert config.telegram.token is not None
    assert config.telegram.token.get_secret_value() == TOKEN
    assert config.llm.base_url == "http://localhost/v1"
    assert config.llm.model is None
