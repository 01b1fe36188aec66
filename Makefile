# The front doors. `make chat` and `make test` are all a newcomer needs; each sets up what it needs by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Says which Python is used, and sets .venv up for a purpose; both say what is wrong in words (docs/operations.md).
export PYTHON
SET_UP := python=$$(bash scripts/find_python.sh) && "$$python" -m scripts.set_up

.PHONY: help setup model chat test check bench eval lock clean

help:
	@echo "make chat    set up, fetch the embedded model unless another one is configured, open the chat"
	@echo "make test    set up and run the whole test suite; ARGS=\"-m 'not slow'\" runs the quick part of it"
	@echo "make setup   only the set-up: .venv with what chatting needs, so that .venv/bin/aura works"
	@echo "             with a Python of your choice: make setup PYTHON=/path/to/python3"
	@echo "make check   lint, types, import rules, coverage (sets up the checkers, too)"
	@echo "make bench   side by side with peers; ARGS='--case loops --json' runs one case, as JSON"
	@echo "make eval    how good plans are, beside others; ARGS='--limit 20' for a look, ARGS=report for docs/evaluation.md"
	@echo "make lock    renew the pins in requirements*.lock; ARGS=--keep renews nothing that is pinned"

setup:
	@$(SET_UP) chat

model: setup
	@$(BIN)/aura model pull

chat: setup
	@$(BIN)/aura chat --fetch

test:
	@$(SET_UP) test
	@$(BIN)/aura model pull smollm2-135m
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

# Coverage without the slow tests, most of which start and kill whole programs: `make test` runs them.
check:
	@$(SET_UP) check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@$(BIN)/aura check
	@$(BIN)/aura model pull smollm2-135m
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow" --cov --cov-report=term --cov-fail-under=90

# The peers live in an environment of their own, so that .venv holds nothing that Aura does not need.
bench:
	@$(SET_UP) bench
	@$(VENV)/bench/bin/python -m benchmarks $(ARGS)

eval: model
	@$(SET_UP) eval
	@$(BIN)/python -m evaluation $(ARGS)

lock:
	@python=$$(bash scripts/find_python.sh) && "$$python" -m scripts.lock $(ARGS)

clean:
	rm -rf $(VENV) dist build .pytest_cache .ruff_cache .hypothesis
