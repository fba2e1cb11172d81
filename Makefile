# Everything that is done often. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup venv check test fmt demo bench campaign mutants hand bin/slurm-controller

BIN := .venv/bin
ARGS ?=
# Tests wait much, for Slurm, time-outs and the clock: more of them at once than there are cores.
# Each worker has what is slow to start to itself; tests/units.py says what it takes at a time.
JOBS ?= 8
UNITS := --dist loadscope --no-loadscope-reorder
# How long a campaign takes, about, and where its random choices start: the same seed, the same ones.
MINUTES ?= 60
SEED := $(or $(SEED),$(shell date +%s))
# The file that acts as users is run by the system's own interpreter, which so compiles it as well.
HAND ?= dist/hand

help: ## this list
	@sed -nE 's/^([a-z/-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

setup: ## install what the tests need; skips what is there
	@sandbox/setup.sh all

venv:
	@sandbox/setup.sh venv

check: venv ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Collected once beforehand, the tests are compiled for all workers, not by each; an empty value lets
# Python keep what it compiles, whatever the environment says.
test: export PYTHONDONTWRITEBYTECODE =
test: setup ## all tests; ARGS="-k name -x" goes to pytest
	@[ $(JOBS) = 0 ] || $(BIN)/python -m pytest --collect-only --quiet $(ARGS) >/dev/null 2>&1 || true
	$(BIN)/python -m pytest --numprocesses $(JOBS) $(UNITS) $(ARGS)

fmt: venv ## format, and fix what lint can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: ## orders, accounts, jobs and usage on a site of its own; KEEP=1 lets it stay; FRONT=gateway|operator
	@sandbox/setup.sh $(if $(filter operator,$(FRONT)),all,slurm)
	@$(BIN)/python -m sandbox demo $(if $(FRONT),--front $(FRONT)) $(if $(KEEP),--keep)

bench: ## what cycles cost against the least they could; QUICK=1: a tenth; ARGS="push docker"
	@sandbox/setup.sh all
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(ARGS)

# Beside the trust tests, those of which `make test` makes a part only.
AT_LENGTH := tests/e2e/gateway/test_files.py tests/e2e/gateway/test_submit_once.py \
	tests/e2e/gateway/test_schema.py tests/e2e/gateway/test_slurmer_killed.py \
	tests/e2e/gateway/test_tasks_killed.py tests/e2e/gateway/test_watch.py \
	tests/e2e/gateway/test_faults_of_slurm.py tests/unit/gateway/store/test_damage.py \
	tests/e2e/operator/test_companion.py tests/e2e/operator/test_defects.py \
	tests/e2e/operator/test_killed.py tests/e2e/operator/test_slurm_jobs.py \
	tests/contract/jobs_port/test_jobs_by_gateway.py

campaign: setup ## the trust tests at length; MINUTES=60 SEED=n ARGS="-k walks"
	@TRUST_CAMPAIGN=1 TRUST_CAMPAIGN_MINUTES=$(MINUTES) TRUST_CAMPAIGN_SEED=$(SEED) \
		$(BIN)/python -m pytest tests/trust $(AT_LENGTH) --numprocesses $(JOBS) --dist worksteal \
		--timeout 0 --hypothesis-seed $(SEED) $(ARGS)

mutants: venv ## small mistakes in what decides, and which of them no test finds; ARGS="brake --most 9"
	@$(BIN)/python -m tests.mutants --seed $(if $(filter command line,$(origin SEED)),$(SEED),1) $(ARGS)

# It starts what lies here, with the packages that lie here: it stays in its place, links may lead to it.
define CONTROLLER
#!/bin/sh
root=$$(dirname "$$(dirname "$$(readlink -f "$$0")")")
start='import sys; sys.path.insert(0, sys.argv.pop(1))
from waldur_slurm.gateway.controller.main import main
sys.exit(main())'
exec "$$root/.venv/bin/python" -I -c "$$start" "$$root" "$$@"
endef
export CONTROLLER

bin/slurm-controller: venv ## a gateway with slurm-controller's routes; docs/operator.md
	@mkdir -p bin
	@printf '%s\n' "$$CONTROLLER" > $@
	@chmod 755 $@

hand: ## the one file that acts as users; docs/hand.md says how root installs it; HAND=file
	@mkdir -p $(dir $(HAND))
	@PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m waldur_slurm.hand.pack $(HAND)
