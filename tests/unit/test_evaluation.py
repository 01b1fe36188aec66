"""The evaluation counts what it says: verdicts on our own requests, graph scores, results that survive a stop."""

from __future__ import annotations

import json
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.contracts import TaskCard
from agent.tool_lists import cards_from
from benchmarks.builds import EARLIER, this
from evaluation import figures, report, workloads
from evaluation.__main__ import main
from evaluation.cases import KINDS, LANGUAGES, Case, load_cases
from evaluation.graph_scores import Graph, f1, graph_of, is_valid, score, shape
from evaluation.planned import planned_from
from evaluation.results import Results
from evaluation.running import Asked, Wanted, pick, requests_of, variants
from evaluation.systems import SYSTEMS
from evaluation.systems.earlier import DriverError
from evaluation.systems.nearest import nearest_of, words
from evaluation.systems.one_prompt import calls_in
from evaluation.systems.system import Task
from evaluation.verdict import fits_exactly, judge
from tests.fixtures.catalogue import built_in_cards

NAMES = st.sampled_from(["a", "b", "c", "d"])
GRAPHS = st.builds(Graph, st.lists(NAMES, max_size=6), st.frozensets(st.tuples(NAMES, NAMES), max_size=6))


def case(**fields):
    return Case(**{"id": "x", "lang": "en", "kind": "single", "request": "r", **fields})


def plan(*steps, **more):
    """(name, inputs, ids it runs after) -> a plan; the first step is s1."""
    return planned_from(
        {
            "steps": [
                {
                    "id": f"s{number}",
                    "task": name,
                    "inputs": inputs,
                    "depends_on": list(after),
                    "effects": "write" if name.startswith("w") else "read",
                }
                for number, (name, inputs, *after) in enumerate(steps, start=1)
            ],
            **more,
        }
    )


# Verdicts


@pytest.mark.parametrize(
    ("wanted", "made", "verdict"),
    [
        ({"expect": [["a", "b"]]}, plan(("b", {}), ("a", {})), "right"),
        ({"expect": [["a"], ["a", "b"]]}, plan(("a", {}), ("b", {})), "right"),
        ({"expect": [["a|c", "b?"]]}, plan(("c", {})), "right"),
        ({"expect": [["a", "b"]]}, plan(("a", {})), "silent"),
        ({"expect": [["a", "b"]]}, plan(("a", {}), unserved=["show what is left"]), "told"),
        ({"expect": [["a"]]}, plan(("a", {}), ("b", {})), "wrong"),
        ({"expect": [["a"]]}, plan(("a", {"x": 1}), ("a", {"x": 1})), "degenerate"),
        ({"expect": [["a"]]}, plan(*[("a", {"x": number}) for number in range(5)]), "degenerate"),
        ({"expect": [["a"]], "forbid": ["write"]}, plan(("a", {}), ("w", {})), "forbidden"),
        ({"expect": [["a"]], "forbid": ["no*"]}, plan(("notes/add", {}), ("notes/add", {})), "forbidden"),
        ({"expect": [["a"]]}, plan(("ask_user", {})), "asked"),
        ({"asks": True}, plan(("ask_user", {})), "right"),
        ({"asks": True, "expect": [["w?"]]}, plan(("ask_user", {}), ("w", {"x": "${s1}"})), "right"),
        ({"asks": True, "expect": [["w?"]]}, plan(("ask_user", {}), ("w", {})), "forbidden"),
        ({"asks": True}, plan(("a", {})), "wrong"),
        ({"asks": True, "expect": [["a"]]}, plan(("a", {})), "wrong"),
        ({"expect": [["a"]], "must": {"a": ["3.20|3,20"]}}, plan(("a", {"x": ["about 3,20"]})), "right"),
        ({"expect": [["a"]], "must": {"a": ["3.20|3,20"]}}, plan(("a", {"x": 3})), "wrong"),
        ({"expect": [["a"]], "must": {"*": ["«ёлка»"]}}, plan(("a", {"x": 'ЕЛКА"', "y": '"Елка"'})), "right"),
        ({"expect": [["a"], ["b"]], "must": {"a": ["x"]}}, plan(("b", {})), "right"),
        ({"expect": [["a", "b"]], "feeds": [("a", "b")]}, plan(("a", {}), ("b", {"x": "${s1}"})), "right"),
        ({"expect": [["a", "b"]], "feeds": [("a", "b")]}, plan(("a", {}), ("b", {}, "s1")), "right"),
        ({"expect": [["a", "b"]], "feeds": [("a", "b")]}, plan(("a", {}), ("b", {})), "wrong"),
        (
            {"expect": [["a", "c", "b"]], "feeds": [("a", "b")]},
            plan(("a", {}), ("c", {"x": "${s1.rows[0]}"}), ("b", {"x": "${ s2 }"})),
            "right",
        ),
    ],
)
def test_a_plan_gets_its_verdict(wanted, made, verdict):
    judged = judge(case(**wanted), made)
    assert judged.verdict == verdict, judged.why


