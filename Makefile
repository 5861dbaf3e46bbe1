.PHONY: demo test check install clean
PYTHON ?= python3
BIN := .venv/bin

demo: .venv/.installed  ## the whole product on this machine: a real Kafka, a simulated call centre, a crash, an audit
	@$(BIN)/wolkvox-hits demo

test: .venv/.installed  ## everything: lint, types, unit, contract and integration tests on a real Kafka
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/pytest

check: .venv/.installed  ## the quick part: lint, types, unit tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/pytest -q tests/unit tests/meta

install: .venv/.installed

.venv/.installed: pyproject.toml
	@echo "installing wolkvox-hits into .venv (about half a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
