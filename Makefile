# Each verb sets up what it needs in .venv; a second run finds it there.
# It needs Python >= 3.10 with venv, and the package index at the first run.

PYTHON ?= python3
# Passed on to pytest by test and cov: make test ARGS="-k splitter"; and to the benchmarks: ARGS=--quick
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# What mypy looks at, of what there is.
TYPED := $(wildcard src tests examples benchmarks conftest.py)

.DEFAULT_GOAL := help
.PHONY: help demo test check cov docs bench bench-compare bench-pythons clean
# Two installs at once into one environment would get in each other's way.
.NOTPARALLEL:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## one protocol over real sockets, on every backend
	@$(BIN)/termsplit demo

test: $(VENV)/.test ## the tests, and every example of the README, the docs and the docstrings
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.check ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/pyright --warnings

cov: $(VENV)/.test ## the tests with branch coverage; the core must be covered whole
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage report
	@echo "The core:"
	@$(BIN)/coverage report --include='src/termsplit/_*.py' --omit='*/__main__.py' --fail-under=100

docs: $(VENV)/.docs ## the documentation, into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -n -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/.bench ## side by side with the peers, a quarter of an hour; ARGS=--quick, two minutes
	$(BIN)/python -m benchmarks $(ARGS)

bench-compare: $(VENV)/.bench ## what changed since an earlier run: BASE=base.json, and NEW=new.json or a new run
	@test -n "$(BASE)" || { echo "make bench-compare BASE=FILE: the JSON file of an earlier make bench"; exit 2; }
	$(if $(NEW),,$(BIN)/python -m benchmarks $(ARGS) --output build/bench/new.json)
	$(BIN)/python -m pyperf compare_to --table --min-speed 5 $(BASE) $(or $(NEW),build/bench/new.json)

bench-pythons: $(VENV)/.bench ## the quick form on every Python at hand, and the figures of each for the documentation
	@rm -f build/bench/python-*.json
	@set -e; .ci/pythons | while read -r version _ level python; do \
		if [ "$$level" = final ]; then \
			$(MAKE) VENV=build/bench/env-$$version PYTHON=$$python bench \
				ARGS="--quick --output build/bench/python-$$version.json $(ARGS)" </dev/null; \
		fi; \
	done
	$(BIN)/python -m benchmarks --page docs/explanation/benchmarks --pythons $$(ls -v build/bench/python-*.json)

clean: ## removes all that the other verbs made
	rm -rf $(VENV) docs/_build build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	rm -rf __pycache__

# A stamp is older than pyproject.toml when what it stands for may have changed.
# pip learnt dependency groups in 25.1.
$(VENV)/.base:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("termsplit needs Python 3.10 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

INSTALL = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check

$(VENV)/.demo: pyproject.toml $(VENV)/.base
	@echo "Installing what the demo needs"
	@$(INSTALL) -e '.[anyio,asyncore,cli,trio]'
	@touch $@

$(VENV)/.test $(VENV)/.check $(VENV)/.bench: $(VENV)/.%: pyproject.toml $(VENV)/.base
	@echo "Installing the dependency group $*"
	@$(INSTALL) -e . --group $*
	@touch $@

# The reference imports every backend.
$(VENV)/.docs: pyproject.toml $(VENV)/.base
	@echo "Installing the dependency group docs"
	@$(INSTALL) -e '.[anyio,asyncore,testing,trio]' --group docs
	@touch $@
