# SoundScore: `make run` serves, `make test` tests. Needs Python 3.11 or later; everything else goes into .venv.
.POSIX:
.PHONY: help run test test-external check lock generate bench chaos clean

PYTHON =
WORKERS = auto
ARGS =
BIN = .venv/bin
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadscope
COMPILE = $(BIN)/uv pip compile pyproject.toml -q --universal --python-version 3.11 --generate-hashes --no-header

help:
	@echo 'make run            set up, start everything, serve on http://127.0.0.1:8000 (PORT=9000 make run)'
	@echo 'make test           the whole suite (ARGS="tests/core -x" for a part, WORKERS=2 for fewer processes)'
	@echo 'make test-external  the same on DATABASE_URL and REDIS_URL; the role must be able to create databases'
	@echo 'make check          style, types, import directions, and whether generated files are up to date'
	@echo 'make generate       write openapi.json, docs/asyncapi.json and .env.example again'
	@echo 'make lock           pin the requirements of pyproject.toml again (ARGS=--upgrade for newer versions)'
	@echo 'make bench          speed and memory against the limits of this machine (ARGS=--small for a short run)'
	@echo 'make chaos          the long tests: killed processes, hung databases, thousands of messages'
	@echo 'make clean          remove .venv and caches; the data folder stays'

run: .venv/requirements.txt
	@exec $(BIN)/python -m app serve $(ARGS)

test: .venv/requirements-dev.txt
	@exec $(PYTEST) $(ARGS)

test-external: .venv/requirements-dev.txt
	@: "$${DATABASE_URL:?set it to a PostgreSQL 15 or later}" "$${REDIS_URL:?set it to a Redis 7 or later}"
	@exec $(PYTEST) $(ARGS)

check: .venv/requirements-dev.txt
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check . || { echo 'Some files are not formatted: .venv/bin/ruff format .' >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > .venv/imports.log || { cat .venv/imports.log >&2; exit 1; }
	@BIN=$(BIN) COMPILE='$(COMPILE)' sh .ci/drift

lock: .venv/requirements-dev.txt
	@$(COMPILE) $(ARGS) -o requirements.txt
	@$(COMPILE) $(ARGS) --group dev -o requirements-dev.txt

generate: .venv/requirements-dev.txt
	@$(BIN)/python -m app openapi --output openapi.json
	@$(BIN)/python -m app asyncapi --output docs/asyncapi.json
	@$(BIN)/python -m app env --output .env.example

bench: .venv/requirements-dev.txt
	@$(BIN)/python -m bench $(ARGS)
	@$(BIN)/python -m bench.sockets

chaos: .venv/requirements-dev.txt
	@exec $(BIN)/python -m pytest -m slow $(ARGS)

clean:
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	@find app tests alembic -name __pycache__ -prune -exec rm -rf {} +

# The copy in .venv says what is installed there.
.venv/requirements.txt: requirements.txt $(BIN)/python
	@sh .ci/install requirements.txt

.venv/requirements-dev.txt: requirements-dev.txt $(BIN)/python
	@sh .ci/install requirements-dev.txt

$(BIN)/python:
	@PYTHON='$(PYTHON)' sh .ci/venv
