"""The words every part of the agent shares: PlanStep, Plan, ExecutorRequest, ExecutorResponse, Question, Profile.

Seed 004 names them. They are pydantic models because they cross a border: JSON from a model, rows of the durable
store, `--json` output. Changing a field here changes an interface and goes into CHANGELOG.md.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, RootModel

from aura_core.errors import ScheduleError
from aura_core.language.time_rules import zone_of

StepKind = Literal["task", "ask_user", "llm", "agent"]
StepStatus = Literal["ok", "partial", "error", "blocked", "needs_input", "cancelled"]
RunStatus = Literal["running", "waiting", "ok", "error", "cancelled"]
Effects = Literal["read", "write", "external"]
SUCCESS_STATUSES: frozenset[str] = frozenset({"ok", "partial"})


def _zone_name(name: str) -> str:
    try:
        return zone_of(name).key if name else ""
    except ScheduleError as error:
        raise ValueError(str(error).rstrip(".")) from error


ZoneName = Annotated[str, AfterValidator(_zone_name)]
"""Name of a time zone; empty for the machine's."""


class Contract(BaseModel):
    """Common behaviour: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Dest(RootModel[dict[str, Any]]):
    """Where answers and questions go: a channel, with what that channel wrote to find the place again.

    Attributes:
        root: `channel`, and the channel's own fields; Telegram adds chat_id, chat_type, message_id. Empty: nowhere.
            A place that is soon gone names under `lasting` where to go later.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)
    root: dict[str, Any] = Field(default_factory=dict)

    @property
    def channel(self) -> str:
        """The name of the channel; empty if there is none."""
        return str(self.root.get("channel", ""))

    @property
    def lasting(self) -> Dest:
        """Where to go later, e.g. with what a job gives."""
        return Dest(self.root.get("lasting", self.root))


class PlanStep(Contract):
    """One step of a plan.

    Attributes:
        id: short name, unique in the plan, e.g. "s1".
        title: one line for the person.
        kind: task (runs a plugin task), ask_user, llm (one model call on earlier results), agent (a bounded tool loop).
        task: `plan/name` for kind task.
        inputs: values, or references such as "${s1.rows[0].id}".
        instruction: what to do, for kinds llm and agent.
        depends_on: ids of steps that must have succeeded.
        question: the text for kind ask_user.
        options: choices for kind ask_user; free text is always possible too.
        effects: from the task, set by the runtime, never by a model.
        untrusted: its result holds words of strangers (a page, a file); set by the runtime.
        quote: the words of the request that it serves, as they stand there; empty where nobody said.
        confirm: why the person must allow it first, whatever the profile says; set by the runtime, never by a model.
        offered_as: the catalogue's title of the task, which no model wrote; set by the runtime.
        leaves: names of inputs whose values may leave this machine; set by the runtime.
        grounded: names of inputs that no model may make up; set by the runtime.
        authored: its question was written by a plan's author, not by a model; set by the runtime.
    """

    id: str
    title: str = ""
    kind: StepKind = "task"
    task: str | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    instruction: str = ""
    depends_on: list[str] = Field(default_factory=list)
    question: str = ""
    options: list[str] = Field(default_factory=list)
    effects: Effects = "read"
    untrusted: bool = False
    quote: str = ""
    confirm: str = ""
    offered_as: str = ""
    leaves: list[str] = Field(default_factory=list)
    grounded: list[str] = Field(default_factory=list)
    authored: bool = False


class Plan(Contract):
    """A validated plan, in a safe order.

    Attributes:
        steps: topologically sorted.
        revision: 0 for the first plan, +1 for every replan.
        tainted: it was made after untrusted output entered the planner's context.
        repairs: what code changed in the model's plan, one line each, for logs and `aura plan`.
        unserved: parts of the request that no step does, in the person's words; the answer says so.
    """

    steps: list[PlanStep]
    revision: int = 0
    tainted: bool = False
    repairs: list[str] = Field(default_factory=list)
    unserved: list[str] = Field(default_factory=list)


class PastPlan(Contract):
    """A request of the past and the plan that served it; the planner learns from those that are like a new request.

    Attributes:
        request: the person's words.
        steps: as a model writes them: {"task", "inputs"}, the first is s1, the next s2, so "${s1}" refers to the first.
    """

    request: str
    steps: list[dict[str, Any]]


