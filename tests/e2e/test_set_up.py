"""The set-up, in a clean copy of the checkout, from an index on loopback: old pips, interruptions, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.set_up.locks import applies, canonical, read_pins
from tests.fixtures.package_index import PackageIndex, pinned, repack, swap_pins, with_extras, write_wheel

ROOT = Path(__file__).resolve().parents[2]
PIPS = ROOT / ".venv" / "pips"
RUNS_ON = {"23.0.1": (3, 11), "23.2.1": (3, 12)}  # newer Pythons never came with these, and they do not run there
SECONDS = 110
LIST_INSTALLED = """
import importlib.metadata, json
print(json.dumps([[found.metadata["Name"], found.version] for found in importlib.metadata.distributions()]))
"""


def tracked() -> list[str]:
    """What a clone holds, and what would be in the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        left_out = {".venv", ".git", "sessions", "dist", "__pycache__"}
        files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return [str(path) for path in files if not left_out & set(path.parts)]
    return [name for name in done.stdout.split("\0") if name]


def copy_checkout(folder: Path) -> Path:
    for name in tracked():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A wheel for every pin of requirements.lock that applies here, and a newer release of all that have extras."""
    folder = tmp_path_factory.mktemp("wheels")
    pins = [pin for pin in read_pins(ROOT / "requirements.lock") if applies(pin.marker)]
    packed = [repack(pin.name, folder) for pin in pins]
    newer = with_extras(pins)
    assert {"lxml", "pydantic"} <= newer
    for name in newer:
        write_wheel(folder, name, "999", "Provides-Extra: html-clean\n")
    return packed


@pytest.fixture(scope="module")
def everything(wheels):
    index = PackageIndex(wheels[0].parent)
    yield index
    index.close()


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    folder = tmp_path_factory.mktemp("few")
    for name in ("one", "two"):
        write_wheel(folder, f"{name}-package", "1.0")
    index = PackageIndex(folder)
    yield index
    index.close()


@pytest.fixture
def use(monkeypatch):
    def use_index(index):
        index.reset()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", index.address)
        monkeypatch.setenv("PIP_RETRIES", "1")
        monkeypatch.delenv("PYTHON", raising=False)

    return use_index


def copy_with_pins(folder, pins):
    """A copy in which the benchmarks need these packages only: the same machinery, in two seconds."""
    copy_checkout(folder)
    (folder / "requirements-bench.lock").write_text(pins, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory):
    """An environment that has a pip and nothing else."""
    folder = copy_with_pins(tmp_path_factory.mktemp("empty"), "")
    set_up(folder)
    subprocess.run([str(folder / ".venv/bench/bin/pip"), "install", "--help"], stdout=subprocess.DEVNULL, check=True)
    return folder / ".venv"


@pytest.fixture
def bare_checkout(tmp_path, few, use):
    use(few)
    return copy_with_pins(tmp_path / "with a space", pinned(sorted(few.folder.glob("*.whl"))))


@pytest.fixture
def checkout(bare_checkout, empty_environment):
    """One whose environment is there and empty: that is no part of what most tests are about."""
    venv = bare_checkout / ".venv"
    shutil.copytree(empty_environment, venv, symlinks=True)
    shutil.rmtree(venv / "bench" / "set-up")
    (venv / "bench" / "bin" / "pip").write_text(f"#!{venv}/bench/bin/python (where it belongs)\n", encoding="utf-8")
    return bare_checkout


def start(folder, purpose="bench"):
    command = [sys.executable, "-m", "scripts.set_up", purpose]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(program, code=0):
    out, said = program.communicate(timeout=SECONDS)
    assert program.returncode == code, said
    assert out == ""
    assert "Traceback" not in said
    return said


def set_up(folder, code=0):
    return finish(start(folder), code)


def has_both(folder):
    names = {path.name for path in (folder / ".venv" / "bench").glob("lib/*/site-packages/*_package.py")}
    return names == {"one_package.py", "two_package.py"}


def venv_with_pip(folder, version):
    """A virtual environment in the copy with this pip; returns its Python."""
    if sys.version_info[:2] > RUNS_ON.get(version, sys.version_info[:2]):
        pytest.skip(f"pip {version} does not run on this Python, and never came with it")
    wheel = PIPS / f"pip-{version}-py3-none-any.whl"
    if not wheel.is_file():
        pytest.skip(f"{wheel} is missing: make test fetches it")
    python = str(folder / ".venv" / "bin" / "python")
    options = ["--isolated", "--no-index", "--no-deps", "--no-compile", "--quiet"]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True)
    subprocess.run([python, f"{wheel}/pip", "install", *options, str(wheel)], check=True)
    return python


def said_by(folder, *command):
    # Without what `make test` hands on, if it is what runs this.
    shell = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False, env=shell)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(3 * SECONDS)
@pytest.mark.parametrize("version", ["23.0.1", "23.2.1", "26.3"])
def test_every_pip_installs_what_is_pinned_and_all_that_chatting_needs(version, tmp_path, wheels, everything, use):
    use(everything)
    folder = copy_checkout(tmp_path / "checkout")
    swap_pins(folder / "requirements.lock", wheels)
    python = venv_with_pip(folder, version)

    said = said_by(folder, "make", "setup")
    assert "packages for chatting" in said
    assert said.splitlines()[-1].startswith(".venv is set up for chatting")

    installed = {tuple(pair) for pair in json.loads(said_by(folder, python, "-c", LIST_INSTALLED))}
    names = {(canonical(name), number) for name, number in installed}
    pins = {pin.key for pin in read_pins(folder / "requirements.lock") if applies(pin.marker)}
    assert names - pins == {("aura-assistant", "0.1.0"), ("pip", version)}
    assert pins <= names
    assert not {name for name, _ in names} & {"pytest", "hypothesis", "coverage"}
    assert "No broken requirements found." in said_by(folder, python, "-m", "pip", "check")

    aura = str(folder / ".venv" / "bin" / "aura")
    checked = said_by(folder, aura, "check")
    assert checked.splitlines()[-1].startswith(f"{len(list((ROOT / 'plans').glob('*/tasks')))} plans")
    assert "0 mistakes" in checked
    said_by(folder, python, "-c", "import trafilatura, lxml_html_clean")  # the web plan imports them when it is asked

    everything.reset()
    assert (said_by(folder, "make", "setup"), everything.asked) == ("", [])


def test_an_index_that_is_away_is_said_and_the_next_run_goes_on(checkout, few, monkeypatch):
    with monkeypatch.context() as away:
        away.setenv("PIP_INDEX_URL", "http://me:s3cret@127.0.0.1:9/simple")
        said = set_up(checkout, 1)
    assert "index cannot be reached" in said
    assert "run the same command again" in said
    assert len(said.splitlines()) < 8
    log = (checkout / ".venv/bench/set-up.log").read_text(encoding="utf-8")
    assert "s3cret" not in said + log
    assert "127.0.0.1" in log
    assert "made anew" not in set_up(checkout)
    assert has_both(checkout)


def test_a_connection_that_breaks_in_the_middle_is_said_and_the_next_run_goes_on(checkout, few):
    few.breaks_in = "two_package"
    said = set_up(checkout, 1)
    assert "broke" in said
    assert "run the same command again" in said
    few.reset()
    set_up(checkout)
    assert has_both(checkout)


def test_another_file_than_the_pinned_one_is_refused(checkout):
    lock = checkout / "requirements-bench.lock"
    text = lock.read_text(encoding="utf-8")
    first = text.split("sha256:")[1][:64]
    lock.write_text(text.replace(first, "0" * 64), encoding="utf-8")
    assert "its hash is not the pinned one" in set_up(checkout, 1)
    assert not has_both(checkout)


def test_a_package_that_the_index_does_not_have_is_named(checkout):
    with (checkout / "requirements-bench.lock").open("a", encoding="utf-8") as lock:
        lock.write(f"three-package==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    said = set_up(checkout, 1)
    assert "does not have a package that is pinned" in said
    assert "three-package" in said


def test_a_killed_set_up_is_run_again(checkout, few):
    few.hang.set()
    program = start(checkout)
    assert few.reached.wait(60)
    program.kill()
    program.wait()
    few.reset()
    set_up(checkout)
    assert has_both(checkout)


def test_ctrl_c_ends_it_without_a_traceback(checkout, few):
    few.hang.set()
    program = start(checkout)
    assert few.reached.wait(60)
    os.killpg(program.pid, signal.SIGINT)
    assert finish(program, 130).endswith("Stopped. Run it again to go on.\n")
    few.reset()
    set_up(checkout)
    assert has_both(checkout)


def test_two_at_once_wait_for_each_other(checkout, few):
    few.hang.set()
    first = start(checkout)
    assert few.reached.wait(60)
    second = start(checkout)
    assert second.stderr is not None
    assert "Another set-up is at work" in second.stderr.readline()
    asked = len(few.asked)
    few.hang.clear()
    finish(first)
    assert finish(second) == ""
    assert asked == 1
    assert has_both(checkout)


def python_that_says(path, answer):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("""echo '[[3, 10], "cpython"]'""", "is of Python 3.10"),
        ("exit 127", "holds a Python that does not run any more"),
    ],
)
def test_an_environment_that_cannot_be_used_is_made_anew(bare_checkout, answer, why):
    checkout = bare_checkout
    venv = checkout / ".venv" / "bench"
    python_that_says(venv / "bin" / "python", answer)
    (venv / "pyvenv.cfg").write_text("home = /nowhere\n", encoding="utf-8")
    said = set_up(checkout)
    assert f".venv/bench {why}: it is made anew." in said
    assert has_both(checkout)


def test_one_that_was_moved_is_made_anew(checkout):
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert ".venv/bench was moved here from another place: it is made anew" in set_up(moved)
    assert has_both(moved)


def test_one_that_is_half_made_is_made_anew(checkout):
    (checkout / ".venv" / "bench" / "half-made").touch()
    assert ".venv/bench is half made, the last set-up was interrupted: it is made anew" in set_up(checkout)
    assert has_both(checkout)


def test_a_package_that_was_written_by_half_is_written_again_and_no_other(checkout, few):
    set_up(checkout)
    few.reset()
    venv = checkout / ".venv" / "bench"
    (about,) = venv.glob("lib/*/site-packages/two_package*.dist-info")
    (about / "INSTALLER").unlink()
    (venv / "set-up" / "bench").unlink()
    assert "1 more package for" in set_up(checkout)
    assert [path for path in few.asked if "files" in path] == ["/files/two_package-1.0-py3-none-any.whl"]
    assert has_both(checkout)


def test_it_is_set_up_from_nothing(bare_checkout):
    assert "2 packages for the benchmarks" in set_up(bare_checkout)
    assert has_both(bare_checkout)


def test_what_is_not_ours_is_named_and_not_touched(bare_checkout):
    checkout = bare_checkout
    venv = checkout / ".venv" / "bench"
    venv.mkdir(parents=True)
    (venv / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert "is no virtual environment" in set_up(checkout, 1)
    assert [path.name for path in venv.iterdir()] == ["thesis.txt"]
    venv.rename(checkout / "mine")
    venv.symlink_to(checkout / "mine")
    assert "is a link" in set_up(checkout, 1)
    assert (checkout / "mine" / "thesis.txt").is_file()
