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
    for finder in sys.meta_path:
        if isinstance(finder, _Waiting) and finder.name == name:
            finder.spent = True
    sys.meta_path.insert(0, _Waiting(name, then))


class _Waiting(MetaPathFinder):
    """Takes part in one import, of the module that it waits for.

    It stays in `sys.meta_path` afterwards: other threads may be walking along that list.
    """

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self.name = name
        self.spent = False
        self._then = then
        self._asking = False

    def find_spec(self, fullname: str, *_hints: object) -> ModuleSpec | None:
        """Where others find the module, with what is to be done behind it."""
        if fullname != self.name or self.spent or self._asking:
            return None
        self._asking = True
        try:
            spec = find_spec(fullname)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, self)
        return spec

    def loaded(self) -> None:
        """Does what was to be done."""
        self.spent = True
        self._then()


class _Then(Loader):
    """Loads a module as its own loader does, and then does what is to be done."""

    def __init__(self, loader: Loader, waiting: _Waiting) -> None:
        self._loader = loader
        self._waiting = waiting

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As its own loader makes it."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Runs it under its own loader."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._waiting.loaded()
