"""`aura ask` and its sisters with a scripted model: answers, questions, failures, what is left behind."""

from __future__ import annotations

import json
import signal

import pytest

from tests.e2e.program import AURA, ROOT, Program, is_planning, plan
from tests.fixtures.pseudo_terminal import PseudoTerminal

CALCULATE = ("aura_base/calculate", {"expression": "12*7"})
TRANSLATE = plan(("ask_user", {"question": "Into which language?"}))


@pytest.fixture
def aura(tmp_path, scripted_model):
    return Program(tmp_path / "home", scripted_model.environment)


def test_a_process_answers_a_request(aura, scripted_model):
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say("12*7 is 84.", times=None)
    process = aura.start("ask", "What is 12*7?", "--json")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")
    assert "84" in json.loads(out)["answer"]


def test_a_request_is_planned_run_and_answered(aura, scripted_model):
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say("12*7 is 84.", times=None)
    outcome = aura.json("ask", "What is 12*7?")
    assert outcome["status"] == "ok"
    assert "84" in outcome["answer"]
    assert [step["task"] for step in outcome["plan"]] == ["aura_base/calculate"]
    assert [result["output"] for result in outcome["results"]] == ["84"]
    assert outcome["usage"]["tokens"] > 0
    assert outcome["questions"] == []


def test_without_json_only_the_answer_is_on_standard_output(aura, scripted_model):
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say("12*7 is **84**.", times=None)
    done = aura("ask", "What is 12*7?")
    assert done.returncode == 0
    assert "84" in done.stdout
    assert done.stderr == ""


def test_a_damaged_session_file_is_kept_and_said_so(aura, scripted_model):
    (aura.home / "ask").mkdir(parents=True)
    (aura.home / "ask" / "SESSION.json").write_text("{ not json")
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say("12*7 is 84.", times=None)
    done = aura("ask", "What is 12*7?")
    assert "84" in done.stdout
    assert "SESSION" in done.stderr
    assert any(path.read_text() == "{ not json" for path in (aura.home / "ask").glob("SESSION*") if path.is_file())


@pytest.mark.parametrize("arguments", [["ask", "-"], ["ask"]])
def test_the_request_may_be_piped_in(aura, scripted_model, arguments):
    scripted_model.say(plan(CALCULATE), when="Was ergibt zwölf mal 7? �")
    scripted_model.say("84", times=None)
    outcome = aura.json(*arguments, typed="Was ergibt zwölf mal 7? ".encode() + b"\xff\n")
    assert "84" in outcome["answer"]


def test_a_file_of_a_request_is_in_the_session_folder_and_named(aura, scripted_model):
    steps = plan(("files/write", {"path": "haiku.txt", "text": "rain on the tin roof"}))
    scripted_model.say(steps, when=is_planning)
    scripted_model.say("Saved.", times=None)
    done = aura("ask", "Save 'rain on the tin roof' as haiku.txt")
    assert done.returncode == 0, done.stderr
    path = aura.home / "ask" / "files" / "haiku.txt"
    assert path.read_text() == "rain on the tin roof"
    assert str(path) in done.stderr


def test_a_question_nobody_answers_is_exit_code_2_and_can_be_answered_later(aura, scripted_model):
    scripted_model.say(TRANSLATE, when=is_planning)
    outcome = aura.json("ask", "Please translate it", code=2)
    assert outcome["status"] == "waiting"
    (question,) = outcome["questions"]
    assert question["text"]
    run_id = outcome["run_id"]

    said = aura("runs", "resume", run_id)
    assert said.returncode == 2
    assert question["text"] in said.stderr
    assert f"aura runs resume {run_id} --answer" in said.stderr

    scripted_model.say(plan(("llm", {"instruction": "Say good morning in French"})), when=is_planning)
    scripted_model.say("Bonjour.", times=None)
    resumed = aura.json("runs", "resume", run_id, "--answer", "French")
    assert resumed["status"] == "ok"
    assert "Bonjour" in resumed["answer"]
    assert aura.json("runs", "show", run_id)["answer"] == resumed["answer"]


def test_answers_may_be_given_beforehand(aura, scripted_model):
    scripted_model.say(TRANSLATE, when=is_planning)
    scripted_model.say(plan(("llm", {"instruction": "Say good morning in French"})), when=is_planning)
    scripted_model.say("Bonjour.", times=None)
    outcome = aura.json("ask", "Please translate it", "--answer", "French", "--answer", "never used")
    assert outcome["status"] == "ok"


def test_a_person_at_the_terminal_is_asked(aura, scripted_model):
    scripted_model.say(TRANSLATE, when=is_planning)
    scripted_model.say(plan(("llm", {"instruction": "Say good morning in French"})), when=is_planning)
    scripted_model.say("Bonjour.", times=None)
    with PseudoTerminal([*AURA, "ask", "Please translate it"], environment=aura.environment) as terminal:
        terminal.wait_for("answer ›")
        terminal.type("French\r")
        terminal.wait_for("Bonjour.")
        assert terminal.wait_for_exit() == 0
        assert "✓" in terminal.text


