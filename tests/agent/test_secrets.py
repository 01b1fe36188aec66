"""Whatever a foreign error says: no secret that Aura holds reaches the chat, a file, the log, the store or an event."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from aiogram.exceptions import AiogramError

from agent import logs
from agent.app import App
from agent.channels.local.caller import Caller
from agent.channels.local.client import HostError, reached
from agent.channels.local.messages import CancelOrder, Ending, Order
from agent.channels.local.server import serving
from agent.channels.telegram import update_queue
from agent.channels.telegram.bot import run_bot
from agent.cli import run
from agent.cli.guard import guarded
from agent.cli.invocation import Invocation, print_json, remark
from agent.config import AppConfig
from agent.contracts import Question
from agent.dispatcher import Dispatcher
from agent.errors import AgentError, ConfigError, NotAllowedError
from agent.progress import Progress, QuestionAsked
from agent.schedules.owner import JobOwner
from agent.sessions.store import SessionStore
from aura_core.ground.events import EventBus
from aura_core.ground.secrets import hold
from aura_core.scheduler.events import JobEnded
from aura_core.scheduler.when import trigger_of
from tests.agent.conftest import incoming
from tests.fixtures.telegram.bench import OWNER, eventually, hurry
from tests.fixtures.telegram.emulator import Emulator
from tests.fixtures.telegram.faults import Kind

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
ASKING = """
asks:
  meta: {title: asks, command: asks, effects: read}
  steps: [{action: gives, output_to: x}, {ask: "{{ x.error }}", options: ["{{ x.error }}", none], output_to: y}]
  returns: "{{ y }}"
fine:
  meta: {title: fine, description: Say how the garden is., command: fine, effects: read}
  steps: [{set: {x: {garden: green, trees: [oak, elm, birch]}}}]
  returns: "{{ x }}"
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
    (plan_folder / "leaky/tasks/all.yaml").write_text(
        "".join(TASK.format(name=name) for name in NAMES) + HANDLED + ASKING
    )
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
    async def kept(self, **more: str) -> AsyncIterator[App]:
        settings = {**SETTINGS, **more}
        logs.configure(AppConfig.load({"AURA_HOME": str(self.home), **settings}, self.home.parent), debug=True)
        async with self.open_app(**settings) as app:
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


async def test_no_question_says_a_secret(everything: Everything, transport):
    async with everything.kept() as app:
        run = await app.submit_command(incoming("/asks"), "leaky/asks", {})
        assert run is not None
        waiting = await app.outcome(run)
        assert waiting.status == "waiting"
        assert await app.reply("s", "1", person="terminal:me")
        await app.outcome(run)
    assert "refused: •••" in transport.questions[0].text
    assert found_in(f"{waiting.model_dump_json()}\n{everything.text()}") == []


@pytest.mark.parametrize("purpose", ["answer", "memory"])
@pytest.mark.parametrize("how", ["status", "success", "stream"])
async def test_no_error_behind_the_steps_says_a_secret(everything: Everything, scripted_model, how, purpose):
    """A model server that plans, and then cannot write the answer, or say what is worth remembering."""
    body = {"error": {"message": WORDS, "code": 401}}
    details: dict[str, Any] = {"when": lambda request: purpose_of(request) == purpose, "times": None}
    if how == "status":
        scripted_model.fail(401, WORDS, **details)
    elif how == "success":
        scripted_model.reply_raw(json.dumps(body).encode(), **details)
    else:
        raw = f"data: {json.dumps(body)}\n\n".encode()
        scripted_model.reply_raw(raw, content_type="text/event-stream", **details)
    plan = {"steps": [{"id": "s1", "task": "leaky/fine", "inputs": {}}]}
    scripted_model.say(plan, when=lambda request: purpose_of(request) == "plan")
    scripted_model.say({"facts": []}, when=lambda request: purpose_of(request) == "memory")
    scripted_model.say("The garden is green: oak, elm, birch.", when=lambda request: purpose_of(request) == "answer")
    async with everything.kept() as app:
        run = await app.submit(incoming("I always drink green tea in the garden. How is the garden?"))
        assert run is not None
        assert (await app.outcome(run)).status == "ok"
    assert purpose in map(purpose_of, scripted_model.requests)
    assert found_in(everything.text()) == []


def purpose_of(request: dict[str, Any]) -> str:
    return ((request.get("response_format") or {}).get("json_schema") or {}).get("name", "answer")


