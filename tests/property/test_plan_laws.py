"""The laws of plans for any request: what may be quoted, what was forgotten, what numbers are, what rules may do."""

import re

from hypothesis import given
from hypothesis import strategies as st

from agent.contracts import PlanStep, TaskCard
from agent.plan_graph.coverage import uncovered
from agent.plan_graph.draft import PlanWorld
from agent.plan_graph.grounding import KnownWords, is_grounded
from agent.plan_graph.overlap import repeats
from agent.plan_graph.quotes import PIECE, Quoted, quote_pattern
from agent.plan_graph.repair import repair_plan
from agent.planner.stream import StepReader, step_from
from agent.shortlist import shortlist
from agent.wording import terms

WORDS = [
    "show",
    "notes",
    "invoice",
    "the",
    "milk",
    "и",
    "покажи",
    "счёт",
    "заметки",
    "笔记",
    "发票",
    "365*24",
    "a.txt",
    "3.20",
]
MARKS = [" ", " ", ", ", ". ", " — ", "? ", "\n", "，"]
requests = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(MARKS)), min_size=1, max_size=12).map(
    lambda parts: "".join(word + mark for word, mark in parts)
)


def words_of(request):
    return [piece for piece in PIECE.finditer(request) if piece.group()[0].isalnum()]


@given(requests, st.data())
def test_every_run_of_words_can_be_quoted(request, data):
    pieces = words_of(request)
    first = data.draw(st.integers(0, len(pieces) - 1))
    last = data.draw(st.integers(first, len(pieces) - 1))
    quote = request[pieces[first].start() : pieces[last].end()]
    assert re.fullmatch(quote_pattern([request]), quote)


@given(requests, st.text(max_size=20) | requests)
def test_nothing_can_be_quoted_that_is_not_there(request, text):
    if re.fullmatch(quote_pattern([request]), text):
        assert text in request


@given(requests, st.data())
def test_what_is_forgotten_is_neither_quoted_nor_used_and_stands_in_the_request(request, data):
    pieces = words_of(request)
    spans = data.draw(st.lists(st.tuples(*[st.integers(0, len(pieces) - 1)] * 2).map(sorted), max_size=3))
    quotes = [request[pieces[one].start() : pieces[two].end()] for one, two in spans]
    steps = [PlanStep(id=f"s{number}", kind="llm", quote=quote) for number, quote in enumerate(quotes)]
    given = data.draw(st.sampled_from(pieces)).group()
    steps = [one.model_copy(update={"inputs": {"text": given}}) for one in steps]
    forgotten = uncovered(request, steps, [])
    covered = Quoted(request, steps).marked(Quoted(request, steps).spans.values(), Quoted(request, steps).used())
    free = {request[one.start() : one.end()] for one in pieces if not covered[one.start()]}
    for part in forgotten:
        assert part in request
        assert {piece.group() for piece in words_of(part)} <= free
    everything = [PlanStep(id="s", kind="llm", quote=request.strip())]
    assert uncovered(request, everything, []) == []


@given(
    st.decimals(-9999, 9999, places=2, allow_nan=False), st.sampled_from(["It is {} now", "это {} рублей", "共{}元"])
)
def test_a_number_is_grounded_however_it_is_written(number, sentence):
    said = KnownWords(sentence.format(abs(number)))
    assert is_grounded(float(abs(number)), said)
    assert is_grounded(str(abs(number).normalize().__format__("f")), said)
    assert not is_grounded(float(abs(number)) + 0.5, said)


values = st.one_of(
    st.sampled_from(["it", "", "12*7", "${s1}", "${s1.id}", "${nobody.x}", "a.txt", "${"]), st.integers(), st.none()
)
CARDS = {
    one.task: one
    for one in [
        TaskCard(
            task="crm/find",
            inputs={"properties": {"query": {"type": "string", "verbatim": True}}, "required": ["query"]},
            gives={"rows[].id": "client.id"},
        ),
        TaskCard(
            task="books/invoice",
            effects="write",
            inputs={
                "properties": {
                    "client": {"type": "string", "needs": "client.id"},
                    "text": {"type": "string", "grounded": True},
                },
                "required": ["client"],
            },
            gives={"id": "invoice.id"},
        ),
        TaskCard(
            task="books/pay",
            effects="external",
            inputs={"properties": {"invoice_id": {"type": "integer"}}, "required": ["invoice_id"]},
        ),
        TaskCard(task="books/list"),
    ]
}
steps = st.builds(
    PlanStep,
    id=st.sampled_from(["s1", "s2", "s3", "", "?"]),
    kind=st.sampled_from(["task", "task", "task", "ask_user", "llm", "agent"]),
    task=st.sampled_from([*CARDS, "nobody/knows", None]),
    inputs=st.dictionaries(st.sampled_from(["query", "client", "text", "invoice_id", "other"]), values, max_size=3),
    instruction=st.sampled_from(["", "Sum up ${s1}"]),
    depends_on=st.lists(st.sampled_from(["s1", "s2", "s3", "ghost"]), max_size=2),
    quote=st.sampled_from(["", "show", "notes", "покажи", "笔记", "not there"]),
)


@given(st.lists(steps, max_size=6), requests, st.booleans(), st.lists(st.sampled_from(WORDS), max_size=2))
def test_repair_never_raises_and_a_repaired_plan_stays_as_it_is(plan, request, deliberate, left_out):
    world = PlanWorld(CARDS, KnownWords(request), deliberate=deliberate, left_out=left_out)
    once = repair_plan(plan, world)
    if not once.problems:
        twice = repair_plan(once.steps, world)
        assert twice.problems == []
        assert twice.steps == once.steps


@given(st.lists(steps, max_size=6), requests)
def test_a_step_repeats_what_says_the_same_of_the_same_words(plan, request):
    for one in plan:
        assert repeats(one, [*plan, one])
        assert not repeats(one, [])
        assert not repeats(one.model_copy(update={"quote": one.quote + "!"}), [one])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["for", "task", "kind", "id", "inputs", "options", "depends_on"]), json_values))
def test_whatever_a_model_writes_is_a_step(raw):
    assert step_from(raw, 1).id


@given(st.text(max_size=200), st.integers(1, 9))
def test_the_reader_of_steps_takes_any_text(text, size):
    reader = StepReader()
    for start in range(0, len(text), size):
        assert all(isinstance(one, dict) for one in reader.feed(text[start : start + size]))


@given(st.text(max_size=40))
def test_terms_do_not_depend_on_marks_around(text):
    assert terms(f"… {text} !") == terms(text)


@given(st.lists(st.sampled_from(sorted(CARDS)), unique=True, min_size=1), st.integers(1, 4), requests)
def test_a_short_list_is_no_longer_than_allowed_and_keeps_the_order(names, limit, request):
    cards = [CARDS[name] for name in names]
    listed = shortlist(cards, request, limit)
    assert len(listed) <= limit
    assert listed == [one for one in cards if one in listed]
    tasks = {one.task for one in listed}
    if len(cards) > limit and "books/invoice" in tasks and "crm/find" in names:
        assert "crm/find" in tasks
