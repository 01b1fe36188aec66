import pytest

from agent.compat import is_success_status, next_batch, seed_completed_sets
from agent.contracts import ExecutorResponse, PlanStep, TaskCard
from agent.errors import UnknownReferenceError
from agent.plan_graph.frontier import apply_step_result
from agent.plan_graph.identity import fingerprint
from agent.references import resolve_references
from tests.fixtures.catalogue import built_in_cards, repaired, shape, step


def ask(name, question, *needs):
    return PlanStep(id=name, kind="ask_user", question=question, depends_on=list(needs))


def test_independent_steps_stay_independent():
    plan = repaired(
        "What is 12*7? Also list my files.",
        step("s1", "aura_base/calculate", expression="12*7"),
        step("s2", "files/list"),
    )
    assert shape(plan) == [("s1", "aura_base/calculate", []), ("s2", "files/list", [])]


def test_a_reference_is_an_edge_and_decides_the_order():
    plan = repaired(
        "Write a haiku about rain and save it as haiku.txt",
        step("save", "files/write", path="haiku.txt", text="${write}"),
        step("write", "aura_base/write", instruction="Write a haiku about rain"),
    )
    assert shape(plan) == [("write", "aura_base/write", []), ("save", "files/write", ["write"])]


def test_a_note_is_made_before_the_notes_are_shown():
    plan = repaired(
        "Make a note that the plumber comes, then show me all my notes",
        step("s1", "notes/add", text="The plumber comes"),
        step("s2", "notes/list"),
    )
    assert plan.steps[1].depends_on == ["s1"]
    assert any("s2: waits for s1" in note for note in plan.notes)


def test_two_reads_of_one_plan_run_side_by_side():
    plan = repaired(
        "Show my notes and find Anna in my notes", step("s1", "notes/list"), step("s2", "notes/find", query="Anna")
    )
    assert [one.depends_on for one in plan.steps] == [[], []]


def test_steps_that_share_a_resource_keep_their_order_when_one_writes():
    cards = {
        card.task: card
        for card in [
            TaskCard(task="camera/turn", title="Turn the camera", effects="external", resources=["lens"]),
            TaskCard(task="studio/shot", title="Take a shot", resources=["lens"]),
            TaskCard(task="other/shot", title="Another shot"),
        ]
    }
    plan = repaired(
        "turn the camera and take a shot, and another shot",
        step("a", "camera/turn"),
        step("b", "studio/shot"),
        step("c", "other/shot"),
        cards=cards,
    )
    assert [(one.id, one.depends_on) for one in plan.steps] == [("a", []), ("b", ["a"]), ("c", [])]


def test_a_name_that_is_nearly_right_is_taken_for_the_task():
    for wrong in ("calculate", "aura_base.calculate", "Aura_Base/Calculate", "aura_base/calculat"):
        plan = repaired("What is 1+1?", step("s1", wrong, expression="1+1"))
        assert [one.task for one in plan.steps] == ["aura_base/calculate"]


def test_a_task_that_does_not_exist_is_told_to_the_model_with_the_nearest_names():
    plan = repaired("Zip my notes", step("s1", "notes/zip"))
    assert plan.problems
    assert "notes/zip" in plan.problems[0]
    assert "notes/list" in plan.problems[0]


def test_too_many_steps_are_refused():
    plan = repaired("count", *(step(f"s{number}", "notes/list") for number in range(31)))
    assert plan.problems == ["the plan has 31 steps; at most 30 are allowed"]


def test_inputs_are_made_to_fit_and_unknown_ones_dropped():
    plan = repaired(
        "Convert prices.csv to JSON",
        step("s1", "files/convert", path="prices.csv", to="JSON", speed="fast"),
        files=("prices.csv",),
    )
    assert plan.steps[0].inputs == {"path": "prices.csv", "to": "json"}
    assert any("speed" in note for note in plan.notes)


def test_a_number_as_text_becomes_a_number_and_stays_in_its_bounds():
    plan = repaired("Summarise this: tea", step("s1", "aura_base/summarise", text="tea", words="80"))
    assert plan.steps[0].inputs["words"] == 80
    high = repaired("Summarise this: tea", step("s1", "aura_base/summarise", text="tea", words=10_000))
    assert high.steps[0].inputs["words"] == 600


