# make app    sets up .venv when needed and serves the page (PORT=7861 make app for another port)
# make test   the same with the developers' tools, then style, types and tests, browser tests included
# make lint   style and types alone

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: app test lint clean

app: $(VENV)/.app-ready
	@$(BIN)/python app.py

test: lint
	@$(BIN)/python -c "from tests.browser import chromium; \
	print('browser tests run with', chromium() or 'NOTHING: no Chromium was found, so they are skipped')"
	@$(BIN)/python -m pytest

lint: $(VENV)/.dev-ready
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy

# A stamp per list of requirements: pip runs again only when the list changes.
$(VENV)/.app-ready: requirements.txt | $(BIN)/python
	@echo "Installing what the app needs; the first time this takes some minutes."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev-ready: requirements.txt requirements-dev.txt training/requirements.txt | $(BIN)/python
	@echo "Installing what the tests need; the first time this takes some minutes."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.app-ready

# Debian's python3 may come without ensurepip; virtualenv does the same job.
$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); \
	$(PYTHON) -m pip install --quiet --user --break-system-packages virtualenv && $(PYTHON) -m virtualenv --quiet $(VENV); }

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
