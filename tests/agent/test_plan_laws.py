"""The laws that hold for every plan, each in English, Russian and Chinese, and with anybody's tools."""

import re
import time
from datetime import UTC, datetime

import pytest

from agent.answer import compose_final_answer
from agent.config import AppConfig
from agent.contracts import Exchange, ExecutorResponse, PastPlan, PlanExample, PlanStep, Profile, TaskCard
from agent.errors import PlanningError
from agent.llm.client import ModelClient
from agent.plan_graph.coverage import uncovered
from agent.plan_graph.grounding import KnownWords, is_grounded, named_files
from agent.plan_graph.quotes import quote_pattern
from agent.planner import PlannerConfig, plan_command, plan_steps
from agent.planner.conversation import last_exchange, with_answer
from agent.planner.examples import joined, made_from_types, standing_examples, tasks_of_nearest
from agent.shortlist import shortlist
from agent.wording import is_little, rank, terms
from tests.fixtures.catalogue import built_in_cards, repaired, step

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def card(task, needs=None, gives=None, description="", **fields):
    """A card whose inputs are texts, all required."""
    names = {name: {"type": "string"} | ({"needs": kind} if kind else {}) for name, kind in (needs or {}).items()}
    inputs = {"type": "object", "properties": names, "required": list(names)}
    return TaskCard(task=task, title=task, description=description, inputs=inputs, gives=gives or {}, **fields)


FIND_CLIENT = card("crm/find", {"query": ""}, {"id": "client.id"}, "Find a client by name")
INVOICE = card("books/invoice", {"client": "client.id"}, {}, "Write an invoice", effects="write")
CRM = {one.task: one for one in (FIND_CLIENT, INVOICE)}


@pytest.fixture
async def planner(scripted_model, tmp_path):
    """plan(request, …) against a model that says what was scripted, over HTTP."""
    config = AppConfig.load(
        {"AURA_HOME": str(tmp_path), "AURA_LLM_ATTEMPTS": "1", **scripted_model.environment}, tmp_path
    )
    client = await ModelClient.open(config)

    async def plan(request, **fields):
        settings = {"catalogue": [*built_in_cards().values()], "profile": Profile(name="owner"), "meter": None} | fields
        return await plan_steps(PlannerConfig(model=client, now=NOW, **settings), request, "")

    yield plan
    await client.close()


def written(*steps):
    """A plan as a model writes it: (the words of the request, task, inputs) in order."""
    return {"steps": [{"for": words, "task": task, "inputs": inputs} for words, task, inputs in steps]}


@pytest.mark.parametrize(
    ("request_text", "quotes", "others"),
    [
        (
            "Show my notes, please!",
            ["Show my notes", "notes, please!", "my"],
            ["show my notes", "my note", "Show notes"],
        ),
        ("Покажи заметки и файлы", ["Покажи заметки", "файлы"], ["заметка", "Покажи файлы"]),
        ("显示我的笔记。", ["显示我的笔记", "我的", "笔"], ["我笔记", "显示笔记"]),
        ("Write (a+b)*c to x.txt?", ["x.txt?", "a+b", "Write (a+b)*c"], ["x", "(a+b)*d"]),
    ],
)
def test_a_quote_is_some_words_of_the_request_as_they_stand_there(request_text, quotes, others):
    pattern = re.compile(quote_pattern([request_text]))
    assert [quote for quote in quotes if not pattern.search(quote)] == []
    assert [other for other in others if pattern.search(other)] == []


def test_a_long_request_and_one_of_marks_alone_hold_the_decoder_to_nothing():
    assert quote_pattern(["word " * 2000]) is None
    assert quote_pattern(["?!… — ---"]) is None
    assert quote_pattern([""]) is None


