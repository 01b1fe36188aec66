"""What is to be done with a library once somebody imports it; nothing is imported for that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


def when_imported(name: str, then: Callable[[], None]) -> None:
    """Calls `then` now if the module is there, else before whoever imports it first gets to see it.

    Args:
        name: the module.
        then: what to do; of several that wait for one module, the last one counts.
    """
    if name in sys.modules:
        then()
        return
    before = [finder for finder in sys.meta_path if isinstance(finder, _Waiting) and finder.name == name]
    for finder in before:
        sys.meta_path.remove(finder)
    sys.meta_path.insert(0, _Waiting(name, then))


class _Waiting(MetaPathFinder):
    """Takes part in one import, of the module that it waits for, and is gone."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self.name = name
        self._then = then

    def find_spec(self, fullname: str, *_hints: object) -> ModuleSpec | None:
        """Where others find the module, with what is to be done behind it."""
        if fullname != self.name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, self._then)
        return spec


class _Then(Loader):
    """Loads a module as its own loader does, and then does what is to be done."""

    def __init__(self, loader: Loader, then: Callable[[], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As its own loader makes it."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Runs it under its own loader."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._then()