def test_the_only_unknown_input_is_taken_for_the_only_missing_one():
    plan = repaired("Note that milk is out", step("s1", "notes/add", content="milk is out"))
    assert plan.steps[0].inputs == {"text": "milk is out"}


@pytest.mark.parametrize("text", ["it", "${s1}", "${nobody}", "<text>", "", None, "the text"])
def test_what_says_nothing_or_refers_to_nothing_becomes_a_question(text):
    plan = repaired("Please translate it into German", step("s1", "aura_base/translate", text=text, language="German"))
    question, translation = plan.steps
    assert (question.kind, question.question) == ("ask_user", "Which text shall I translate?")
    assert translation.inputs["text"] == f"${{{question.id}}}"
    assert translation.depends_on == [question.id]


def test_a_question_for_a_choice_offers_the_choices():
    plan = repaired("Convert prices.csv", step("s1", "files/convert", path="prices.csv"), files=("prices.csv",))
    assert plan.steps[0].question == "Into which form?"
    assert plan.steps[0].options == ["csv", "tsv", "json", "jsonl", "markdown"]


def test_a_question_for_a_file_offers_the_files():
    plan = repaired("Delete the file", step("s1", "files/delete"), files=("a.txt", "b.txt"))
    assert plan.steps[0].options == ["a.txt", "b.txt"]


def test_an_invented_address_is_asked_for_instead():
    plan = repaired(
        "How many days until Christmas?", step("s1", "web/fetch", url="https://days-until.example/christmas")
    )
    assert [one.kind for one in plan.steps] == ["ask_user", "task"]
    assert "days-until" not in str(plan.steps[1].inputs)


@pytest.mark.parametrize(
    "written", ["https://example.org", "https://example.org/", "example.org", "http://www.example.org"]
)
def test_an_address_that_the_person_wrote_is_used(written):
    plan = repaired("Fetch https://example.org please", step("s1", "web/fetch", url=written))
    assert [one.kind for one in plan.steps] == ["task"]


def test_an_address_that_was_forgotten_is_taken_from_the_request():
    plan = repaired("Fetch https://example.org/a?b=1, please", step("s1", "web/fetch"))
    assert plan.steps[0].inputs == {"url": "https://example.org/a?b=1"}


def test_of_two_addresses_none_is_guessed():
    plan = repaired("Fetch https://a.example or https://b.example", step("s1", "web/fetch"))
    assert plan.steps[0].kind == "ask_user"


def test_a_file_that_nobody_spoke_of_is_asked_for_although_it_is_there():
    plan = repaired(
        "Convert it to markdown", step("s1", "files/convert", path="a.csv", to="markdown"), files=("a.csv", "b.csv")
    )
    assert plan.steps[0].question == "Which file?"


def test_the_only_file_there_is_needs_no_question():
    plan = repaired(
        "Convert it to markdown", step("s1", "files/convert", path="a.csv", to="markdown"), files=("a.csv",)
    )
    assert [one.kind for one in plan.steps] == ["task"]


def test_a_slightly_wrong_file_name_becomes_the_file_that_is_there():
    plan = repaired("Read the report", step("s1", "files/read", path="Report.TXT"), files=("report.txt", "b.csv"))
    assert plan.steps[0].inputs == {"path": "report.txt"}


def test_a_file_name_where_the_text_belongs_is_read_first():
    plan = repaired("Summarise report.txt", step("s1", "aura_base/summarise", text="report.txt"), files=("report.txt",))
    assert shape(plan) == [("read_s1", "files/read", []), ("s1", "aura_base/summarise", ["read_s1"])]
    assert plan.steps[1].inputs["text"] == "${read_s1.text}"


def test_an_address_where_the_text_belongs_is_fetched_first():
    plan = repaired(
        "Translate https://example.org",
        step("s1", "aura_base/translate", text="https://example.org", language="German"),
    )
    assert [one.task for one in plan.steps] == ["web/fetch", "aura_base/translate"]


def test_a_file_that_is_only_spoken_of_is_not_written():
    plan = repaired("What belongs into a pyproject.toml?", PlanStep(id="s1", kind="llm"))
    assert [one.kind for one in plan.steps] == ["llm"]


def test_a_file_called_summary_asks_for_none():
    plan = repaired("Read summary.txt", step("s1", "files/read", path="summary.txt"), files=("summary.txt",))
    assert [one.task for one in plan.steps] == ["files/read"]


