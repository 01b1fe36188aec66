"""What is done to a library once somebody imports it, and only then."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from agent.late import when_imported


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library that nobody has imported."""
    (tmp_path / "late_library.py").write_text("settings = []\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    yield "late_library"
    sys.meta_path[:] = finders
    sys.modules.pop("late_library", None)


def add(what):
    def then():
        sys.modules["late_library"].settings.append(what)

    return then


def test_nothing_happens_before_somebody_imports_it_and_then_before_they_see_it(library):
    when_imported(library, add("set"))
    assert library not in sys.modules
    made = import_module(library)
    assert made.settings == ["set"]
    assert made.__spec__.loader is made.__loader__


def test_it_happens_at_once_if_the_library_is_there(library):
    made = import_module(library)
    when_imported(library, add("set"))
    assert made.settings == ["set"]


def test_of_several_the_last_one_counts_and_each_import_counts_once(library):
    when_imported(library, add("first"))
    when_imported(library, add("second"))
    assert import_module(library).settings == ["second"]
    del sys.modules[library]
    assert import_module(library).settings == []


def test_a_library_that_is_not_installed_is_as_missing_as_before(library):
    when_imported("no_such_library", add("set"))
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        import_module("no_such_library")


def test_events_of_a_plan_go_to_the_log_although_nothing_else_imported_structlog(tmp_path):
    program = (
        "import sys, pathlib\n"
        "from agent import logs\n"
        "from agent.config import AppConfig\n"
        "path = logs.configure(AppConfig(home=pathlib.Path(sys.argv[1])), quiet=True)\n"
        "assert 'structlog' not in sys.modules\n"
        "import structlog\n"
        "structlog.get_logger('a.plan').info('done', count=1)\n"
        "print(path.read_text(encoding='utf-8'), end='')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    (line,) = done.stdout.splitlines()
    assert "done" in line
    assert "[a.plan] count=1" in line
