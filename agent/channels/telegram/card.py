"""The picture of one run: what it does, its steps and their signs, or one folded line when it is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatchmethod

from telegramify_markdown import utf16_len

from agent.channels.telegram.text import Part, Span, shorten
from agent.contracts import ExecutorResponse, PlanStep, RunOutcome, RunStatus
from agent.progress import (
    AnswerText,
    PhaseChanged,
    PlanMade,
    Progress,
    QuestionAsked,
    QuestionClosed,
    RunEnded,
    RunStarted,
    StepDrafted,
    StepEnded,
    StepStarted,
)

SIGNS = {
    "planned": "▫️",
    "running": "⏳",
    "ok": "✅",
    "partial": "⚠️",
    "error": "❌",
    "blocked": "⛔",
    "needs_input": "❓",
    "cancelled": "⏹",
}
PHASES = {
    "queued": "🕓 Queued",
    "planning": "🧭 Planning",
    "running": "⚙️ Working",
    "waiting": "❓ Waiting for your answer",
    "answering": "✍️ Writing the answer",
    "remembering": "✍️ Writing the answer",
}
ENDINGS: dict[RunStatus, str] = {"ok": "✅ Done", "error": "⚠️ Ended with problems", "cancelled": "⏹ Stopped"}
SHOWN_STEPS = 20
LINE_UNITS = 110
PREVIEW_UNITS = 700


@dataclass(slots=True)
class Line:
    """One step of the picture."""

    title: str
    state: str = "planned"
    note: str = ""

    def end(self, response: ExecutorResponse) -> None:
        """Shows how the step ended, and why if it was not well."""
        self.state = response.status
        self.note = "" if response.ok else " ".join((response.error or response.summary).split())


@dataclass(slots=True)
class Card:
    """One run as seen from outside; `take` its events, draw it with `live` or `folded`.

    Attributes:
        phase: what it does now.
        detail: one line about that.
        lines: its steps by id, in order.
        questions: ids of its open questions.
        text: the answer as far as it is written.
        ended: how it ended.
    """

    phase: str = "planning"
    detail: str = ""
    lines: dict[str, Line] = field(default_factory=dict[str, Line])
    questions: set[str] = field(default_factory=set[str])
    text: str = ""
    ended: RunStatus | None = None

    @property
    def working(self) -> bool:
        """Whether "typing" is true: the run works, and neither waits nor only tidies up."""
        return self.ended is None and self.phase in ("planning", "running", "answering") and not self.idle

    @property
    def idle(self) -> bool:
        """Whether all that is left waits for the person."""
        return bool(self.questions) and not any(line.state == "running" for line in self.lines.values())

    @classmethod
    def of(cls, outcome: RunOutcome) -> Card:
        """The picture of a run that ended while nobody looked."""
        card = cls(ended=outcome.status)
        for step in outcome.plan:
            card.lines[step.id] = Line(_title(step))
        for response in outcome.results:
            if response.step_id in card.lines:
                card.lines[response.step_id].end(response)
        return card

    @singledispatchmethod
    def take(self, event: Progress) -> None:
        """Changes the picture; events that it does not show change nothing."""

    def live(self) -> Part:
        """The picture while the run goes on."""
        phase = "waiting" if self.idle else self.phase
        head = PHASES[phase] + (f": {self.detail}" if self.detail and phase == self.phase else " …")
        blocks = [shorten(head, LINE_UNITS)]
        if self.lines:
            blocks.append("\n".join(self._step_lines()))
        if self.text.strip():
            blocks.append(shorten(self.text.strip(), PREVIEW_UNITS))
        return Part("\n\n".join(blocks), (Span("bold", 0, utf16_len(blocks[0])),))

    def folded(self) -> Part:
        """One line, the steps folded away below it."""
        head = ENDINGS.get(self.ended or "ok", "✅ Done")
        if self.lines:
            head += f" · {len(self.lines)} step{'s' if len(self.lines) > 1 else ''}"
        if not self.lines:
            return Part(head)
        body = "\n".join(self._step_lines())
        return Part(f"{head}\n{body}", (Span("expandable_blockquote", utf16_len(head) + 1, utf16_len(body)),))

    def _step_lines(self) -> list[str]:
        drawn = [
            shorten(f"{SIGNS[line.state]} {line.title}{f' — {line.note}' if line.note else ''}", LINE_UNITS)
            for line in self.lines.values()
        ]
        more = len(drawn) - SHOWN_STEPS
        return [*drawn[:SHOWN_STEPS], f"… and {more} more"] if more > 0 else drawn

    def _line(self, step: PlanStep) -> Line:
        return self.lines.setdefault(step.id, Line(_title(step)))

    @take.register
    def _(self, _: RunStarted) -> None:
        self.phase, self.detail = "planning", ""

    @take.register
    def _(self, event: PhaseChanged) -> None:
        self.phase, self.detail = event.phase, event.detail

    @take.register
    def _(self, event: StepDrafted) -> None:
        self._line(event.step)

    @take.register
    def _(self, event: PlanMade) -> None:
        before = self.lines
        self.lines = {step.id: Line(_title(step)) for step in event.plan.steps}
        for name, line in before.items():
            if name in self.lines and line.title == self.lines[name].title:
                self.lines[name] = line
        self.phase, self.detail = "running", ""

    @take.register
    def _(self, event: StepStarted) -> None:
        self._line(event.step).state = "running"
        self.phase = "running" if self.phase == "waiting" else self.phase

    @take.register
    def _(self, event: StepEnded) -> None:
        self._line(event.step).end(event.response)

    @take.register
    def _(self, event: QuestionAsked) -> None:
        self.questions.add(event.question.id)
        if event.question.step_id in self.lines:
            self.lines[event.question.step_id].state = "needs_input"

    @take.register
    def _(self, event: QuestionClosed) -> None:
        self.questions.discard(event.question_id)
        if self.phase == "waiting":
            self.phase, self.detail = "running", ""

    @take.register
    def _(self, event: AnswerText) -> None:
        self.text += event.text

    @take.register
    def _(self, event: RunEnded) -> None:
        self.ended = event.status


def _title(step: PlanStep) -> str:
    return " ".join((step.title or step.question or step.instruction or step.task or step.id).split())
