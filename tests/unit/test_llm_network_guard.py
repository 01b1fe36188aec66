"""No test reaches beyond loopback: neither this process, nor a child, nor a program that is not Python."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.network import network_guard

FAR = "192.0.2.1"  # reserved for documentation: nobody answers there


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", None, "", "::ffff:127.0.0.1", b"localhost"]
)
def test_this_machine_is_local(host):
    assert network_guard.is_local(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "example.org", "10.0.0.1", "169.254.169.254", "fe80::1%eth0", "127.0.0.1.nip.io"]
)
def test_everything_else_is_not(host):
    assert not network_guard.is_local(host)


def test_a_connection_a_datagram_and_a_lookup_are_refused_even_when_the_error_is_swallowed(network):
    with network.expected() as refused:
        with socket.socket() as stream, pytest.raises(network_guard.NetworkRefusedError):
            stream.connect((FAR, 80))
        with socket.socket(type=socket.SOCK_DGRAM) as datagram, pytest.raises(network_guard.NetworkRefusedError):
            datagram.sendto(b"x", (FAR, 53))
        with pytest.raises(network_guard.NetworkRefusedError):
            socket.getaddrinfo("example.org", 443)
    assert len(refused) == 3


def test_a_child_process_is_refused_too_and_its_parent_learns_of_it(network):
    program = f"import socket\ntry: socket.create_connection(('{FAR}', 80), 1)\nexcept BaseException: pass"
    with network.expected() as refused:
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert len(refused) == 1
    assert FAR in refused[0]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_program_that_is_not_python_runs_into_the_proxy(network):
    with network.expected() as refused:
        done = subprocess.run(["curl", "-s", "-m", "5", "http://example.org/"], check=False, timeout=60)
    assert "example.org" in refused[0]
    assert done.returncode == 0  # it was answered, by us


@pytest.mark.slow
def test_a_swallowed_reach_fails_the_test(pytester_like_run):
    result = pytester_like_run(
        "import socket\n"
        "def test_reaches_out():\n"
        "    try: socket.getaddrinfo('example.org', 80)\n"
        "    except Exception: pass\n"
    )
    assert result.returncode == 1
    assert "reached beyond loopback" in result.stdout


@pytest.fixture
def pytester_like_run():
    """Runs a test file under this suite's own conftest, in a process of its own."""
    here = Path(__file__)
    root = here.parents[2]
    files: list[Path] = []

    def run(source: str) -> subprocess.CompletedProcess[str]:
        path = here.with_name(f"guarded_{os.getpid()}.py")
        path.write_text(source, encoding="utf-8")
        files.append(path)
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(path)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    yield run
    for path in files:
        path.unlink()


def test_a_test_starts_with_nothing_of_the_developers_shell():
    foreign = [name for name in os.environ if name.startswith(("OPENAI_", "TELEGRAM_"))]
    assert foreign == []
    assert not Path(os.environ["AURA_HOME"]).exists()
    assert Path.home() == Path(os.environ["HOME"])