@pytest.mark.parametrize(
    ("request_text", "served", "forgotten"),
    [
        ("Show my notes and delete the old invoice", "Show my notes", "delete the old invoice"),
        ("Покажи мои заметки и удали старый счёт", "Покажи мои заметки", "удали старый счёт"),
        ("显示我的笔记，然后删除旧发票", "显示我的笔记", "删除旧发票"),
        ("显示我的笔记 and delete the old счёт", "显示我的笔记", "delete the old счёт"),
    ],
)
def test_what_no_step_quotes_is_named(request_text, served, forgotten):
    half = [step("s1", "notes/list", quote=served)]
    assert forgotten in " … ".join(uncovered(request_text, half, []))
    assert uncovered(request_text, half, [forgotten]) == []
    whole = [*half, step("s2", "files/delete", quote=forgotten)]
    assert uncovered(request_text, whole, []) == []


def test_little_words_and_politeness_between_the_parts_are_not_missed():
    steps = [step("s1", "notes/list", quote="show my notes"), step("s2", "files/list", quote="my files")]
    assert uncovered("Could you show my notes and then also my files?", steps, []) == []


def test_a_file_that_a_step_quotes_and_was_not_given_is_named():
    request = "Write a poem and put it into cats.md"
    steps = [step("s1", "aura_base/write", instruction="Write a poem", quote=request)]
    assert "cats.md" in " ".join(uncovered(request, steps, []))


def test_a_plan_that_quotes_nothing_is_not_judged_by_quotes():
    assert uncovered("Show my notes and delete the old invoice", [step("s1", "notes/list")], []) == []


async def test_what_was_forgotten_is_asked_for_once_and_then_planned(planner, scripted_model):
    scripted_model.say(written(("Show my notes", "notes/list", {})))
    scripted_model.say(written(("read the report report.txt", "files/read", {"path": "report.txt"})))
    plan = await planner("Show my notes and read the report report.txt", files=["report.txt"])
    assert [one.task for one in plan.steps] == ["notes/list", "files/read"]
    assert plan.unserved == []
    assert "read the report report.txt" in scripted_model.requests[1]["messages"][-1]["content"]


async def test_what_is_still_forgotten_stands_in_the_plan_and_in_the_answer(planner, scripted_model):
    scripted_model.say(written(("Show my notes", "notes/list", {})), times=2)
    plan = await planner("Show my notes and water the red roses")
    assert plan.unserved == ["and water the red roses"]
    assert len(scripted_model.requests) == 2
    results = [ExecutorResponse(step_id="s1", status="ok", output="No notes.", summary="No notes.")]
    for said in ("Show my notes", "Покажи заметки", "显示我的笔记"):
        answer = await compose_final_answer(
            said, plan.steps, results, [], model=None, meter=None, now=NOW, unserved=plan.unserved
        )
        assert "water the red roses" in answer


async def test_a_plan_is_not_lost_when_the_model_cannot_be_asked_for_the_rest(planner, scripted_model):
    scripted_model.say(written(("Show my notes", "notes/list", {})))
    scripted_model.fail(401, "bad key", times=None)
    plan = await planner("Show my notes and water the red roses")
    assert [one.task for one in plan.steps] == ["notes/list"]
    assert plan.unserved == ["and water the red roses"]


async def test_a_step_that_names_no_task_is_no_reason_to_fail(planner, scripted_model):
    said = written(("show my notes", "notes/list", {}))["steps"]
    scripted_model.say({"steps": [{"for": "Tell me a joke", "kind": "llm"}, *said]})
    scripted_model.say(written(("list the old files", "files/list", {})))
    plan = await planner("Tell me a joke, show my notes and list the old files")
    assert [one.task or one.kind for one in plan.steps] == ["llm", "notes/list", "files/list"]


async def test_a_model_that_repeats_itself_is_stopped(planner, scripted_model):
    once = ("Show my notes", "notes/list", {})
    scripted_model.say(written(*[once] * 5000), piece=4000)
    begun = time.monotonic()
    plan = await planner("Show my notes")
    assert [one.task for one in plan.steps] == ["notes/list"]
    assert time.monotonic() - begun < 30


async def test_of_five_thousand_steps_no_more_are_looked_at_than_a_plan_may_have(planner, scripted_model):
    many = written(*(("count", "aura_base/calculate", {"expression": f"{number}+1"}) for number in range(5000)))
    scripted_model.say(many, times=2, piece=4000)
    told = []
    begun = time.monotonic()
    with pytest.raises(PlanningError, match="at most 30"):
        await planner("count", on_step=told.append)
    assert len(told) <= 31
    assert time.monotonic() - begun < 60