def test_a_reference_to_the_step_itself_means_the_unused_result_before_it():
    plan = repaired(
        "Read letter.txt and translate it into German",
        step("s1", "files/read", path="letter.txt"),
        step("s2", "aura_base/translate", text="${s2}", language="German"),
        files=("letter.txt", "b.txt"),
    )
    assert shape(plan) == [("s1", "files/read", []), ("s2", "aura_base/translate", ["s1"])]


def test_a_whole_result_in_a_text_input_becomes_its_text():
    plan = repaired(
        "Fetch https://example.org and save it as page.txt",
        step("s1", "web/fetch", url="https://example.org"),
        step("s2", "files/write", path="page.txt", text="${s1}"),
    )
    assert plan.steps[1].inputs["text"] == "${s1.text}"


def test_what_is_asked_for_one_step_is_what_the_next_one_takes_of_it():
    text = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    cards = {"log/add": TaskCard(task="log/add", effects="write", inputs=text)}
    cards["copy/add"] = TaskCard(task="copy/add", effects="write", inputs=text)
    plan = repaired("Log it, and copy it", step("s1", "log/add"), step("s2", "copy/add", text="${s1}"), cards=cards)
    asked, *others = plan.steps
    assert [one.inputs["text"] for one in others] == [f"${{{asked.id}}}"] * 2


def test_a_field_of_a_plain_text_result_means_the_text():
    plan = repaired(
        "Write a poem and save it as p.txt",
        step("s1", "aura_base/write", instruction="Write a poem"),
        step("s2", "files/write", path="p.txt", text="${s1.content}"),
    )
    assert plan.steps[1].inputs["text"] == "${s1}"


@pytest.mark.parametrize("loose", ["$s1", "{{s1}}", "{{ s1 }}", "{s1}", "<s1>"])
def test_loose_forms_of_a_reference_are_understood(loose):
    plan = repaired(
        "Write a poem and save it as p.txt",
        step("s1", "aura_base/write", instruction="Write a poem"),
        step("s2", "files/write", path="p.txt", text=loose),
    )
    assert plan.steps[1].inputs["text"] == "${s1}"


def test_what_the_person_wrote_is_no_reference():
    plan = repaired("Note that ${HOME} is a variable", step("s1", "notes/add", text="${HOME} is a variable"))
    assert [one.kind for one in plan.steps] == ["task"]
    assert resolve_references(plan.steps[0].inputs, {}) == {"text": "${HOME} is a variable"}


def test_results_never_become_part_of_an_instruction():
    plan = repaired(
        "Fetch https://example.org and tell me about it",
        step("s1", "web/fetch", url="https://example.org"),
        PlanStep(id="s2", kind="llm", instruction="Explain ${s1.text}"),
    )
    told = plan.steps[1]
    assert told.instruction == "Explain the result of s1"
    assert told.inputs == {"from_s1": "${s1.text}"}
    assert told.depends_on == ["s1"]


def test_a_dependency_that_makes_a_circle_is_dropped():
    plan = repaired(
        "show my notes, list files",
        step("s1", "notes/list", "s2"),
        step("s2", "files/list", "s1"),
    )
    assert shape(plan) == [("s1", "notes/list", []), ("s2", "files/list", ["s1"])]


def test_references_in_a_circle_go_back_to_the_model():
    plan = repaired(
        "Write and translate",
        step("s1", "aura_base/write", instruction="Write about it", data="${s2}"),
        step("s2", "aura_base/translate", text="${s1}", language="German"),
    )
    assert plan.problems == ["steps s1, s2 need each other in a circle"]


def test_the_same_id_twice_is_told_apart():
    plan = repaired(
        "What is 1+1? And 2+2?",
        step("s1", "aura_base/calculate", expression="1+1"),
        step("s1", "aura_base/calculate", expression="2+2"),
    )
    assert [one.id for one in plan.steps] == ["s1", "s1_2"]


def test_the_same_step_twice_is_done_once():
    plan = repaired(
        "Note that milk is out",
        step("s1", "notes/add", text="milk is out"),
        step("s2", "notes/add", text="milk is out"),
    )
    assert [one.id for one in plan.steps] == ["s1"]


