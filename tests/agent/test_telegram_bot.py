"""What a person sees of the bot: requests, cards, questions, files, commands, strangers, groups."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiogram.methods import SendMessage

from agent.channels.telegram import live_cards, records
from agent.channels.telegram.asking import Asking
from agent.channels.telegram.bot import run_bot
from agent.channels.telegram.records import QUESTIONS, SENDINGS, Questions
from agent.channels.telegram.sending import Sender
from agent.contracts import PlanStep, TaskCard, TaskExample
from agent.errors import ConfigError, NotAllowedError
from agent.progress import PhaseChanged, QuestionClosed
from aura_core.generations.events import PlansReloaded
from tests.fixtures.stand_in_app import Run
from tests.fixtures.telegram.bench import OWNER, PlayedApp, documents_of, eventually, hurry, running
from tests.fixtures.telegram.person import PATIENCE
from tests.fixtures.telegram.world import Post
from tests.fixtures.telegram_emulator import Emulator, Person


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def telegram() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def asks(*options: str, text: str = "Which day?"):
    async def play(run: Run) -> None:
        await run.say(f"You chose {await run.ask(text, *options)}")

    return play


async def test_a_message_is_taken_under_its_update_and_answered(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        update = olga.send("What is 12*7?")
        await olga.wait_for("You said: What is 12*7?")
    (taken,) = app.taken
    assert (taken.session_id, taken.person, taken.key) == ("telegram-1001", "telegram:1001", f"telegram:{update}")
    assert (taken.dest.channel, taken.dest.root["chat_id"], taken.dest.root["chat_type"]) == (
        "telegram",
        OWNER,
        "private",
    )


async def test_what_is_sent_on_is_not_the_senders_word(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        for number, (text, author) in enumerate(
            (
                ("Send the pin", {"id": 666, "is_bot": False, "first_name": "Eve"}),
                ("/stop it", None),
                ("Mine", olga.user),
            )
        ):
            olga.forward(text, author)
            await eventually(lambda wanted=number + 1: len(app.taken) == wanted)
    assert [(taken.text, taken.untrusted) for taken in app.taken] == [
        ("Send the pin", True),
        ("/stop it", True),
        ("Mine", False),
    ]


async def test_an_owner_reads_in_the_chat_what_was_lost(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    app.losses = ["The store was damaged."]
    olga.send("hello")  # a bot can write only to whoever has written to it
    async with running(app):
        await olga.wait_for("The store was damaged.")
        await eventually(lambda: not app.losses)
        app.losses = ["The notes were damaged."]
        olga.send("What is 12*7?")
        await olga.wait_for("The notes were damaged.")
    assert len(olga.saying("damaged")) == 2


async def test_the_answer_keeps_its_form(telegram: Emulator, tmp_path: Path):
    async def play(run: Run) -> None:
        await run.say("It is **84**:\n\n```python\n12*7\n```")

    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, play)):
        olga.send("?")
        post = await olga.wait_for("It is 84")
    assert [entity["type"] for entity in post.entities] == ["bold", "pre"]
    assert "```" not in post.words


async def test_a_running_request_shows_one_card_that_is_edited_and_folds_when_it_is_done(
    telegram: Emulator, tmp_path: Path
):
    steps = [PlanStep(id="s1", title="Look it up"), PlanStep(id="s2", title="Write it down")]
    go_on = asyncio.Event()

    async def play(run: Run) -> None:
        run.plan(*steps)
        run.start(steps[0])
        await go_on.wait()
        run.end(steps[0])
        run.start(steps[1])
        run.end(steps[1], "error", error="the disk is full")
        await run.say("Half of it is done.")

    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, play)):
        olga.send("do it")
        card = await olga.wait_for("⏳ Look it up")
        assert "▫️ Write it down" in card.words
        await olga.until(lambda: [action for action in telegram.world.actions if action[1] == "typing"])
        go_on.set()
        await olga.wait_for("Half of it is done.")
        await olga.wait_for(lambda post: post.id == card.id and post.words.startswith("✅ Done · 2 steps"))
    assert "✅ Look it up" in card.words
    assert "❌ Write it down — the disk is full" in card.words
    assert [entity["type"] for entity in card.entities] == ["expandable_blockquote"]
    assert len(olga.posts) == 2


async def test_a_run_that_still_tidies_up_after_its_end_does_not_unfold_its_card(telegram: Emulator, tmp_path: Path):
    async def play(run: Run) -> None:
        run.plan(PlanStep(id="s1", title="Look it up"))
        await olga.wait_for("⚙️ Working")
        await run.say("Done with it.")
        run.publish(PhaseChanged, "remembering")

    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, play)):
        for number in (1, 2):
            olga.send("do it")
            await eventually(lambda number=number: len(olga.saying("✅ Done · 1 step")) == number)
    assert [post.words.splitlines()[0] for post in olga.posts] == ["✅ Done · 1 step", "Done with it."] * 2


async def test_a_run_that_breaks_without_a_word_is_noticed_and_said(
    telegram: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live_cards, "LOOK_AFTER_SECONDS", 0.1)

    async def play(run: Run) -> None:
        run.outcome.status = "error"

    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, play)):
        olga.send("do it")
        await olga.wait_for("could not be finished")
        await olga.wait_for("⚠️ Ended with problems")
    assert len(olga.posts) == 2


async def test_a_tapped_choice_answers_the_question_and_takes_its_buttons_away(telegram: Emulator, tmp_path: Path):
    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, asks("Friday", "Saturday"))):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
        assert list(question.buttons) == ["Friday", "Saturday", "Other…"]
        query = olga.tap(question, "Saturday")
        await olga.wait_for("You chose Saturday")
        await olga.until(lambda: not question.buttons)
        await olga.answer_to(query)
    assert question.words.endswith("✅ Saturday")


async def test_a_second_tap_is_harmless(telegram: Emulator, tmp_path: Path):
    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, asks("Friday", "Saturday"))):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
        friday, saturday = question.buttons["Friday"], question.buttons["Saturday"]
        queries = [olga.press(question, data) for data in (friday, friday, saturday)]
        answers = [await olga.answer_to(query) for query in queries]
        await olga.wait_for("You chose Friday")
    assert [answer.get("text") for answer in answers] == [None, *["Already answered: Friday"] * 2]
    assert len(olga.saying("You chose")) == 1


async def test_the_only_open_question_takes_plain_text(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday")), telegram.person(OWNER)
    async with running(app):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
        olga.send("Sunday, please")
        await olga.wait_for("You chose Sunday, please")
        await olga.until(lambda: question.words.endswith("✅ Sunday, please") and not question.buttons)
    assert len(app.taken) == 1


async def two_questions(app: PlayedApp, olga: Person) -> tuple[Post, Post]:
    """Two runs that wait; the second was begun by a command, which is never taken as an answer."""
    olga.send("the first")
    first = await olga.wait_for("Which day?")
    olga.send("/note the second")
    return first, await olga.wait_for(lambda post: "Which day?" in post.words and post.id != first.id)


async def test_other_sends_the_next_text_to_that_question_among_several(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday"), CARDS), telegram.person(OWNER)
    async with running(app):
        first, second = await two_questions(app, olga)
        olga.tap(first, "Other…")
        await olga.until(lambda: "Write your answer" in first.words)
        assert "Friday" in first.buttons
        olga.send("Monday")
        await olga.until(lambda: first.words.endswith("✅ Monday"))
        await olga.wait_for("You chose Monday")
        assert second.buttons
    assert app.played["run-1"].outcome.answer == "You chose Monday"
    assert app.played["run-2"].outcome.status == "waiting"


async def test_a_reply_to_a_question_answers_it_among_several(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday"), CARDS), telegram.person(OWNER)
    async with running(app):
        first, second = await two_questions(app, olga)
        olga.send("Tuesday", reply_to=second)
        await olga.wait_for("You chose Tuesday")
        await olga.until(lambda: second.words.endswith("✅ Tuesday"))
        assert first.buttons
    assert app.played["run-1"].outcome.status == "waiting"
    assert len(app.taken) == 2


async def test_a_request_among_several_questions_is_a_request(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday"), CARDS), telegram.person(OWNER)
    async with running(app):
        await two_questions(app, olga)
        olga.send("the third")
        await eventually(lambda: len(app.taken) == 3)


async def test_long_choices_stand_in_the_text_and_buttons_carry_their_numbers(telegram: Emulator, tmp_path: Path):
    long = ["The red one with the long name and a bell", "The blue one, which is cheaper but arrives later"]
    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, asks(*long, text="Which bicycle?"))):
        olga.send("buy one")
        question = await olga.wait_for("Which bicycle?")
        assert list(question.buttons) == ["1", "2", "Other…"]
        assert f"2. {long[1]}" in question.words
        olga.tap(question, "2")
        await olga.wait_for(f"You chose {long[1]}")


async def test_an_old_button_works_after_a_restart(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday")), telegram.person(OWNER)
    async with running(app):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
    olga.tap(question, "Friday")
    async with running(app):
        await olga.wait_for("You chose Friday")
        await olga.until(lambda: not question.buttons)
    assert len(olga.saying("Which day?")) == 1


async def test_a_question_that_is_closed_while_its_message_is_on_the_way_loses_its_buttons(
    telegram: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday")), telegram.person(OWNER)
    send, close, closed = Sender.send, Asking.close, asyncio.Event()

    async def noted(asking: Asking, question_id: str, answer: str) -> None:
        await close(asking, question_id, answer)
        closed.set()

    async def slowly(sender: Sender, key: str, method: SendMessage) -> int | None:
        message_id = await send(sender, key, method)
        if key.startswith("question:"):
            (run,) = app.played.values()
            run.publish(QuestionClosed, key.removeprefix("question:"))
            await closed.wait()
        return message_id

    monkeypatch.setattr(Asking, "close", noted)
    monkeypatch.setattr(Sender, "send", slowly)
    async with running(app):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
        await olga.until(lambda: not question.buttons)
    assert "closed" in question.words


@pytest.mark.parametrize("answered_before", [False, True])
async def test_a_question_whose_message_could_not_be_written_down_still_shows_its_end(
    telegram: Emulator, tmp_path: Path, answered_before
):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday")), telegram.person(OWNER)
    async with running(app):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
        friday = question.buttons["Friday"]
    async with documents_of(tmp_path) as documents:
        (asked,) = await documents.list(QUESTIONS)
        await documents.put(QUESTIONS, asked.key, {**asked.value, "message_id": None})
    async with running(app):
        if answered_before:
            olga.send("Friday")
            await olga.until(lambda: not question.buttons)
        query = olga.press(question, friday)
        await olga.wait_for("You chose Friday")
        await olga.until(lambda: not question.buttons)
        assert (await olga.answer_to(query)).get("text") == ("Already answered: Friday" if answered_before else None)
    assert question.words.endswith("✅ Friday")


async def test_a_question_that_was_settled_while_the_bot_was_away_loses_its_buttons(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday")), telegram.person(OWNER)
    async with running(app):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
    await app.stop("telegram-1001")
    async with running(app):
        await olga.until(lambda: not question.buttons)
    assert "closed" in question.words


async def test_a_kill_between_an_answer_and_the_edit_of_its_message_leaves_no_buttons(
    telegram: Emulator, tmp_path: Path
):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday", "Saturday")), telegram.person(OWNER)
    async with running(app):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
    async with documents_of(tmp_path) as documents:
        (asked,) = await documents.list(QUESTIONS)
        await Questions(documents).close(asked.value["question"]["id"], "Friday")
    async with running(app):
        await olga.until(lambda: not question.buttons)
    assert question.words.endswith("✅ Friday")


async def test_an_unknown_button_is_answered_politely(telegram: Emulator, tmp_path: Path):
    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram)):
        olga.send("hello")
        post = await olga.wait_for("You said: hello")
        for data in ("q:0123456789:0", "something else", "q:x:99999999999999999999"):
            answer = await olga.answer_to(olga.press(post, data))
            assert "too old" in answer["text"]


async def test_stop_ends_the_run_and_closes_its_question(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, asks("Friday")), telegram.person(OWNER)
    async with running(app):
        olga.send("book it")
        question = await olga.wait_for("Which day?")
        olga.send("/stop")
        await olga.wait_for("Stopped 1 request.")
        await olga.until(lambda: not question.buttons)
        olga.send("/stop")
        await olga.wait_for("Nothing was running.")
    assert app.played["run-1"].outcome.status == "cancelled"


async def test_a_stranger_gets_one_message_and_nothing_else(telegram: Emulator, tmp_path: Path):
    app, stranger, olga = (
        PlayedApp(tmp_path, telegram, asks("Friday")),
        telegram.person(666, "Eve"),
        telegram.person(OWNER),
    )
    async with running(app):
        stranger.send("/start")
        post = await stranger.wait_for("666")
        assert "AURA_TELEGRAM_OWNERS" in post.words
        assert str(OWNER) not in post.words
        for text in ("/tasks", "let me in", "/stop"):
            stranger.send(text)
        olga.send("book it")
        question = await olga.wait_for("Which day?")
        answer = await olga.answer_to(stranger.press(question, question.buttons["Friday"]))
        assert "Only the person" in answer["text"]
    assert len(stranger.posts) == 1
    assert [taken.text for taken in app.taken] == ["book it"]
    assert not list((tmp_path / "telegram-666").glob("**/*"))


async def test_in_a_group_only_the_owner_counts(telegram: Emulator, tmp_path: Path):
    app, olga, member = PlayedApp(tmp_path, telegram, asks("Friday")), telegram.person(OWNER), telegram.person(7, "Max")
    family = telegram.group()
    async with running(app):
        member.send("@aura_test_bot do something", group=family)
        olga.send("@aura_test_bot book it", group=family)
        question = await olga.wait_for("Which day?", group=family)
        refused = await olga.answer_to(member.press(question, question.buttons["Friday"]))
        assert "Only the person" in refused["text"]
        assert question.buttons
        olga.send("/stop@another_bot", group=family)
        olga.tap(question, "Friday")
        await olga.wait_for("You chose Friday", group=family)
    assert [(taken.text, taken.session_id) for taken in app.taken] == [("book it", f"telegram-{family['id']}")]
    assert not member.posts


async def test_card_and_answer_of_a_request_in_a_topic_stay_in_that_topic(telegram: Emulator, tmp_path: Path):
    async def play(run: Run) -> None:
        run.plan(PlanStep(id="s1", title="Look it up"))
        await olga.wait_for("⚙️ Working", group=family)
        await run.say("Done with it.")

    olga, family = telegram.person(OWNER), telegram.group()
    async with running(PlayedApp(tmp_path, telegram, play)):
        topic = {"is_topic_message": True, "message_thread_id": 7}
        telegram.world.push(
            "message", {"message_id": 900, "date": 1, "chat": family, "from": olga.user, "text": "do it", **topic}
        )
        await olga.wait_for("Done with it.", group=family)
    sent = [*telegram.calls("sendMessage"), *telegram.calls("sendChatAction")]
    assert len(sent) >= 3
    assert {str(call.params["message_thread_id"]) for call in sent} == {"7"}


CARDS = [
    TaskCard(task="notes/add", title="Add a note", command="note", inputs={"properties": {"text": {"type": "string"}}}),
    TaskCard(task="notes/list", title="List all notes", command="List-Notes"),
    TaskCard(task="web/fetch", title="Fetch a page", command="страница"),
    TaskCard(task="web/news", title="News", command="new"),
]


async def test_plugin_commands_stand_in_the_menu_and_run_their_task(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, cards=CARDS), telegram.person(OWNER)
    async with running(app):
        olga.send("/note  buy milk")
        await olga.wait_for("You said: /note  buy milk")
        olga.send("/list_notes")
        await olga.wait_for("You said: /list_notes")
        menu = [command["command"] for command in telegram.world.menus[f"chat:{OWNER}"]]
        strangers_menu = [command["command"] for command in telegram.world.menus["default"]]
    assert app.commands_called == [("notes/add", {"text": "buy milk"}), ("notes/list", {})]
    assert menu == ["start", "help", "new", "stop", "forget", "tasks", "schedule", "id", "list_notes", "note"]
    assert strangers_menu == ["start", "id"]


async def test_help_says_how_to_ask_for_a_command_s_task_in_plain_words(telegram: Emulator, tmp_path: Path):
    card = CARDS[0].model_copy(update={"examples": [TaskExample(say="Keep\nthe key in mind")]})
    app, olga = PlayedApp(tmp_path, telegram, cards=[card, CARDS[1]]), telegram.person(OWNER)
    async with running(app):
        olga.send("/help")
        await olga.wait_for("/note — Add a note: “Keep the key in mind”")


async def test_the_menu_follows_edited_plans(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, cards=CARDS[:1]), telegram.person(OWNER)
    async with running(app):
        olga.send("/note one")
        await olga.wait_for("You said: /note one")
        app.cards = CARDS[:2]
        app.events.publish(PlansReloaded(("notes",)))
        olga.send("/list_notes")
        await olga.wait_for("You said: /list_notes")
        menu = [command["command"] for command in telegram.world.menus[f"chat:{OWNER}"]]
    assert menu[-2:] == ["list_notes", "note"]


async def test_the_built_in_commands_answer(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram, cards=CARDS), telegram.person(OWNER)
    async with running(app):
        for text, expected in {
            "/start": "Hello! I am Aura.",
            "/HELP": "/note — Add a note",
            "/tasks": "• Add a note (/note)",
            "/new": "A new conversation",
            "/id@aura_test_bot": "Your id is 1001",
            "/whatever": "I do not know /whatever",
        }.items():
            olga.send(text)
            await olga.wait_for(expected)
    assert app.conversations == 1
    assert not app.taken


async def test_files_land_in_the_session_and_are_named_to_the_run(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        olga.send_file("../../etc/prices.csv", b"a,b\n1,2\n", "What is the sum?")
        await olga.wait_for("You said: What is the sum?")
        olga.send_file("prices.csv", b"other")
        olga.send_file("cat.jpg", b"jpeg", photo=True)
        await eventually(lambda: len(app.taken) == 3)
    folder = tmp_path / "telegram-1001" / "files"
    first, second, third = app.taken
    assert (first.text, first.files) == ("What is the sum?", ["prices.csv"])
    assert (second.text, second.files) == ("", ["prices-2.csv"])
    assert (folder / "prices.csv").read_bytes() == b"a,b\n1,2\n"
    assert (folder / "prices-2.csv").read_bytes() == b"other"
    assert (folder / third.files[0]).read_bytes() == b"jpeg"
    assert {path.name for path in folder.iterdir()} == {"prices.csv", "prices-2.csv", third.files[0]}


async def test_an_album_is_one_request(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        olga.send_file("a.jpg", b"1", "Which is nicer?", album="g1")
        olga.send_file("b.jpg", b"2", album="g1")
        await olga.wait_for("You said: Which is nicer?")
    (taken,) = app.taken
    assert taken.files == ["a.jpg", "b.jpg"]


async def test_a_file_larger_than_the_profile_allows_is_refused_in_words(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    owner = app.config.profile("owner").model_copy(update={"max_file_bytes": 10})
    app.config.profiles["owner"] = owner
    async with running(app):
        olga.send_file("big.bin", b"x" * 11, "take it")
        await olga.wait_for("big.bin is too large")
        olga.send("still there?")
        await olga.wait_for("You said: still there?")
    assert [taken.text for taken in app.taken] == ["still there?"]


async def test_a_message_without_anything_readable_gets_a_hint(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        olga.send("   ")
        await olga.wait_for("I can read text")
    assert not app.taken


async def test_artifacts_arrive_as_documents_and_impossible_ones_are_explained(telegram: Emulator, tmp_path: Path):
    haiku, empty = tmp_path / "haiku.txt", tmp_path / "empty.txt"
    haiku.write_text("rain")
    empty.touch()

    async def play(run: Run) -> None:
        for path in (haiku, empty, tmp_path / "gone.txt"):
            await run.transport.send_file(run.incoming.dest.root, path, "Here.", key=f"{run.id}/{path.name}")
        await run.say("Done.")

    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, play)):
        olga.send("write it")
        await olga.wait_for("Done.")
    assert olga.files == {"haiku.txt": b"rain"}
    assert olga.saying("empty.txt is empty")
    assert olga.saying("gone.txt is gone")


async def test_a_long_answer_comes_in_parts_and_a_very_long_one_as_a_file(telegram: Emulator, tmp_path: Path):
    async def play(run: Run) -> None:
        await run.say("word " * int(run.incoming.text))

    def begin_with_a_word() -> list[Post]:
        return [post for post in olga.posts if post.words.startswith("word")]

    olga = telegram.person(OWNER)
    async with running(PlayedApp(tmp_path, telegram, play)):
        olga.send("1500")
        parts = await olga.until(lambda: len(found := begin_with_a_word()) == 2 and found)
        assert sum(post.words.count("word") for post in parts) == 1500
        olga.send("9000")
        await eventually(lambda: "answer.md" in olga.files)
    assert olga.files["answer.md"].count(b"word") == 9000
    assert olga.saying("The whole answer is in the file")


async def test_a_person_who_blocked_the_bot_harms_nobody_else(telegram: Emulator, tmp_path: Path):
    app, olga, max_ = PlayedApp(tmp_path, telegram), telegram.person(OWNER), telegram.person(1002, "Max")
    app.config.telegram.owners.append(max_.id)
    async with running(app):
        olga.block()
        olga.send("hello?")
        await eventually(lambda: app.played and app.played["run-1"].outcome.status == "ok")
        max_.send("and me?")
        await max_.wait_for("You said: and me?")


async def test_an_update_that_comes_twice_is_handled_once(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        olga.send("/new")
        await olga.wait_for("A new conversation")
        post = telegram.world.posts[OWNER, min(number for _, number in telegram.world.posts)]
        update = {"update_id": 700_000_001, "message": telegram.world.shown(post)}
    telegram.redeliver(update)
    async with running(app):
        olga.send("next")
        await olga.wait_for("You said: next")
    assert app.conversations == 1


async def test_what_no_restart_can_need_is_forgotten_at_the_start(
    telegram: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        olga.send("hello")
        await olga.wait_for("You said: hello")
    async with documents_of(tmp_path) as documents:
        assert await documents.list(SENDINGS)
    monkeypatch.setattr(records, "KEPT_SECONDS", 0.0)
    async with running(app), asyncio.timeout(PATIENCE):
        while await app.documents.list(SENDINGS):  # noqa: ASYNC110 (documents have no event)
            await asyncio.sleep(0.01)


async def test_an_update_that_cannot_be_read_does_not_make_the_bot_deaf(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    telegram.world.push("message", {"message_id": "not a number"})
    olga.send("can you hear me?")
    async with running(app):
        await olga.wait_for("You said: can you hear me?")


async def test_a_refusal_of_the_app_is_said_and_a_failing_store_is_tried_again(telegram: Emulator, tmp_path: Path):
    app, olga = PlayedApp(tmp_path, telegram), telegram.person(OWNER)
    async with running(app):
        app.refuse_with = [NotAllowedError("The budget of the day is used up.")]
        olga.send("one")
        await olga.wait_for("The budget of the day is used up.")
        app.refuse_with = [OSError("disk full")]
        olga.send("two")
        await olga.wait_for("You said: two")
        app.refuse_with = [ZeroDivisionError()]
        olga.send("three")
        await olga.wait_for("Something went wrong on my side")
        olga.send("four")
        await olga.wait_for("You said: four")


@pytest.mark.parametrize("fault", ["conflict", "bad_gateway", "server_error", "drop_before", "drop_after"])
async def test_polling_survives(telegram: Emulator, tmp_path: Path, fault):
    olga = telegram.person(OWNER)
    telegram.faults.add("getUpdates", fault)
    async with running(PlayedApp(tmp_path, telegram)):
        olga.send("hello")
        await olga.wait_for("You said: hello")
    assert telegram.faults.left("getUpdates") == 0


async def test_a_webhook_left_behind_does_not_keep_messages_away(telegram: Emulator, tmp_path: Path):
    olga = telegram.person(OWNER)
    telegram.world.webhook = {"url": "http://127.0.0.1:9/"}
    olga.send("hello")
    async with running(PlayedApp(tmp_path, telegram)):
        await olga.wait_for("You said: hello")


@pytest.mark.parametrize(
    ("token", "message"),
    [("1:wrong-token", "refuses the token"), ("nonsense", "does not look like a token"), (None, "@BotFather")],
)
async def test_a_wrong_token_ends_the_bot_with_the_way_on(telegram: Emulator, tmp_path: Path, token, message):
    app = PlayedApp(tmp_path, telegram)
    app.config.telegram.token = token and type(app.config.telegram.token)(token)
    with pytest.raises(ConfigError, match=message):
        await run_bot(app, stop=asyncio.Event())


async def test_whoever_starts_a_bot_reads_what_to_do_and_what_was_damaged(telegram: Emulator, tmp_path: Path):
    app, said, stop = PlayedApp(tmp_path, telegram), list[str](), asyncio.Event()
    app.config.telegram.owners = []
    app.notices = ["The store was damaged."]
    async with documents_of(tmp_path) as app.documents, asyncio.TaskGroup() as group:
        group.create_task(run_bot(app, stop=stop, announce=said.append))
        await eventually(lambda: len(said) == 3)
        stop.set()
    assert "@aura_test_bot listens" in said[0]
    assert "AURA_TELEGRAM_OWNERS" in said[1]
    assert said[2] == "The store was damaged."


async def test_a_token_that_is_revoked_while_the_bot_runs_ends_it(telegram: Emulator, tmp_path: Path):
    app = PlayedApp(tmp_path, telegram)
    telegram.faults.add("getUpdates", "unauthorized")
    async with documents_of(tmp_path) as app.documents:
        with pytest.raises(ConfigError, match="refuses the token"):
            await run_bot(app, stop=asyncio.Event())


async def test_the_bot_waits_for_a_telegram_that_is_away_and_can_be_stopped_meanwhile(
    telegram: Emulator, tmp_path: Path
):
    telegram.faults.add("getMe", "bad_gateway", times=100)
    async with running(PlayedApp(tmp_path, telegram)):
        await eventually(lambda: telegram.calls("getMe"))