class Artifact(Contract):
    """A file that a run made for the person.

    Attributes:
        path: relative to the session's files folder.
        caption: one line beside it; may be empty.
        bytes: its size.
    """

    path: str
    caption: str = ""
    bytes: int = 0


class Question(Contract):
    """A question to a person.

    Attributes:
        id: unique; it is the durable task's id, so that an answer finds it.
        run_id: the run that waits.
        step_id: the step that asks.
        session_id: the session whose person may answer.
        text: what is asked.
        options: numbered choices; free text is possible too, unless `strict`.
        strict: only the choices count.
        asked_at: seconds since the epoch.
        expires: seconds since the epoch; None waits for ever.
        purpose: "input" is an ordinary question, "approval" guards a step with effects.
    """

    id: str
    run_id: str
    step_id: str
    session_id: str
    text: str
    options: list[str] = Field(default_factory=list)
    strict: bool = False
    asked_at: float = 0.0
    expires: float | None = None
    purpose: Literal["input", "approval"] = "input"


class ExecutorRequest(Contract):
    """What the Executor needs to run one step.

    Attributes:
        run_id: the run; also its correlation id in logs.
        session_id: the session.
        profile: name of the profile that runs it.
        person: who asked, as `channel:id`.
        dest: where answers go.
        step: the step, with references still in its inputs.
        user_text: the person's words.
        results: results of the steps it may refer to, by step id.
        context: bounded text about the run so far, for llm and agent steps.
        source: chat, command, schedule, cli, mcp.
        idempotency_key: the same for every attempt at this step of this run.
        untrusted: its inputs descend from words of strangers.
        prompted: they descend from an answer to a question that strangers had a hand in.
        said: what the person wrote themself in this run: the request and answers, one text each.
        streams: its text is the answer, so the person sees it while it is written.
    """

    run_id: str
    session_id: str
    profile: str
    person: str = ""
    dest: Dest = Field(default_factory=Dest)
    step: PlanStep
    user_text: str = ""
    results: dict[str, Any] = Field(default_factory=dict)
    context: str = ""
    source: str = "chat"
    idempotency_key: str = ""
    untrusted: bool = False
    prompted: bool = False
    said: list[str] = Field(default_factory=list)
    streams: bool = False


class ExecutorResponse(Contract):
    """How one step ended.

    Attributes:
        step_id: the step.
        status: ok and partial count as success.
        output: the result; JSON.
        summary: one or two lines for the person and for the planner.
        error: what went wrong, fit for a person; empty on success.
        artifacts: files made for the person.
        seconds: wall time.
        fingerprint: hash of kind + task + resolved inputs; the same fingerprint is not run again on a replan.
        untrusted: the output descends from words of strangers.
        prompted: it is, or descends from, the answer to a question that quoted words of strangers: it does not leave
            this machine unasked.
        replan: the step itself asks for a new plan.
    """

    step_id: str
    status: StepStatus
    output: Any = None
    summary: str = ""
    error: str = ""
    artifacts: list[Artifact] = Field(default_factory=list[Artifact])
    seconds: float = 0.0
    fingerprint: str = ""
    untrusted: bool = False
    prompted: bool = False
    replan: bool = False

    @property
    def ok(self) -> bool:
        """True if the status counts as success."""
        return self.status in SUCCESS_STATUSES


class Usage(Contract):
    """What a run has spent: tokens read and written, money in US dollars, wall seconds."""

    tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0


class RunOutcome(Contract):
    """How a run ended, or stands: the shape of `aura ask --json`.

    Attributes:
        run_id: the run.
        status: ok (answered), waiting (a question is open), error, cancelled, running.
        answer: the final answer; empty while waiting.
        plan: the steps of the latest plan.
        results: one response per step that ended, in order of ending.
        replans: how often it was planned again.
        usage: what it has spent.
        questions: the questions that are open.
    """

    run_id: str
    status: RunStatus
    answer: str = ""
    plan: list[PlanStep] = Field(default_factory=list[PlanStep])
    results: list[ExecutorResponse] = Field(default_factory=list[ExecutorResponse])
    replans: int = 0
    usage: Usage = Field(default_factory=Usage)
    questions: list[Question] = Field(default_factory=list[Question])


