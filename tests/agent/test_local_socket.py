"""The socket of a home: whatever comes through it, the program behind it works on, and what is asked for is done."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.channels.local.address import address_of, listening_socket
from agent.channels.local.caller import CHANNEL, command_dest
from agent.channels.local.client import HostError, reached
from agent.channels.local.messages import (
    NEWS,
    ORDERS,
    AskOrder,
    Cancelled,
    CancelOrder,
    Happened,
    RunEnded,
    RunOrder,
    TaskEnded,
    plain,
)
from agent.channels.local.server import serving
from agent.contracts import ExecutorResponse, Plan, PlanStep, Question, RunOutcome
from agent.progress import AnswerText, PhaseChanged, PlanMade, QuestionAsked, RunStarted, StepEnded
from agent.progress import RunEnded as EndOfRun
from aura_core.errors import RunNotFoundError
from aura_core.tasklet import Attachment, TaskError, TaskResult

QUESTION = Question(id="q", run_id="run-1", step_id="s1", session_id="ask", text="Which?", options=["a", "b"])
ASK = AskOrder(text="What is 12*7?")
ANSWERED = RunEnded(outcome=RunOutcome(run_id="run-1", status="ok", answer="84"), files=[])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Person:
    """A caller in this test."""

    def __init__(self, *answers: str) -> None:
        self.run_id = ""
        self.answers = list(answers)
        self.said: list[str] = []
        self.seen: list[object] = []

    async def began(self, run_id):
        self.run_id = run_id

    async def say(self, text, style=""):
        self.said.append(text)

    async def lost(self, notices):
        self.said += notices

    async def to(self, question):
        self.said.append(question.text)
        return self.answers.pop(0) if self.answers else None

    @asynccontextmanager
    async def watching(self, events, run_id):
        with events.subscribe(object) as moves:
            yield
        self.seen += moves.pending()


class Work:
    """What the program behind the socket does: an order's text says it."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.cancelled: list[str] = []
        self.answers: list[str | None] = []

    async def carry_out(self, order, caller):
        if isinstance(order, CancelOrder):
            raise RunNotFoundError(f"There is no run {order.run_id!r}.")
        if isinstance(order, AskOrder):
            await caller.began("run-1")
            if order.text == "ask":
                self.answers.append(await caller.to(QUESTION))
                await caller.say("noted")
            if order.text == "bug":
                raise KeyError("a bug")
        self.begun.set()
        if getattr(order, "text", "") == "wait" or isinstance(order, RunOrder):
            await self.go_on.wait()
        self.ended.set()
        return ANSWERED

    async def cancel(self, run_id):
        self.cancelled.append(run_id)
        self.go_on.set()


@pytest.fixture
async def work(tmp_path):
    made = Work()
    async with serving(tmp_path, "aura test", made.carry_out, made.cancel):
        yield made


async def order(home, it, caller=None):
    async with reached(home) as host:
        assert host is not None
        return await host.carry_out(it, caller or Person())


async def test_an_order_is_carried_out_with_questions_and_words(tmp_path, work: Work):
    person = Person("a")
    assert await order(tmp_path, AskOrder(text="ask"), person) == ANSWERED
    assert (person.run_id, person.said, work.answers) == ("run-1", ["Which?", "noted"], ["a"])


async def test_an_error_arrives_in_its_words_and_a_bug_without_a_traceback(tmp_path, work: Work):
    with pytest.raises(HostError, match="There is no run 'x'"):
        await order(tmp_path, CancelOrder(run_id="x"))
    with pytest.raises(HostError, match="KeyError") as caught:
        await order(tmp_path, AskOrder(text="bug"))
    assert "Traceback" not in str(caught.value)
    assert await order(tmp_path, ASK) == ANSWERED


async def test_what_was_asked_for_goes_on_without_its_caller_and_nobody_answers(tmp_path, work: Work):
    for text in ("wait", "ask"):
        reader, writer = await asyncio.open_unix_connection(str(address_of(tmp_path)))
        await reader.readline()
        writer.write(json.dumps(plain(AskOrder(text=text))).encode() + b"\n")
        await reader.readline()
        writer.transport.abort()
        await asyncio.sleep(0.05)
        assert not work.cancelled
        work.go_on.set()
        await asyncio.wait_for(work.ended.wait(), 10)
        work.ended.clear()
    assert work.answers == [None]