async def test_a_tool_that_does_not_exist_goes_back_to_the_model_and_is_never_called(planner, scripted_model):
    scripted_model.say(written(("Use drop_tables", "db/drop_tables", {})))
    scripted_model.say(written(("Use drop_tables", "llm", {})))
    plan = await planner("Use drop_tables")
    assert [one.kind for one in plan.steps] == ["llm"]


async def test_a_request_that_quotes_another_plan_is_no_plan(planner, scripted_model):
    request = 'Explain {"steps":[{"for":"x","task":"notes/clear","inputs":{}}]} to me'
    scripted_model.say(written((request, "llm", {})))
    plan = await planner(request)
    assert [(one.kind, one.instruction) for one in plan.steps] == [("llm", request)]


@pytest.mark.parametrize(
    ("value", "said", "grounded"),
    [
        (3.2, "It costs 3.20", True),
        ("3.20", "It costs 3.2 euros", True),
        (1000, "about 1,000 people", True),
        (3.2, "Это стоит 3,20", True),
        (5, "给我5个苹果", True),
        (-5, "set it to -5 degrees", True),
        (3, "It costs 3.20", False),
        (5, "set it to -5 degrees", False),
        (3, "play the mp3", False),
        (12, "in 2012", False),
    ],
)
def test_numbers_compare_as_numbers(value, said, grounded):
    assert is_grounded(value, KnownWords(said)) is grounded


@pytest.mark.parametrize(
    ("request_text", "words", "negated"),
    [
        ("Write it, but don't save it as a note", "save it as a note", True),
        ("Напиши, но не сохраняй это в заметки", "сохраняй это в заметки", True),
        ("写一首诗，但别保存到笔记", "保存到笔记", True),
        ("Write it and save it as a note", "save it as a note", False),
        ("Запиши это в заметки", "Запиши это в заметки", False),
        ("把这个保存到笔记", "保存到笔记", False),
    ],
)
def test_what_was_forbidden_is_not_done_unasked(request_text, words, negated):
    plan = repaired(request_text, step("s1", "notes/add", text="Roses are red", quote=words))
    note = next(one for one in plan.steps if one.task == "notes/add")
    assert bool(note.confirm) is negated


def test_a_note_not_to_forget_something_forbids_nothing():
    request = "Note: never feed the cat twice"
    plan = repaired(request, step("s1", "notes/add", text="never feed the cat twice", quote=request))
    assert plan.steps[0].confirm == ""


def test_what_somebody_only_mentions_asks_first():
    request = 'How do I say "delete all notes about Anna" in German?'
    plan = repaired(request, step("s1", "notes/add", text="delete all notes", quote="delete all notes"))
    assert plan.steps[0].confirm


@pytest.mark.parametrize(("name", "said"), [("Rossi", "Rossi"), ("Иванов", "Иванов"), ("王伟", "王伟")])
def test_a_look_up_that_is_missing_is_put_in_front(name, said):
    plan = repaired(f"Invoice for {said}", step("s1", "books/invoice", client=name), cards=CRM)
    assert [one.task for one in plan.steps] == ["crm/find", "books/invoice"]
    assert plan.steps[0].inputs == {"query": said}
    assert plan.steps[1].inputs == {"client": f"${{{plan.steps[0].id}.id}}"}


def test_a_look_up_is_put_in_front_under_a_wrong_name_as_well():
    plan = repaired("Invoice for Rossi", step("s1", "books/invoice", customer="Rossi"), cards=CRM)
    assert [one.task for one in plan.steps] == ["crm/find", "books/invoice"]


def test_a_reference_goes_to_the_nearest_giver():
    plan = repaired(
        "Find Anna, find Bob, invoice him",
        step("s1", "crm/find", query="Anna"),
        step("s2", "crm/find", query="Bob"),
        step("s3", "books/invoice"),
        cards=CRM,
    )
    assert plan.steps[2].inputs == {"client": "${s2.id}"}
    assert plan.steps[2].depends_on == ["s2"]


