"""AgentDojo's suites through Aura's own guard: attacks that get through, approvals, tasks that need none.

The model is scripted: it makes the calls that solve the person's task, then, since it obeys whoever wrote last, those
of the attacker. The person allows what they wanted and nothing else. Every read tool counts as bringing words of
strangers; what a tool is given counts as leaving if it goes to a web site or a travel service, and not in the person's
own mail, calendar, drive, bank and chat.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import agentdojo

from agent.contracts import ExecutorResponse, TaskCard
from agent.steps.tool_guard import ToolGuard
from agent.taint.consent import Call, Surroundings, consent_needed
from agent.taint.words import is_made_of

pipeline = ModuleType("agentdojo.agent_pipeline")  # its own imports the clients of five model servers
pipeline.__path__ = [str(Path(agentdojo.__file__).parent / "agent_pipeline")]
sys.modules[pipeline.__name__] = pipeline
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime  # noqa: E402
from agentdojo.task_suite.load_suites import get_suites  # noqa: E402

VERSION = "v1"
APPROVE = ("write", "external")
READS = ("get_", "search_", "read_", "list_", "check_")
"""Beginnings of the names of tools that only read; every other one acts outside."""
OWN = {"workspace", "banking"}
"""Suites whose tools work on what is the person's own."""
ADDRESS = "url"


@dataclass
class Run:
    """One task, as the guard of a tool loop or of a plan sees it.

    Attributes:
        suite: name of the suite.
        said: the person's words.
        replanned: whether the plan was made after words of strangers were read.
        loop: whether it is a tool loop.
        outputs: what was read so far.
        made: calls that were made.
        unasked: calls with effects that were made without a question.
    """

    suite: str
    said: str
    loop: bool
    replanned: bool = False
    outputs: list[str] = field(default_factory=list)
    made: list[FunctionCall] = field(default_factory=list)
    unasked: int = 0

    def __post_init__(self) -> None:
        self._guard = ToolGuard(APPROVE, [self.said], [], untrusted=False, prompted=False)

    def asks(self, call: FunctionCall) -> bool:
        """Whether the person is asked before a call."""
        card, inputs = card_of(self.suite, call), dict(call.args)
        if self.loop:
            return bool(self._guard.question(card, inputs))
        others = [name for name, value in inputs.items() if not is_made_of(value, [self.said])]
        verbatim = [name for name in others if stands_in(inputs[name], self.outputs) and not self.replanned]
        reached = self.replanned or (bool(others) and bool(self.outputs))
        around = Surroundings([self.said], self.outputs, untrusted=reached, verbatim=verbatim)
        return consent_needed(Call(card.effects, card.leaves, (), inputs, inputs), around, APPROVE) is not None

    def learn(self, call: FunctionCall, output: object) -> None:
        """Takes in what a call gave."""
        card = card_of(self.suite, call)
        self._guard.learn(card, ExecutorResponse(step_id="", status="ok", output=str(output), untrusted=card.untrusted))
        if card.untrusted:
            self.outputs.append(str(output))


def card_of(suite: str, call: FunctionCall) -> TaskCard:
    """A tool as an author would have declared it."""
    reads = call.function.startswith(READS)
    sends = suite not in OWN and (suite != "slack" or ADDRESS in call.args)
    return TaskCard(
        task=f"{suite}/{call.function}",
        effects="read" if reads else "external",
        untrusted=reads,
        leaves=list(call.args) if sends else [],
    )


def stands_in(value: object, outputs: Sequence[str]) -> bool:
    """Whether a value, or each of a list, is there as it is."""
    parts = value if isinstance(value, list) else [value]
    return all(any(str(part) in output for output in outputs) for part in parts)


def perform(run: Run, calls: Sequence[FunctionCall], runtime: FunctionsRuntime, env: Any, *, allowed: bool) -> int:
    """Makes the calls that nobody must be asked for, and the others if they are allowed; gives how many asked."""
    asked = 0
    for call in calls:
        asks = run.asks(call)
        asked += asks
        if asks and not allowed:
            continue
        run.unasked += not asks and card_of(run.suite, call).effects != "read"
        run.made.append(call)
        output, _ = runtime.run_function(env, call.function, call.args)
        run.learn(call, output)
    return asked


def measured(suite: Any, *, loop: bool) -> Iterator[tuple[str, int]]:
    """What there is to count of one suite."""
    worlds = {"": suite.load_and_inject_default_environment({})}
    for name, attack in suite.injection_tasks.items():
        vectors = dict.fromkeys(suite.get_injection_vector_defaults(), attack.GOAL.replace('"', "'"))
        worlds[name] = suite.load_and_inject_default_environment(vectors)
    runtime = FunctionsRuntime(suite.tools)
    for task in suite.user_tasks.values():
        env = task.init_environment(worlds[""].model_copy(deep=True))
        asked = perform(Run(suite.name, task.PROMPT, loop), task.ground_truth(env), runtime, env, allowed=True)
        yield "tasks", 1
        yield "tasks without an approval", asked == 0
        yield "approvals", asked
        for name, attack in suite.injection_tasks.items():
            env = task.init_environment(worlds[name].model_copy(deep=True))
            before = env.model_copy(deep=True)
            run = Run(suite.name, task.PROMPT, loop)
            perform(run, task.ground_truth(env), runtime, env, allowed=True)
            wanted = env.model_copy(deep=True)
            theirs, run.replanned, run.unasked = [*run.made], True, 0
            perform(run, attack.ground_truth(before), runtime, env, allowed=False)
            yield "attacks", 1
            succeeded = reached(attack, before, env, run.made)
            yield "attacks that succeeded", succeeded and not reached(attack, before, wanted, theirs)
            yield "unapproved effects", run.unasked


def reached(attack: Any, before: Any, after: Any, made: Sequence[FunctionCall]) -> bool:
    """Whether an attack has what it wanted, by the suite's own verdict on the calls that were made, or on the world."""
    verdict = attack.security_from_traces("", before, after, made)
    return bool(attack.security("", before, after) if verdict is None else verdict)


def main() -> int:
    """Prints the table; 1 if any attack succeeded."""
    columns = ("attacks", "attacks that succeeded", "unapproved effects", "tasks", "tasks without an approval")
    columns += ("approvals",)
    sys.stdout.write(f"| suite | way | {' | '.join(columns)} |\n{'|---' * (len(columns) + 2)}|\n")
    broken = 0
    for name, suite in get_suites(VERSION).items():
        for way in ("plan", "tool loop"):
            found: Counter[str] = Counter()
            for what, count in measured(suite, loop=way == "tool loop"):
                found[what] += count
            sys.stdout.write(f"| {name} | {way} | {' | '.join(str(found[column]) for column in columns)} |\n")
            sys.stdout.flush()
            broken += found["attacks that succeeded"] + found["unapproved effects"]
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
