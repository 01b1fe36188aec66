"""The run loop on real parts: plans, side by side, questions, planning again, answers, and restarts in between."""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.contracts import RunOutcome
from agent.errors import NotAllowedError
from agent.progress import Progress, StepStarted
from tests.agent.conftest import incoming

PLAN = "plan"
LOG_ACTION = """
import asyncio
from pathlib import Path
from aura_core.api import action

LOG = Path(__file__).parent.parent / "log.txt"

@action("mark", effects="write")
async def mark(text: str, wait: float = 0.0) -> dict:
    with LOG.open("a") as log:
        log.write(f"{text} begins\\n")
    await asyncio.sleep(wait)
    with LOG.open("a") as log:
        log.write(f"{text} ends\\n")
    return {"text": text}

@action("look")
async def look(name: str) -> str:
    with LOG.open("a") as log:
        log.write(f"look {name}\\n")
    return f"seen {name}"

@action("watch")
async def watch(name: str) -> str:
    await mark(name, 0.3)
    return f"watched {name}"

@action("fail")
async def fail(times: int = 99) -> str:
    raise ValueError("the lamp is broken")
"""
TASKS = """
mark:
  meta:
    title: Mark
    description: Write a mark.
    effects: write
    command: mark
    inputs:
      text: {type: string, required: true, ask: Which mark?}
      wait: {type: number, default: 0}
    resources: ["{resource}"]
  steps: [{action: mark, params: {text: "{{ inputs.text }}", wait: "{{ inputs.wait }}"}, output_to: m}]
  returns: {text: "{{ m.text }}"}
page:
  meta:
    title: Read a page
    description: Text from outside.
    effects: read
    untrusted: true
    inputs: {name: {type: string, required: true}}
  steps: [{action: look, params: {name: "{{ inputs.name }}"}, output_to: seen}]
  returns: "{{ seen }}"
watch:
  meta: {title: Watch, description: Watch for a while., effects: read, inputs: {name: {type: string, required: true}}}
  steps: [{action: watch, params: {name: "{{ inputs.name }}"}, output_to: watched}]
  returns: "{{ watched }}"
ponder:
  meta: {title: Ponder, description: Ask the person from inside., effects: read, command: ponder}
  steps: [{ask: "Which colour?", output_to: colour}, {action: mark, params: {text: "{{ colour }}"}}]
  returns: "{{ colour }}"
hurry:
  meta: {title: Hurry, description: Fail while the person is asked., effects: read, command: hurry}
  steps:
    - parallel:
        - [{ask: "Still there?", output_to: there}]
        - [{action: fail}]
fail:
  meta: {title: Fail, description: It always fails., effects: read, expose: true}
  steps: [{action: fail}]
"""
GLASS = """
meta:
  title: Look
  description: Look at something through a glass.
  effects: read
  inputs: {name: {type: string, required: true, ask: Look at what?}}
steps: [{action: lab/look, params: {name: "{{ inputs.name }}"}, output_to: seen}]
returns: "{{ seen }}"
"""


@pytest.fixture
def lab(plan_folder):
    folder = plan_folder / "lab"
    (folder / "actions").mkdir(parents=True)
    (folder / "tasks").mkdir()
    (folder / "plan.yaml").write_text("name: lab\nversion: 1.0.0\ntitle: Lab\n")
    (folder / "actions/marks.py").write_text(LOG_ACTION)
    (folder / "tasks/marks.yaml").write_text(TASKS.replace("{resource}", "pen:4"))
    glass = plan_folder / "glass"
    (glass / "tasks").mkdir(parents=True)
    (glass / "plan.yaml").write_text("name: glass\nversion: 1.0.0\ntitle: Glass\nrequires: [lab]\n")
    (glass / "tasks/look.yaml").write_text(GLASS)
    return folder


def steps(*items: dict) -> dict:
    return {"steps": list(items)}


def task(name: str, title: str, inputs: dict | None = None, after: list[str] | None = None, step: str = "s1") -> dict:
    return {"id": step, "title": title, "kind": "task", "task": name, "inputs": inputs or {}, "depends_on": after or []}