def test_types_that_need_each_other_end():
    cards = {
        one.task: one
        for one in (card("a/one", {"x": "b.id"}, {"id": "a.id"}), card("b/two", {"y": "a.id"}, {"id": "b.id"}))
    }
    plan = repaired("one for me", step("s1", "a/one"), cards=cards)
    assert [one.task for one in plan.steps][-1] == "a/one"
    assert len(plan.steps) <= 3
    assert {one.task for one in shortlist([*cards.values()], "one", 1)} <= {*cards}


def test_a_text_of_an_earlier_part_is_its_result():
    cards = built_in_cards()
    note = cards["notes/add"]
    schema = {**note.inputs, "properties": {**note.properties, "text": {**note.properties["text"], "verbatim": True}}}
    plan = repaired(
        "Work out 365*24 and keep the result as a note",
        step("s1", "aura_base/calculate", expression="365*24", quote="Work out 365*24"),
        step("s2", "notes/add", text="365*24", quote="keep the result as a note"),
        cards={**cards, "notes/add": note.model_copy(update={"inputs": schema})},
    )
    assert plan.steps[1].inputs["text"].startswith("${s1")
    assert plan.steps[1].depends_on == ["s1"]


def test_one_word_serves_one_input():
    texts = {name: {"type": "string", "verbatim": True} for name in ("text", "when")}
    reminder = TaskCard(task="r/add", inputs={"type": "object", "properties": texts, "required": ["text", "when"]})
    request = "Remind me tomorrow call Ann"
    given = {"text": "tomorrow call Ann", "when": "tomorrow"}
    plan = repaired(request, step("s1", "r/add", quote=request, **given), cards={"r/add": reminder})
    assert plan.steps[0].inputs == {"text": "call Ann", "when": "tomorrow"}


def test_an_example_of_several_steps_is_made_where_a_catalogue_has_none():
    made = made_from_types([*CRM.values()])
    assert [one.task for one in made[0].steps] == ["crm/find", "books/invoice"]
    assert made[0].steps[1].inputs["client"] == "${s1}"
    assert made[0] in standing_examples([*CRM.values()], [])
    assert made_from_types([FIND_CLIENT]) == []


@pytest.mark.parametrize("plans", [("files", "notes"), ("notes", "reminders"), ("aura_base", "web")])
def test_an_example_of_several_listed_tasks_always_stands(plans):
    cards = [one for one in built_in_cards().values() if one.plan in plans]
    standing = standing_examples(cards, [])
    assert any(len(one.steps) > 1 for one in standing)
    assert {item.task for one in standing for item in one.steps} <= {*(one.task for one in cards), "llm"}


def test_examples_of_one_step_are_joined_to_one_of_several():
    singles = [example for one in built_in_cards().values() for example in one.plan_examples()][:2]
    one = joined(singles)[0]
    assert len(one.steps) == 2
    assert all(single.say in one.say for single in singles)
    assert joined([]) == []
    assert isinstance(one, PlanExample)


def test_a_reply_knows_the_last_exchange_and_only_that():
    context = "Person: tea?\nAura: Yes.\nPerson: 多少钱？\nAura: 5 €\nor more"
    last = last_exchange(context)
    assert last == Exchange(say="多少钱？", answer="5 €\nor more")
    assert last_exchange("") is None
    assert with_answer({"text": "${before}", "n": ["${s1}", 2]}, last) == {"text": "5 €\nor more", "n": ["${s1}", 2]}
    assert with_answer("${before}", None) == "${before}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("getWeatherForecast", "weather forecasts get"),
        ("погоды заметка", "погода заметки"),
        ("HTTPServer", "http_server"),
    ],
)
def test_words_are_compared_whatever_their_form(one, other):
    assert sorted(terms(one)) == sorted(terms(other))


def test_chinese_counts_in_pairs_and_little_words_not_at_all():
    assert terms("天气预报") == ["天气", "气预", "预报"]
    assert [is_little(word) for word in ("the", "и", "的", "invoice", "счёт")] == [True, True, True, False, False]
    assert terms("the of and") == []