class Budgets(Contract):
    """What one run, and one day, may cost; None means no limit."""

    steps: int = 30
    replans: int = 3
    tokens_per_run: int | None = None
    money_per_run: float | None = None
    seconds_per_run: float | None = 900
    tokens_per_day: int | None = None
    money_per_day: float | None = None


class Profile(Contract):
    """What a group of people may do.

    Attributes:
        name: e.g. "owner", "family", "guest".
        people: who belongs to it, as `channel:id`, e.g. "telegram:12345", "terminal:*".
        allow: globs of task references that may be used.
        deny: globs that may not; deny wins.
        model: model name that overrides the configured one; None takes that.
        budgets: limits per run and per day.
        approve: effects that need the person's approval when the inputs descend from untrusted output; words that leave
            this machine and that the person did not write count as `external` then.
        max_file_bytes: largest file taken in or handed out.
        memory: whether MEMORY.md is read and written.
        timezone: name of the time zone of its people's clock, for plans, tasks, reminders and schedules alike; empty
            takes the setting `timezone`, and without that the machine's.
        shares_data: whether its people share the owner's notes and the like, instead of having their own.
    """

    name: str
    people: list[str] = Field(default_factory=list)
    allow: list[str] = Field(default_factory=lambda: ["*"])
    deny: list[str] = Field(default_factory=list)
    model: str | None = None
    budgets: Budgets = Field(default_factory=Budgets)
    approve: list[Effects] = Field(default_factory=lambda: ["write", "external"])
    max_file_bytes: int = 20_000_000
    memory: bool = True
    timezone: ZoneName = ""
    shares_data: bool = False

    def allows(self, task: str) -> bool:
        """Whether the task `plan/name` may be used; a glob may end in `/*`. Deny wins."""
        return any(fnmatchcase(task, glob) for glob in self.allow) and not self.denies(task)

    def denies(self, task: str) -> bool:
        """Whether the task `plan/name` may not run at all, not even inside another one."""
        return any(fnmatchcase(task, glob) for glob in self.deny)

    def includes(self, person: str) -> bool:
        """Whether `person`, as `channel:id`, belongs to this profile."""
        return any(fnmatchcase(person, glob) for glob in self.people)


class Incoming(Contract):
    """One message from a channel, as the app takes it.

    Attributes:
        session_id: the session it belongs to; a safe folder name.
        person: who sent it, as `channel:id`.
        text: the words; may be empty only with files.
        dest: where answers go.
        key: unique per message, e.g. "telegram:1234567"; the same key is taken once. Empty: never a duplicate.
        files: paths relative to the session's files folder, already stored there.
        untrusted: somebody else wrote the words: they were forwarded, or kept from what came from outside.
    """

    session_id: str
    person: str
    text: str
    dest: Dest = Field(default_factory=Dest)
    key: str = ""
    files: list[str] = Field(default_factory=list)
    untrusted: bool = False


def run_id_of(key: str) -> str:
    """The id of the run that a message with this key begins; without a key each call gives another."""
    return f"run-{hashlib.sha256(key.encode()).hexdigest()[:16] if key else uuid.uuid4().hex[:12]}"


class Command(Contract):
    """A task that the person called by name: a run of one step, planned by nobody."""

    task: str
    inputs: dict[str, Any] = Field(default_factory=dict)


class RunRequest(Contract):
    """The durable arguments of one run.

    Attributes:
        run_id: the run; also the durable task's id and the correlation id in logs.
        incoming: the message that asks for it.
        profile: name of the profile under which it runs.
        permissions: that profile as it was when the run began, so that an edit of the settings does not change what an
            interrupted run may do or how it goes on; None in runs that were begun before it was kept.
        source: chat, command, schedule, cli, mcp.
        command: set when the person called a task by name.
    """

    run_id: str
    incoming: Incoming
    profile: str
    permissions: Profile | None = None
    source: str = "chat"
    command: Command | None = None


class RunSummary(Contract):
    """One line of `aura runs`.

    Attributes:
        run_id: the run.
        session_id: its session.
        status: how it stands.
        text: the person's words.
        created_at: seconds since the epoch.
        updated_at: seconds since the epoch.
    """

    run_id: str
    session_id: str
    status: RunStatus
    text: str
    created_at: float
    updated_at: float