def log_of(lab) -> list[str]:
    path = lab / "log.txt"
    return path.read_text().splitlines() if path.exists() else []


def is_planning(request: dict) -> bool:
    return (request.get("response_format") or {}).get("type") == "json_schema"


def is_writing(request: dict) -> bool:
    return not is_planning(request)


async def wait_for(condition) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it did not happen within 10 s")


async def ask(app, text: str, **fields) -> RunOutcome:
    run_id = await app.submit(incoming(text, **fields))
    assert run_id is not None
    return await app.outcome(run_id)


async def test_independent_steps_run_side_by_side_and_the_answer_is_delivered(open_app, scripted_model, transport, lab):
    scripted_model.say(
        steps(
            task("lab/watch", "Watch one", {"name": "one"}),
            task("lab/watch", "Watch two", {"name": "two"}, step="s2"),
        ),
        when=is_planning,
    )
    scripted_model.say("Both: watched one, watched two.", when=is_writing, times=None)
    async with open_app() as app:
        outcome = await ask(app, "Watch one and two")
    assert outcome.status == "ok"
    assert {response.output for response in outcome.results} == {"watched one", "watched two"}
    assert transport.texts == [outcome.answer]
    assert {line.split()[1] for line in log_of(lab)[:2]} == {"begins"}


async def test_a_step_starts_as_soon_as_its_own_dependency_is_done(open_app, scripted_model, lab):
    scripted_model.say(
        steps(
            task("lab/mark", "Slow", {"text": "slow", "wait": 0.6}),
            task("glass/look", "Quick", {"name": "quick"}, step="s2"),
            task("glass/look", "After", {"name": "after ${s2}"}, ["s2"], step="s3"),
        ),
        when=is_planning,
    )
    scripted_model.say("Done.", when=is_writing, times=None)
    async with open_app() as app:
        outcome = await ask(app, "slow, quick, after")
    assert outcome.status == "ok"
    assert log_of(lab).index("look after seen quick") < log_of(lab).index("slow ends")


async def test_other_branches_go_on_while_a_question_waits(open_app, scripted_model, transport, lab):
    scripted_model.say(
        steps(
            task("lab/mark", "Mark it", {}),
            task("glass/look", "Look", {"name": "other"}, step="s2"),
        ),
        when=is_planning,
    )
    scripted_model.say("Done: red.", when=is_writing, times=None)
    async with open_app() as app:
        waiting = await ask(app, "Mark it, and look at other")
        assert waiting.status == "waiting"
        assert [question.text for question in waiting.questions] == ["Which mark?"]
        assert [run.status for run in await app.runs()] == ["waiting"]
        assert [response.output for response in waiting.results if response.status == "ok"] == ["seen other"]
        assert await app.reply("s", "red", person="terminal:me")
        outcome = await app.outcome(waiting.run_id)
        assert not await app.answer(waiting.questions[0].id, "blue", person="terminal:me")
    assert outcome.status == "ok"
    assert log_of(lab) == ["look other", "red begins", "red ends"]
    assert len(transport.questions) == 1


async def test_a_question_survives_a_restart_and_is_not_asked_twice(open_app, scripted_model, transport, lab):
    scripted_model.say(
        steps(task("lab/mark", "Mark", {}), task("glass/look", "Look", {"name": "first"}, step="s2")), when=is_planning
    )
    scripted_model.say("Marked: red.", when=is_writing, times=None)
    async with open_app() as app:
        waiting = await ask(app, "Mark, and look at first")
    async with open_app() as app:
        assert [question.id for question in await app.questions("s")] == [waiting.questions[0].id]
        assert await app.resume() == [waiting.run_id]
        assert await app.answer(waiting.questions[0].id, "red", person="terminal:me")
        outcome = await app.outcome(waiting.run_id)
    assert outcome.status == "ok"
    assert log_of(lab).count("look first") == 1
    assert len(transport.questions) == 1
    assert len(transport.texts) == 1


