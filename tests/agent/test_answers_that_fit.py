"""An answer that does not fit is asked for again, with what was wrong; the others are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.command_inputs import command_inputs
from agent.contracts import Question
from agent.errors import AnswerMisfitError
from aura_core.errors import InputError, NotFoundError
from aura_core.language.input_spec import InputSpec
from tests.agent.conftest import incoming

TASKS = """
spent:
  meta:
    command: spent
    inputs:
      amount: {type: number, required: true, minimum: 0, ask: How much?}
      what: {type: string, required: true, ask: For what?}
      kind: {type: string, enum: [short, long], required: true, ask: Which kind?}
      on: {type: string, format: date, default: "2026-11-30"}
  steps: []
  returns: "{{ inputs.amount }} for {{ inputs.what }}, {{ inputs.kind }}, {{ inputs.on }}"
pick:
  meta: {command: pick}
  steps: [{ask: "From which account?", options: "{{ config('accounts') }}", strict: true, output_to: account}]
  returns: "{{ account }}"
"""
ME = "terminal:me"


@pytest.fixture(autouse=True)
def lab(plan_folder: Path) -> None:
    (plan_folder / "lab" / "tasks").mkdir(parents=True)
    (plan_folder / "lab" / "plan.yaml").write_text("name: lab\n")
    (plan_folder / "lab" / "config.yaml").write_text("accounts: [Cash, Bank]\n")
    (plan_folder / "lab" / "tasks" / "lab.yaml").write_text(TASKS)


async def command(app, text: str) -> str:
    called = app.dispatcher.command_in(text, app.profile_of(ME))
    assert called is not None
    return await app.submit_command(incoming(text), called[0].task, called[1])


async def test_a_wrong_answer_is_asked_again_and_the_other_answers_are_kept(open_app, transport):
    async with open_app() as app:
        run_id = await command(app, "/spent")
        said = []
        for answers in (["lots", "-5", "1,234", "12,50"], ["pizza"], ["tiny", "SHORT"]):
            await app.outcome(run_id)
            question = (await app.questions("s"))[0]
            for text in answers:
                try:
                    assert await app.answer(question.id, text, person=ME)
                except AnswerMisfitError as error:
                    said.append(str(error))
        outcome = await app.outcome(run_id)
        assert (outcome.status, outcome.answer) == ("ok", "12.5 for pizza, short, 2026-11-30")
        assert said == [
            "a number is wanted, not 'lots'. How much?",
            "Input should be greater than or equal to 0. How much?",
            "'1,234' can be read in two ways: write 1234 or 1.234. How much?",
            "'tiny' is not one of short, long. Which kind?",
        ]


async def test_an_answer_that_does_not_fit_is_not_taken_for_a_new_request_and_survives_a_restart(open_app, transport):
    async with open_app() as app:
        run_id = await command(app, "/spent pizza kind=long")
        await app.outcome(run_id)
    async with open_app() as app:
        await app.resume()
        with pytest.raises(AnswerMisfitError, match="How much"):
            await app.reply("s", "no idea", person=ME, key="m1")
        assert await app.reply("s", "3", person=ME, key="m2")
        assert await app.reply("s", "3", person=ME, key="m2")
        assert (await app.outcome(run_id)).answer == "3 for pizza, long, 2026-11-30"


async def test_choices_may_come_from_settings_and_be_all_that_counts(open_app, transport):
    async with open_app(AURA_PLANS__LAB__ACCOUNTS="[Cash, Bank, Card]") as app:
        run_id = await command(app, "/pick")
        await app.outcome(run_id)
        question: Question = (await app.questions("s"))[0]
        assert (question.options, question.strict) == (["Cash", "Bank", "Card"], True)
        with pytest.raises(AnswerMisfitError, match="'Casino' is not one of Cash, Bank, Card"):
            await app.answer(question.id, "Casino", person=ME)
        assert await app.answer(question.id, "3", person=ME)
        assert (await app.outcome(run_id)).answer == "Card"
        assert await app.answer(question.id, "Casino", person=ME) is False  # too late to be wrong


SPECS = {
    "amount": InputSpec(type="number", required=True),
    "when": InputSpec(format="date", required=True),
    "what": InputSpec(required=True),
    "kind": InputSpec(enum=["short", "long"], default="short"),
}


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("", {}),
        ("12.50 2026-11-30 two pizzas", {"amount": "12.50", "when": "2026-11-30", "what": "two pizzas"}),
        ("12,50 pizza", {"amount": "12,50", "what": "pizza"}),
        ("pizza 12.50", {"what": "pizza 12.50"}),
        ("12.50", {"amount": "12.50"}),
        ("1 pizza kind=long", {"amount": "1", "what": "pizza", "kind": "long"}),
        ("1 pizza when=2026-11-30 kind='long'", {"amount": "1", "what": "pizza", "when": "2026-11-30", "kind": "long"}),
        ("1 x what=y", {"amount": "1", "what": "x what=y"}),
        ("1 x colour=red", {"amount": "1", "what": "x colour=red"}),
        ('amount=1 what="a b"', {"amount": "1", "what": "a b"}),
        ('1 say "hello', {"amount": "1", "what": 'say "hello'}),
        ("3 пиццы", {"amount": "3", "what": "пиццы"}),
    ],
)
def test_words_behind_a_command_go_to_the_inputs_in_their_order(text: str, inputs: dict):
    assert command_inputs(SPECS, text) == inputs


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("https://a.b short", {"url": "https://a.b", "kind": "short"}),
        ("https://a.b 20 long", {"url": "https://a.b", "words": "20", "kind": "long"}),
        ("https://a.b tiny", {"url": "https://a.b", "words": "tiny"}),
        ("nowhere", {"url": "nowhere"}),
    ],
)
def test_without_free_text_what_is_left_goes_where_it_fits_or_is_said_to_be_wrong(text: str, inputs: dict):
    specs = {
        "url": InputSpec(format="uri", required=True),
        "words": InputSpec(type="integer", default=80),
        "kind": InputSpec(enum=["short", "long"], default="short"),
    }
    assert command_inputs(specs, text) == inputs
    assert command_inputs({}, text) == {}


async def test_a_command_whose_inputs_do_not_fit_does_not_begin(open_app, transport):
    async with open_app() as app:
        with pytest.raises(InputError, match="lab/spent: the input 'amount': a number is wanted, not 'x'"):
            await command(app, "/spent amount=x what=pizza")
        assert await app.runs() == []
        with pytest.raises(NotFoundError, match="no command /spend; did you mean '/spent'"):
            app.dispatcher.command_in("/spend 3", app.profile_of(ME))
        assert app.dispatcher.command_in("/etc/hosts says what?", app.profile_of(ME)) is None
