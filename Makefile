# The front doors. `make chat` and `make test` are all a newcomer needs; both begin with `make setup`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python of 3.11 or newer that really runs (a version manager's shim may exist and not run).
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

.PHONY: help setup model chat test check bench lock clean

help:
	@echo "make chat    set up, fetch the embedded model unless another one is configured, open the chat"
	@echo "make test    set up and run the whole test suite; ARGS='-k chat' runs a part of it"
	@echo "make setup   only the set-up: .venv with everything, so that .venv/bin/aura works"
	@echo "make check   lint, types, import rules, coverage"
	@echo "make bench   side by side with peers; ARGS='--case loops --json' runs one case, as JSON"
	@echo "make lock    renew the pins in requirements*.lock"

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "Aura needs Python 3.11 or newer: install it, or name it: make setup PYTHON=/path/to/python3"; exit 1; fi
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module does not work here; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.checkers: requirements-check.lock $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-check.lock
	@touch $@

model: setup
	@$(BIN)/aura model pull

chat: setup
	@$(BIN)/aura chat --fetch

test: setup
	@$(BIN)/aura model pull smollm2-135m
	@$(BIN)/python -m pytest $(ARGS)

# Coverage without the tests that start and kill whole programs: they are slow under it, and `make test` runs them.
check: $(VENV)/.checkers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@$(BIN)/aura check
	@$(BIN)/aura model pull smollm2-135m
	@$(BIN)/python -m pytest tests --ignore=tests/e2e --ignore=tests/crash --cov --cov-report=term --cov-fail-under=90

# The peers live in an environment of their own, so that .venv holds nothing that Aura does not need.
$(VENV)/bench/.installed: requirements-bench.lock
	@if [ -z "$(PYTHON)" ]; then echo "Aura needs Python 3.11 or newer: install it, or name it: make bench PYTHON=/path/to/python3"; exit 1; fi
	@$(PYTHON) -m venv $(VENV)/bench
	@$(VENV)/bench/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-bench.lock
	@touch $@

bench: $(VENV)/bench/.installed
	@$(VENV)/bench/bin/python -m benchmarks $(ARGS)

lock:
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	@$(VENV)/lock/bin/uv pip compile pyproject.toml --extra local --extra test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade -o requirements.lock
	@$(VENV)/lock/bin/uv pip compile pyproject.toml --extra check --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade -c requirements.lock -o requirements-check.lock
	@$(VENV)/lock/bin/uv pip compile pyproject.toml --extra bench --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade -c requirements.lock -o requirements-bench.lock

clean:
	rm -rf $(VENV) dist build .pytest_cache .ruff_cache .hypothesis