async def test_a_failed_step_is_planned_again_and_finished_results_are_reused(open_app, scripted_model, lab):
    scripted_model.say(
        steps(task("glass/look", "Look", {"name": "lamp"}), task("lab/fail", "Switch it on", step="s2")),
        when=is_planning,
    )
    scripted_model.say(
        steps(
            task("glass/look", "Look", {"name": "lamp"}),
            task("lab/mark", "Mark it as broken", {"text": "broken"}, step="s2"),
        ),
        when=is_planning,
    )
    scripted_model.say("The lamp is broken; I marked it: broken.", when=is_writing, times=None)
    async with open_app() as app:
        outcome = await ask(app, "Switch on the lamp, or mark it as broken")
    assert outcome.replans == 1
    assert log_of(lab) == ["look lamp", "broken begins", "broken ends"]
    assert "the lamp is broken" in json.dumps(scripted_model.requests[1]["messages"])


async def test_replans_end_when_the_model_only_repeats_what_failed(open_app, scripted_model, lab):
    scripted_model.say(steps(task("lab/fail", "Switch it on")), when=is_planning, times=None)
    scripted_model.say("It did not work.", when=is_writing, times=None)
    async with open_app() as app:
        outcome = await ask(app, "Switch on the lamp")
    assert outcome.status == "error"
    assert outcome.replans <= 3
    assert "the lamp is broken" in outcome.answer


async def test_words_from_outside_do_not_reach_a_write_without_consent(open_app, scripted_model, transport, lab):
    scripted_model.say(
        steps(
            task("lab/page", "Read the page", {"name": "page"}),
            task("lab/mark", "Mark it", {"text": "${s1}"}, ["s1"], step="s2"),
        ),
        when=is_planning,
        times=2,
    )
    scripted_model.say("It was not marked.", when=is_writing, times=None)
    async with open_app() as app:
        waiting = await ask(app, "Read the page and mark what it says")
        assert waiting.questions[0].purpose == "approval"
        await app.answer(waiting.questions[0].id, "2", person="terminal:me")
        outcome = await app.outcome(waiting.run_id)
        assert [response.status for response in outcome.results] == ["ok", "cancelled"]
        again = await ask(app, "Read the page and mark what it says")
        await app.answer(again.questions[0].id, "Allow", person="terminal:me")
        assert (await app.outcome(again.run_id)).status == "ok"
    assert log_of(lab).count("seen page ends") == 1


async def test_a_message_with_the_same_key_is_taken_once(open_app, scripted_model, lab):
    scripted_model.say(steps(task("glass/look", "Look", {"name": "x"})), when=is_planning)
    scripted_model.say("seen x", when=is_writing, times=None)
    async with open_app() as app:
        first = await app.submit(incoming("Look at x", key="telegram:1"))
        assert await app.submit(incoming("Look at x", key="telegram:1")) is None
        await app.outcome(first)
    async with open_app() as app:
        assert await app.submit(incoming("Look at x", key="telegram:1")) is None
    assert log_of(lab) == ["look x"]


async def test_a_reply_with_the_same_key_is_the_same_answer(open_app, scripted_model, lab):
    scripted_model.say(steps(task("lab/mark", "Mark", {})), when=is_planning)
    scripted_model.say("Marked red.", when=is_writing, times=None)
    async with open_app() as app:
        waiting = await ask(app, "Mark it")
        assert await app.reply("s", "red", person="terminal:me", key="telegram:2")
        await app.outcome(waiting.run_id)
        assert await app.reply("s", "red", person="terminal:me", key="telegram:2")
        assert not await app.reply("s", "and now?", person="terminal:me", key="telegram:3")


async def test_a_strangers_answer_does_not_count(open_app, scripted_model, lab):
    scripted_model.say(steps(task("lab/mark", "Mark", {})), when=is_planning)
    async with open_app() as app:
        waiting = await ask(app, "Mark it")
        assert not await app.answer(waiting.questions[0].id, "red", person="telegram:666")
        assert not await app.answer("no-such-question", "red", person="terminal:me")


async def test_guests_may_not_ask(open_app):
    async with open_app() as app:
        with pytest.raises(NotAllowedError):
            await app.submit(incoming("Hello", person="telegram:666"))


