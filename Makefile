# The only door. Every target does its own set-up; nothing but Python 3.11 or newer, make and git is needed.

# The first interpreter that is new enough, or the one that is asked for: make test PYTHON=python3.13
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

BIN := .venv/bin
EXTRAS := fast,grpc,signing
BENCH := .venv-bench/bin/python -m benchmarks
ARGS ?=
PYTEST := $(BIN)/python -m pytest $(ARGS)
FAST_TESTS := $(wildcard tests/unit tests/house tests/benchmarks)
ALL_TESTS := $(FAST_TESTS) $(wildcard tests/contracts tests/interaction tests/interop tests/examples tests/chaos)
PYTHON_CODE := src tests tools $(wildcard examples benchmarks)

export DRAGOMAN_TEST_PEER_PYTHON := $(CURDIR)/.venv-peer/bin/python
export DRAGOMAN_TEST_PEER03_PYTHON := $(CURDIR)/.venv-peer03/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo approval test unit chaos interop coverage check lint types floors house bench docs format api proto clean venv peer bench-venv profile counts python-is-here

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "%-18s %s\n", $$1, $$2 }'

demo: venv  ## run the echo agent and its client, told step by step
	@$(BIN)/python -m examples.echo.demo

approval: venv  ## run the purchase that is killed three times and paid once
	@$(BIN)/python -m examples.approval.demo

test: venv peer  ## run every test (ARGS="-k name" to choose)
	@$(PYTEST) $(ALL_TESTS)

unit: venv  ## run the fast tests only
	@$(PYTEST) -m "not slow" $(FAST_TESTS)

chaos: venv peer  ## kill a busy agent fifty times, and look for what was lost
	@DRAGOMAN_CHAOS_KILLS=50 $(PYTEST) -s tests/chaos

interop: venv peer  ## talk to the official SDKs both ways, and write docs/interop.md
	@DRAGOMAN_WRITE_INTEROP=1 $(PYTEST) --quiet tests/interop

coverage: venv peer  ## run every test and print the branch coverage
	@$(PYTEST) --cov --cov-report=term $(ALL_TESTS)

check: lint types floors house docs  ## run every check that is not a test of behaviour
	@echo "all checks passed"

lint: venv  ## check format and style (ruff)
	@echo "ruff format"; $(BIN)/ruff format --check --quiet $(PYTHON_CODE)
	@echo "ruff check"; $(BIN)/ruff check --quiet $(PYTHON_CODE)

types: venv  ## check types (mypy strict, pyright strict on src)
	@echo "mypy"; $(BIN)/mypy --no-error-summary $(PYTHON_CODE)
	@echo "pyright"; $(BIN)/pyright --warnings

floors: venv  ## check who imports whom (import-linter)
	@echo "import-linter"; $(BIN)/lint-imports --no-cache --no-logo

house: venv  ## check sizes, names, dependencies and the public API
	@echo "house rules and public API"; $(PYTEST) --quiet tests/house tests/unit/test_public_api.py

bench: bench-venv  ## measure beside the peers, and print ratios (ARGS="send stream --quick")
	@$(BENCH) $(ARGS)

profile: bench-venv  ## write a flame graph of one workload (ARGS=send)
	@$(BENCH).profile $(ARGS)

counts: venv  ## record the calls that the central operations make, after a change that is worth it
	@$(BIN)/python -m benchmarks.guard

docs: venv  ## build the documentation into site/, broken links are errors
	@echo "documentation"; NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: venv  ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix --quiet $(PYTHON_CODE) || true
	@$(BIN)/ruff format --quiet $(PYTHON_CODE)

api: venv  ## accept the public API as it is now
	@DRAGOMAN_ACCEPT_API=1 $(PYTEST) --quiet tests/unit/test_public_api.py

proto: venv  ## compile the .proto files of the gRPC binding
	@$(BIN)/python -m tools.protos

clean:  ## remove environments, caches and everything built
	@rm -rf .venv .venv-* .venv.lock .coverage .hypothesis .mypy_cache .pytest_cache \
		.ruff_cache .import_linter_cache build dist site tests/peer/*/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

python-is-here:
	@test -n "$(PYTHON)" || { echo "make needs Python 3.11 or newer, and found none; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "make needs Python 3.11 or newer, and $(PYTHON) is not" >&2; exit 1; }

venv: python-is-here
	@$(PYTHON) tools/environment.py .venv dev --editable '.[$(EXTRAS)]'

bench-venv: python-is-here
	@$(PYTHON) tools/environment.py .venv-bench bench --editable '.[$(EXTRAS)]'

peer: python-is-here
	@$(PYTHON) tools/environment.py .venv-peer peer
	@$(PYTHON) tools/environment.py .venv-peer03 peer03
	@$(PYTHON) tools/node_packages.py tests/peer/js10 tests/peer/js03
