# make play    sets up and plays a game in the browser         make bench   speeds of this machine
# make test    sets up and runs the tests                      make lint    style
# make test-slow   the long tests                              make clean   removes what the others made
#
# Everything lives in .venv. Set-up also compiles the kernels, so that a first move never waits for the compiler.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
BIN := .venv/bin

.PHONY: play test test-slow bench lint clean

play: .venv/playing
	$(BIN)/goengine web --or-terminal

bench: .venv/playing
	$(BIN)/goengine bench

test: .venv/testing
	$(BIN)/python -m pytest

test-slow: .venv/testing
	$(BIN)/python -m pytest -m slow

lint: .venv/testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/playing: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[web,vision]'
	$(BIN)/goengine warmup
	touch $@

.venv/testing: pyproject.toml .venv/playing
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train,test,web,vision]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
