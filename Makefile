# Everything that is done often. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help venv check test fmt

BIN := .venv/bin
ARGS ?=

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

venv:
	@sandbox/setup.sh venv

check: venv ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: venv ## all tests; ARGS="-k name -x" goes to pytest
	$(BIN)/python -m pytest $(ARGS)

fmt: venv ## format, and fix what lint can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