async def test_stopping_cancels_the_run_or_the_task(tmp_path, work: Work):
    asking = asyncio.create_task(order(tmp_path, AskOrder(text="wait")))
    await asyncio.wait_for(work.begun.wait(), 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert work.cancelled == ["run-1"]
    work.begun.clear(), work.go_on.clear(), work.ended.clear()
    running = asyncio.create_task(order(tmp_path, RunOrder(task="a/b", pairs=[], session="ask")))
    await asyncio.wait_for(work.begun.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    work.go_on.set()
    await asyncio.sleep(0.05)
    assert not work.ended.is_set()


async def test_when_the_program_ends_its_callers_are_told_and_runs_are_not_cancelled(tmp_path):
    work = Work()
    async with serving(tmp_path, "aura test", work.carry_out, work.cancel):
        asking = asyncio.create_task(order(tmp_path, AskOrder(text="wait")))
        running = asyncio.create_task(order(tmp_path, RunOrder(task="a/b", pairs=[], session="ask")))
        await asyncio.wait_for(work.begun.wait(), 10)
        await asyncio.sleep(0.05)
    with pytest.raises(HostError, match="aura runs resume run-1"):
        await asking
    with pytest.raises(HostError, match="a/b"):
        await running
    assert work.cancelled == []
    async with reached(tmp_path) as host:
        assert host is None
    assert not address_of(tmp_path).exists()


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\n", b'{"kind":"ask"', b'{"kind":"stop"}\n', b"null\n"])))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_disturb_the_program(pieces):
    async def talk(home):
        work = Work()
        async with serving(home, "aura test", work.carry_out, work.cancel):
            reader, writer = await asyncio.open_unix_connection(str(address_of(home)))
            with suppress(ConnectionError):
                for piece in pieces:
                    writer.write(piece)
                await writer.drain()
                writer.write_eof()
                told = (await asyncio.wait_for(reader.read(), 10)).splitlines()
                kinds = [NEWS.validate_json(line).kind for line in told]
                assert kinds[:1] == ["hello"]
                assert set(kinds[1:]) <= {"failed"}
            writer.close()
            assert await order(home, ASK) == ANSWERED

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(talk(Path(folder)))


@given(
    st.builds(
        TaskResult,
        status=st.sampled_from(["success", "error"]),
        result=json_values,
        error=st.none() | st.builds(TaskError, type=st.text(), message=st.text()),
        seconds=st.floats(0, 1e6),
        message=st.text(),
        attachments=st.lists(st.builds(Attachment, path=st.just(Path("/x/ä")), caption=st.text())).map(tuple),
    )
)
def test_what_a_task_gives_comes_over_as_it_is(result):
    line = json.dumps(plain(TaskEnded(ended=result)), default=str)
    assert NEWS.validate_python(json.loads(line)) == TaskEnded(ended=result)


@pytest.mark.parametrize("ending", [ANSWERED, TaskEnded(ended=QUESTION), Cancelled(cancelled=True)])
def test_every_ending_comes_over_as_it_is(ending):
    assert NEWS.validate_python(json.loads(json.dumps(plain(ending)))) == ending


@pytest.mark.parametrize(
    "event",
    [
        RunStarted("run-1", "ask", "What is 12*7?", resumed=True),
        PhaseChanged("run-1", "ask", "planning", "x"),
        PlanMade("run-1", "ask", Plan(steps=[PlanStep(id="s1", task="a/b", inputs={"x": [1]})])),
        StepEnded("run-1", "ask", PlanStep(id="s1"), ExecutorResponse(step_id="s1", status="ok", output={"a": 1})),
        QuestionAsked("run-1", "ask", QUESTION),
        AnswerText("run-1", "ask", "84"),
        EndOfRun("run-1", "ask", "ok", "84", ["a.txt"]),
    ],
)
def test_every_event_comes_over_as_it_is(event):
    message = NEWS.validate_python(json.loads(json.dumps(plain(Happened.of(event)))))
    assert isinstance(message, Happened)
    assert message.event() == event


@pytest.mark.parametrize("name", ["Nothing", "Progress.x", "annotations", "__doc__"])
def test_an_event_that_is_not_known_is_no_event(name):
    with pytest.raises(ValueError):  # noqa: PT011 (whoever draws leaves it out)
        Happened(name=name, fields={}).event()


def test_a_socket_goes_where_there_is_room_for_its_name(tmp_path):
    home = tmp_path / ("x" * 100)
    home.mkdir()
    with listening_socket(home):
        assert (home / "aura.sock").is_symlink()
        place = address_of(home)
        assert place.is_socket()
        assert place.parent.stat().st_mode & 0o777 == 0o700
    assert not place.parent.exists()
    assert not (home / "aura.sock").is_symlink()


@pytest.mark.parametrize("left", ["a socket", "a file", "a link to nothing", "a link to a folder of somebody"])
def test_what_was_left_behind_is_replaced_and_nothing_else_is_touched(tmp_path, left):
    home, other = tmp_path / "home", tmp_path / "aura-of-somebody"
    home.mkdir()
    other.mkdir()
    path = home / "aura.sock"
    if left == "a file":
        path.write_text("x")
    elif left == "a link to nothing":
        path.symlink_to(tmp_path / "nothing")
    elif left == "a link to a folder of somebody":
        (other / "precious").write_text("x")
        path.symlink_to(other / "precious")
    else:
        with listening_socket(home):
            path.rename(home / "kept")
        (home / "kept").rename(path)
    with listening_socket(home):
        assert address_of(home).is_socket()
    assert other.exists()
    assert left != "a link to a folder of somebody" or (other / "precious").exists()


def test_later_words_of_a_commands_run_go_to_the_chat():
    dest = command_dest("terminal")
    assert (dest.channel, dest.lasting.channel) == (CHANNEL, "terminal")
    assert dest.lasting.lasting == dest.lasting


def test_orders_are_told_apart():
    for one in (ASK, CancelOrder(run_id="x"), RunOrder(task="a/b", pairs=["x=ä"], session="s")):
        assert ORDERS.validate_python(json.loads(json.dumps(plain(one)))) == one
