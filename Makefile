# Each target sets up what it needs. uv is used where it is there, else venv and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes of tests; three on two cores are no faster.
WORKERS ?= 2
HAS_UV := $(shell command -v uv 2>/dev/null)
# Modules that were imported once stay compiled, also where a machine has turned that off: else each start takes thrice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test suite coverage lab lint format bench lock docs handbook schema clean

help:  ## Say what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.ready  ## Run the battery dispatch of the demo site
	$(BIN)/ems run dispatch demo

# Tests wait for processes, browsers and locks now and then; the checks of types take what is idle meanwhile.
test: $(VENV)/.ready-test  ## Run all checks and tests
	@$(MAKE) --no-print-directory --jobs 2 lint suite

suite: $(VENV)/.ready-test
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

coverage: $(VENV)/.ready-test  ## Run all tests and say which lines they reach; takes twice as long
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov=ems --cov-report=term

lab: $(VENV)/.ready-lab  ## Open JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

lint: $(VENV)/.ready-test  ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready-test  ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready-test  ## Measure what is claimed about speed
	$(BIN)/python benchmarks/main_job.py
	$(BIN)/python -m benchmarks.dispatch
	$(BIN)/python benchmarks/register.py
	$(BIN)/python -m benchmarks.settlement
	$(BIN)/python -m benchmarks.measurements
	$(BIN)/python -m benchmarks.forecast
	$(BIN)/python -m benchmarks.batch

lock: $(VENV)/.ready-test  ## Write exact versions into constraints.txt; needs uv
	uv pip compile --universal --python-version 3.11 --extra dask --extra docs --extra lab --extra postgresql --extra test --upgrade --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml

docs: $(VENV)/.ready-test  ## Build the documents as a site in build/docs
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/docs
	@echo "open build/docs/index.html"

handbook: $(VENV)/.ready-test  ## Write docs/reference/register.md from the records
	$(BIN)/python -c "from ems.assets.handbook import handbook_text; print(handbook_text(), end='')" > docs/reference/register.md

schema: $(VENV)/.ready-test  ## Write ems/database/schema.sql from the records
	$(BIN)/python -c "from ems.database.schema import schema_text; print(schema_text(), end='')" > ems/database/schema.sql

clean:  ## Remove the environment and all that tools have left
	rm -rf $(VENV) .ems .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# --- setting up: a mark in the environment says which extras are installed from which versions
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ems needs Python 3.11 or newer; say PYTHON=/path/to/it")'
ifdef HAS_UV
	uv venv --quiet --python $(PYTHON) $(VENV)
else
	$(PYTHON) -m venv $(VENV)
endif

# Modules are compiled when they are first imported: most never are, and to compile all takes a minute.
define install
	@echo "installing $(1) into $(VENV) ..."
	$(if $(HAS_UV),uv pip install --quiet --python $(VENV),$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile) \
		--constraint constraints.txt --editable '$(1)'
	@touch $@
endef

$(VENV)/.ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(call install,.)

$(VENV)/.ready-lab: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(call install,.[lab])

$(VENV)/.ready-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(call install,.[test])
