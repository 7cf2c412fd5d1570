# `make run` publishes a warehouse, `make test` runs all checks; `make` lists the targets.
# The environment (.venv) is created on first use from the locked, hashed requirements, and again when they change.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Empty: the first suitable one of python3.11, 3.12, 3.13, python3. Otherwise only this one is tried.
PYTHON ?=
# Passed on to pytest, as in: make test PYTEST_ARGS="-k capex -x"
PYTEST_ARGS ?=
# Used by `make ui` and `make demo`, as in: make ui PORT=3001
PORT ?= 3000
# Used by `make pictures` only: the folder of a published warehouse.
WAREHOUSE ?=
# Used by `make lock` only.
UV ?= uv
# Passed on to uv, as in: make lock LOCK_ARGS=--upgrade
LOCK_ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The locks are complete, so nothing is resolved (--no-deps); `pip check` verifies that. uv installs several times faster
# than pip; if it fails (no wheel for the machine, an index known only to pip's configuration), pip installs the same.
# Paths stay relative, because the folder's path may contain spaces.
VENV := .venv
PY := $(VENV)/bin/python
SITE := $(VENV)/site
LOCKED := --quiet --no-deps --require-hashes --requirement
install = $(PY) -m uv pip install --python $(PY) --compile-bytecode $(LOCKED) $(1) 2>$(VENV)/uv.log \
	|| { echo "Installing with pip: uv could not ($(VENV)/uv.log)"; $(PY) -m pip install $(LOCKED) $(1); }
COMPILE := pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: $(VENV)/.runtime-stamp ## Run the daily job once: publish a warehouse, print a summary
	@$(VENV)/bin/metals run

.PHONY: ui
ui: $(VENV)/.runtime-stamp ## Start the Dagster UI with the weekday schedule
	@$(VENV)/bin/metals ui --port $(PORT)

# In a home of its own, demo/: neither the warehouse nor metals.env is read or changed. See docs/demo.md.
.PHONY: demo
demo: $(VENV)/.test-stamp ## A month of runs on partly made-up figures (revision, failure, flip), then the UI
	@$(PY) -m tests.demo --port $(PORT)

.PHONY: test
test: lint ## Linters, types, import contracts, SQL style and all tests
	@command -v chromium chromium-browser google-chrome >/dev/null || echo "No Chromium: the browser tests will be skipped (on Debian: apt-get install chromium)"
	$(PY) -m pytest $(PYTEST_ARGS)

# The inner loop.
.PHONY: check
check: lint ## Linters, types, import contracts and the tests that need no run
	$(PY) -m pytest -q -n logical tests/unit tests/conventions $(PYTEST_ARGS)

.PHONY: spark
spark: $(VENV)/.test-stamp ## Install Spark (half a gigabyte, needs Java 17) and compare its tables with DuckDB's
	$(call install,requirements-spark.lock)
	$(PY) -m pytest -n 0 -m spark tests/spark $(PYTEST_ARGS)

.PHONY: lint
lint: $(VENV)/.test-stamp ## ruff, mypy, import-linter and sqlfluff, read-only
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache
	@$(MAKE) --no-print-directory $(VENV)/.sql-stamp

# Lints only models that changed since sqlfluff last passed; all of them after a change of a macro, a setting or sqlfluff.
MODELS := dbt_project/models/%.sql
$(VENV)/.sql-stamp: $(shell find dbt_project/models dbt_project/macros dbt_project/sqlfluff -name '*.sql' -o -name '*.py') .sqlfluff $(VENV)/.test-stamp
	$(PY) -m sqlfluff lint --disable-progress-bar --processes 0 $(if $(filter-out $(MODELS),$?),dbt_project/models,$(filter $(MODELS),$?))
	@touch $@

.PHONY: format
format: $(VENV)/.test-stamp ## Apply the automatic fixes of ruff and sqlfluff
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) -m sqlfluff fix --disable-progress-bar dbt_project/models

.PHONY: docs
docs: $(VENV)/.runtime-stamp ## Regenerate docs/data_dictionary.md and docs/brief_json.md with its schema
	$(PY) -m pipelines.authoring.dictionary
	$(PY) -m pipelines.authoring.brief_schema

# Runs the daily job on the bundled figures first, unless WAREHOUSE names a folder with a published warehouse.
.PHONY: pictures
pictures: $(VENV)/.test-stamp ## Take the pictures of the README again (needs Chromium)
	$(PY) -m tests.pictures $(WAREHOUSE)

# Needs neither a network nor a warehouse: the pages show what is in the project's files.
.PHONY: dbt-docs
dbt-docs: $(VENV)/.runtime-stamp ## Generate dbt's documentation (models, columns, lineage graph) as one HTML file
	@$(VENV)/bin/dbt --quiet docs generate --static --empty-catalog --vars '{build_path: ":memory:"}' \
		--project-dir dbt_project --profiles-dir dbt_project --target-path target/docs
	@echo "wrote dbt_project/target/docs/static_index.html"

