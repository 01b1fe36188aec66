"""Thoughts taken out of what a model says: the same for every cut into pieces, and none is ever said."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.thoughts import Thoughts

PAIRS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
]
PLAIN = st.text(st.characters(exclude_characters="PQ`'\"“‘«„‹「『\\", exclude_categories=["Cs"]), max_size=40)
THOUGHT = st.text(alphabet="PQ{}[]<> \n", max_size=60)


def cut(text: str, places: list[int]) -> list[str]:
    marks = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(marks)]


def read(pieces: list[str], *, unopened: bool | None, json: bool = False, stopped: bool = False) -> tuple[str, str]:
    """What was said, as the reader has it and as it was told."""
    thoughts = Thoughts(unopened=unopened, json=json)
    told = [thoughts.feed(piece) for piece in pieces]
    told.append(thoughts.end(cut=stopped))
    return thoughts.text, "".join(told)


@given(
    pair=st.sampled_from(PAIRS + [("", closing) for _, closing in PAIRS]),
    thought=THOUGHT,
    answer=PLAIN,
    places=st.lists(st.integers(0, 200)),
    unopened=st.sampled_from([None, True]),
)
def test_no_letter_of_a_thought_is_said_however_it_is_cut(pair, thought, answer, places, unopened):
    text = f"{pair[0]}{thought}{pair[1]}{answer}"
    kept, told = read(cut(text, places), unopened=unopened)
    assert kept == told
    assert not set("PQ") & set(told)
    assert told.strip() == answer.strip()


@given(answer=st.text(max_size=80), places=st.lists(st.integers(0, 200)), unopened=st.sampled_from([None, False, True]))
def test_the_cut_into_pieces_changes_nothing(answer, places, unopened):
    kept, told = read(cut(answer, places), unopened=unopened)
    assert kept == read([answer], unopened=unopened)[0]
    assert kept == told or unopened is False


@given(value=st.text(max_size=40), places=st.lists(st.integers(0, 200)), before=THOUGHT)
def test_json_behind_a_thought_is_said_as_it_stands(value, places, before):
    text = '{"steps": [{"text": ' + repr(value) + " <think> </think>}]}"
    assert read(cut(text, places), unopened=None, json=True) == (text, text)
    assert read(cut(f"<think>{before}</think>\n{text}", places), unopened=None, json=True) == (text, text)


@pytest.mark.parametrize(
    "text",
    [
        "Between `<think>` and `</think>` stands a thought.",
        "Write it as '</think>' or \"<think>\".",
        "```python\nre.sub('<think>.*?</think>', '', text)\n</think>\n```\nThat is all.",
        "The mark <think> opens it.",
        "a < b, [c] and d <",
    ],
)
@pytest.mark.parametrize("unopened", [None, False, True])
def test_what_only_speaks_of_marks_is_kept(text, unopened):
    assert read(list(text), unopened=unopened) == (text, text)


@pytest.mark.parametrize("text", ["<think>so far", "Rain. <think>so far", "so far"])
def test_what_may_be_an_open_thought_is_not_said_when_the_answer_was_cut_off(text):
    assert "so far" not in read(list(text), unopened=None, stopped=True)[1]


def test_a_long_thought_is_read_in_linear_time():
    thoughts = Thoughts(unopened=None)
    for piece in ["<think>", *["and then <b> "] * 100_000, "</think>", "Rain."]:
        thoughts.feed(piece)
    assert thoughts.text == "Rain."
