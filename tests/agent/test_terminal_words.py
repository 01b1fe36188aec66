"""What a person typed, made fit to be a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.channels.terminal.words import MAX_CHARACTERS, BadRequestError, clean_request


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\0"])
def test_an_empty_request_says_what_to_type(text):
    with pytest.raises(BadRequestError, match="empty"):
        clean_request(text)


def test_a_megabyte_of_text_is_refused_and_says_where_to_put_it():
    with pytest.raises(BadRequestError, match=r"1,000,000 characters.*file"):
        clean_request("x" * 1_000_000)
    assert len(clean_request("x" * MAX_CHARACTERS)) == MAX_CHARACTERS


def test_bytes_that_are_no_text_become_marks_instead_of_an_error():
    assert clean_request(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf�"


@given(st.text(max_size=200))
def test_what_is_taken_can_always_be_stored(text):
    try:
        cleaned = clean_request(text)
    except BadRequestError:
        return
    assert cleaned.encode("utf-8")
    assert cleaned == clean_request(cleaned)