def test_what_shares_nothing_ranks_nothing():
    assert rank(["tea with milk", "заметки"], "погода") == [0.0, 0.0]
    assert rank([], "x") == []
    assert rank(["the only tea"], "tea")[0] > 0
    assert min(rank(["tea", "tea with milk"], "tea")) > 0
    scores = rank(["show the weather", "show the notes"], "weather today")
    assert scores[0] > scores[1] == 0


def test_a_thousand_tools_without_descriptions_are_short_listed_with_what_they_need():
    many = [card(f"shop{number}/do_thing{number}") for number in range(1000)]
    begun = time.monotonic()
    listed = shortlist([*many, FIND_CLIENT, INVOICE], "Write an invoice, please", 12)
    assert {"books/invoice", "crm/find"} <= {one.task for one in listed}
    assert len(listed) <= 12
    assert time.monotonic() - begun < 20


def test_a_thousand_tools_that_need_each_other_are_short_listed_quickly():
    many = [card(f"shop{number}/get_thing{number}", {f"thing{number + 1}_id": ""}) for number in range(1000)]
    begun = time.process_time()
    listed = shortlist(many, "get the thing7 now", 12)
    assert len(listed) <= 12
    assert "shop7/get_thing7" in {one.task for one in listed}
    assert time.process_time() - begun < 4


@pytest.mark.parametrize(
    ("request_text", "tasks"),
    [
        ("Show my notes and my reminders", ["notes/list", "reminders/list"]),
        ("Show my notes", ["notes/list"]),
    ],
)
def test_a_listing_that_the_same_words_ask_for_is_added_and_no_other(request_text, tasks):
    plan = repaired(request_text, step("s1", "notes/list", quote=request_text))
    assert [one.task for one in plan.steps] == tasks


def test_listings_of_one_kind_are_not_all_run_for_one_word():
    cards = {one.task: one for one in (card(f"weather{number}/forecast") for number in range(100))}
    plan = repaired("the forecast", step("s1", "weather1/forecast", quote="the forecast"), cards=cards)
    assert [one.task for one in plan.steps] == ["weather1/forecast"]


def test_two_thousand_words_are_repaired_and_covered_quickly():
    request = "notes and files " * 700
    begun = time.monotonic()
    plan = repaired(request, step("s1", "notes/list", quote="notes and files"))
    uncovered(request, plan.steps, [])
    assert plan.problems == []
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "text", ["今天天气很好，我们去公园散步。" * 700, "今天" * 5000, "a" * 10_000, "+-" * 5000, "a/" * 5000]
)
def test_a_long_text_without_spaces_is_looked_through_in_a_moment(text):
    begun = time.process_time()
    plan = repaired(text, step("s1", "files/read", quote=text[:9]), step("s2", "notes/add", text=text))
    assert plan.problems == []
    assert time.process_time() - begun < 1.5


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Read a.txt, then b/c.md.", ["a.txt", "b/c.md"]),
        ("先读 a.txt，b.md。", ["a.txt", "b.md"]),
        ("Открой отчёт.docx!", ["отчёт.docx"]),
        ("See /home/x.csv (or y.csv)", ["home/x.csv", "y.csv"]),
        ("https://example.org/a.html", []),
    ],
)
def test_names_of_files_are_found_in_any_language(said, names):
    assert named_files(said) == names


@pytest.mark.parametrize("request_text", ["?!", "…", "。。。", "—", "  "])
def test_only_punctuation_is_no_plan_that_changes_anything(request_text):
    plan = repaired(request_text, PlanStep(id="s1", kind="llm"))
    assert [one.kind for one in plan.steps] == ["llm"]
    assert uncovered(request_text, plan.steps, []) == []


@pytest.mark.parametrize(
    ("request_text", "passage"),
    [
        ('Translate "good morning, dear Ann" into German', "good morning, dear Ann"),
        ("Переведи «доброе утро, Анна» на German", "доброе утро, Анна"),
        ("把「早上好，安娜」翻译成 German", "早上好，安娜"),
    ],
)
def test_a_quoted_passage_is_taken_whole(request_text, passage):
    plan = repaired(request_text, step("s1", "aura_base/translate", language="German", quote=request_text))
    assert [one.kind for one in plan.steps] == ["task"]
    assert plan.steps[0].inputs["text"] == passage


