"""Loading a plan's Python: what is on the disk counts, nothing stale, and no file can end the program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from aura_core.plugins.plan_code import PlanCode, load_plan_code


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def says(code: PlanCode) -> str:
    (action,) = [function for spec, function in code.actions if spec.name == "say"]
    return action()


ACTION = "from aura_core.api import action\n\n@action('say')\ndef say() -> str:\n    return {!r}\n"


def test_an_edit_of_the_same_length_in_the_same_moment_is_seen(tmp_path: Path):
    path = write(tmp_path / "p", "actions/a.py", ACTION.format("one"))
    status = path.stat()
    before = load_plan_code("p", tmp_path / "p")
    path.write_text(ACTION.format("two"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = load_plan_code("p", tmp_path / "p")
    assert (says(before), says(after)) == ("one", "two")
    assert not list(tmp_path.rglob("__pycache__"))
    before.unload()
    after.unload()


def test_a_pycache_that_lies_is_not_believed(tmp_path: Path):
    path = write(tmp_path / "p", "actions/a.py", ACTION.format("the disk"))
    cache = Path(sys.implementation.cache_tag or "")
    write(tmp_path / "p", f"actions/__pycache__/a.{cache}.pyc", "not even code")
    code = load_plan_code("p", path.parents[1])
    assert code.problems == []
    assert says(code) == "the disk"
    code.unload()


def test_what_is_imported_later_is_what_the_plan_was_when_it_was_loaded(tmp_path: Path):
    folder = tmp_path / "p"
    write(folder, "words.py", "WORD = 'old'\n")
    write(folder, "deep/inner/__init__.py", "from .leaf import LEAF\n")
    write(folder, "deep/inner/leaf.py", "LEAF = 'old leaf'\n")
    write(
        folder,
        "actions/a.py",
        "from aura_core.api import action\n\n@action('say')\ndef say() -> str:\n"
        "    from ..deep.inner import LEAF\n    from ..words import WORD\n    return WORD + ', ' + LEAF\n",
    )
    before = load_plan_code("p", folder)
    write(folder, "words.py", "WORD = 'new'\n")
    (folder / "deep/inner/leaf.py").unlink()
    write(folder, "deep/inner/__init__.py", "LEAF = 'new leaf'\n")
    after = load_plan_code("p", folder)
    assert (says(before), says(after)) == ("old, old leaf", "new, new leaf")
    before.unload()
    after.unload()
    assert not [name for name in sys.modules if name.startswith((f"{before.package}", f"{after.package}"))]


def test_a_plan_has_no_modules_but_its_own_files(tmp_path: Path):
    write(tmp_path / "p", "actions/a.py", "from ..services.store import Store\n")
    (problem,) = load_plan_code("p", tmp_path / "p").problems
    assert problem.message == "this file cannot be imported: the plan has no module 'services'"
    assert (Path(problem.path).name, problem.line) == ("a.py", 1)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_whatever_a_file_raises_is_a_problem_with_its_place(tmp_path: Path, line: str, kind: str):
    path = write(tmp_path / "p", "services/s.py", f"\n\n{line}\n")
    code = load_plan_code("p", tmp_path / "p")
    (problem,) = code.problems
    assert (problem.path, problem.line) == (str(path), 3)
    assert problem.message.removesuffix(": ") == f"this file cannot be imported: {kind}"
    code.unload()


def test_a_plan_whose_files_did_not_change_keeps_its_modules_and_a_broken_one_is_imported_again(tmp_path: Path):
    write(tmp_path / "p", "actions/a.py", ACTION.format("same"))
    first = load_plan_code("p", tmp_path / "p")
    assert load_plan_code("p", tmp_path / "p", first) is first
    write(tmp_path / "p", "actions/b.py", "import a_package_that_is_not_there\n")
    broken = load_plan_code("p", tmp_path / "p", first)
    assert broken.problems[0].hint.startswith("install the package")
    again = load_plan_code("p", tmp_path / "p", broken)
    assert again is not broken
    for code in (first, broken, again):
        code.unload()
        assert not [name for name in sys.modules if name.startswith(code.package)]


def test_a_link_that_leads_back_up_is_followed_once(tmp_path: Path):
    write(tmp_path / "p", "actions/a.py", ACTION.format("linked"))
    (tmp_path / "p" / "actions" / "again").symlink_to(tmp_path / "p")
    code = load_plan_code("p", tmp_path / "p")
    assert set(code.modules.sources) == {"actions/a.py"}
    code.unload()


def test_a_package_that_is_compiled_is_still_found(tmp_path: Path):
    import _json  # noqa: PLC0415 (only its file is wanted)

    library = Path(getattr(_json, "__file__", None) or "")
    if not library.is_file():
        pytest.skip("this Python has no compiled module as a file")
    folder = tmp_path / "p" / "services"
    folder.mkdir(parents=True)
    (folder / library.name).write_bytes(library.read_bytes())
    write(tmp_path / "p", "actions/a.py", "from ..services import _json\nassert _json.__file__\n")
    code = load_plan_code("p", tmp_path / "p")
    assert code.problems == []
    code.unload()