def test_links_in_a_circle_end():
    made = plan(("a", {"x": "${s2}"}), ("b", {"x": "${s1}"}))
    assert judge(case(expect=[["a", "b"]], feeds=[("a", "b")]), made).verdict == "right"


@given(st.lists(NAMES, max_size=5), st.lists(st.sampled_from(["a", "b?", "c|d", "a|b?"]), max_size=5))
def test_steps_fit_exactly_when_some_order_puts_each_in_its_place(names, wanted):
    def by_force():
        must = [slot for slot in wanted if not slot.endswith("?")]
        if not len(must) <= len(names) <= len(wanted):
            return False
        for slots in permutations(wanted, len(names)):
            left = Counter(wanted) - Counter(slots)
            if all(slot.endswith("?") for slot in left) and all(
                name in slot.removesuffix("?").split("|") for name, slot in zip(names, slots, strict=True)
            ):
                return True
        return False

    assert fits_exactly(names, wanted) == by_force()


@given(st.lists(st.tuples(NAMES, st.dictionaries(NAMES, st.text(max_size=3), max_size=2)), max_size=8))
def test_the_plan_that_is_expected_is_right_or_repeats_itself(steps):
    made = plan(*steps)
    repeats = len({(name, json.dumps(inputs)) for name, inputs in steps}) < len(steps)
    verdict = judge(case(expect=[[name for name, _ in steps]]), made).verdict
    assert verdict == ("degenerate" if repeats else "right")


def test_a_case_that_says_nothing_of_what_is_right_is_refused():
    with pytest.raises(ValidationError, match="names no plan"):
        case()


# Our own requests


@pytest.mark.parametrize("part", ["open", "closed"])
def test_the_requests_speak_of_tasks_that_exist(part):
    known = {*built_in_cards(), "llm", "ask_user", "*"}
    for one in load_cases(part):
        slots = [slot for names in one.expect for slot in names] + [
            *one.must,
            *(name for pair in one.feeds for name in pair),
        ]
        assert {name for slot in slots for name in slot.removesuffix("?").split("|")} <= known, one.id
        assert all(pattern in ("write", "external") or "*" in pattern or pattern in known for pattern in one.forbid), (
            one.id
        )


def test_there_are_sixty_requests_a_language_and_both_parts_have_every_kind():
    parts = {part: load_cases(part) for part in ("open", "closed")}
    everything = [one for cases in parts.values() for one in cases]
    assert min(Counter(one.lang for one in everything)[lang] for lang in LANGUAGES) >= 60
    assert len({one.id for one in everything}) == len({one.request for one in everything}) == len(everything)
    for cases in parts.values():
        assert {(one.lang, one.kind) for one in cases} == {(lang, kind) for lang in LANGUAGES for kind in KINDS}


# Graph scores


@given(GRAPHS, GRAPHS)
def test_scores_lie_between_nothing_and_all_and_do_not_care_who_is_compared_with_whom(one, other):
    there, back = score(one, other), score(other, one)
    assert (there.node, there.link, there.exact) == (back.node, back.link, back.exact)
    assert 0 <= there.node <= 1
    assert 0 <= there.link <= 1
    assert there.exact <= (there.node == there.link == 1)


@given(GRAPHS, st.randoms())
def test_the_same_graph_in_any_order_is_exact(graph, random):
    nodes = list(graph.nodes)
    random.shuffle(nodes)
    found = score(Graph(nodes, graph.links), graph)
    assert (found.node, found.link, found.exact) == (1.0, 1.0, True)


@given(st.lists(NAMES, min_size=1), NAMES)
def test_one_more_that_nobody_wanted_never_raises_a_score(wanted, name):
    assert f1([*wanted, name], wanted) < 1
    assert f1([], wanted) == 0


def test_a_pair_leads_through_a_step_that_calls_no_tool():
    made = plan(("a", {}), ("llm", {"x": "${s1}"}), ("b", {"x": "${s2}"}))
    assert graph_of(made) == Graph(["a", "b"], {("a", "b")})