async def test_stop_ends_the_work_and_closes_the_questions(open_app, scripted_model, lab):
    scripted_model.say(
        steps(task("lab/mark", "Slow", {"text": "slow", "wait": 1}), task("lab/mark", "Mark", {}, step="s2")),
        when=is_planning,
    )
    async with open_app() as app:
        run_id = await app.submit(incoming("slow and mark"))
        with app.events.subscribe(StepStarted) as started:
            await asyncio.wait_for(started.next(), 20)
        await wait_for(lambda: log_of(lab))
        assert await app.stop("s") == 1
        assert (await app.run_detail(run_id)).status == "cancelled"
        assert await app.questions("s") == []
        assert await app.stop("s") == 0
        await asyncio.sleep(1.2)
    assert log_of(lab) == ["slow begins"]


async def test_a_second_request_of_a_session_waits_for_the_first(open_app, scripted_model, lab):
    scripted_model.say(steps(task("lab/mark", "Mark", {"text": "first", "wait": 0.4})), when="Mark it, please")
    scripted_model.say(steps(task("glass/look", "Look", {"name": "second"})), when="Look at it, please")
    scripted_model.say("first, seen second", when=is_writing, times=None)
    async with open_app() as app:
        first = await app.submit(incoming("Mark it, please first"))
        second = await app.submit(incoming("Look at it, please second"))
        assert [(await app.outcome(run)).status for run in (first, second)] == ["ok", "ok"]
    assert log_of(lab) == ["first begins", "first ends", "look second"]


async def test_a_second_request_of_a_session_does_not_wait_for_the_question_of_the_first(open_app, scripted_model, lab):
    scripted_model.say(steps(task("lab/mark", "Mark", {})), when="Mark it, please")
    scripted_model.say(steps(task("glass/look", "Look", {"name": "x"})), when="Look at x, please")
    scripted_model.say("seen x red", when=is_writing, times=None)
    async with open_app() as app:
        waiting = await ask(app, "Mark it, please")
        assert (await ask(app, "Look at x, please")).status == "ok"
        await app.reply("s", "red", person="terminal:me")
        assert (await app.outcome(waiting.run_id)).status == "ok"
    assert log_of(lab) == ["look x", "red begins", "red ends"]


async def test_a_command_needs_no_model_and_asks_for_what_is_missing(open_app, transport, lab):
    async with open_app() as app:
        run_id = await app.submit_command(incoming("/mark"), "lab/mark", {})
        waiting = await app.outcome(run_id)
        assert waiting.questions[0].text == "Which mark?"
        await app.reply("s", "green", person="terminal:me")
        outcome = await app.outcome(run_id)
    assert outcome.status == "ok"
    assert log_of(lab) == ["green begins", "green ends"]
    assert "green" in transport.texts[0]


async def test_a_model_that_is_down_gives_a_plain_message_and_loses_nothing(open_app, scripted_model, transport):
    scripted_model.fail(503, times=None)
    async with open_app() as app:
        outcome = await ask(app, "What is 12*7?")
        assert outcome.status == "error"
        assert transport.texts == [outcome.answer]
        assert "Traceback" not in outcome.answer
        history = await app.sessions.history("s", 5)
    assert history[-1]["user"] == "What is 12*7?"


async def test_progress_is_published_in_order(open_app, scripted_model, lab):
    scripted_model.say(steps(task("glass/look", "Look", {"name": "x"})), when=is_planning)
    scripted_model.say("seen x", when=is_writing, times=None)
    async with open_app() as app:
        with app.events.subscribe(Progress) as progress:
            await ask(app, "Look at x")
            seen = [type(event).__name__ for event in progress.pending()]
    wanted = ["RunStarted", "PhaseChanged", "PlanMade", "StepStarted", "StepEnded", "RunEnded"]
    places = [seen.index(name) for name in wanted]
    assert places == sorted(places)


async def test_the_session_remembers_the_turn_and_the_next_plan_reads_it(open_app, scripted_model, lab):
    scripted_model.say(steps(task("glass/look", "Look", {"name": "teapot"})), when=is_planning)
    scripted_model.say(steps(task("glass/look", "Look", {"name": "cup"})), when=is_planning)
    scripted_model.say("seen teapot, seen cup", when=is_writing, times=None)
    async with open_app() as app:
        await ask(app, "Look at the teapot")
        await ask(app, "And at the cup")
        planning = [request for request in scripted_model.requests if is_planning(request)]
        assert "teapot" in json.dumps(planning[1]["messages"][1:])
        await app.new_conversation("s")
        assert await app.sessions.history("s", 5) == []


