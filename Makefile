# Every target sets up the environment by itself; `make` alone lists them.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BENCH_VENV := .venv-bench
BIN := $(VENV)/bin
READY := $(VENV)/ready
BENCH_READY := $(BENCH_VENV)/ready
CORPUS ?=
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# In tests the engines' data is in memory where there is room: a kill -9 is survived alike, and fsync costs nothing.
roomy = $(shell test "$$(df -m --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 2000 2>/dev/null && echo /dev/shm)
test test-engines test-slow: export HARNESS_DATA ?= $(roomy)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## Make the environment (.venv) from requirements.lock

.PHONY: generate
generate: $(READY) ## contracts/ -> generated/
	@$(BIN)/treaty generate $(ARGS)

.PHONY: check-generate
check-generate: $(READY) ## Fail when generated/ does not match contracts/
	@$(BIN)/treaty check $(ARGS)

.PHONY: inspect
inspect: $(READY) ## Print the graph of all contracts; ARGS="--format mermaid" or dot for a picture
	@$(BIN)/treaty inspect $(ARGS)

.PHONY: test
test: $(READY) ## Run the fast tests (under two minutes); ARGS="-k name" for some of them
	@$(BIN)/python -m pytest -n auto -q $(ARGS)

.PHONY: test-slow
test-slow: $(READY) ## Run the slow tests only
	@$(BIN)/python -m pytest -n auto -q -m slow --timeout 600 $(ARGS)

.PHONY: test-engines
test-engines: $(READY) ## Run the tests on real Postgres and Redis
	@$(BIN)/python -m pytest -n auto -q -m engines $(ARGS)

.PHONY: golden
golden: $(READY) ## Write the golden outputs of tests/golden again; read the diff before you commit it
	@TREATY_GOLDEN=write $(BIN)/python -m pytest -q -m "" tests/golden $(ARGS)

.PHONY: lint
lint: $(READY) ## Check style (ruff check, ruff format)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run 'make format'" >&2; exit 1; }

.PHONY: format
format: $(READY) ## Format our own code and sort its imports
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format .

.PHONY: types
types: $(READY) ## Check types (mypy --strict): our code, and generated/ as its users see it
	@$(BIN)/mypy
	@if [ -d generated/python ]; then cd generated/python && $(CURDIR)/$(BIN)/mypy --strict --config-file= .; fi

.PHONY: buf-lint
buf-lint: $(READY) ## Check the proto contracts (buf lint, STANDARD)
	@$(BIN)/buf lint

.PHONY: bench
bench: $(READY) $(BENCH_READY) ## All of the benchmarks below, and generation beside its peers (bench.json; CORPUS=DIR adds files)
	@CORPUS="$(CORPUS)" $(BIN)/python -m tests.benchmarks --peers $(BENCH_VENV)/bin --json bench.json $(ARGS)
	@$(MAKE) bench-runtime bench-events bench-mocks bench-orders

.PHONY: bench-mocks
bench-mocks: $(READY) ## Payments a second through the Stripe mock, beside the bare HTTP stack; time to ready
	@$(BIN)/python -m tests.benchmarks.bench_gateways

.PHONY: bench-orders
bench-orders: $(READY) ## Orders a second through the whole platform, with a profile by span
	@$(BIN)/python -m tests.benchmarks.bench_orders $(ARGS)

.PHONY: bench-runtime
bench-runtime: $(READY) ## Generated HTTP, gRPC and events beside code written by hand
	@$(BIN)/python -m tests.benchmarks.bench_http
	@$(BIN)/python -m tests.benchmarks.bench_grpc
	@$(BIN)/python -m tests.benchmarks.bench_logs

.PHONY: bench-events
bench-events: $(READY) ## The event transport beside bare redis-py on the same stream
	@$(BIN)/python -m tests.benchmarks.bench_events $(ARGS)

.PHONY: compare-mocks
compare-mocks: $(READY) $(BENCH_READY) ## The same checks through Stripe's SDK against our mock and localstripe
	@$(BIN)/python -m tests.benchmarks.compare_stripe --localstripe $(BENCH_VENV)/bin/localstripe

.PHONY: mock
mock: $(READY) ## Run the gateway mocks until Ctrl-C; ARGS="stripe --port 8420" for one of them
	@$(BIN)/treaty mock $(ARGS)

.PHONY: up
up: $(READY) ## Start the platform: Postgres, Redis, gateway mocks, eight services; prints where they are
	@$(BIN)/python -m harness.platform_command up

.PHONY: down
down: $(READY) ## Stop what `make up` has started
	@$(BIN)/python -m harness.platform_command down

.PHONY: demo
demo: $(READY) ## Place three orders on the running platform, printing each call and event
	@$(BIN)/python -m harness.platform_command demo

.PHONY: saga-test
saga-test: $(READY) ## Whole sagas with faults on a platform of their own; prints a table
	@$(BIN)/python -m harness.sagas $(ARGS)

.PHONY: contract-test
contract-test: $(READY) ## Pacts, Schemathesis, every exchange judged, on a platform of its own; tables and a page
	@$(BIN)/python -m harness.pacts run $(ARGS)

.PHONY: record-pacts
record-pacts: $(READY) ## Record the pacts again into harness/pacts/recorded; read the diff before you commit it
	@$(BIN)/python -m harness.pacts record

.PHONY: test-backends
test-backends: $(READY) ## The tests of Postgres and Redis as backends, on what HARNESS_BACKEND says
	@$(BIN)/python -m pytest -q -m "" --timeout 300 tests/harness/backends $(ARGS)

.PHONY: images
images: $(READY) ## Build Docker images of Postgres and Redis from this machine's programs, without a registry
	@$(BIN)/python -m harness.backends.images

.PHONY: corpus
corpus: $(READY) ## Load, generate, import and type-check every contract in CORPUS=DIR; prints a table
	@test -n "$(CORPUS)" || { echo "usage: make corpus CORPUS=DIR" >&2; exit 2; }
	@$(BIN)/python -m tests.corpus "$(CORPUS)" $(ARGS)

.PHONY: lock
lock: $(READY) ## Resolve requirements.lock and bench.lock again from pyproject.toml
	@$(BIN)/uv pip compile --quiet $(LOCK_FLAGS) --extra harness --extra services --group dev pyproject.toml -o requirements.lock >/dev/null
	@$(BIN)/uv pip compile --quiet $(LOCK_FLAGS) --group pyproject.toml:bench -o bench.lock >/dev/null

.PHONY: clean
clean: ## Remove the environments and all caches; generated/ stays
	rm -rf $(VENV) $(BENCH_VENV) .treaty_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

# The stamp files: an environment is made again when its lock file changes.

$(READY): requirements.lock
	@$(call make_environment,$(VENV))
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "generated-python.pth").write_text("$(CURDIR)/generated/python\n")'
	@touch $@

$(BENCH_READY): bench.lock
	@$(call make_environment,$(BENCH_VENV))
	@$(BENCH_VENV)/bin/python -m pip install --quiet --require-hashes -r bench.lock
	@touch $@

define make_environment
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; name it with 'make PYTHON=/path/to/python3.11 ...'" >&2; exit 2; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }; \
	echo "making $(1) (once, and again when its lock file changes)"; \
	$(PYTHON) -m venv --clear $(1)
endef