# By Zensical, the successor of mkdocs-material (which ends in May 2027). It has an environment of its own, so that the
# others stay small.
.PHONY: site
site: $(VENV)/.site-stamp ## Build the documentation as a static site, website/build/index.html, every link tested
	@$(SITE)/bin/python website/stage.py
	@$(SITE)/bin/zensical build --clean --strict --config-file website/mkdocs.yml
	@echo "wrote website/build; for its search too, serve it: $(PY) -m http.server --bind 127.0.0.1 --directory website/build"

# Builds two temporary warehouses: from the bundled figures, and from every recording in METALS_TEST_UPSTREAM.
.PHONY: claims
claims: $(VENV)/.test-stamp ## Regenerate docs/claims.md from the rules and from recorded figures
	@$(PY) -m tests.models.claims

.PHONY: bundle
bundle: $(VENV)/.test-stamp ## Regenerate warehouse/bundled from the recorded responses
	$(PY) -m tests.compile_bundle

# The locks contain no index and no address: the installing machine decides where packages come from.
# Valid pins stay; LOCK_ARGS=--upgrade updates them all.
.PHONY: lock
lock: ## Regenerate the requirements locks from pyproject.toml (needs uv)
	@command -v "$(UV)" >/dev/null || { echo "make lock needs uv: install it with 'pip install uv', or name it as UV=/path/to/uv"; exit 1; }
	"$(UV)" $(COMPILE) $(LOCK_ARGS) --output-file requirements.lock pyproject.toml
	"$(UV)" $(COMPILE) $(LOCK_ARGS) --extra test --constraint requirements.lock --output-file requirements-test.lock pyproject.toml
	"$(UV)" $(COMPILE) $(LOCK_ARGS) --extra spark --constraint requirements-test.lock --output-file requirements-spark.lock pyproject.toml
	echo uv | "$(UV)" $(COMPILE) $(LOCK_ARGS) --output-file requirements-uv.lock -
	echo zensical | "$(UV)" $(COMPILE) $(LOCK_ARGS) --output-file requirements-site.lock -
	@! grep -nE '://|^ *-[a-z]|^ *--(index|extra|find|trusted)' requirements*.lock || { echo "an address got into a lock"; exit 1; }

.PHONY: audit
audit: $(VENV)/.test-stamp ## Check the locked packages for known vulnerabilities (needs the network)
	$(PY) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip install --quiet pip-audit
	$(VENV)/audit/bin/python -m pip_audit --disable-pip $(addprefix --requirement ,$(wildcard requirements*.lock))

.PHONY: clean
clean: ## Remove the environment, caches and dbt's target; keep the warehouse
	rm -rf $(VENV) demo website/pages website/build website/.cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt_project/target dbt_project/logs *.egg-info
	find pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runtime-stamp: requirements-uv.lock requirements.lock pyproject.toml
	@$(MAKE) --no-print-directory venv
	@echo "Installing the pinned packages into $(VENV) (once; takes minutes on a slow connection)"
	@$(PY) -m pip install $(LOCKED) requirements-uv.lock || echo "Installing with pip: there is no uv for this machine"
	@$(call install,requirements.lock)
	@$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(PY) -m pip check
	@echo "Compiling the models (a run does so again after a change)"
	@METALS_WAREHOUSE_DIR=$(VENV)/compiling $(PY) -c "from pipelines import settings, transform; transform.compiled(settings.Settings())"
	@rm -rf $(VENV)/compiling
	@touch $@

$(VENV)/.test-stamp: requirements-test.lock $(VENV)/.runtime-stamp
	@echo "Installing the pinned test tools into $(VENV)"
	@$(call install,requirements-test.lock)
	@touch $@

$(VENV)/.site-stamp: requirements-site.lock
	@$(MAKE) --no-print-directory venv
	@echo "Installing the pinned tools of the site into $(SITE)"
	@$(PY) -m venv --clear $(SITE)
	@$(SITE)/bin/python -m pip install $(LOCKED) requirements-site.lock
	@touch $@

# Recreates an environment that was moved or whose Python is gone.
.PHONY: venv
venv:
	@if $(PY) -c 'import pip' 2>/dev/null; then exit 0; fi; \
	for python in $(if $(PYTHON),"$(PYTHON)",python3.11 python3.12 python3.13 python3 python); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import venv, ensurepip' 2>/dev/null || { lacking=$$python; continue; }; \
		echo "Creating $(VENV) with $$("$$python" --version)"; \
		rm -rf $(VENV) && exec "$$python" -m venv $(VENV); \
	done; \
	if [ -n "$$lacking" ]; then \
		echo "$$lacking cannot create environments: install its venv module (on Debian: apt-get install python3-venv)."; \
	else \
		echo "Python 3.11 or newer is needed and was not found (found: $$($(if $(PYTHON),"$(PYTHON)",python3) --version 2>&1)). Install it, or name it: make PYTHON=/path/to/python3.11 ..."; \
	fi; exit 1
