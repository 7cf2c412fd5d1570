# One command each: `make run` publishes a warehouse, `make test` runs everything that must pass.
# The environment (.venv) is made on first use from the locked, hashed requirements and again when they change.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Empty: the first of python3.11, 3.12, 3.13, python3 that will do. Otherwise only this one is tried.
PYTHON ?=
# Passed on to pytest, as in: make test PYTEST_ARGS="-k capex -x"
PYTEST_ARGS ?=
# Needed by `make lock` only.
UV ?= uv
# Passed on to uv, as in: make lock LOCK_ARGS=--upgrade
LOCK_ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The locks are complete, so pip is not asked to resolve anything (--no-deps); `pip check` proves it.
# Paths stay relative: the folder's own path may hold spaces.
VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install --quiet --no-deps --require-hashes --requirement
PROJECT := $(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
COMPILE := pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: $(VENV)/.runtime-stamp ## Run the daily job once: a published warehouse and a summary
	@$(VENV)/bin/metals run

.PHONY: ui
ui: $(VENV)/.runtime-stamp ## Open the Dagster UI with the daily schedule
	@$(VENV)/bin/metals ui

.PHONY: test
test: lint ## Everything that must pass: linters, types, SQL, tests
	@command -v chromium chromium-browser google-chrome >/dev/null || echo "No Chromium: the browser tests will be skipped (on Debian: apt-get install chromium)"
	$(PY) -m pytest $(PYTEST_ARGS)

.PHONY: spark
spark: $(VENV)/.test-stamp ## Install Spark (half a gigabyte, needs Java 17) and hold its tables against DuckDB's
	$(INSTALL) requirements-spark.lock
	$(PY) -m pytest -n 0 -m spark tests/spark $(PYTEST_ARGS)

.PHONY: lint
lint: $(VENV)/.test-stamp ## ruff, mypy and sqlfluff, without changing a file
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m sqlfluff lint --disable-progress-bar dbt_project/models

.PHONY: format
format: $(VENV)/.test-stamp ## Let ruff and sqlfluff mend what they can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) -m sqlfluff fix --disable-progress-bar dbt_project/models

.PHONY: docs
docs: $(VENV)/.runtime-stamp ## Write docs/data_dictionary.md again from the catalogue and the models
	$(PY) -m pipelines.dictionary

# Two throw-away warehouses: of the bundled figures, and of every recording in METALS_TEST_UPSTREAM.
.PHONY: claims
claims: $(VENV)/.test-stamp ## Write docs/claims.md again from the rules and from recorded figures
	@$(PY) -m tests.models.claims

.PHONY: bundle
bundle: $(VENV)/.runtime-stamp ## Compile warehouse/bundled again from ../shared/upstream
	$(PY) -m pipelines.bundle

# No index and no address gets into the locks: where packages come from is the installing machine's business.
# Pins that still fit stay; LOCK_ARGS=--upgrade moves them all.
.PHONY: lock
lock: ## Compile the three requirements locks again from pyproject.toml (needs uv)
	@command -v "$(UV)" >/dev/null || { echo "make lock needs uv: install it with 'pip install uv', or name it as UV=/path/to/uv"; exit 1; }
	"$(UV)" $(COMPILE) $(LOCK_ARGS) --output-file requirements.lock pyproject.toml
	"$(UV)" $(COMPILE) $(LOCK_ARGS) --extra test --constraint requirements.lock --output-file requirements-test.lock pyproject.toml
	"$(UV)" $(COMPILE) $(LOCK_ARGS) --extra spark --constraint requirements-test.lock --output-file requirements-spark.lock pyproject.toml
	@! grep -nE '://|^ *-[a-z]|^ *--(index|extra|find|trusted)' requirements.lock requirements-test.lock requirements-spark.lock || { echo "an address got into a lock"; exit 1; }

# Needs the network: known vulnerabilities of the pinned versions.
.PHONY: audit
audit: $(VENV)/.test-stamp ## Look up known vulnerabilities of the locked packages (needs the network)
	$(PY) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip install --quiet pip-audit
	$(VENV)/audit/bin/python -m pip_audit --disable-pip --requirement requirements.lock --requirement requirements-test.lock

.PHONY: clean
clean: ## Remove the environment, caches and dbt's target; the warehouse stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt_project/target dbt_project/logs *.egg-info
	find pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runtime-stamp: requirements.lock pyproject.toml
	@$(MAKE) --no-print-directory venv
	@echo "Installing the pinned packages into $(VENV) (once; minutes on a slow line)"
	$(INSTALL) requirements.lock
	$(PROJECT)
	$(PY) -m pip check
	@touch $@

$(VENV)/.test-stamp: requirements-test.lock $(VENV)/.runtime-stamp
	@echo "Installing the pinned test tools into $(VENV)"
	$(INSTALL) requirements-test.lock
	@touch $@

# A folder that was moved or whose Python is gone is made again.
.PHONY: venv
venv:
	@if $(PY) -c 'import pip' 2>/dev/null; then exit 0; fi; \
	for python in $(if $(PYTHON),"$(PYTHON)",python3.11 python3.12 python3.13 python3 python); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import venv, ensurepip' 2>/dev/null || { lacking=$$python; continue; }; \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		rm -rf $(VENV) && exec "$$python" -m venv $(VENV); \
	done; \
	if [ -n "$$lacking" ]; then \
		echo "$$lacking cannot make environments: install its venv module (on Debian: apt-get install python3-venv)."; \
	else \
		echo "Python 3.11 or newer is needed and was not found (found: $$($(if $(PYTHON),"$(PYTHON)",python3) --version 2>&1)). Install it, or name it: make PYTHON=/path/to/python3.11 ..."; \
	fi; exit 1
