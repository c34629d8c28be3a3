# The verbs of this repository. `make demo` needs Python 3.11 or later and Node 20 or later, nothing else.
# Work is done once: each step leaves a stamp, and runs again only when what it depends on has changed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BUNDLE := smart_app/static/viewer/.vite/manifest.json

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo dev test campaign kills faults fuzz hostile bench lint clean viewer-bundle install

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install $(BUNDLE) ## Install what is needed, then run the demo: EHR, three archives and Priors on this machine
	@exec $(BIN)/priors demo --home .demo $(DEMO)

dev: install $(BUNDLE) ## The demo with one worker that restarts when Python code changes
	@exec $(BIN)/priors demo --home .demo --small --workers 1 --reload $(DEMO)

test: ## Run all tests (installs what they need)
	@tests/run

campaign: ## Run the long tests at full size
	@tests/run -m campaign

kills: ## Kill the workers at every named step, on SQLite and on PostgreSQL with Redis
	@tests/run -n 4 -m "campaign or not campaign" tests/kill

faults: ## The fault matrix alone: every way to fail, at every question, at one archive of five and at all
	@tests/run tests/faults

fuzz: ## 100,000 damaged files through screening (FUZZ_INPUTS=n for another number)
	@tests/run tests/hostile/test_fuzz.py -m campaign

hostile: ## Every hostile file through screening, and to an Orthanc of its own: what stops it must be refused
	@tests/run tests/hostile -m "campaign or not campaign" -k "not fuzz"

bench: ## Measure, compare with others, write docs/performance.md
	@bench/run

lint: $(VENV)/.tests-installed viewer/node_modules/.installed ## Style, types and import rules
	$(BIN)/ruff check launch smart_app sandbox tests bench hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd viewer && npm run --silent check

clean: ## Remove everything that was made, the demo's data included
	rm -rf $(VENV) viewer/node_modules smart_app/static/viewer .demo dist build tests/out bench/out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(VENV)/.installed

viewer-bundle: $(BUNDLE)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Priors needs Python 3.11 or later. Name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making a Python environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python's venv module did not work here. On Debian it is the package python3-venv."; exit 1; }

$(VENV)/.installed: pyproject.toml hatch_build.py | $(VENV)/bin/python
	@echo "Installing the Python packages (a minute, once)"
	@$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.tests-installed: $(VENV)/.installed
	@echo "Installing the packages of the tests"
	@$(BIN)/python -m pip install --quiet --editable '.[demo,test,scaled]'
	@touch $@

viewer/node_modules/.installed: viewer/package.json viewer/package-lock.json
	@command -v npm >/dev/null || { echo "Priors needs Node.js 20 or later with npm to build its viewer."; exit 1; }
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' || { \
	  echo "Priors needs Node.js 20.19 or later; this one is $$(node --version)."; exit 1; }
	@echo "Installing the browser packages (a minute, once)"
	@cd viewer && npm ci --silent --no-audit --no-fund
	@touch $@

VIEWER_SOURCES := $(shell find viewer/src viewer/stubs -type f 2>/dev/null) viewer/vite.config.ts viewer/tsconfig.json

$(BUNDLE): viewer/node_modules/.installed $(VIEWER_SOURCES)
	@echo "Building the viewer"
	@cd viewer && npm run --silent build -- --logLevel error
	@touch $@
