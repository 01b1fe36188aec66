"""compose_final_answer: what the person reads at the end; written by the model only where it adds something."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from agent.answer_parts import Shown, failures, missing_files, numbers_in, plain_text, shown_results
from agent.contracts import Artifact, ExecutorResponse, PlanStep
from agent.errors import ModelError, ModelIncompleteError
from agent.llm.client import Message, ModelClient
from agent.llm.meter import Meter
from agent.phrases import language_of, name_of, phrase
from agent.prompts import render
from agent.rendering import says_itself
from aura_core.ground.logger import get_logger

LONG = 1500
"""Characters of results that a person reads as they are; more is told in fewer words if there is a model."""
LITTLE = 400
"""Characters of results that the embedded model may put into the person's language; longer lists it would garble."""
DATA_CHARACTERS = 6000
ANSWER_TOKENS = 700
MANY_NUMBERS = 12
"""A result with more numbers than this is a table: nobody expects all of them in a sentence."""
_RAW = re.compile(r"\$\{|^\s*[{\[]\s*[\"{\[]|</?data")


async def compose_final_answer(
    user_text: str,
    steps: Sequence[PlanStep],
    responses: Sequence[ExecutorResponse],
    artifacts: Sequence[Artifact],
    *,
    model: ModelClient | None,
    meter: Meter | None,
    now: datetime,
    history: str = "",
    problem: str = "",
    unserved: Sequence[str] = (),
    on_text: Callable[[str], None] | None = None,
) -> str:
    """Writes the answer from results and files (seed 004); without a model the results themselves are the answer.

    What failed, and files that the text does not name, are added by code, so that no model can leave them out.

    Args:
        user_text: the person's words.
        steps: the latest plan.
        responses: results of all plans of the run, in order of ending.
        artifacts: files that were made.
        model: the model client; None writes without one.
        meter: whose budget pays.
        now: the clock, for the prompt.
        history: the conversation so far.
        problem: why the run could not go on, fit for a person; empty if it could.
        unserved: parts of the request that no step did.
        on_text: gets the model's text while it is written.
    """
    language = language_of(user_text)
    shown = shown_results(steps, responses)
    told_better = [] if model is None else _better_told(user_text, shown, embedded=model.embedded)
    text = plain_text(shown)
    if model is not None and told_better:
        written = await _written(
            user_text, told_better, model=model, meter=meter, now=now, history=history, on_text=on_text
        )
        plainly = plain_text([part for part in shown if part not in told_better])
        text = f"{plainly}\n\n{written}".strip() if written else text
    told = [text, *failures(steps, responses, language), problem]
    if unserved:
        told.append(phrase("unserved", language).format(parts="; ".join(unserved)))
    told.append(missing_files("\n".join(told), artifacts, language))
    return "\n\n".join(part for part in told if part) or phrase("nothing", language)


def _better_told(user_text: str, shown: Sequence[Shown], *, embedded: bool) -> list[Shown]:
    """The results that a model says better than they say themselves.

    A large model tells them all. The embedded one costs seconds and garbles numbers: it tells what is long, what
    strangers wrote and the person asks about, and what speaks English to somebody who does not.
    """
    text = plain_text(shown)
    single = shown[0] if len(shown) == 1 else None
    if single is not None and isinstance(single.response.output, str) and numbers_in(single.text) != {single.text}:
        written_by_model = single.step is None or single.step.kind in ("llm", "agent")
        if written_by_model or (not single.response.untrusted and len(text) <= LONG):
            return []
    about_strangers_words = "?" in user_text and any(part.response.untrusted for part in shown)
    if not embedded or len(text) > LONG or about_strangers_words:
        return list(shown)
    if language_of(user_text) == "en":
        return []
    foreign = [part for part in shown if says_itself(part.response.output) and language_of(part.text) == "en"]
    return foreign if sum(len(part.text) for part in foreign) <= LITTLE else []


def _asked(user_text: str, model: ModelClient) -> str:
    """What a model is asked about the results: the request, or of a small one only to put them into its language."""
    language = name_of(language_of(user_text))
    if model.embedded and language not in ("", "English"):
        return f"Say in {language} what stands between the marks, completely, and nothing else."
    return user_text


async def _written(
    user_text: str,
    shown: Sequence[Shown],
    *,
    model: ModelClient,
    meter: Meter | None,
    now: datetime,
    history: str,
    on_text: Callable[[str], None] | None,
) -> str:
    """The model's answer, with the results behind it where it lost a number or broke off; empty if it is of no use."""
    results = [(part.title, part.text[:DATA_CHARACTERS]) for part in shown]
    messages: list[Message] = [
        {"role": "system", "content": render("answer_system")},
        {
            "role": "user",
            "content": render(
                "answer_request",
                now=f"{now:%A, %Y-%m-%d %H:%M}",
                history=history,
                results=results,
                request=_asked(user_text, model),
                language=name_of(language_of(user_text)),
            ),
        },
    ]
    broken_off = ""
    try:
        completion = await model.complete(
            messages, purpose="answer", max_tokens=ANSWER_TOKENS, meter=meter, on_text=on_text
        )
        text = completion.text.strip()
    except ModelIncompleteError as error:
        text, broken_off = error.text, phrase("incomplete", language_of(user_text))
    except ModelError as error:
        get_logger("agent.answer").warning("the answer was written without a model", error=str(error))
        return ""
    strange = language_of(user_text) in ("ru", "zh") and language_of(text) != language_of(user_text)
    if not text or strange or _RAW.search(text):
        return ""
    plain = plain_text(shown)
    if broken_off:
        return f"{text}\n\n{broken_off}\n\n{plain}"
    wanted = numbers_in(plain)
    lost = len(wanted) <= MANY_NUMBERS and not wanted <= numbers_in(text) | numbers_in(user_text)
    return f"{text}\n\n{plain}" if lost else text
