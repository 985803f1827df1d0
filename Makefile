# Every target works from a clean clone; the first one that needs it makes .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
# Two test processes; what shares homes or a service stays together (tests/conftest.py). Files in the order of pyproject.toml.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
.DELETE_ON_ERROR:

.PHONY: help demo test test-long test-heavy test-server check lint types layers bench release-figures docs docs-check clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 17

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

test: $(VENV)/.dev ## The default suite (some 9 minutes on two cores)
	$(BIN)/python -m pytest -q $(TWO)

test-long: $(VENV)/.dev ## Larger counts of what the default suite checks in small (some 30 minutes); CI runs it, too
	$(BIN)/python -m pytest -q -m '(long or hypothesis) and not heavy and not server' --hypothesis-profile long --timeout 900 $(TWO)

test-heavy: $(VENV)/.dev ## The full counts: random orders, kills, readers
	$(BIN)/python -m pytest -q -m heavy --timeout 3600 -n 2 --dist worksteal

test-server: $(VENV)/.dev ## Operation on a real Prefect server: latency, bursts, kills, security; prints each figure
	$(BIN)/python -m pytest -q -s tests/server -m 'server or not heavy' --timeout 3600

check: lint types layers docs-check ## Lint, types, layers, generated docs, fast tests (also pre-commit and CI)
	$(BIN)/python -m pytest -q -m 'not heavy and not slow and not long and not server' $(TWO)

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

bench: $(VENV)/.bench ## Ten million rows against plain DuckDB and pandas; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

release-figures: $(VENV)/.dev ## Write tests/release/figures.csv anew: what the tiny sample's figures are at this release
	$(BIN)/python -m tests.release.figures

docs: $(VENV)/.dev ## Write the generated pages: data dictionary, key figures
	$(BIN)/python docs/generate.py

docs-check: $(VENV)/.dev
	$(BIN)/python docs/generate.py --check

clean: ## Remove what the targets made
	rm -rf $(VENV) demo bench-work .pytest_cache .mypy_cache .ruff_cache .hypothesis
