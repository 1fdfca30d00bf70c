# Everything needs Python 3.11 or later with venv, and nothing else; the first run installs into .venv.
#
#   make up BUILD=path/to/output    watch a build folder, publish it, serve it (without BUILD: a tiny sample build)
#           STORE=... LISTEN=...    where the store lies (./symbols), where to answer (127.0.0.1:8390)
#   make test                       the gate: format, lint, types, floors, tests with coverage
#   make interop                    the same against real debuggers, servers and databases
#   make prove                      hours: crash rounds, fuzzing, soaks
#   make bench                      how fast, as ratios to peers measured in the same run

PYTHON ?= python3
VENV ?= .venv
BUILD ?= sample/build
STORE ?=
LISTEN ?=

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet -c constraints.txt

# A bucket needs its own packages.
EXTRA := $(if $(findstring s3://,$(STORE)),s3)$(if $(findstring gs://,$(STORE)),gcs)

.PHONY: help up test lint format interop prove bench constraints clean distclean
help:
	@sed -n 's/^#   //p' Makefile

$(VENV)/.made:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	    { echo "symsrv needs Python 3.11 or later; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	    { echo "this Python cannot make a venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.run-$(EXTRA): $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing symsrv into $(VENV) ..."
	@$(PIP) -e ".$(if $(EXTRA),[$(EXTRA)])"
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing symsrv and what its tests need into $(VENV) ..."
	@$(PIP) -e ".[test]"
	@touch $@ $(VENV)/.run- $(VENV)/.run-s3 $(VENV)/.run-gcs

$(VENV)/.prove: $(VENV)/.test
	@$(PIP) -e ".[prove]"
	@touch $@

up: $(VENV)/.run-$(EXTRA)
	@$(BIN)/symsrv up "$(BUILD)" $(if $(STORE),--store "$(STORE)") $(if $(LISTEN),--listen "$(LISTEN)")

lint: $(VENV)/.test
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(BIN)/lint-imports

test: lint
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest -n auto --dist worksteal
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

format: $(VENV)/.test
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

interop: $(VENV)/.test
	bash tests/interop/install.sh
	$(PY) -m pytest -m interop -ra tests
	SYMSRV_PEERS=1 $(PY) -m pytest -ra tests/ledger  # again, and now PostgreSQL has to be there

prove: $(VENV)/.prove
	$(PY) tests/fuzz/run.py 60
	$(PY) -m pytest -m prove -ra -s tests

bench: $(VENV)/.test
	$(PY) bench/identify.py
	$(PY) bench/add.py
	$(PY) bench/serve.py
	$(PY) bench/watch.py
	$(PY) bench/pull.py

constraints: $(VENV)/.made
	@$(PIP) uv
	@sed -n '/^#/p' constraints.txt > constraints.new
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --extra test --upgrade \
	    --no-header --no-annotate --no-emit-package symsrv pyproject.toml >> constraints.new
	@mv constraints.new constraints.txt

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*

distclean: clean
	rm -rf $(VENV)
