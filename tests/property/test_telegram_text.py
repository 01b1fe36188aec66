"""Laws of what is sent: no part is too long, nothing is lost, forms stay where they were, limits always hold."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.channels.telegram.files import safe_name
from agent.channels.telegram.rate_limiter import GROUP_LIMITS, OVERALL_LIMITS, PRIVATE_LIMITS, RateLimiter
from agent.channels.telegram.text import Part, Span, parts_of, render, shorten, split
from aura_core.data.files import resolve_inside
from tests.fixtures.telegram.refusals import checked_text, utf16

WORDS = st.text(st.sampled_from("ab я中🚀\n \t#*_`~>|[]()-1.<>&$\\"), max_size=300)
ANYTHING = st.text(max_size=200) | WORDS
LIMITS = st.integers(2, 60)


@st.composite
def wholes(draw: st.DrawFn) -> Part:
    text = draw(ANYTHING.filter(lambda found: max(found, default="a") < "\ud800" or max(found) > "\udfff"))
    bounds = [0]
    for character in text:
        bounds.append(bounds[-1] + utf16(character))
    spans = []
    for _ in range(draw(st.integers(0, 4))):
        first, last = sorted((draw(st.sampled_from(bounds)), draw(st.sampled_from(bounds))))
        if first < last:
            spans.append(Span(draw(st.sampled_from(["bold", "pre"])), first, last - first))
    return Part(text, tuple(spans))


def covered(part: Part) -> list[tuple[str, frozenset[str]]]:
    """Every visible character with the forms that it has."""
    result, offset = [], 0
    for character in part.text:
        forms = frozenset(span.type for span in part.spans if span.offset <= offset < span.offset + span.length)
        if not character.isspace():
            result.append((character, forms))
        offset += utf16(character)
    return result


@given(wholes(), LIMITS)
def test_splitting_loses_no_visible_character_and_no_form(whole: Part, limit: int):
    parts = split(whole, limit)
    assert [item for part in parts for item in covered(part)] == covered(whole)


@given(wholes(), LIMITS)
def test_every_part_is_what_telegram_takes(whole: Part, limit: int):
    for part in split(whole, limit):
        entities = [{"type": span.type, "offset": span.offset, "length": span.length} for span in part.spans]
        assert utf16(part.text) <= limit
        assert checked_text(part.text, entities, None)[0] == part.text


@given(ANYTHING)
@example("```python\n" + "x = 1\n" * 2000 + "```\nafter")
@example("\ud800 lone")
@example("- a\n" * 3000)
@example("<b>" * 2000)
@example("| a | b |\n|---|---|\n" + "| 🚀 | 2 |\n" * 900)
def test_any_markdown_becomes_messages_that_telegram_takes(markdown: str):
    for part in parts_of(markdown):
        entities = [entity.model_dump(exclude_none=True) for entity in part.entities()]
        assert checked_text(part.text, entities, None)[0] == part.text


@given(st.text(st.characters(categories=("Ll", "Lu", "Nd")), min_size=1, max_size=20))
def test_what_looks_like_html_is_shown_as_it_was_written(name: str):
    text = f"before <{name}> and </{name}> after"
    assert render(text).text == text


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_cut_code_block_goes_on_as_code(fence: str):
    code = "\n".join(f"line_{number} = {number}" for number in range(600))
    parts = parts_of(f"Look:\n\n{fence}python\n{code}\n{fence}\n\nThat is all.")
    assert len(parts) > 1
    for part in parts:
        (block,) = [span for span in part.spans if span.type == "pre"]
        assert block.language == "python"
    assert "\n".join(part.text for part in parts).count("line_") == 600


@given(st.text(max_size=100), st.integers(1, 50))
def test_a_shortened_text_fits_and_begins_the_same(text: str, units: int):
    short = shorten(text.encode("utf-8", "replace").decode(), units)
    assert utf16(short) <= max(units, 1)
    assert text.encode("utf-8", "replace").decode().startswith(short.removesuffix("…"))


@example("\xa0")
@example("CONIN$")
@example("nul.txt")
@example("Com1 .tar.gz")
@example("𝐱" * 29 + "abc 𝐱")
@example(". \xa0.txt")
@given(st.text(max_size=300))
def test_any_file_name_becomes_one_that_stays_in_its_folder(tmp_path_factory, name: str):
    folder = tmp_path_factory.getbasetemp() / "files"
    safe = safe_name(name)
    assert resolve_inside(folder, safe).parent == folder.resolve()
    assert len(safe.encode()) <= 124


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.sampled_from([1, 2, -3]), st.booleans(), st.floats(0, 3)), max_size=150))
def test_no_window_ever_holds_more_calls_than_its_limit(wishes: list[tuple[int, bool, float]]):
    clock = Clock()
    limiter = RateLimiter(clock)
    made: list[tuple[int, float]] = []
    for chat_id, urgent, pause in wishes:
        clock.now += pause
        if urgent and (delay := limiter.delay(chat_id)):
            clock.now += delay + 1e-6
        if limiter.delay(chat_id, urgent=urgent) == 0:
            limiter._note(chat_id)
            made.append((chat_id, clock.now))
    for chat_id, limits in ((1, PRIVATE_LIMITS), (2, PRIVATE_LIMITS), (-3, GROUP_LIMITS), (None, OVERALL_LIMITS)):
        times = [at for chat, at in made if chat_id in (None, chat)]
        for limit in limits:
            for start in times:
                assert sum(start <= at < start + limit.seconds - 1e-3 for at in times) <= limit.count
