"""The embedded model's own process: an OpenAI-compatible server on loopback.

It is a process of its own because loading holds Python's global lock for seconds, because a fault in native code must
not take the chat with it, and because what it prints must not reach the terminal. It takes its settings as one JSON
line on stdin, says where it listens as one JSON line on stdout, and ends when stdin closes: with the program that
started it, however that one ends.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from typing import Any

QUIET = -1
LOOK_AFTER_PARENT = 2.0
"""Seconds between two looks whether the parent is still there; stdin may be held open by a process it forked."""


def serve(settings: dict[str, Any]) -> Any:
    """Loads the model and opens the port.

    Args:
        settings: `model` (path), `key`, `context` (tokens of all requests at once), `slots`, `threads`, `cache_mib`
            (main memory for the states of earlier prompts), `rearranged` (a second copy of the weights, as some
            processors want it), `saved` (folder of saved states, or empty).

    Raises:
        ImportError: the runtime is not installed.
        RuntimeError: the weights cannot be loaded.
    """
    xllamacpp: Any = importlib.import_module("xllamacpp")  # absent without the extra `local`; it has no types
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.n_ctx = settings["context"]
    params.n_parallel = settings["slots"]
    params.kv_unified = True
    params.cache_ram_mib = settings["cache_mib"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.no_extra_bufts = not settings["rearranged"]
    params.fit_params = False  # nothing is to be shared out between a graphics card and main memory: 0.5 s of loading
    params.warmup = False
    params.verbosity = QUIET
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["key"]]
    if settings["saved"]:
        params.slot_save_path = os.path.join(settings["saved"], "")  # noqa: PTH118 (the runtime wants the separator)
    return xllamacpp.Server(params)


def main() -> None:
    """Runs until stdin closes or the parent is gone."""
    parent = os.getppid()
    settings = json.loads(sys.stdin.readline())
    try:
        server = serve(settings)
    except (ImportError, RuntimeError) as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 (the protocol with the parent)
        return
    print(json.dumps({"address": server.listening_address}), flush=True)  # noqa: T201
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    while not closed.wait(LOOK_AFTER_PARENT) and os.getppid() == parent:
        pass
    os._exit(0)  # a request may still run; nobody waits for it


if __name__ == "__main__":
    main()