def test_the_same_look_up_after_a_change_is_kept():
    plan = repaired(
        "Show my notes, note tea, show my notes",
        step("s1", "notes/list"),
        step("s2", "notes/add", text="tea"),
        step("s3", "notes/list"),
    )
    assert [one.id for one in plan.steps] == ["s1", "s2", "s3"]


def test_a_request_in_another_language_than_the_tasks_keeps_its_look_ups():
    plan = repaired(
        "Сколько будет 144/12? И покажи мои файлы.",
        step("s1", "aura_base/calculate", expression="144/12"),
        step("s2", "files/list"),
    )
    assert [one.task for one in plan.steps] == ["aura_base/calculate", "files/list"]


def test_an_action_that_nobody_asked_for_is_left_out():
    request = "Get https://example.com and tell me what it is about"
    plan = repaired(
        request,
        step("s1", "web/fetch", url="https://example.com", quote=request),
        step("s2", "notes/add", text="It is a website about examples.", quote="tell me what it is about"),
    )
    assert [one.task for one in plan.steps] == ["web/fetch"]


@pytest.mark.parametrize(
    ("request_text", "addition"),
    [
        ("Read report.txt and sum it up", "sum it up"),
        ("Прочитай report.txt и подведи итог", "подведи итог"),
        ("读取 report.txt 并总结", "总结"),
    ],
)
def test_a_summary_is_not_saved_unasked_in_any_language(request_text, addition):
    plan = repaired(
        request_text,
        step("s1", "files/read", path="report.txt", quote=request_text),
        step("s2", "files/write", path="summary.txt", text="A good year", quote=addition),
        files=("report.txt",),
    )
    assert [one.task for one in plan.steps] == ["files/read"]


def test_an_address_is_not_read_as_a_file():
    plan = repaired("Summarise https://example.org/a", step("s1", "files/read", path="https://example.org/a"))
    assert [(one.task, one.inputs, one.untrusted) for one in plan.steps][:1] == [
        ("web/fetch", {"url": "https://example.org/a"}, True)
    ]


def test_an_action_in_the_person_s_own_words_is_kept():
    plan = repaired(
        "Jot down that I owe Bob five euros and tell me the time",
        step("s1", "notes/add", text="I owe Bob five euros"),
        step("s2", "aura_base/now"),
    )
    assert [one.task for one in plan.steps] == ["notes/add", "aura_base/now"]


def test_a_question_whose_answer_was_said_is_dropped():
    plan = repaired(
        "Convert prices.csv to json",
        ask("s1", "Into which form?"),
        step("s2", "files/convert", path="prices.csv", to="${s1}"),
        files=("prices.csv",),
    )
    assert shape(plan) == [("s2", "files/convert", [])]
    assert plan.steps[0].inputs["to"] == "json"


def test_a_question_whose_answer_no_step_uses_is_asked_and_planned_on_with():
    steps = [step("s1", "notes/list"), ask("s2", "Anything else?")]
    assert [one.id for one in repaired("Show my notes", *steps).steps] == ["s1", "s2"]


def test_a_question_alone_is_a_plan():
    plan = repaired("Do it", ask("s1", "What shall I do?"))
    assert [one.question for one in plan.steps] == ["What shall I do?"]


def test_two_steps_that_miss_the_same_thing_share_one_question():
    plan = repaired(
        "Translate it into German and French",
        step("s1", "aura_base/translate", text="it", language="German"),
        step("s2", "aura_base/translate", text="it", language="French"),
    )
    assert [one.kind for one in plan.steps] == ["ask_user", "task", "task"]
    assert {one.inputs["text"] for one in plan.steps[1:]} == {f"${{{plan.steps[0].id}}}"}


def test_steps_carry_what_their_task_does():
    plan = repaired(
        "Read a.txt and note it", step("s1", "files/read", path="a.txt"), step("s2", "notes/add", text="${s1}")
    )
    assert [(one.effects, one.untrusted) for one in plan.steps] == [("read", True), ("write", False)]
    assert plan.steps[0].title == f"{built_in_cards()['files/read'].title}: a.txt"


def test_an_earlier_result_may_be_used_by_a_new_plan():
    earlier = ExecutorResponse(step_id="s1", status="ok", output="rain")
    plan = repaired(
        "Save it as r.txt",
        step("s2", "files/write", path="r.txt", text="${s1}"),
        results={"s1": earlier},
        steps={"s1": step("s1", "aura_base/write", instruction="Write")},
    )
    assert plan.steps[0].inputs["text"] == "${s1}"
    assert [one.id for one in plan.steps] == ["s2"]