def test_of_two_quoted_passages_none_is_guessed():
    request = 'Translate "tea" or "milk" into German'
    plan = repaired(request, step("s1", "aura_base/translate", language="German", quote=request))
    assert [one.kind for one in plan.steps] == ["ask_user", "task"]


async def test_a_small_model_can_only_quote_and_copy_what_was_said(planner, scripted_model, monkeypatch):
    monkeypatch.setattr(ModelClient, "embedded", True)
    request = "Sum up notes.txt in 40 words"
    scripted_model.say(written((request, "files/read", {"path": "notes.txt"})), times=None)
    await planner(request, files=["notes.txt"])
    schema = scripted_model.requests[0]["response_format"]["json_schema"]["schema"]
    for held in ("quote", "words"):
        pattern = re.compile(schema["$defs"][held]["pattern"])
        assert pattern.search("notes.txt")
        assert not pattern.search("other.txt")
    summary = next(one for one in schema["properties"]["steps"]["items"]["anyOf"] if "summarise" in str(one))
    assert summary["properties"]["inputs"]["properties"]["words"] == {"enum": [40]}


async def test_a_long_request_holds_a_small_model_to_nothing_and_is_bounded_all_the_same(
    planner, scripted_model, monkeypatch
):
    monkeypatch.setattr(ModelClient, "embedded", True)
    request = "Show my notes. " + "tea and milk " * 700
    scripted_model.say(written((request, "notes/list", {})), times=None)
    await planner(request)
    sent = scripted_model.requests[0]
    schema = sent["response_format"]["json_schema"]["schema"]
    assert "pattern" not in schema["$defs"]["quote"]
    assert (sent.get("max_completion_tokens") or sent.get("max_tokens")) <= 2048


async def test_steps_that_touch_different_things_may_run_side_by_side(planner, scripted_model):
    scripted_model.say(
        written(
            ("Show my notes", "notes/list", {}),
            ("note that tea is out", "notes/add", {"text": "tea is out"}),
            ("list my files", "files/list", {}),
        )
    )
    plan = await planner("Show my notes, note that tea is out and list my files")
    needs = {one.task: one.depends_on for one in plan.steps}
    assert needs == {"notes/list": [], "notes/add": ["s1"], "files/list": []}


def test_what_is_read_and_used_by_nothing_is_what_the_next_step_is_about():
    plan = repaired(
        "Read letter.txt and write a polite reply",
        step("s1", "files/read", path="letter.txt").model_copy(update={"quote": "Read letter.txt"}),
        step("s2", "aura_base/write", instruction="a polite reply").model_copy(
            update={"quote": "write a polite reply"}
        ),
    )
    assert plan.steps[1].inputs["data"] == "${s1.text}"
    apart = repaired(
        "Show letter.txt and tell me what 12*7 is",
        step("s1", "files/read", path="letter.txt").model_copy(update={"quote": "Show letter.txt"}),
        step("s2", "aura_base/calculate", expression="12*7").model_copy(update={"quote": "tell me what 12*7 is"}),
    )
    assert apart.steps[1].depends_on == []


def test_a_task_that_is_called_by_name_is_not_taken_for_forbidden():
    made = plan_command(built_in_cards()["notes/add"], {"text": "do not forget: no sugar"})
    assert [one.confirm for one in made.steps] == [""]


def test_tasks_of_a_plan_like_this_one_stay_in_the_short_list():
    past = [PastPlan(request="water the ferns", steps=[{"task": "garden/pump", "inputs": {}}])]
    known = tasks_of_nearest(past, "please water the ferns again")
    assert known == {"garden/pump"}
    assert tasks_of_nearest(past, "what is 12*7?") == set()
    cards = [TaskCard(task=f"tools/water_ferns_{number}") for number in range(50)] + [TaskCard(task="garden/pump")]
    assert "garden/pump" in {card.task for card in shortlist(cards, "water the ferns", 10, known=known)}