JOBS: dict[str, tuple[str, type | None, str]] = {
    "refused": ("leaky/fine", Dispatcher, "card"),
    "broke off": ("leaky/fine", SessionStore, "current_task_key"),
    "failed": ("leaky/raises", None, ""),
    "asks": ("leaky/asks", None, ""),
}


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("how", JOBS)
async def test_no_job_says_a_secret(everything: Everything, transport, monkeypatch, how, heard):
    task, kind, place = JOBS[how]

    def fails(*_: object) -> None:
        raise NotAllowedError(WORDS)

    async with everything.kept() as app, app.running_jobs():
        owner = JobOwner(person="terminal:me", session_id="s", dest={"channel": "test"} if heard else {})
        trigger = trigger_of(now=datetime.now(UTC), every=3600)
        await app.schedules.user_jobs.put("job", task, {}, trigger, owner=owner, missed="once", title="")
        if kind is not None:
            monkeypatch.setattr(kind, place, fails)
        with app.events.subscribe(JobEnded if how != "asks" or not heard else QuestionAsked) as ends:
            await app.schedules.jobs.run_now("job")
            said = str(await ends.next())
        job = await app.schedules.jobs.get("job")
    assert "•••" in said
    assert not heard or any("•••" in text for text in [*transport.texts, *map(str, transport.questions)])
    assert found_in(f"{said}\n{job}\n{everything.text()}") == []


@pytest.fixture
def telegram() -> Iterator[Emulator]:
    with Emulator(TOKEN) as emulator:
        yield emulator


ERRORS = [AgentError, RuntimeError, AiogramError, ConnectionError]
FAULTS: list[Kind] = ["server_error", "bad_request", "retry_after", "bad_gateway"]


@pytest.mark.parametrize("how", [*FAULTS, *ERRORS, "question"])
async def test_telegram_says_no_secret(everything: Everything, telegram: Emulator, monkeypatch, how):
    """A call that Telegram does not take, an update that cannot be handled, and a question."""
    hurry(monkeypatch)
    monkeypatch.setattr(update_queue, "LONGEST_PAUSE", 0.01)
    olga, stop = telegram.person(OWNER), asyncio.Event()
    async with everything.kept(**telegram.environment, AURA_TELEGRAM_OWNERS=f"[{OWNER}]") as app:
        bot = asyncio.create_task(run_bot(app, stop=stop, announce=lambda _: None))
        if isinstance(how, str) and how != "question":
            telegram.faults.add("sendMessage", how, words=WORDS)
            olga.send("/raises")
            await eventually(lambda: not telegram.faults.left("sendMessage"))
        elif how == "question":
            olga.send("/asks")
            question = await olga.wait_for("refused: •••")
            olga.tap(question, "1")
            await eventually(lambda: not question.buttons)
        else:
            monkeypatch.setattr(app, "submit_command", failing(how))
            olga.send("/fine")
            await olga.wait_for("refused: •••" if how is AgentError else "")
        stop.set()
        await bot
    shown = "\n".join(f"{post.words} {post.buttons}" for post in olga.posts if post.from_bot)
    assert found_in(f"{shown}\n{everything.text()}") == []


def failing(kind: type[Exception]) -> Callable[..., Any]:
    async def fails(*_: object, **__: object) -> None:
        raise kind(WORDS)

    return fails


@pytest.mark.parametrize("error", [AgentError, KeyError])
async def test_another_program_is_told_no_secret(tmp_path, error):
    hold(SECRETS)

    async def carry_out(_order: Order, caller: Caller) -> Ending:
        await caller.say(WORDS)
        raise error(WORDS)

    said = CommandLines()
    async with serving(tmp_path, "aura test", carry_out, failing(error)), reached(tmp_path) as host:
        assert host is not None
        with pytest.raises(HostError, match="•••") as caught:
            await host.carry_out(CancelOrder(run_id="x"), said)
    assert "•••" in said.text
    assert found_in(f"{caught.value}\n{said.text}") == []


class CommandLines:
    """A caller that keeps what it was told."""

    run_id = text = ""

    async def began(self, run_id: str) -> None:
        self.run_id = run_id

    async def say(self, text: str, style: str = "") -> None:
        self.text += text + style

    async def lost(self, notices: list[str]) -> None:
        self.text += "".join(notices)

    async def to(self, question: Question) -> str | None:
        self.text += question.text

    def watching(self, events: EventBus, run_id: str) -> contextlib.AbstractAsyncContextManager[object]:
        return contextlib.nullcontext()


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


def test_what_commands_print_says_no_secret(capsys):
    hold(SECRETS)
    remark(WORDS)
    print_json({"error": WORDS, "inner": [{WORDS: 1}]})
    said = capsys.readouterr()
    assert list(json.loads(said.out)) == ["error", "inner"]
    assert "refused: •••" in said.err
    assert found_in(said.out + said.err) == []


def test_the_doctor_says_no_secret(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("aura_core.storage.schema.check_database", refusing)
    for name, value in {"AURA_HOME": str(tmp_path / "home"), **SETTINGS}.items():
        monkeypatch.setenv(name, value)
    hold(SECRETS)
    for words in ([], ["--json"]):
        assert run(["doctor", *words]) == 1
        said = capsys.readouterr()
        assert "refused: •••" in said.out
        assert found_in(said.out + said.err) == []


def refusing(*_: object) -> None:
    raise AgentError(WORDS)


def test_a_broken_settings_file_is_named_without_its_lines(tmp_path):
    (tmp_path / "aura.yaml").write_text(f"llm:\n  api_key: {KEY}: x\n")
    with pytest.raises(ConfigError, match=r"aura.yaml:2:\d+: ") as caught:
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
