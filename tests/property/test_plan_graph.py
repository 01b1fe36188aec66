from hypothesis import given
from hypothesis import strategies as st

from agent.compat import next_batch
from agent.contracts import ExecutorResponse, PlanStep, TaskCard
from agent.plan_graph.draft import PlanWorld
from agent.plan_graph.edges import cycles, needed_ids, order_steps_safely
from agent.plan_graph.frontier import Frontier, apply_step_result
from agent.plan_graph.grounding import KnownWords
from agent.plan_graph.repair import repair_plan

IDS = [f"s{number}" for number in range(1, 8)]


def _text(**more):
    return {"type": "object", "properties": {"text": {"type": "string"} | more}, "required": ["text"]}


CARDS = {
    card.task: card
    for card in [
        TaskCard(task="notes/add", title="Add a note", effects="write", inputs=_text()),
        TaskCard(task="notes/list", title="List notes"),
        TaskCard(task="web/fetch", title="Fetch a page", inputs=_text(grounded=True), untrusted=True),
        TaskCard(task="aura_base/calculate", title="Calculate", inputs=_text()),
    ]
}
values = st.one_of(
    st.sampled_from(["it", "", "12*7", "milk", "${nobody}", "${s1 + 1}", "text ${s2} and ${s3.title}"]),
    st.sampled_from(IDS).map(lambda name: f"${{{name}}}"),
    st.integers(),
    st.lists(st.text(max_size=4), max_size=2),
    st.none(),
)
steps = st.builds(
    PlanStep,
    id=st.sampled_from([*IDS, "", "no good id", "s 1"]),
    kind=st.sampled_from(["task", "task", "task", "ask_user", "llm"]),
    task=st.sampled_from([*CARDS, "notes/adds", "calculate", "zip/zap", None]),
    inputs=st.dictionaries(st.sampled_from(["text", "texts", "other"]), values, max_size=2),
    instruction=st.sampled_from(["", "Sum up ${s1}", "Say hello"]),
    depends_on=st.lists(st.sampled_from([*IDS, "nobody"]), max_size=3),
    question=st.sampled_from(["", "Which one?"]),
)
plans = st.lists(steps, min_size=1, max_size=7)
worlds = st.sampled_from(["What is 12*7? Add milk to my notes, twice.", "list my notes", "запиши молоко", ""]).map(
    lambda request: PlanWorld(CARDS, KnownWords(request))
)


@given(plans, worlds)
def test_a_repaired_plan_without_problems_can_run_to_its_end(plan, world):
    repaired = repair_plan(plan, world)
    if repaired.problems:
        return
    ids = [step.id for step in repaired.steps]
    assert len(ids) == len(set(ids))
    assert cycles(repaired.steps) == []
    seen: set[str] = set()
    for step in repaired.steps:
        assert needed_ids(step) <= seen
        assert needed_ids(step) == set(step.depends_on)
        assert step.kind != "task" or set(CARDS[step.task].required) <= set(step.inputs)
        assert step.title
        seen.add(step.id)


@given(plans, worlds)
def test_repairing_twice_changes_nothing_more(plan, world):
    once = repair_plan(plan, world)
    if not once.problems:
        twice = repair_plan(once.steps, world)
        assert twice.problems == []
        assert twice.steps == once.steps


@given(plans, worlds)
def test_every_write_keeps_its_planned_place_among_steps_of_its_plan(plan, world):
    repaired = repair_plan(plan, world)
    if repaired.problems:
        return
    notes = [step for step in repaired.steps if (step.task or "").startswith("notes/")]
    reached = {step.id: set(step.depends_on) for step in repaired.steps}
    for step in repaired.steps:
        for need in step.depends_on:
            reached[step.id] |= reached[need]
    for place, later in enumerate(notes):
        for earlier in notes[:place]:
            if "notes/add" in (earlier.task, later.task):
                assert earlier.id in reached[later.id]


