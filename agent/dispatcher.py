"""Dispatcher: which tasks, commands and menus a profile may use, as the framework has them now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from agent.command_inputs import checked_inputs, command_inputs
from agent.contracts import ExampleStep, Exchange, PlanExample, Profile, TaskCard, TaskExample
from agent.errors import NotAllowedError
from agent.shortlist import shortlist
from aura_core.errors import AuraError, NotFoundError
from aura_core.execution.resources import split_resource
from aura_core.framework import Framework
from aura_core.ground.suggestions import hint, nearest, sentence
from aura_core.language.consequences import Consequences, consequences_of
from aura_core.language.examples import MODEL_STEPS
from aura_core.language.examples import PlanExample as WrittenExample
from aura_core.language.input_spec import InputSpec
from aura_core.language.plan import PlanDefinition
from aura_core.language.task import TaskDefinition
from aura_core.tasklet import RunInfo


class Dispatcher:
    """Turns the framework's tasks into what a profile sees of them.

    Args:
        framework: where the tasks are; asked anew every time, so that reloaded plans count at once.
    """

    def __init__(self, framework: Framework) -> None:
        self._framework = framework

    def catalogue(self, profile: Profile) -> list[TaskCard]:
        """Cards of the tasks that the planner may use for this profile, by name."""
        return [card for card in self._allowed(profile) if card.expose]

    def examples(self, profile: Profile, plans: Collection[str] | None = None) -> list[PlanExample]:
        """The examples of the plans' plan.yaml that the planner may see for this profile, in the order of the plans.

        An example is shown if every task in it is in the catalogue and takes the inputs that stand there; a plan may
        speak of tasks of plans that are not here, or are no longer what they were. Those of single tasks stand on
        their cards.

        Args:
            profile: whose catalogue counts.
            plans: names of the plans whose examples are wanted; None: all.
        """
        cards = {card.task: card for card in self.catalogue(profile)}
        asked = [plan for name, plan in self._framework.plans.plans.items() if plans is None or name in plans]
        examples = [example_of(plan, example) for plan in asked for example in plan.file.examples]
        return [example for example in examples if all(_is_callable(step, cards) for step in example.steps)]

    def card(self, ref: str, profile: Profile, run: RunInfo | None = None) -> TaskCard:
        """The card of one task, exposed or not.

        Args:
            ref: `plan/name`.
            profile: whose permission counts.
            run: the run that goes on with it, if one does: the task is then what it was when it began.

        Raises:
            NotAllowedError: the profile may not use it, or denies a task that it may lead to.
            NotFoundError: there is no such task; names the nearest one that the profile may use.
            DefinitionError: the task as it began needs something that the plans no longer have.
        """
        if not profile.allows(ref):
            raise NotAllowedError(f"The profile {profile.name!r} may not use {ref}.")
        try:
            task, outlook = self._framework.task(ref, run), self._framework.consequences(ref, run)
        except NotFoundError as error:
            near = nearest(ref, [card.task for card in self._allowed(profile)])
            hint = f" Did you mean {near}?" if near else " `aura tasks` lists them."
            raise NotFoundError(f"There is no task {ref!r}.{hint}") from error
        if denied := _denied(outlook, profile):
            raise NotAllowedError(f"The profile {profile.name!r} may not use {ref}, because it may run {denied}.")
        return card_of(task, outlook)

    def shortlist(self, cards: Sequence[TaskCard], request: str, limit: int) -> list[TaskCard]:
        """The tasks that have most in common with a request; see `agent.shortlist`."""
        return shortlist(cards, request, limit)

    def get_plugin_commands(self, profile: Profile) -> dict[str, TaskCard]:
        """Chat commands that the profile may use, without the slash (seed 004).

        The first plan that claims a command has it; another one gets it as `plan_command`.
        """
        commands: dict[str, TaskCard] = {}
        for card in self._allowed(profile):
            if card.command:
                name = card.command if card.command not in commands else f"{card.plan}_{card.command}"
                commands.setdefault(name, card)
        return commands

    def get_plugin_ui(self, profile: Profile) -> dict[str, Any]:
        """Menus of the plans of which the profile may use something: plan -> `ui` of its plan.yaml (seed 004)."""
        plans = {card.plan for card in self._allowed(profile)}
        menus = {name: plan.file.ui for name, plan in self._framework.plans.plans.items() if name in plans}
        return {name: menu for name, menu in menus.items() if menu is not None}

    def parse_command_inputs(self, card: TaskCard, text: str) -> dict[str, Any]:
        """What a person typed behind a command, as inputs; see `agent.command_inputs.command_inputs`.

        Args:
            card: the command's task.
            text: everything behind the command.
        """
        return dict(command_inputs(self._framework.plans.task(card.task).meta.inputs, text))

    def checked_inputs(self, card: TaskCard, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs that a person gave, converted.

        Raises:
            InputError: names every value that does not fit, and what is wanted.
        """
        return checked_inputs(card.task, self._framework.plans.task(card.task).meta.inputs, inputs)

    def command_in(self, text: str, profile: Profile) -> tuple[TaskCard, dict[str, Any]] | None:
        """The command of a plugin that a text calls, and its inputs; None if it calls none (`/etc/hosts` is a path).

        Args:
            text: what a person wrote.
            profile: the person's.

        Raises:
            NotFoundError: it calls one that there is not; names the nearest.
        """
        name, *rest = text.strip().split(maxsplit=1)
        if not name.startswith("/") or "/" in name[1:] or not name[1:]:
            return None
        commands = self.get_plugin_commands(profile)
        card = commands.get(name[1:])
        if card is None:
            advice = hint(name, [f"/{one}" for one in commands], what="there are")
            raise NotFoundError(sentence(f"There is no command {name}", advice))
        return card, self.parse_command_inputs(card, rest[0] if rest else "")

    def input_spec(self, task: str, name: str, profile: Profile) -> InputSpec | None:
        """What a task says about one of its inputs; None if this profile has no such task, or that no such input."""
        try:
            return self._framework.plans.task(self.card(task, profile).task).meta.inputs.get(name)
        except AuraError:
            return None

    def _allowed(self, profile: Profile) -> list[TaskCard]:
        return [
            card_of(task, outlook)
            for task, outlook in self._framework.outlook()
            if profile.allows(task.ref) and not _denied(outlook, profile)
        ]


