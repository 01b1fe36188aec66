"""Every exception of the agent; imports no sibling, so that every module may import it."""

from __future__ import annotations


class AgentError(Exception):
    """Root of everything the agent raises on purpose. Its text is fit to be shown to a person."""


class ConfigError(AgentError):
    """aura.yaml or the environment is wrong; says which setting, where, and what is allowed."""


class HomeInUseError(AgentError):
    """Another program works on this AURA_HOME."""


class HomeNotWritableError(AgentError):
    """AURA_HOME cannot be written: read-only, full, or somebody else's."""


class ModelError(AgentError):
    """A call of the language model failed for good. Subclasses say why."""


class ModelMissingError(ModelError):
    """No endpoint is configured and no embedded model is there; the message names the three ways on."""


class ModelUnavailableError(ModelError):
    """The endpoint cannot be reached, timed out, or answers 5xx or 429 after all retries."""


class ModelRefusedError(ModelError):
    """The endpoint refuses the call itself: key, quota, unknown model, bad request. Retrying does not help."""


class ModelOutputError(ModelError):
    """The model's answer is not what was asked for, even after one repair."""


class ModelContextError(ModelError):
    """The prompt is longer than the model can read."""


class WeightsError(ModelError):
    """The weights of an embedded model could not be fetched; says what each source answered."""


class BudgetExceededError(ModelError):
    """A budget of the profile (tokens, money, seconds) is used up."""


class PlanningError(AgentError):
    """No valid plan could be made; the message says what was wrong with the last one."""


class UnknownReferenceError(AgentError):
    """A `${step.field}` refers to something that no earlier step gave; names what there is."""


class TaskGoneError(AgentError):
    """A task that a run had begun is not there any more; the message says what that means for the run."""


class ChannelAwayError(AgentError):
    """A channel could not hand something over, although it tried for long; trying again later may help."""


class NotAllowedError(AgentError):
    """The profile does not allow this task, command or action."""


class RunNotFoundError(AgentError):
    """There is no run of this id."""


class DurableError(AgentError):
    """The durable store is damaged or used against its rules."""


class TaskCancelledError(DurableError):
    """The durable task was cancelled before it ended."""


class TaskFailedError(DurableError):
    """A durable task's function raised; the text is the original error."""
