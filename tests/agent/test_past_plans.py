"""Past plans: what is kept of a plan that ended well, what is not, and whose it is."""

import pytest

from agent.contracts import ExecutorResponse, PastPlan, Plan, PlanStep
from agent.past_plans import worth_keeping
from agent.planner.examples import example_of, nearest_examples
from tests.fixtures.catalogue import built_in_cards, step

REQUEST = "Work out 12*7 and note the result"


def plan(**fields):
    steps = [
        step("s4", "aura_base/calculate", expression="12*7", quote="Work out 12*7"),
        step("s5", "notes/add", "s4", text="${s4}", quote="note the result"),
    ]
    return Plan(**{"steps": steps} | fields)


def ended(status="ok", **fields):
    return {name: ExecutorResponse(step_id=name, status=status, output="84", **fields) for name in ("s4", "s5")}


def test_a_plan_that_ended_well_is_kept_as_a_model_writes_it():
    kept = worth_keeping(REQUEST, plan(), ended())
    assert kept == PastPlan(
        request=REQUEST,
        steps=[
            {"for": "Work out 12*7", "task": "aura_base/calculate", "inputs": {"expression": "12*7"}},
            {"for": "note the result", "task": "notes/add", "inputs": {"text": "${s1}"}},
        ],
    )


@pytest.mark.parametrize(
    ("made", "responses"),
    [
        (plan(), ended("error")),
        (plan(), ended(untrusted=True)),
        (plan(), {}),
        (plan(revision=1), ended()),
        (plan(unserved=["water the roses"]), ended()),
        (plan(tainted=True), ended()),
        (plan(steps=[PlanStep(id="s4", kind="ask_user", question="What?")]), ended()),
        (plan(steps=[PlanStep(id="s4", kind="llm", instruction="Hello")]), ended()),
        (plan(steps=[step("s5", "notes/add", text="${s1}")]), ended()),
    ],
)
def test_a_plan_that_teaches_nothing_or_ended_badly_is_not_kept(made, responses):
    assert worth_keeping(REQUEST, made, responses) is None


def test_a_past_plan_is_the_nearest_example_of_a_request_like_it():
    past = worth_keeping(REQUEST, plan(), ended())
    assert past is not None
    cards = [*built_in_cards().values()]
    near = nearest_examples(cards, [example_of(past)], [], "Work out 3*9 and note the result")
    assert REQUEST in [one.say for one in near]
    assert REQUEST not in [one.say for one in nearest_examples(cards[:1], [example_of(past)], [], REQUEST)]
