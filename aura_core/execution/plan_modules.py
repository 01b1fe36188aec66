"""The Python files of a plan as they were at one moment, importable under a package name of their own.

They are read once: what a run in flight imports later, here or in another process, is what the plan was when the run
began, whatever was saved since. No `__pycache__` is written or trusted, so an edit within the same second counts.
"""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

PREFIX = "aura_plan_"
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "tests"})
"""Folders that hold nothing that a plan runs."""
_ATTRIBUTE = "__aura_modules__"


@dataclass(frozen=True, slots=True, eq=False)
class PlanModules:
    """The importable files of one plan.

    Attributes:
        plan: name of the plan.
        package: name under which its modules stand in `sys.modules`; inside the plan, `from ..services.x import y`
            works whatever the plan folder is called and wherever it lies.
        folder: absolute folder of the plan; `__file__` of its modules is below it.
        sources: path below the folder, with slashes -> what the file holds.
    """

    plan: str
    package: str
    folder: Path
    sources: Mapping[str, bytes]

    @classmethod
    def read(cls, plan: str, folder: Path) -> PlanModules:
        """Reads the Python files of a plan as they are now, under a new package name.

        A file that cannot be read is not there.
        """
        package = f"{PREFIX}{re.sub(r'[^0-9A-Za-z]', '_', plan)}_{uuid.uuid4().hex[:8]}"
        absolute = folder.resolve()
        sources: dict[str, bytes] = {}
        for path in python_files(absolute):
            with suppress(OSError):
                if path.is_file():
                    sources[path.relative_to(absolute).as_posix()] = path.read_bytes()
        return cls(plan, package, absolute, sources)

    def mount(self) -> None:
        """Makes the modules importable in this process; does nothing if they are."""
        if self.package in sys.modules:
            return
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())
        module = ModuleType(self.package)
        module.__path__ = [str(self.folder)]
        setattr(module, _ATTRIBUTE, self)
        sys.modules[self.package] = module

    def unload(self) -> None:
        """Forgets the modules, so that nothing of the plan stays behind in this process."""
        for name in list(sys.modules):
            if name == self.package or name.startswith(f"{self.package}."):
                sys.modules.pop(name, None)

    def spec(self, module: str) -> ModuleSpec | None:
        """How one of the modules is imported; None if there is no such file.

        Args:
            module: its full name.
        """
        inside = module.removeprefix(f"{self.package}.").replace(".", "/")
        path = self.folder / inside
        for name, places in ((f"{inside}/__init__.py", [str(path)]), (f"{inside}.py", None)):
            if name in self.sources:
                loader = _Loader(module, str(self.folder / name), self.sources[name])
                return spec_from_file_location(
                    module, self.folder / name, loader=loader, submodule_search_locations=places
                )
        if any(name.startswith(f"{inside}/") for name in self.sources):
            spec = ModuleSpec(module, None, is_package=True)
            spec.submodule_search_locations = [str(path)]
            return spec
        compiled = FileFinder(str(path.parent), (ExtensionFileLoader, EXTENSION_SUFFIXES))
        return compiled.find_spec(module)


def mounted(plan: str) -> list[PlanModules]:
    """What is mounted of a plan in this process, the oldest first."""
    found = [getattr(module, _ATTRIBUTE, None) for name, module in list(sys.modules.items()) if name.startswith(PREFIX)]
    return [modules for modules in found if isinstance(modules, PlanModules) and modules.plan == plan]


def python_files(folder: Path) -> Iterator[Path]:
    """The Python files in a folder and below; a link that leads back up is followed once."""
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        status = os.stat(root)  # noqa: PTH116 (os.walk gives text)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if name.isidentifier() and name not in SKIPPED)
        for name in sorted(files):
            if name.endswith(".py") and name[:-3].isidentifier():
                yield Path(root, name)


class _Finder(MetaPathFinder):
    """Finds the modules of every mounted plan. There is one, without a memory, for all: what it knows is mounted."""

    def find_spec(self, fullname: str, *_hints: object) -> ModuleSpec | None:
        """How a module of a plan is imported; other modules are left to others."""
        package, dot, _ = fullname.partition(".")
        if not dot or not package.startswith(PREFIX):
            return None
        modules = getattr(sys.modules.get(package), _ATTRIBUTE, None)
        if not isinstance(modules, PlanModules):
            return None
        spec = modules.spec(fullname)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec


class _Loader(SourceFileLoader):
    """Imports one file as it was read."""

    def __init__(self, module: str, path: str, source: bytes) -> None:
        super().__init__(module, path)
        self._source = source

    def get_data(self, path: str) -> bytes:
        """The file's bytes as they were read; other files from the disk."""
        return self._source if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType:
        """The compiled file as it was read: no cache on the disk is asked."""
        return _compiled(self._source, self.get_filename(fullname))


@lru_cache(maxsize=256)
def _compiled(source: bytes, path: str) -> CodeType:
    """What these bytes are compiled to; a reload compiles what was edited and no more."""
    return compile(source, path, "exec", dont_inherit=True)