def test_an_endpoint_that_is_down_is_a_failure_in_words(aura, scripted_model):
    scripted_model.fail(503, times=None)
    outcome = aura.json("ask", "What is 12*7?", code=1)
    assert outcome["status"] == "error"
    assert outcome["answer"]
    done = aura("ask", "What is 12*7?")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip()


def test_no_model_at_all_names_the_three_ways_on_and_leaves_no_run(tmp_path):
    aura = Program(tmp_path / "home", {"AURA_EMBEDDED_FOLDER": str(tmp_path / "no weights")})
    outcome = aura.json("ask", "What is 12*7?", code=1)
    for way in ("aura model pull", "OPENAI_BASE_URL"):
        assert way in outcome["answer"]
    assert aura.json("runs") == []


@pytest.mark.parametrize(("text", "said"), [("", "empty"), ("   ", "empty"), ("x" * 1_000_000, "1,000,000")])
def test_empty_and_far_too_long_requests_are_refused_before_anything_runs(aura, scripted_model, text, said):
    if len(text) > 100:
        done = aura("ask", "-", "--json", typed=text)
        assert done.returncode == 1
        assert "characters" in done.stderr
    else:
        done = aura("ask", text)
        assert done.returncode == 1
        assert said in done.stderr
    assert scripted_model.requests == []


def test_every_request_without_a_session_begins_anew_and_with_one_it_goes_on(aura, scripted_model):
    scripted_model.say(plan(CALCULATE), when=is_planning, times=None)
    scripted_model.say("84", times=None)
    for arguments in (
        ["first secret word"],
        ["second one"],
        ["third", "--session", "kept"],
        ["fourth", "--session", "kept"],
    ):
        aura.json("ask", *arguments)
    planned = [str(request["messages"]) for request in scripted_model.requests if is_planning(request)]
    assert "first secret word" not in planned[1]
    assert "third" in planned[3]


def test_a_profile_that_may_nothing_is_refused_and_an_unknown_one_named(aura):
    assert "guest" in aura.json("ask", "hello", "--profile", "guest", code=1)["answer"]
    assert "owner" in aura("ask", "hello", "--profile", "nobody").stderr


def test_a_profile_limits_what_is_planned(aura, scripted_model, tmp_path):
    (aura.home).mkdir()
    (aura.home / "aura.yaml").write_text("profiles: {child: {allow: ['notes/*']}}\n")
    assert {card["task"].split("/")[0] for card in aura.json("tasks", "--profile", "child")} == {"notes"}
    scripted_model.say(plan(CALCULATE), when=is_planning, times=None)
    scripted_model.say("I cannot do that.", times=None)
    outcome = aura.json("ask", "What is 12*7?", "--profile", "child", code=1)
    assert "aura_base/calculate" not in [result.get("task") for result in outcome["results"]]


def test_the_plan_alone_runs_nothing(aura, scripted_model):
    scripted_model.say(plan(("files/write", {"path": "x.txt", "text": "x"})), when=is_planning, times=2)
    made = aura.json("plan", "Save x as x.txt")
    assert [step["task"] for step in made["steps"]] == ["files/write"]
    assert "files/write" in aura("plan", "Save x as x.txt").stdout
    assert not list(aura.home.rglob("x.txt"))


def test_ctrl_c_cancels_the_run(aura, scripted_model):
    scripted_model.hang(times=None)
    process = aura.start("ask", "What is 12*7?")
    scripted_model.wait_for_requests(1)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert (out, error.strip()) == ("", "Stopped.")
    assert [run["status"] for run in aura.json("runs")] == ["cancelled"]


def test_after_a_kill_the_run_goes_on_and_finished_steps_are_not_run_again(aura, scripted_model):
    steps = plan(("notes/add", {"text": "the plumber comes"}), ("llm", {"instruction": "Say hello"}))
    scripted_model.say(steps, when=is_planning)
    scripted_model.hang(when="Say hello")
    process = aura.start("ask", "Note: the plumber comes. Then say hello")
    scripted_model.wait_for_requests(2)
    process.kill()
    process.communicate()
    (run,) = aura.json("runs")
    assert run["status"] == "running"
    scripted_model.say("Hello. The plumber comes.", times=None)
    outcome = aura.json("runs", "resume", run["run_id"])
    assert outcome["status"] == "ok"
    assert aura.json("run", "notes/list")["result"]["count"] == 1


def test_runs_are_listed_shown_and_cancelled(aura, scripted_model):
    assert "Nothing was asked" in aura("runs").stderr
    scripted_model.say(TRANSLATE, when=is_planning)
    run_id = aura.json("ask", "Please translate it", code=2)["run_id"]
    assert run_id in aura("runs").stdout
    assert "Into which language?" in aura("runs", "show", run_id).stdout
    assert "cancelled" in aura("runs", "cancel", run_id).stderr
    assert "ended already" in aura("runs", "cancel", run_id).stderr
    assert aura.json("runs", "show", run_id)["status"] == "cancelled"
    assert "aura runs" in aura("runs", "show", "nothing").stderr