@pytest.mark.parametrize(
    ("made", "valid"),
    [
        (plan(("t", {"x": 1})), True),
        (plan(("t", {"x": 1, "y": 2}), ("llm", {"any": "${s1}"})), True),
        (plan(("t", {})), False),
        (plan(("t", {"x": 1, "z": 2})), False),
        (plan(("u", {})), False),
        (plan(("t", {"x": "${s2}"}), ("t", {"x": 1})), False),
        (plan(), False),
    ],
)
def test_valid_plans_could_run(made, valid):
    card = TaskCard(task="t", inputs={"properties": {"x": {}, "y": {}}, "required": ["x"]})
    assert is_valid(made, [card]) is valid


@pytest.mark.parametrize(
    ("nodes", "links", "word"),
    [
        (["a"], [], "single"),
        (["a", "b", "c"], [("a", "b"), ("b", "c")], "chain"),
        (["a", "b"], [], "dag"),
        (["a", "b", "c"], [("a", "b"), ("a", "c")], "dag"),
    ],
)
def test_a_graph_has_a_shape(nodes, links, word):
    assert shape(Graph(nodes, links)) == word


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share(both):
    low, high = figures.interval(*both)
    assert 0 <= low <= both[0] / both[1] + 1e-9
    assert both[0] / both[1] - 1e-9 <= high <= 1


@given(st.lists(st.floats(0, 1e6), min_size=1).map(sorted), st.floats(0, 1))
def test_so_many_values_lie_at_or_below_a_quantile(values, part):
    found = figures.quantile(values, part)
    assert sum(value <= found for value in values) >= part * len(values) - 1e-6
    assert figures.quantile(values, 1.0) == values[-1]


# Other planners


def test_numbered_lines_become_calls_and_what_is_none_is_passed_over():
    text = '1. find({"name": "Rome"})\nSure!\n3) `map` {"city": "$1", "also": ["$1.x", "$9"]}\n4. broken({"x": )'
    assert calls_in(text) == [
        ("find", {"name": "Rome"}),
        ("map", {"city": "${s1}", "also": ["${s1}.x", "$9"]}),
    ]


def test_the_nearest_plan_is_that_of_the_most_similar_request():
    rows = [("book a flight to Rome", "flight"), ("订一张去罗马的机票", "机票"), ("today's weather", "weather")]
    past = [workloads.PastPlan(request=request, steps=[{"task": task, "inputs": {}}]) for request, task in rows]
    assert [
        nearest_of(text, past).steps[0]["task"] for text in ("a flight to Oslo, please", "我要订机票", "weather?")
    ] == [
        "flight",
        "机票",
        "weather",
    ]
    assert nearest_of("x", []) is None
    assert words("买机票 now") == ["买", "机", "票", "now", "买机", "机票"]


# Sets


