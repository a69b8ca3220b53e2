# What a person types; `make help` lists it. Needs git, make and Python 3.11 or
# newer; everything else is installed into .venv, as requirements.lock names it.

VENV := .venv
BIN := $(VENV)/bin
# Touched when all is installed, so that it happens once.
INSTALLED := $(VENV)/.installed
# Tried in this order; name your own by `make PYTHONS=/path/to/python …`.
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
TIERS := tests/unit tests/contract tests/integration tests/acceptance
RESOLVE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-strip-extras --no-annotate --no-header --extra postgresql --group dev

.DEFAULT_GOAL := help
.PHONY: help demo test test-long fuzz check format bench bench-relevance docs pictures \
	messages lock clean

help:  ## list what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED)  ## the whole pipeline on bundled samples, offline, into outbox/demo/
	@$(BIN)/newsletter demo

test: $(INSTALLED)  ## every test but the long ones, and the coverage gates
	@mkdir -p build
	$(BIN)/python -m pytest $(TIERS) -m "not long" -n auto --dist worksteal \
		--cov --cov-report=json:build/coverage.json
	$(BIN)/python -m tests.gates build/coverage.json

# pytest ends with 5 where there was nothing to run.
test-long: $(INSTALLED)  ## the tests that `make test` has no time for
	@$(BIN)/python -m pytest $(TIERS) -m long -n auto --dist worksteal --timeout 3600; \
	code=$$?; \
	if [ $$code -eq 5 ]; then echo "make: no test is marked long"; exit 0; fi; \
	exit $$code

fuzz: $(INSTALLED)  ## a minute of damaged documents for every parser (SECONDS=600: ten)
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

check: $(INSTALLED)  ## format, lint, types, who may know whom, documentation, lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/build.py --check
	@mkdir -p build
	@echo "is requirements.lock what pyproject.toml asks for?"
	@cp requirements.lock build/requirements.lock
	@$(RESOLVE) --offline -o build/requirements.lock pyproject.toml 2>/dev/null \
	|| { cp requirements.lock build/requirements.lock \
	&& $(RESOLVE) -o build/requirements.lock pyproject.toml; }
	@cmp -s requirements.lock build/requirements.lock \
	|| { echo "requirements.lock is stale: run make lock" >&2; exit 1; }

format: $(INSTALLED)  ## format the code and mend what can be mended safely
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(INSTALLED)  ## measure, each figure beside its baseline
	$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' \
		-p no:randomly -p no:cacheprovider --timeout 900

bench-relevance: $(INSTALLED)  ## how well matching finds what concerns a reader (CORPUS=folder)
	$(BIN)/python -m tests.benchmarks.relevance $(CORPUS)

docs: $(INSTALLED)  ## check every link and write docs/reference/commands.md
	$(BIN)/python docs/build.py

messages: $(INSTALLED)  ## gather the frame's messages into all catalogues (LANGUAGE=fr: a new one)
	$(BIN)/python -m tests.messages $(if $(LANGUAGE),--new $(LANGUAGE))

pictures: $(INSTALLED)  ## mails as readers see them, into docs/pictures/mails/; needs Chromium and node
	$(BIN)/python docs/pictures.py

lock: $(INSTALLED)  ## bring requirements.lock up to what pyproject.toml asks for
	$(RESOLVE) -o requirements.lock pyproject.toml

clean:  ## remove what was built and measured; .venv and outbox stay
	rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .pytest_cache \
		.mypy_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@for name in $(PYTHONS); do \
		python=$$("$$name" -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")' 2>/dev/null); \
		if [ -n "$$python" ]; then break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "make: no Python 3.11 or newer among: $(PYTHONS)" >&2; \
		echo "make: install one, or name it: make PYTHONS=/path/to/python" >&2; \
		exit 1; \
	fi; \
	echo "make: a virtual environment in $(VENV), of $$python"; \
	if uv --version >/dev/null 2>&1; then \
		uv venv --quiet --clear --python "$$python" $(VENV); \
	else \
		"$$python" -m venv --clear $(VENV) || { \
			rm -rf $(VENV); \
			echo "make: $$python cannot make one (Debian: install python3-venv)" >&2; \
			exit 1; \
		}; \
	fi

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo "make: installing what requirements.lock names"
	@if uv --version >/dev/null 2>&1; then \
		install="uv pip install --quiet --python $(BIN)/python"; \
	else \
		$(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| $(BIN)/python -m ensurepip >/dev/null || exit 1; \
		install="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; \
	fi; \
	$$install --require-hashes -r requirements.lock \
	&& $$install --no-deps --no-build-isolation -e .
	@touch $@