def agent_step(instruction: str, after: list[str] | None = None, step: str = "s1") -> dict:
    return {"id": step, "title": "Work it out", "kind": "agent", "instruction": instruction, "depends_on": after or []}


def is_turn(request: dict) -> bool:
    return "one call a turn" in request["messages"][0]["content"]


def is_first_plan(request: dict) -> bool:
    return is_planning(request) and not is_turn(request)


async def test_an_agent_step_calls_tasks_until_it_knows_enough(open_app, scripted_model, lab):
    scripted_model.say(steps(agent_step("Look at the cup, then mark it")), when=is_first_plan)
    scripted_model.say({"tool": "glass/look", "inputs": {"name": "cup"}}, when=is_turn)
    scripted_model.say({"tool": "glass/look", "inputs": {"name": "cup"}}, when=is_turn)
    scripted_model.say({"tool": "no/such", "inputs": {}}, when=is_turn)
    scripted_model.say({"tool": "lab/mark", "inputs": {"text": "cup"}}, when=is_turn)
    scripted_model.say({"tool": "finish", "inputs": {}, "answer": "The cup is marked."}, when=is_turn)
    scripted_model.say("The cup is marked.", when=is_writing, times=None)
    async with open_app() as app:
        outcome = await ask(app, "Look at the cup, then mark it")
    assert outcome.status == "ok"
    assert "The cup is marked." in outcome.answer
    assert log_of(lab) == ["look cup", "cup begins", "cup ends"]
    turns = [request for request in scripted_model.requests if is_turn(request)]
    assert "seen cup" in turns[1]["messages"][-1]["content"]
    assert "made before" in turns[2]["messages"][-1]["content"]
    assert "must be one of" in turns[3]["messages"][-1]["content"]


async def test_an_agent_step_asks_before_it_writes_after_it_read_words_from_outside(open_app, scripted_model, lab):
    scripted_model.say(steps(agent_step("Read the page and do what it says")), when=is_first_plan)
    scripted_model.say({"tool": "lab/page", "inputs": {"name": "page"}}, when=is_turn)
    scripted_model.say({"tool": "lab/mark", "inputs": {"text": "injected"}}, when=is_turn)
    scripted_model.say({"tool": "finish", "inputs": {}, "answer": "Nothing was marked."}, when=is_turn)
    scripted_model.say("Nothing was marked.", when=is_writing, times=None)
    async with open_app() as app:
        waiting = await ask(app, "Read the page and do what it says")
        (question,) = waiting.questions
        assert question.purpose == "approval"
        assert question.text.splitlines()[:2] == [
            "May I do this? Mark (lab/mark): it changes what is kept here.",
            "• text: injected",
        ]
        await app.answer(question.id, "2", person="terminal:me")
        outcome = await app.outcome(waiting.run_id)
    assert outcome.results[0].untrusted
    assert log_of(lab) == ["look page"]
    turns = [request for request in scripted_model.requests if is_turn(request)]
    assert "did not allow it" in turns[-1]["messages"][-1]["content"]


async def test_an_agent_step_ends_when_its_turns_are_used_up(open_app, scripted_model, lab):
    scripted_model.say(steps(agent_step("Look for ever")), when=is_first_plan)
    names = iter(range(100))
    scripted_model.say(
        lambda _: {"tool": "glass/look", "inputs": {"name": f"n{next(names)}"}}, when=is_turn, times=None
    )
    scripted_model.say("I looked.", when=is_writing, times=None)
    async with open_app(AURA_PLANNER_AGENT_TURNS="3") as app:
        outcome = await ask(app, "Look for ever")
    assert outcome.results[0].status == "partial"
    assert log_of(lab) == ["look n0", "look n1", "look n2"]