def test_a_new_step_does_not_take_the_id_of_an_earlier_one():
    plan = repaired(
        "What is 1+1?", step("s1", "aura_base/calculate", expression="1+1"), steps={"s1": step("s1", "notes/list")}
    )
    assert [one.id for one in plan.steps] == ["s1_2"]


def test_only_ok_and_partial_count_as_success():
    statuses = ["ok", "partial", "error", "blocked", "needs_input", "cancelled"]
    assert [is_success_status(status) for status in statuses] == [True, True, False, False, False, False]


def test_a_batch_is_everything_whose_needs_are_met():
    steps = [step("a", "t"), step("b", "t", "a"), step("c", "t"), step("d", "t", "b", "c")]
    assert [one.id for one in next_batch(steps, set(), set(), "x")[0]] == ["a", "c"]
    assert [one.id for one in next_batch(steps, {"a"}, set(), "x", {"c"})[0]] == ["b"]
    assert [one.id for one in next_batch(steps, {"a", "b", "c"}, set(), "x")[0]] == ["d"]


def test_what_needs_a_failed_step_is_blocked_with_the_reason_and_the_rest_goes_on():
    steps = [step("a", "t"), step("b", "t", "a"), step("c", "t", "b"), step("d", "t")]
    ready, blocked = next_batch(steps, set(), {"a"}, "x")
    assert [one.id for one in ready] == ["d"]
    assert [one.step_id for one in blocked] == ["b", "c"]
    assert all(one.status == "blocked" and "did not succeed" in one.error for one in blocked)


def test_what_needs_a_step_that_does_not_exist_is_blocked():
    ready, blocked = next_batch([step("a", "t", "ghost")], set(), set(), "x")
    assert ready == []
    assert "ghost" in blocked[0].error


def test_earlier_results_seed_the_sets_and_old_failures_do_not_bind_a_new_plan():
    results = [
        ExecutorResponse(step_id="a", status="error"),
        ExecutorResponse(step_id="b", status="partial"),
        ExecutorResponse(step_id="c", status="blocked"),
        ExecutorResponse(step_id="c", status="ok"),
        ExecutorResponse(step_id="d", status="error"),
        ExecutorResponse(step_id="e", status="needs_input"),
    ]
    assert seed_completed_sets([step("a", "t"), step("e", "t")], results) == ({"b", "c"}, {"a"})


def test_a_second_result_of_a_step_replaces_the_first():
    completed_ok: set[str] = set()
    completed_fail: set[str] = set()
    one = step("a", "t")
    apply_step_result(one, ExecutorResponse(step_id="a", status="error"), completed_ok, completed_fail)
    apply_step_result(one, ExecutorResponse(step_id="a", status="ok"), completed_ok, completed_fail)
    assert (completed_ok, completed_fail) == ({"a"}, set())


def test_the_fingerprint_knows_the_work_and_not_its_name():
    one, same = step("a", "t", x=1), step("b", "t", x="${c}")
    assert fingerprint(one, {"x": 1, "y": [2]}) == fingerprint(same, {"y": [2], "x": 1})
    assert fingerprint(one, {"x": 1}) != fingerprint(one, {"x": "1"})
    assert fingerprint(one, {"x": 1}) != fingerprint(step("a", "u"), {"x": 1})


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("${s9}", "s9"),
        ("${s1.titel}", "Did you mean 'title'"),
        ("${s1.rows[7]}", "the list has 2"),
        ("${s1.title.length}", "a text has no 'length'"),
    ],
)
def test_a_reference_to_nothing_says_what_there_is(reference, hint):
    with pytest.raises(UnknownReferenceError, match=r".") as caught:
        resolve_references({"x": reference}, {"s1": {"title": "T", "rows": [1, 2]}})
    assert hint in str(caught.value)


def test_an_inserted_value_is_not_scanned_again():
    outputs = {"s1": "see ${s2}", "s2": "secret"}
    assert resolve_references("<${s1}>", outputs) == "<see ${s2}>"
    assert resolve_references("${s1}", outputs) == "see ${s2}"
