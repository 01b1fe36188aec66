"""Every exception of the agent; imports no sibling, so that every module may import it.

What the store and the durable engine raise stands in `aura_core.errors`.
"""

from __future__ import annotations

from aura_core.errors import AuraError


class AgentError(AuraError):
    """Root of what the agent raises on purpose."""


class ConfigError(AgentError):
    """aura.yaml or the environment is wrong; says which setting, where, and what is allowed."""


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


class ModelIncompleteError(ModelOutputError):
    """The model stopped before the end of its answer, at a bound or by a filter.

    Whoever keeps or shows `text` says that it is incomplete.

    Attributes:
        text: what was said before; empty where it may be what the model only thought.
    """

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class ModelContextError(ModelError):
    """The prompt is longer than the model can read."""


class WeightsError(ModelError):
    """The weights of an embedded model could not be fetched; says what each source answered."""


class BudgetExceededError(ModelError):
    """A budget of the profile (tokens, money, seconds) is used up."""


class PlanningError(AgentError):
    """No valid plan could be made; the message says what was wrong with the last one."""


class InputFileError(AgentError):
    """A file that a command was given cannot be used; says which one, where in it, and what is expected."""


class UnknownReferenceError(AgentError):
    """A `${step.field}` refers to something that no earlier step gave; names what there is."""


class TaskGoneError(AgentError):
    """A task that a run had begun is not there any more; the message says what that means for the run."""


class ChannelAwayError(AgentError):
    """A channel could not hand something over, although it tried for long; trying again later may help."""


class AnswerMisfitError(AgentError):
    """An answer that the question cannot take. The question stays open; the text says what is wrong and asks again."""


class NotAllowedError(AgentError):
    """The profile does not allow this task, command or action."""