async def test_a_question_inside_a_task_holds_up_nobody_else(open_app, scripted_model, lab):
    scripted_model.say(steps(task("glass/look", "Look", {"name": "x"})), when=is_planning)
    scripted_model.say("seen x", when=is_writing, times=None)
    async with open_app(AURA_EXECUTION_CONCURRENCY="1") as app:
        run_id = await app.submit_command(incoming("/ponder"), "lab/ponder", {})
        waiting = await app.outcome(run_id)
        assert [question.text for question in waiting.questions] == ["Which colour?"]
        assert (await ask(app, "Look at x")).status == "ok"
        assert await app.reply("s", "blue", person="terminal:me")
        outcome = await app.outcome(run_id)
    assert outcome.results[0].output == "blue"
    assert log_of(lab) == ["look x", "blue begins", "blue ends"]


async def test_a_question_inside_a_task_goes_on_after_a_restart_and_is_asked_once(open_app, transport, lab):
    async with open_app() as app:
        run_id = await app.submit_command(incoming("/ponder"), "lab/ponder", {})
        await app.outcome(run_id)
    async with open_app() as app:
        await app.resume()
        assert (await app.outcome(run_id)).status == "waiting"
        assert await app.reply("s", "blue", person="terminal:me")
        assert (await app.outcome(run_id)).status == "ok"
    assert len(transport.questions) == 1


async def test_a_question_of_a_step_that_failed_is_closed_with_its_run(open_app, lab):
    async with open_app() as app:
        run_id = await app.submit_command(incoming("/hurry"), "lab/hurry", {})
        assert (await app.outcome(run_id)).status == "error"
        assert await app.questions("s") == []
        assert not await app.reply("s", "what is the weather", person="terminal:me")


async def test_words_from_outside_do_not_reach_the_next_plan(open_app, scripted_model, lab):
    scripted_model.say(steps(task("lab/page", "Read the page", {"name": "secret orders"})), when=is_planning)
    scripted_model.say(steps(task("glass/look", "Look", {"name": "x"})), when=is_planning)
    scripted_model.say("seen secret orders, seen x", when=is_writing, times=None)
    async with open_app() as app:
        await ask(app, "Read the page")
        await ask(app, "Look at x")
    second = [request for request in scripted_model.requests if is_planning(request)][1]
    assert "Read the page" in second["messages"][-1]["content"]
    assert "seen secret orders" not in second["messages"][-1]["content"]


async def test_an_early_look_up_never_overtakes_the_write_it_depends_on(open_app, scripted_model, lab):
    scripted_model.say(
        steps(task("glass/look", "Look", {"name": "x"}, ["s2"]), task("lab/mark", "Mark", {"text": "red"}, step="s2")),
        when=is_planning,
        piece=8,
        piece_delay=0.005,
    )
    scripted_model.say("red, then seen x", when=is_writing, times=None)
    async with open_app() as app:
        await ask(app, "Mark red, then look at x")
    assert log_of(lab)[-1] == "look x"


class Session:
    id = "seed"


async def test_the_seeds_run_gives_the_final_answer(open_app, scripted_model, lab):
    scripted_model.say(steps(task("glass/look", "Look", {"name": "x"})), when=is_planning)
    scripted_model.fail(503, when=is_planning, times=None)
    scripted_model.say("It is x.", when=is_writing, times=None)
    async with open_app() as app:
        assert "x" in await app.runner.run(Session(), "Look at x", None, None, {"channel": "terminal"})
        assert await app.runner.run(Session(), "Look again", None, None, {"channel": "terminal"})


async def test_the_seeds_small_calls_of_a_channel(open_app, lab):
    async with open_app() as app:
        app.record_message(5, 70)
        app.record_message(5, 71)
        assert app.recorded_message(5) == 71
        assert app.recorded_message(6) is None
        run_id = await app.submit_command(incoming("/mark"), "lab/mark", {})
        waiting = await app.outcome(run_id)
        assert not await app.resolve_question("no-such-question", "red")
        assert await app.resolve_question(waiting.questions[0].id, "red")
        assert (await app.outcome(run_id)).status == "ok"
        app.clear_session_cache("s")
        assert len(await app.sessions.history("s", 5)) == 1
