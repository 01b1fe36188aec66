"""`aura model`: what is there, where it is, and fetching it."""

from __future__ import annotations

import json

import pytest

from agent.channels.terminal import fetch
from agent.cli import run
from agent.llm.weights import MODELS

NAME = "smollm2-135m"


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """An empty weights folder; `weights()` puts a file of the right size there."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("AURA_EMBEDDED_FOLDER", str(folder))

    def put():
        path = folder / f"{NAME}.gguf"
        with path.open("wb") as file:
            file.truncate(MODELS[NAME].size)
        return path

    return put


def test_the_list_says_which_models_are_there(weights, capsys):
    assert run(["model", "list"]) == 0
    assert "not fetched" in capsys.readouterr().out
    path = weights()
    assert run(["model", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[NAME]["path"] == str(path)
    assert rows["qwen2.5-coder-1.5b"]["path"] is None
    assert rows["qwen2.5-coder-1.5b"]["bytes"] == 1_117_320_768


def test_the_path_is_printed_alone_or_the_way_to_get_it(weights, capsys):
    assert run(["model", "path", NAME]) == 1
    assert f"aura model pull {NAME}" in capsys.readouterr().err
    path = weights()
    assert run(["model", "path", NAME]) == 0
    assert capsys.readouterr().out == f"{path}\n"


def test_a_model_that_is_there_is_not_fetched_again(weights, capsys, monkeypatch):
    path = weights()

    async def pull(*_, **__):
        pytest.fail("fetched again")

    monkeypatch.setattr(fetch, "pull", pull)
    assert run(["model", "pull", NAME]) == 0
    assert str(path) in capsys.readouterr().err


def test_a_missing_model_is_fetched_with_its_progress(weights, capsys, monkeypatch):
    async def pull(_config, name, *, report):
        report(50, 100, f"fetching {name}")
        return weights()

    monkeypatch.setattr(fetch, "pull", pull)
    assert run(["model", "pull", NAME]) == 0
    said = capsys.readouterr().err
    assert f"fetching {NAME}: 50 %" in said
    assert "is there" in said


def test_an_unknown_model_names_those_there_are(weights, capsys):
    assert run(["model", "pull", "gpt-9"]) == 1
    assert NAME in capsys.readouterr().err
