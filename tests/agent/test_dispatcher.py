import pytest

from agent.contracts import Profile
from agent.dispatcher import Dispatcher
from agent.errors import NotAllowedError
from agent.shortlist import shortlist
from aura_core.errors import NotFoundError
from aura_core.framework import Framework
from aura_core.plugins.builtin import builtin_folder
from tests.fixtures.catalogue import built_in_cards

OWNER = Profile(name="owner")
PLAN = """
name: {name}
title: {name}
ui: {{menu: [{{label: Ping, task: ping}}]}}
examples:
  - say: Both pings
    steps: [{{for: Both, task: ping, inputs: {{who: Bo}}}}, {{for: pings, task: ping, inputs: {{who: Al}}}}]
  - {{say: Say hi, steps: [{{for: Say hi, task: llm}}]}}
  - {{say: Hidden, steps: [{{for: Hidden, task: two/ping, inputs: {{who: Bo}}}}]}}
  - {{say: Elsewhere, steps: [{{for: Elsewhere, task: nowhere/ping}}]}}
  - {{say: Forgotten input, steps: [{{for: Forgotten input, task: notes/add}}]}}
"""
TASKS = """
ping:
  meta:
    title: Ping
    description: Answers.
    command: ping
    expose: {expose}
    resources: ["line:2"]
    inputs:
      count: {{type: integer, default: 1}}
      who: {{type: string, required: true, ask: Whom?}}
      tone: {{type: string, enum: [low, high], default: low}}
  steps: []
"""


@pytest.fixture
async def dispatcher(tmp_path):
    for name, expose in (("one", "true"), ("two", "false")):
        folder = tmp_path / "plans" / name / "tasks"
        folder.mkdir(parents=True)
        (folder.parent / "plan.yaml").write_text(PLAN.format(name=name))
        (folder / "pings.yaml").write_text(TASKS.format(expose=expose))
    folders = [builtin_folder("plans"), tmp_path / "plans"]
    async with Framework(folders, tmp_path / "data", services={"llm": object(), "chat": object()}) as framework:
        assert framework.problems == []
        yield Dispatcher(framework)


async def test_the_catalogue_holds_what_may_be_planned(dispatcher):
    names = [card.task for card in dispatcher.catalogue(OWNER)]
    assert names == sorted(names)
    assert "one/ping" in names
    assert "two/ping" not in names
    assert "aura_base/calculate" in names


async def test_a_card_says_all_that_a_planner_needs(dispatcher):
    card = dispatcher.card("one/ping", OWNER)
    assert (card.title, card.command, card.effects, card.resources) == ("Ping", "ping", "read", ["line"])
    assert card.properties["who"]["ask"] == "Whom?"
    assert list(card.required) == ["who"]
    fetch = dispatcher.card("web/fetch", OWNER)
    assert fetch.untrusted
    assert fetch.properties["url"]["grounded"]


async def test_a_task_that_is_not_exposed_may_still_be_called_by_name(dispatcher):
    assert dispatcher.card("two/ping", OWNER).task == "two/ping"


async def test_a_profile_sees_only_what_it_may_use(dispatcher):
    narrow = Profile(name="family", allow=["notes/*", "one/*"], deny=["notes/delete"])
    assert {card.plan for card in dispatcher.catalogue(narrow)} == {"notes", "one"}
    assert "notes/delete" not in {card.task for card in dispatcher.catalogue(narrow)}
    assert set(dispatcher.get_plugin_ui(narrow)) == {"notes", "one"}
    assert set(dispatcher.get_plugin_commands(narrow)) == {"note", "notes", "ping"}
    with pytest.raises(NotAllowedError, match="family"):
        dispatcher.card("notes/delete", narrow)
    assert dispatcher.catalogue(Profile(name="guest", allow=[])) == []


async def test_a_card_has_the_types_and_the_examples_of_its_task(dispatcher):
    cards = {card.task: card for card in dispatcher.catalogue(OWNER)}
    assert cards["notes/find"].gives == {"notes[].id": "note.id"}
    assert cards["notes/delete"].needs == {"note": "note.id"}
    assert cards["notes/find"].needs == {}
    example = cards["notes/delete"].examples[0]
    assert (example.say, example.inputs) == ("Delete note 3", {"note": "3"})
    plan = cards["notes/delete"].plan_examples()[0]
    assert plan.model_dump(by_alias=True, exclude_none=True) == {
        "say": "Delete note 3",
        "steps": [{"for": "Delete note 3", "task": "notes/delete", "inputs": {"note": "3"}}],
    }


def said(dispatcher, profile):
    return {example.say: [step.task for step in example.steps] for example in dispatcher.examples(profile)}


async def test_an_example_of_several_tasks_is_shown_only_to_whoever_may_use_all_of_them(dispatcher):
    both = said(dispatcher, OWNER)
    assert both["Both pings"] == ["one/ping", "one/ping"]
    assert both["Say hi"] == ["llm"]
    assert "Hidden" not in both
    assert "Elsewhere" not in both
    assert "Forgotten input" not in both
    assert all(examples in both for examples in ("Read plan.md and save a summary as short.txt", "Delete it"))
    narrow = said(dispatcher, Profile(name="family", allow=["*"], deny=["one/ping", "aura_base/summarise"]))
    assert "Say hi" in narrow
    assert "Both pings" not in narrow
    assert "Read plan.md and save a summary as short.txt" not in narrow


async def test_an_unknown_task_names_the_nearest_one(dispatcher):
    with pytest.raises(NotFoundError, match="Did you mean notes/list"):
        dispatcher.card("notes/lists", OWNER)


async def test_two_plans_with_one_command_both_keep_it(dispatcher):
    commands = dispatcher.get_plugin_commands(OWNER)
    assert commands["ping"].task == "one/ping"
    assert commands["two_ping"].task == "two/ping"


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("", {}),
        ("Anna and Bo", {"who": "Anna and Bo"}),
        ('who="Anna and Bo" count=3', {"who": "Anna and Bo", "count": "3"}),
        ("who=Anna", {"who": "Anna"}),
        ("who=", {"who": ""}),
        ("a=b is no pair of mine", {"who": "a=b is no pair of mine"}),
        ('say "hello', {"who": 'say "hello'}),
        ("who=Anna then more", {"who": "who=Anna then more"}),
        ("привет мир", {"who": "привет мир"}),
    ],
)
async def test_what_stands_behind_a_command_becomes_inputs(dispatcher, text, inputs):
    assert dispatcher.parse_command_inputs(dispatcher.card("one/ping", OWNER), text) == inputs


async def test_a_command_without_inputs_takes_none(dispatcher):
    assert dispatcher.parse_command_inputs(dispatcher.card("notes/list", OWNER), "please") == {}


def test_a_short_list_keeps_the_catalogue_s_order_and_finds_the_task_by_its_words():
    cards = list(built_in_cards().values())
    assert shortlist(cards, "anything", len(cards)) == cards
    short = shortlist(cards, "translate the letter and fetch the web page", 5)
    assert len(short) == 5
    assert {"aura_base/translate", "web/fetch"} <= {card.task for card in short}
    assert short == [card for card in cards if card in short]
