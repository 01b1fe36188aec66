"""docs/ollama.md: its lines work against a server that answers in the form in which Ollama's answers were recorded."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.program import Program, plan

PAGE = (Path(__file__).resolve().parents[2] / "docs/ollama.md").read_text(encoding="utf-8")
PLACE = "http://localhost:11434/v1"
CALCULATE = plan(("aura_base/calculate", {"expression": "12*7"}))


class Ollama(BaseHTTPRequestHandler):
    """Speaks as Ollama does: a fingerprint, thoughts under `reasoning`, the role in every piece, usage at the end."""

    requests: list[dict[str, Any]]

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append(body)
        planning = (body.get("response_format") or {}).get("type") == "json_schema"
        text = json.dumps(CALCULATE) if planning else "12*7 is 84."
        head = {"id": "chatcmpl-730", "created": 1788158498, "model": body["model"], "system_fingerprint": "fp_ollama"}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text, "reasoning": "The person asks…"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 73, "completion_tokens": 78, "total_tokens": 151}
            whole = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
            return self._reply("application/json", json.dumps(whole))
        pieces = [{"role": "assistant", "content": "", "reasoning": word} for word in ("The person", " asks…")]
        pieces += [{"role": "assistant", "content": text[start : start + 9]} for start in range(0, len(text), 9)]
        chunks = [{**head, "choices": [{"index": 0, "delta": piece, "finish_reason": None}]} for piece in pieces]
        end = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
        chunks.append({**head, "choices": [end]})
        if (body.get("stream_options") or {}).get("include_usage"):
            usage = {"prompt_tokens": 73, "completion_tokens": 78, "total_tokens": 151}
            chunks.append({**head, "choices": [], "usage": usage})
        events = [json.dumps({**chunk, "object": "chat.completion.chunk"}) for chunk in chunks]
        return self._reply("text/event-stream", "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]))

    def do_GET(self) -> None:
        model = {"id": "qwen3:8b", "object": "model", "created": 1788158498, "owned_by": "library"}
        self._reply("application/json", json.dumps({"object": "list", "data": [model]}))

    def _reply(self, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def ollama() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    requests: list[dict[str, Any]] = []
    handler = type("Handler", (Ollama,), {"requests": requests})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", requests
        server.shutdown()
        thread.join()


def lines_of(language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return block


def test_the_lines_of_the_page_work(tmp_path, ollama):
    address, requests = ollama
    lines = [shlex.split(line, comments=True) for line in lines_of("sh").splitlines()]
    (exports,) = [dict(word.split("=", 1) for word in line[1:]) for line in lines if line[0] == "export"]
    assert exports["OPENAI_BASE_URL"] == PLACE
    aura = Program(tmp_path / "home", {**exports, "OPENAI_BASE_URL": address})
    commands = [line[1:] for line in lines if line[0] == "aura"]
    printed = [aura(*command) for command in commands]
    assert [done.returncode for done in printed] == [0, 0], printed
    assert "qwen3:8b" in printed[0].stdout
    assert printed[1].stdout.strip() == "12*7 is 84."
    assert "person asks" not in printed[1].stdout + printed[1].stderr
    assert {request["model"] for request in requests} == {"qwen3:8b"}


def test_the_settings_of_the_page_work(tmp_path, ollama):
    address, _ = ollama
    settings = yaml.safe_load(lines_of("yaml"))
    assert settings["llm"]["base_url"] == PLACE
    home = tmp_path / "home"
    home.mkdir()
    (home / "aura.yaml").write_text(yaml.safe_dump({"llm": {**settings["llm"], "base_url": address}}))
    outcome = Program(home, {}).json("ask", "What is 12*7?")
    assert "84" in outcome["answer"]
    assert [step["task"] for step in outcome["plan"]] == ["aura_base/calculate"]
    assert outcome["usage"]["tokens"] > 0