def card_of(task: TaskDefinition, outlook: Consequences | None = None) -> TaskCard:
    """What planner, menus and `aura tasks` know of a task.

    Args:
        task: the task.
        outlook: what may come of it; left out, only what it says of itself counts.
    """
    meta = task.meta
    outlook = outlook or consequences_of(task, [task], lambda _: {})
    return TaskCard(
        task=task.ref,
        title=meta.title or task.name.rsplit("/", 1)[-1].replace("_", " ").capitalize(),
        description=meta.description,
        effects=outlook.effects,
        inputs=task.input_schema(),
        returns=meta.returns,
        gives=dict(meta.gives),
        examples=[TaskExample(say=one.say, inputs=one.inputs) for one in meta.examples],
        command=meta.command,
        expose=meta.expose,
        untrusted=outlook.untrusted,
        leaves=list(outlook.leaves),
        resources=[split_resource(tag)[0] for tag in meta.resources],
        timeout=meta.timeout,
    )


def example_of(plan: PlanDefinition, example: WrittenExample) -> PlanExample:
    """An example of plan.yaml with full references to its tasks."""
    steps = [
        ExampleStep(
            words=step.words,
            task=f"{plan.name}/{step.task}" if step.task in plan.tasks else step.task,
            inputs=step.inputs,
        )
        for step in example.steps
    ]
    before = example.before and Exchange(say=example.before.say, answer=example.before.answer)
    return PlanExample(say=example.say, steps=steps, before=before)


def _denied(outlook: Consequences, profile: Profile) -> str:
    """A task that the profile denies and that may run; empty if there is none."""
    return next((ref for ref in sorted(outlook.tasks) if profile.denies(ref)), "")


def _is_callable(step: ExampleStep, cards: Mapping[str, TaskCard]) -> bool:
    """Whether a step is one of the model's own, or calls one of these tasks with inputs that it takes."""
    if step.task in MODEL_STEPS:
        return True
    card = cards.get(step.task)
    return card is not None and step.inputs.keys() <= card.properties.keys() and step.inputs.keys() >= {*card.required}
