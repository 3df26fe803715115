# The whole workflow, one word a task. `make run` and `make test` are all a newcomer needs.
.DEFAULT_GOAL := run
.PHONY: run test lint types servers bench chaos shots train wheel lock demo-reset clean

PYTHON ?= python3
V := .venv/bin

run: .venv/.runtime
	@$(V)/listener run --config config/demo.toml

test: .venv/.test
	@bash tests/run.sh

lint: .venv/.test
	$(V)/ruff check .
	$(V)/ruff format --check .
	$(V)/lint-imports

types: .venv/.test
	$(V)/mypy

servers:
	@bash tests/servers/install.sh

bench: .venv/.test
	$(V)/python tests/bench/run.py

chaos: .venv/.test
	CHAOS=1 $(V)/python -m pytest tests/test_crash.py -q -s
	$(V)/python tests/bench/run.py none

shots: .venv/.test
	$(V)/python tests/shots.py

train:
	@bash models/training/train.sh

wheel: .venv/.test
	$(V)/python -m uv build --wheel --out-dir dist

lock: .venv/.uv
	$(V)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --quiet --upgrade pyproject.toml -o requirements.lock
	$(V)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --quiet pyproject.toml --group test -c requirements.lock -o requirements-test.lock

demo-reset:
	rm -rf var/demo
	@echo "The demo starts afresh at the next make run."

clean:
	rm -rf .venv dist .servers .shots

# Built anew when the project's metadata or a lock changes: entry points live in the metadata.
.venv/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Listener needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "This Python has no venv module. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(V)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-uv.lock
	@touch $@

.venv/.runtime: .venv/.uv pyproject.toml requirements.lock
	@echo "Installing Listener into .venv (a minute or two the first time) ..."
	@$(V)/uv pip install --quiet --compile-bytecode --python $(V)/python --require-hashes -r requirements.lock
	@$(V)/uv pip install --quiet --python $(V)/python --no-deps --editable .
	@touch $@

.venv/.test: .venv/.runtime requirements-test.lock
	@echo "Installing what the tests need ..."
	@$(V)/uv pip install --quiet --compile-bytecode --python $(V)/python --require-hashes -r requirements-test.lock
	@touch $@
