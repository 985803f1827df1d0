# Every target works from a clean clone; the first one that needs it makes .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
# Two test processes; a file's tests stay together, for they share homes and servers. Files in the order of pyproject.toml.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
.DELETE_ON_ERROR:

.PHONY: help demo test test-heavy test-server check lint types layers bench docs docs-check clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

demo: $(VENV)/.installed ## Sample deliveries of several agencies -> nightly run -> national key figures
	rm -rf demo
	$(BIN)/python -m samples demo --size demo
	$(BIN)/nyckeltal --home demo nightly
	$(BIN)/nyckeltal --home demo figures

test: $(VENV)/.dev ## The default suite (some 14 minutes on two cores)
	$(BIN)/python -m pytest -q $(TWO)

test-heavy: $(VENV)/.dev ## The full counts: random orders, kills, readers
	$(BIN)/python -m pytest -q -m heavy --timeout 3600 -n 2 --dist worksteal

test-server: $(VENV)/.dev ## Operation on a real Prefect server: latency, bursts, kills, security; prints each figure
	$(BIN)/python -m pytest -q -s tests/server -m 'server or not heavy' --timeout 3600

check: lint types layers docs-check ## Lint, types, layers, generated docs, fast tests (also pre-commit and CI)
	$(BIN)/python -m pytest -q -m 'not heavy and not slow' $(TWO)

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

bench: $(VENV)/.bench ## Ten million rows against plain DuckDB and pandas; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

docs: $(VENV)/.dev ## Write the generated pages: data dictionary, key figures
	$(BIN)/python docs/generate.py

docs-check: $(VENV)/.dev
	$(BIN)/python docs/generate.py --check

clean: ## Remove what the targets made
	rm -rf $(VENV) demo bench-work .pytest_cache .mypy_cache .ruff_cache .hypothesis
