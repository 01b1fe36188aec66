"""What Tab and typing a slash offer."""

from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from agent.channels.terminal.completion import ChatCompleter
from agent.channels.terminal.session_files import MOST_FILES, session_files
from tests.fixtures.vanishing import folders_that_come_and_go


@pytest.fixture
def offered(tmp_path):
    (tmp_path / "letters").mkdir()
    for name in ("haiku.txt", "letters/hello.md", ".hidden", "über.txt"):
        (tmp_path / name).write_text("x")
    completer = ChatCompleter(lambda: {"/help": "what you can type", "/hello": "", "/note": "Make a note"}, tmp_path)

    def complete(text, *, tab=True):
        event = CompleteEvent(completion_requested=tab)
        return [completion.text for completion in completer.get_completions(Document(text), event)]

    return complete


def test_a_slash_offers_commands_while_typing(offered):
    assert offered("/", tab=False) == ["/hello", "/help", "/note"]
    assert offered("/hel", tab=False) == ["/hello", "/help"]
    assert offered("/note ", tab=False) == []


def test_tab_offers_files_of_the_session_but_no_hidden_ones(offered):
    assert offered("read h") == ["haiku.txt"]
    assert offered("/read letters/") == ["letters/hello.md"]
    assert offered("read ü") == ["über.txt"]
    assert offered("read .h") == []


def test_plain_typing_is_not_disturbed(offered):
    assert offered("read h", tab=False) == []


def test_a_folder_of_very_many_files_stays_quick(tmp_path):
    for number in range(MOST_FILES + 20):
        (tmp_path / f"{number}.txt").touch()
    assert len(session_files(tmp_path)) == MOST_FILES


def test_folders_that_a_run_deletes_while_files_are_listed_are_passed_over(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.txt").write_text("a", encoding="utf-8")
    with folders_that_come_and_go(tmp_path):
        for _ in range(1000):
            assert session_files(tmp_path) == ["kept/a.txt"]