@given(plans)
def test_ordering_keeps_every_step_and_puts_needs_first_where_there_is_no_cycle(plan):
    unique = list({step.id: step for step in plan}.values())
    ordered = order_steps_safely(unique)
    assert sorted(step.id for step in ordered) == sorted(step.id for step in unique)
    if not cycles(unique):
        place = {step.id: number for number, step in enumerate(ordered)}
        assert all(place[need] < place[step.id] for step in ordered for need in needed_ids(step) if need in place)


@given(plans, st.data())
def test_a_plan_runs_every_step_once_or_says_why_not(plan, data):
    unique = list({step.id: step for step in plan}.values())
    completed_ok: set[str] = set()
    completed_fail: set[str] = set()
    running: list[PlanStep] = []
    started: list[str] = []
    blocked: list[str] = []
    for _ in range(100):
        ready, refused = next_batch(unique, completed_ok, completed_fail, "x", {step.id for step in running})
        for response in refused:
            assert response.status == "blocked"
            assert response.error
            blocked.append(response.step_id)
            completed_fail.add(response.step_id)
        started += [step.id for step in ready]
        running += ready
        if not running:
            break
        step = running.pop(data.draw(st.integers(0, len(running) - 1)))
        assert needed_ids(step) <= completed_ok
        status = data.draw(st.sampled_from(["ok", "partial", "error", "cancelled"]))
        apply_step_result(step, ExecutorResponse(step_id=step.id, status=status), completed_ok, completed_fail)
    assert len(started) == len(set(started))
    assert not set(started) & set(blocked)
    stuck = {step.id for step in unique} - set(started) - set(blocked)
    in_cycles = {step for group in cycles(unique) for step in group}
    assert not stuck or in_cycles


def _by_the_rule(steps, completed_ok, completed_fail, running):
    """What may start and what is blocked, by the words of the rule, looking at the whole plan again and again."""
    planned = {step.id for step in steps}
    lost, blocked = set(completed_fail), set()
    open_steps = [step for step in order_steps_safely(steps) if step.id not in completed_ok | completed_fail | running]
    for _ in steps:
        for step in open_steps:
            missing = needed_ids(step) - completed_ok
            if missing & lost or missing - planned - running:
                lost.add(step.id)
                blocked.add(step.id)
    return [step.id for step in open_steps if needed_ids(step) <= completed_ok], blocked


@given(plans, *(st.sets(st.sampled_from([*IDS, "nobody"])) for _ in range(3)))
def test_a_batch_is_what_the_rule_says_in_safe_order(plan, completed_ok, completed_fail, running):
    unique = list({step.id: step for step in plan}.values())
    completed_fail -= completed_ok
    running -= completed_ok | completed_fail
    ready, refused = next_batch(unique, completed_ok, completed_fail, "x", running)
    wanted, blocked = _by_the_rule(unique, completed_ok, completed_fail, running)
    assert [step.id for step in ready] == wanted
    assert {response.step_id for response in refused} == blocked
    if not cycles(unique):
        place = {step.id: number for number, step in enumerate(order_steps_safely(unique))}
        assert [response.step_id for response in refused] == sorted(blocked, key=place.__getitem__)


@given(plans, st.data())
def test_a_frontier_that_is_told_what_ended_says_what_asking_anew_says(plan, data):
    unique = list({step.id: step for step in plan}.values())
    frontier = Frontier(unique)
    completed_ok: set[str] = set()
    completed_fail: set[str] = set()
    running: dict[str, PlanStep] = {}
    for _ in range(100):
        anew = next_batch(unique, completed_ok, completed_fail, "x", running.keys())
        told = frontier.take()
        assert told == anew
        for response in told[1]:
            completed_fail.add(response.step_id)
            frontier.ended(response.step_id, response)
        running |= {step.id: step for step in told[0]}
        if not running:
            assert frontier.take() == ([], [])
            break
        step = running.pop(data.draw(st.sampled_from(sorted(running))))
        response = ExecutorResponse(
            step_id=step.id, status=data.draw(st.sampled_from(["ok", "partial", "error", "cancelled", "needs_input"]))
        )
        apply_step_result(step, response, completed_ok, completed_fail)
        frontier.ended(step.id, response)
