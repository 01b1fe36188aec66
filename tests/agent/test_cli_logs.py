"""Logs: what goes where, with which correlation id, and never with a secret."""

from __future__ import annotations

import logging

import pytest
import structlog
from pydantic import SecretStr

from agent import logs
from agent.config import AppConfig, LlmSettings


@pytest.fixture(autouse=True)
def quiet_again():
    yield
    for handler in [handler for handler in logging.getLogger().handlers if hasattr(handler, logs.MARK)]:
        logging.getLogger().removeHandler(handler)
        handler.close()
    structlog.reset_defaults()


def fail():
    raise ValueError("the reason")


def config(tmp_path, **settings):
    return AppConfig(home=tmp_path, **settings)


def test_stderr_gets_the_configured_level_and_the_file_gets_more(tmp_path, capsys):
    path = logs.configure(config(tmp_path, log_level="warning"))
    log = structlog.get_logger("agent.test")
    log.info("a detail")
    log.warning("a warning", reason="full")
    assert "a detail" not in capsys.readouterr().err
    text = path.read_text(encoding="utf-8")
    assert "a detail" in text
    assert "reason=full" in text


def test_who_sits_before_the_program_reads_no_log_unless_they_ask_for_it(tmp_path, capsys):
    logs.configure(config(tmp_path), quiet=True)
    structlog.get_logger("agent.test").error("hidden")
    logs.configure(config(tmp_path, log_level="error"), quiet=True)
    structlog.get_logger("agent.test").error("wanted")
    said = capsys.readouterr().err
    assert "hidden" not in said
    assert "wanted" in said


def test_every_line_of_a_run_carries_its_correlation_id_also_those_of_libraries(tmp_path):
    path = logs.configure(config(tmp_path))
    with structlog.contextvars.bound_contextvars(corr_id="run-7"):
        structlog.get_logger("agent.test").info("ours")
        logging.getLogger("somebody.else").info("theirs %s", "too")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert all("corr_id=run-7" in line for line in lines)
    assert "theirs too" in lines[1]


def test_a_secret_never_gets_into_a_line(tmp_path, capsys):
    settings = config(tmp_path, llm=LlmSettings(api_key=SecretStr("sk-very-secret")), log_level="info")
    path = logs.configure(settings)
    log = structlog.get_logger("agent.test")
    log.warning("the key sk-very-secret was refused", header="Bearer sk-very-secret")
    log.error("failed", exc_info=ValueError("sk-very-secret"))
    assert "sk-very-secret" not in path.read_text(encoding="utf-8")
    assert "sk-very-secret" not in capsys.readouterr().err


def test_a_traceback_goes_to_the_file_and_its_last_line_to_the_person(tmp_path, capsys):
    path = logs.configure(config(tmp_path))
    with pytest.raises(ValueError, match="the reason") as caught:
        fail()
    structlog.get_logger("agent.test").error("it failed", exc_info=caught.value)
    said = capsys.readouterr().err
    assert "it failed" in said
    assert "ValueError: the reason" in said
    assert "Traceback" not in said
    assert "Traceback" in path.read_text(encoding="utf-8")


def test_what_a_program_said_already_is_not_said_again(tmp_path, capsys):
    path = logs.configure(config(tmp_path))
    structlog.get_logger("agent.test").error("known", said=True)
    assert capsys.readouterr().err == ""
    assert "known" in path.read_text(encoding="utf-8")


def test_configuring_again_replaces_and_does_not_double(tmp_path, capsys):
    for _ in range(3):
        path = logs.configure(config(tmp_path))
    structlog.get_logger("agent.test").warning("once")
    assert capsys.readouterr().err.count("once") == 1
    assert path.read_text(encoding="utf-8").count("once") == 1


def test_a_home_that_cannot_be_written_leaves_the_log_elsewhere(tmp_path):
    home = tmp_path / "home"
    home.write_text("in the way")
    assert logs.configure(config(home)).parent != home / "logs"


def test_a_log_file_that_stops_being_writable_says_so_once(tmp_path, capsys, monkeypatch):
    logs.configure(config(tmp_path, log_level="error"))
    monkeypatch.setattr("logging.handlers.RotatingFileHandler.shouldRollover", lambda *_: 1 / 0)
    log = structlog.get_logger("agent.test")
    log.info("one")
    log.info("two")
    assert capsys.readouterr().err.count("cannot be written") == 1
