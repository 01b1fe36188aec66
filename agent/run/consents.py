"""What a run asks its person before a step, and what strangers had to do with a question: from its records alone."""

from __future__ import annotations

from collections.abc import Collection

from agent.contracts import PlanStep
from agent.references import as_text, find_references, parse_reference, resolve_references
from agent.run.state import LiveRun
from agent.taint.consent import Call, Needed, Surroundings, consent_needed
from agent.taint.questions import approval_text
from agent.taint.words import is_made_of

MODEL_TEXT, FORWARDED = "a text by the model", "a text that was sent on"


def consent_for(run: LiveRun, step: PlanStep) -> Needed | None:
    """Whether the person must allow a step before it starts.

    Raises:
        UnknownReferenceError: an input refers to nothing.
    """
    if step.kind == "task" and step.confirm:
        return Needed(step.effects, refused=step.confirm)
    if step.kind != "task" or not run.profile.approve:
        return None
    state = run.state
    inputs = state.resolved_inputs(step)
    call = Call(step.effects, step.leaves, step.grounded, step.inputs, inputs)
    return consent_needed(call, _surroundings(run, step), run.profile.approve)


def approval_of(run: LiveRun, step: PlanStep, needed: Needed) -> str:
    """What the person reads before allowing a step."""
    state = run.state
    sources = {name: [_title(run, source) for source in _known(run, value)] for name, value in step.inputs.items()}
    sources[""] = [_title(run, name) for name in _origins(run, None if state.plan.tainted else state.sources_of(step))]
    title = step.offered_as or step.task or step.kind
    return approval_text(title, step.task or step.kind, needed, state.resolved_inputs(step), sources)


def quoted_in(run: LiveRun, step: PlanStep) -> list[str]:
    """Titles of what strangers wrote and a question may quote; empty if they had no hand in it.

    A question that was planned after their words were read may hold them, unless a plan's author wrote it.
    """
    referred = find_references(step.question) | find_references(step.options)
    if run.state.plan.tainted and not step.authored:
        return [_title(run, name) for name in _origins(run, None)] or [FORWARDED]
    return [_title(run, name) for name in _origins(run, referred)]


def options_from_outside(run: LiveRun, options: list[str], quoted: list[str]) -> list[str]:
    """The choices of a question that are not the person's own words; whoever taps one repeats what strangers wrote."""
    strange = set(run.opened.stand_ins.values())
    return [option for option in options if (quoted and not is_made_of(option, run.said)) or option in strange]


def _surroundings(run: LiveRun, step: PlanStep) -> Surroundings:
    state = run.state
    sources = state.sources_of(step)
    return Surroundings(
        said=run.said if step.leaves or step.grounded else (),
        known=[as_text(state.outputs[name]) for name in sources if name in state.outputs] if step.grounded else (),
        untrusted=state.descends_from_untrusted(step),
        prompted=state.is_prompted(step),
        verbatim=[]
        if state.plan.tainted
        else [name for name in step.leaves if _is_verbatim(run, step.inputs.get(name))],
    )


def _is_verbatim(run: LiveRun, planned: object) -> bool:
    """Whether an input is, as a whole, a value of a page or file as it came: nobody could put anything into it here."""
    reference = parse_reference(planned) if isinstance(planned, str) and not run.state.plan.tainted else None
    source = run.state.steps.get(reference.step) if reference is not None else None
    if source is None or source.kind != "task" or not source.untrusted:
        return False
    return isinstance(resolve_references(planned, run.state.outputs), str)


def _known(run: LiveRun, planned: object) -> list[str]:
    return [name for name in run.state.responses if name in find_references(planned)]


def _origins(run: LiveRun, among: Collection[str] | None) -> list[str]:
    """Steps that brought words of strangers, else those that pass some on; of all, or among those that are given."""
    names = [name for name in run.state.responses if (among is None or name in among) and _is_foreign(run, name)]
    brought = [name for name in names if (step := run.state.steps.get(name)) and (step.untrusted or not step.task)]
    return brought or names


def _is_foreign(run: LiveRun, name: str) -> bool:
    response = run.state.responses.get(name)
    return response is not None and (response.untrusted or response.prompted)


def _title(run: LiveRun, name: str) -> str:
    """How the catalogue calls a step; what a model wrote as its title is not shown."""
    step = run.state.steps.get(name)
    if step is None or step.kind in ("llm", "agent"):
        return MODEL_TEXT
    return "your answer" if step.kind == "ask_user" else step.offered_as or step.task or name