class Transport(Protocol):
    """What a channel offers to a run: seed 004's `bot`.

    `dest` is what the channel itself wrote into `Incoming.dest`. Every call may come again with the same `key` after a
    crash: send at most once per key where the channel can. What cannot be reached for long is a `ChannelAwayError`: the
    call then comes again later.
    """

    name: str

    async def send_text(self, dest: dict[str, Any], text: str, *, key: str) -> None:
        """Shows a final text (Markdown) to the person."""
        ...

    async def send_file(self, dest: dict[str, Any], path: Path, caption: str, *, key: str) -> None:
        """Hands a file to the person; `path` is absolute."""
        ...

    async def send_question(self, dest: dict[str, Any], question: Question) -> None:
        """Shows a question with its numbered choices; the answer comes back through `App.answer`."""
        ...


class ExampleStep(Contract):
    """One step of an example, in the words of plan.yaml; the first is s1, the second s2.

    Attributes:
        words: the part of the request that it serves, verbatim; `for` in plan.yaml and in JSON.
        task: `plan/name`, or `llm`, `ask_user` or `skip` (the person does not want this).
        inputs: values, or references such as "${s1}".
    """

    words: str = Field(validation_alias=AliasChoices("words", "for"), serialization_alias="for")
    task: str
    inputs: dict[str, Any] = Field(default_factory=dict)


class Exchange(Contract):
    """A request and what came of it.

    Attributes:
        say: the person's words.
        answer: what they got.
    """

    say: str
    answer: str


class PlanExample(Contract):
    """A request and the steps that answer it.

    Attributes:
        say: the request.
        steps: at least one.
        before: what it is a reply to.
    """

    say: str
    steps: list[ExampleStep]
    before: Exchange | None = None


class TaskExample(Contract):
    """A request that one call of a task answers.

    Attributes:
        say: the request.
        inputs: what the task then gets.
    """

    say: str
    inputs: dict[str, Any] = Field(default_factory=dict)


class TaskCard(Contract):
    """One entry of the catalogue: what the planner, the menu and `aura tasks` know of a task.

    Attributes:
        task: `plan/name`.
        title: one line.
        description: what the planner reads.
        effects: read, write or external: the strongest of all that it may lead to.
        inputs: JSON Schema of the inputs (type object), with `ask`, `needs` and `grounded` kept as extra keys of a
            property.
        returns: JSON Schema-like description of the result; may be empty.
        gives: types of what is in the result, by place: "" is the result itself, `notes[].id` the id of each note.
        examples: what people say, and the inputs that the task then gets.
        command: chat command without the slash, or None.
        expose: whether the planner may use it.
        untrusted: its result holds words of strangers, or that of a task that it may lead to.
        leaves: names of inputs whose values may leave this machine.
        resources: names (without limits) of what it shares with others; with its plan they decide which steps keep
            their order.
        timeout: seconds, or None.
    """

    task: str
    title: str = ""
    description: str = ""
    effects: Effects = "read"
    inputs: dict[str, Any] = Field(default_factory=dict)
    returns: dict[str, Any] = Field(default_factory=dict)
    gives: dict[str, str] = Field(default_factory=dict)
    examples: list[TaskExample] = Field(default_factory=list[TaskExample])
    command: str | None = None
    expose: bool = True
    untrusted: bool = False
    leaves: list[str] = Field(default_factory=list)
    resources: list[str] = Field(default_factory=list)
    timeout: float | None = None

    @property
    def plan(self) -> str:
        """The plan's name."""
        return self.task.split("/", 1)[0]

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """The inputs' schemas by name."""
        return self.inputs.get("properties", {})

    @property
    def required(self) -> Sequence[str]:
        """Names of inputs that must be given."""
        return self.inputs.get("required", [])

    @property
    def needs(self) -> dict[str, str]:
        """The types that inputs need, by the input's name; inputs that take anything are not in it."""
        return {name: schema["needs"] for name, schema in self.properties.items() if "needs" in schema}

    def plan_examples(self) -> list[PlanExample]:
        """Its examples as plans of one step, which serves the whole request."""
        return [
            PlanExample(say=one.say, steps=[ExampleStep(words=one.say, task=self.task, inputs=one.inputs)])
            for one in self.examples
        ]
