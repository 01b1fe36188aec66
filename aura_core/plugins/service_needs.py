"""What a service class's `__init__` asks for, read once, when its plan is loaded."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Need:
    """One parameter.

    Attributes:
        name: its name.
        type_name: what its annotation is called; empty if it has none.
        optional: it has a default.
    """

    name: str
    type_name: str
    optional: bool


@dataclass(frozen=True, slots=True, eq=False)
class ServiceClass:
    """A class marked by `@service`.

    Attributes:
        name: name of the service.
        cls: the class.
        class_name: what the class is called.
        needs: its parameters, but for `config`.
        wants_config: whether it has a parameter `config`.
    """

    name: str
    cls: type[Any]
    class_name: str
    needs: tuple[Need, ...] = ()
    wants_config: bool = False


def read_service(name: str, cls: type[Any]) -> ServiceClass:
    """Reads the parameters of a service class.

    Args:
        name: name of the service.
        cls: the class; looking at it runs the plan's code (descriptors, metaclass), which may raise anything.
    """
    if cls.__init__ is object.__init__:
        return ServiceClass(name, cls, cls.__name__)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    named = [one for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    needs = tuple(
        Need(one.name, _type_name(one.annotation), one.default is not one.empty) for one in named if one.name != CONFIG
    )
    return ServiceClass(name, cls, cls.__name__, needs, any(one.name == CONFIG for one in named))


def _type_name(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else str(getattr(annotation, "__name__", ""))
