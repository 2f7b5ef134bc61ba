# `make` alone lists the targets. `make demo` and `make test` need nothing but git, make and
# a Python from 3.11 to 3.14 (PYTHON=… names one); the rest is set up by the first target.

ARGS ?=
RUN := scripts/uv run --no-sync
PYTEST := $(RUN) pytest
PARALLEL := --numprocesses=auto --dist=worksteal

# The lock file must work anywhere, so it is made from the public index and nothing else.
PUBLIC_INDEX := https://pypi.org/simple
PUBLIC_FILES := https://files.pythonhosted.org
LOCK := env -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	scripts/uv lock --no-config --default-index $(PUBLIC_INDEX)

export PYTHON

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-deep chaos bench screenshots conformance check check-lint check-format check-types \
	check-layers check-docs format docs lock lock-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: .venv/.synced ## build a small database from real prices, run the batch, show the result
	@.venv/bin/riskmark demo $(ARGS)

test: .venv/.synced ## run the tests, a quarter of an hour on two cores (ARGS="-k name" chooses)
	@$(PYTEST) $(PARALLEL) $(ARGS)

test-deep: .venv/.synced ## run every test with many more examples and faults, an hour or so
	@RISKMARK_TEST_PROFILE=deep $(PYTEST) $(PARALLEL) -m "not bench" $(ARGS)

chaos: .venv/.synced ## kill, stop and starve runs and databases at full counts (ARGS="--share 0.1")
	@$(RUN) python -m tests.chaos $(ARGS)

bench: .venv/.synced ## measure speed against the floor and against two baselines
	@$(RUN) python -m tests.bench $(ARGS)

screenshots: .venv/.synced ## take the pictures of the README from the demo, in Chromium
	@$(RUN) python -m tests.web.screenshots

conformance: .venv/.synced ## compare every measure with its oracle, write docs/reference/conformance.md
	@$(RUN) python -m tests.conformance $(ARGS)

check: check-lint check-format check-types check-layers check-docs lock-check ## lint, format, types, layers, pages, lock file

check-lint: .venv/.synced
	$(RUN) ruff check

check-format: .venv/.synced
	$(RUN) ruff format --check

check-types: .venv/.synced
	$(RUN) mypy

check-layers: .venv/.synced
	$(RUN) lint-imports

check-docs: .venv/.synced
	$(RUN) python scripts/measures_page.py --check

docs: .venv/.synced ## write the pages that are made from the code
	$(RUN) python scripts/measures_page.py

format: .venv/.synced ## rewrite the code in the house format
	$(RUN) ruff check --fix
	$(RUN) ruff format

lock: ## choose package versions anew, within pyproject.toml (ARGS=--upgrade: the newest)
	$(LOCK) $(ARGS)

lock-check: ## fail if uv.lock is out of date or names a host other than the public index
	$(LOCK) --check
	@! grep -nE '[a-z+]+://|(path|directory|editable|virtual) = ' uv.lock \
		| grep -vE '"$(PUBLIC_INDEX)"|"$(PUBLIC_FILES)/|\{ editable = "\." \}' \
		|| { echo "uv.lock names another source than the public index: make lock" >&2; exit 1; }

clean: ## remove the environment, caches and builds; never a database
	rm -rf .venv .uv-bootstrap dist .benchmarks .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.synced: pyproject.toml uv.lock
	@echo "setting up .venv …" >&2
	@scripts/setup
	@touch $@