def test_a_task_is_run_without_a_model(aura, scripted_model):
    assert aura.json("run", "aura_base/calculate", "expression=12*7")["result"] == "84"
    assert aura("run", "aura_base/calculate", "expression=12*7").stdout == "84\n"
    failed = aura.json("run", "aura_base/calculate", "expression=1/0", code=1)
    assert failed["status"] == "error"
    assert failed["error"]["message"]
    assert "notes/add" in aura.json("run", "notes/ad", code=1)["error"]["message"]
    assert "key=value" in aura("run", "notes/add", "milk").stderr
    assert scripted_model.requests == []


def test_a_task_that_asks_is_answered_or_says_that_it_needs_an_answer(aura, tmp_path):
    folder = tmp_path / "quiz"
    (folder / "tasks").mkdir(parents=True)
    (folder / "plan.yaml").write_text("name: quiz\nversion: 1.0.0\ntitle: Quiz\n")
    (folder / "tasks" / "guess.yaml").write_text(
        "meta: {title: Guess, effects: read}\n"
        "steps:\n  - {ask: Which colour?, options: [red, blue], output_to: colour}\n"
        'returns: "{{ colour }}"\n'
    )
    aura.environment["AURA_PLANS"] = str(folder)
    assert aura.json("run", "quiz/guess", "--answer", "2")["result"] == "blue"
    done = aura("run", "quiz/guess")
    assert done.returncode == 2
    assert "Which colour?" in done.stderr
    assert "--answer" in done.stderr
    assert aura.json("run", "quiz/guess", code=2)["status"] == "needs_input"


def test_results_are_printed_for_people_too(aura):
    assert "milk" in aura("run", "notes/add", "text=milk").stdout
    assert aura("run", "files/write", "path=a.txt", "text=12", "--session", "kept").returncode == 0
    assert (aura.home / "kept" / "files" / "a.txt").read_text() == "12"
    failed = aura("run", "aura_base/calculate", "expression=1/0")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.strip()


def test_mistakes_in_a_plan_are_named_with_their_place(aura, tmp_path):
    folder = tmp_path / "broken"
    (folder / "tasks").mkdir(parents=True)
    (folder / "plan.yaml").write_text("name: broken\nversion: 1.0.0\ntitle: Broken\n")
    task = folder / "tasks" / "go.yaml"
    task.write_text("meta: {title: Go}\nsteps:\n  - acton: log\n    params: {message: hi}\n")
    for path in (folder, task):
        done = aura("check", str(path))
        assert done.returncode == 1
        assert "go.yaml:3" in done.stdout
        assert aura.json("check", str(path), code=1)[0]["line"] == 3
    aura.environment["AURA_PLANS"] = str(folder)
    assert "go.yaml:3" in aura("tasks").stderr
    assert "There is no" in aura("check", str(tmp_path / "nowhere")).stderr
    assert "no plan" in aura("check", str(ROOT / "README.md")).stderr


def test_the_doctor_names_what_is_missing(aura, tmp_path):
    assert {"what": "Plans", "verdict": "ok"}.items() <= aura.json("doctor")[-1].items()
    aura.environment |= {"OPENAI_BASE_URL": "", "OPENAI_API_KEY": "", "AURA_MODEL": "", "TELEGRAM_TOKEN": "1:a"}
    aura.environment["AURA_EMBEDDED_FOLDER"] = str(tmp_path / "no weights")
    findings = {finding["what"]: finding["verdict"] for finding in aura.json("doctor", code=1)}
    assert findings["Model"] == "problem"
    assert findings["Telegram"] == "problem"
    table = aura("doctor")
    assert table.returncode == 1
    assert "AURA_TELEGRAM_OWNERS" in table.stdout
    assert any("aura model pull" in finding["text"] for finding in aura.json("doctor", code=1))


def test_the_doctor_says_that_a_store_is_damaged_and_leaves_it(aura):
    aura.home.mkdir(exist_ok=True)
    store = aura.home / "aura.db"
    store.write_bytes(b"nonsense" * 1000)
    findings = {finding["what"]: finding for finding in aura.json("doctor", code=1)}
    assert findings["AURA_HOME"]["verdict"] == "problem"
    assert "damaged" in findings["AURA_HOME"]["text"]
    assert store.read_bytes() == b"nonsense" * 1000


def test_a_home_that_cannot_be_written_is_named(aura):
    aura.home.write_text("a file in the way")
    done = aura("ask", "hello")
    assert done.returncode == 1
    assert str(aura.home) in done.stderr


def test_damaged_history_is_set_aside_and_nothing_is_lost(aura, scripted_model):
    folder = aura.home / "kept"
    folder.mkdir(parents=True)
    (folder / "SESSION.json").write_text('{"version": 1, "orch')
    scripted_model.say(plan(CALCULATE), when=is_planning)
    scripted_model.say("84", times=None)
    assert aura.json("ask", "What is 12*7?", "--session", "kept")["status"] == "ok"
    assert any(path.read_text() == '{"version": 1, "orch' for path in folder.iterdir() if path.is_file())