@pytest.fixture
def public(tmp_path, monkeypatch):
    """A folder of public sets in their own forms."""
    nodes = [
        {"id": "Find It", "desc": "finds", "parameters": [{"name": "what", "type": "string", "desc": "w"}]},
        {"id": "Mix", "desc": "mixes", "input-type": ["text", "text"], "output-type": ["audio"]},
    ]
    rows = [
        {"id": "1", "domain": "d", "type": "chain", "request": "one"},
        {
            "id": "2",
            "domain": "d",
            "type": "chain",
            "request": "two",
            "steps": [
                {"id": "a", "tool": "Find It", "depends_on": []},
                {"id": "b", "tool": "Mix", "depends_on": ["a"]},
            ],
        },
    ]
    calls = [{"sum.of": {"x": [1]}}, {"sum.of": {"x": [2]}}]
    function = {"name": "sum.of", "parameters": {"type": "dict", "properties": {"x": {"type": "float"}}}}
    bfcl = [
        {"id": "p", "question": [[{"role": "user", "content": "sum"}]], "function": [function], "ground_truth": calls},
        {"id": "turns", "question": []},
    ]
    (tmp_path / "taskbench_d_tools.json").write_text(json.dumps({"nodes": nodes}))
    (tmp_path / "taskbench_requests.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "bfcl_sample.jsonl").write_text("\n".join(map(json.dumps, bfcl)))
    monkeypatch.setenv("AURA_WORKLOADS", str(tmp_path))


def test_public_sets_are_read_in_their_own_forms(public):
    first, second = workloads.load("taskbench")
    assert [card.task for card in first.cards] == ["Find It", "Mix"]
    assert list(first.cards[1].properties) == ["text1", "text2"]
    assert (first.graph, first.kind) == (None, "chain")
    assert second.graph == Graph(["Find It", "Mix"], {("Find It", "Mix")})
    (past,) = workloads.past_of(first, [first, second])
    assert [step["inputs"] for step in past.steps] == [{}, {"input0": "${s1}"}]
    assert workloads.past_of(second, [first, second]) == []
    (calls,) = workloads.load("bfcl")
    assert calls.graph == Graph(["sum.of", "sum.of"], ())


def test_sets_that_are_not_there_are_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("AURA_WORKLOADS", str(tmp_path / "gone"))
    assert workloads.load("bfcl") == workloads.load("taskbench") == []


@given(
    st.dictionaries(st.text(max_size=5), st.tuples(NAMES, NAMES), max_size=20), st.integers(0, 5), st.integers(1, 25)
)
def test_a_limit_picks_the_same_for_everybody_more_with_a_higher_one_and_of_each_kind_alike(kinds, seed, limit):
    requests = {key: Asked(Task(key), like) for key, like in kinds.items()}
    few, more = (pick(requests, Wanted(seed=seed, limit=count)) for count in (limit, limit + 1))
    assert list(more)[: len(few)] == list(few)
    assert len(few) == min(limit, len(requests))
    taken, there = Counter(kinds[key] for key in few), Counter(kinds.values())
    most = max(taken.values(), default=0)
    assert all(taken[like] >= min(there[like], most - 1) for like in there)


def test_a_part_that_is_switched_off_is_a_planner_of_its_own():
    assert variants(Wanted(systems=["aura"], without=["past", "types"])) == [
        ("aura", frozenset()),
        ("aura", frozenset({"past"})),
        ("aura", frozenset({"types"})),
    ]


# Results and the command line


def test_results_survive_a_stop_in_the_middle_of_a_line(tmp_path):
    kept = Results.of(tmp_path, "own-open", "aura")
    assert kept.done() == set()
    kept.add({"id": "a"})
    with kept.path.open("a") as file:
        file.write('{"id": "b", "pl')
    assert kept.done() == {"a"}
    kept.add({"id": "b"})
    assert kept.done() == {"a", "b"}
    assert len(kept.path.read_text().splitlines()) == 3


@pytest.fixture
def model(monkeypatch, scripted_model):
    for name, value in scripted_model.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AURA_LLM_ATTEMPTS", "1")
    return scripted_model


def test_planners_are_run_scored_and_not_run_again(model, public, tmp_path, capsys):
    two = {"steps": [{"task": "sum.of", "inputs": {"x": number}} for number in (1, 2)]}
    model.say(two, when=lambda request: "react" not in str(request) and "response_format" in request, usage=(50, 9))
    model.say('1. sum.of({"x": 1})\n2. sum.of({"x": 2})', when="Write a plan for the request")
    calls = [{"thought": "", "tool": "sum.of", "inputs": {"x": 1}}, {"thought": "", "tool": "finish", "inputs": {}}]
    for call in calls:
        model.say(call, when="one call at a time")
    words = ["--set", "bfcl", "--results", str(tmp_path / "r")]
    words += [word for name in ("aura", "react", "one-prompt", "nearest") for word in ("--system", name)]
    assert main(words) == 0
    rows = {line.split(" | ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows["| aura"].startswith("| aura | 1 | 1.00 | 1.00 | 100% | 100% |")
    assert rows["| one-prompt"].startswith("| one-prompt | 1 | 1.00 | 1.00 | 100% | 100% |")
    assert rows["| react"].startswith("| react | 1 | 0.67 | 1.00 | 0% | 100% |")
    assert rows["| nearest"].startswith("| nearest | 1 | 0.00 | 0.00 | 0% | 0% |")
    asked = len(model.requests)
    assert main(words) == 0
    assert len(model.requests) == asked


async def test_a_loop_that_goes_in_circles_is_stopped(model):
    model.say({"thought": "", "tool": "llm", "inputs": {}}, when="one call at a time", times=3)
    async with SYSTEMS["react"](frozenset()) as planner:
        made = await planner.plan(Task("Go on and on"))
    assert [step["task"] for step in made.plan["steps"]] == ["llm", "llm"]
    assert len(model.requests) == 3


@pytest.mark.slow
async def test_another_build_plans_in_its_own_process_with_the_same_model(model, monkeypatch):
    monkeypatch.setattr("evaluation.systems.earlier.earlier", this)
    answer = {"steps": [{"task": "sum.of", "inputs": {"x": 2}}]}
    model.say(answer, when="sum.of", usage=(50, 9))
    model.say("no plan at all", times=None)
    cards, _ = cards_from([{"name": "sum.of", "parameters": {"properties": {"x": {}}, "required": ["x"]}}])
    async with SYSTEMS[EARLIER](frozenset()) as planner:
        made = await planner.plan(Task("the sum of 2", "Person: hello", ["a.txt"], cards))
        none = await planner.plan(Task("What is left?"))
    assert [(step["task"], step["inputs"]) for step in made.plan["steps"]] == [("sum.of", {"x": 2})]
    assert (made.read, made.written) == (50, 9)
    assert none.plan is None
    assert none.error


@pytest.mark.slow
async def test_another_build_that_ends_says_what_it_wrote_last(monkeypatch, tmp_path):
    monkeypatch.setattr("evaluation.systems.earlier.earlier", this)
    monkeypatch.setenv("AURA_MODEL", str(tmp_path / "gone.gguf"))
    async with SYSTEMS[EARLIER](frozenset()) as planner:
        with pytest.raises(DriverError, match=r"has ended: .*gone\.gguf"):
            await planner.plan(Task("x"))


def test_our_own_requests_are_judged_and_counted_by_language_and_kind(tmp_path):
    first, second = load_cases("open")[:2]
    kept = Results.of(tmp_path, "own-open", "aura")
    row = {"build": "abc", "warm": True, "seconds": 1.5, "load": 0.2, "read": 10, "written": 4, "repairs": []}
    kept.add({"id": first.id, "plan": None, "error": "no model", **row})
    kept.add({"id": second.id, "plan": {"steps": [{"id": "s1", "kind": "llm"}]}, "error": "", **row})
    text = report.tables(tmp_path)
    assert "### Our own requests, the open part" in text
    assert "| aura | 2 | 0% | – | – | 0% | 0 to 66% | 0 | 0 | 0 | 1 | 0 | 0 | 1 |" in text
    assert "| aura | abc | 10 | 4 | 1.5 | 1.5 | 1.5 | 0.2 |\n" in text
    twice = {**row, "seconds": 3.0, "written": 5}
    Results.of(tmp_path, "own-open", EARLIER).add({"id": first.id, "plan": None, "error": "", **twice})
    assert "| aura | abc | 10 | 4 | 1.5 | 1.5 | 1.5 | 0.2 | 0.80 | 0.50 |\n" in report.tables(tmp_path)


def test_the_report_puts_tables_and_plots_into_the_document(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="only the extra `eval` draws")
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "evaluation.md")
    monkeypatch.setattr(report, "PLOTS", tmp_path / "plots")
    monkeypatch.setattr("evaluation.results.ROOT", tmp_path)
    (tmp_path / "evaluation.md").write_text(
        "before\n<!-- figures: x -->\nwhat was here\n<!-- end of figures -->\nafter\n"
    )
    row = {"build": "abc", "warm": True, "seconds": 1.5, "load": 0.2, "read": 10, "written": 4, "repairs": []}
    plan_of_one = {"steps": [{"id": "s1", "kind": "llm"}]}
    Results.of(tmp_path / "r", "own-open", "aura").add({"id": load_cases("open")[0].id, "plan": plan_of_one, **row})
    first = [report.write(tmp_path / "r"), (tmp_path / "evaluation.md").read_text()]
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "plots").iterdir()}
    assert first == [report.write(tmp_path / "r"), (tmp_path / "evaluation.md").read_text()]
    assert pictures == {path.name: path.read_bytes() for path in (tmp_path / "plots").iterdir()}
    assert set(pictures) == {"verdicts-own-open.svg", "seconds-own-open.svg"}
    assert first[1].startswith("before\n")
    assert first[1].endswith("<!-- end of figures -->\nafter\n")
    assert "what was here" not in first[1]
    assert "| aura | 1 |" in first[1]


def test_our_own_requests_bring_conversation_and_files():
    requests = requests_of("own", Wanted())
    by_id = {one.id: one for one in load_cases("open")}
    assert set(requests) == set(by_id)
    assert any(asked.task.context for asked in requests.values())
    assert all(list(asked.task.files) == by_id[key].files for key, asked in requests.items())
    assert all(asked.task.cards is None for asked in requests.values())


def test_a_short_look_has_each_kind_in_each_language():
    few = pick(requests_of("own", Wanted()), Wanted(limit=len(KINDS) * len(LANGUAGES)))
    by_id = {one.id: one for one in load_cases("open")}
    assert {(by_id[key].kind, by_id[key].lang) for key in few} == {(kind, lang) for kind in KINDS for lang in LANGUAGES}
