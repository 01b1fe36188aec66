"""What an error says about a name that does not exist."""

from __future__ import annotations

import pytest

from aura_core.ground.suggestions import hint, nearest, sentence


@pytest.mark.parametrize(
    ("name", "found"), [("nots", "notes"), ("NOTES", "notes"), ("xyz", None), ("", None), ("Wbe", "web")]
)
def test_the_nearest_name_is_found_whatever_its_case(name: str, found: str | None):
    assert nearest(name, ["notes", "web"]) == found


def test_without_a_near_name_there_is_a_list_that_stays_readable():
    assert hint("xyz", ["b", "a"], what="plans are") == "plans are: a, b"
    assert hint("xyz", map(str, range(100, 115))).endswith(", 109 and 5 more")
    assert hint("xyz", []) == ""


@pytest.mark.parametrize(
    ("advice", "otherwise", "text"),
    [
        ("did you mean 'a'?", "none", "There is no b; did you mean 'a'?"),
        ("known: a", "none", "There is no b; known: a."),
        ("", "none is loaded", "There is no b; none is loaded."),
        ("", "", "There is no b."),
    ],
)
def test_a_sentence_ends_in_one_mark(advice: str, otherwise: str, text: str):
    assert sentence("There is no b", advice, otherwise) == text
