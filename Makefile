# The only two commands that a fresh machine needs: make demo, make test. Python 3.11 or later is all they ask for.
.PHONY: help demo test check bench simulate freezes chaos soak matrix pythons pictures install lock clean
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

ifeq ($(OS),Windows_NT)
$(error wolkvox-hits runs on Linux and macOS; on Windows install WSL 2 (wsl --install) and type the command there)
endif

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: .venv/.installed  ## the whole product here: a real Kafka, a simulated call centre, a crash, an outage, an audit
	@$(BIN)/wolkvox-hits demo

test: .venv/.installed  ## everything: lint, types, unit, contract and integration tests on a real Kafka
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m producer.demo.broker.archive
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

check: .venv/.installed  ## the quick part: lint, types, unit and meta tests
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check . && $(BIN)/mypy
	@$(BIN)/pytest -q -n 2 tests/unit tests/meta

bench: .venv/.installed  ## the benchmarks: ratios taken in one run
	@$(BIN)/python -m tests.benchmarks

simulate: .venv/.installed  ## the seeded simulation on all cores: make simulate SEEDS=10000
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) --from $(or $(FROM),0)

freezes: .venv/.installed  ## a broker that freezes fifty times: nothing of what was given up is left
	@FREEZES=$(or $(FREEZES),50) $(BIN)/pytest -q tests/integration/service/test_freezes.py

chaos: .venv/.installed  ## three real brokers, two instances, everything goes wrong: make chaos MINUTES=10 SEED=7
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

soak: .venv/.installed  ## weeks of work in an hour: segments, retention, ids and certificates that last seconds: make soak MINUTES=60
	@$(BIN)/python -m tests.chaos.soak --minutes $(or $(MINUTES),60) $(if $(PLANTED),--planted $(PLANTED))

matrix: .venv/.installed  ## what depends on the broker, on each Apache Kafka from 3.7 on: make matrix VERSIONS="3.9.2 4.4.0"
	@$(BIN)/python -m tests.matrix $(VERSIONS)

pythons: .venv/.installed  ## the wheel, the quick tests and a run on a broker with each Python found here (needs uv)
	@$(BIN)/python -m tests.matrix.pythons $(VERSIONS)

pictures: .venv/.installed  ## the documents' pictures anew, by the tests that look at them (needs chromium)
	@PICTURES=docs/pictures $(BIN)/pytest -q tests/integration/test_pictures.py -k 'not document'

install: .venv/.installed  ## the virtual environment in .venv, with everything that the commands above need

# Each thing that may be missing is named in one line, with what to do.
.venv/.installed: pyproject.toml requirements-dev.lock
	@command -v $(PYTHON) >/dev/null || { echo "there is no $(PYTHON) here: install Python 3.11 or later," \
	  "or name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "wolkvox-hits needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) came without the venv module:" \
	  "install it (Debian and Ubuntu: apt install python3-venv) and type the command again"; exit 1; }
	@echo "installing into .venv, about half a minute ..."
	@$(PYTHON) -m venv .venv
	@{ $(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock && \
	   $(BIN)/pip install --disable-pip-version-check --no-deps --no-build-isolation -e .; } \
	  > .venv/pip.log 2>&1 || { echo "the packages could not be installed, .venv/pip.log says why." \
	  "pip needs a network that reaches PyPI, or a mirror: PIP_INDEX_URL=https://... make $(MAKECMDGOALS)"; exit 1; }
	@touch $@

lock:  ## resolve the dependencies anew, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --extra compression pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --extra dev pyproject.toml -o requirements-dev.lock
	echo 'hatchling>=1.26,<2' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-header --constraint requirements-dev.lock - -o ops/docker/build.lock

clean:  ## remove what the commands above made
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
