# Two commands matter: `make up` starts the exchange, `make test` shows that it is right.
# Exit codes of the programs below: 0 ok, 1 failed, 2 could not run (make itself says 2 for both;
# "Error 1" in its message is the program's).

PYTHON ?= python3
PY     := .venv/bin/python
export FAIRBOOK_STARTED := $(shell date +%s.%N)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup up down reset test test-redis check bench bench-peers verify psql tour chaos soak lock audit words

help:
	@echo "make up [DETACH=1]  start everything      make down    stop it      make reset  start afresh"
	@echo "make test           check and all tests   make check   lint, types, contracts"
	@echo "make verify         do the books tie?     make bench   measure      make tour   one minute's show"
	@echo "make audit          known holes in what we depend on (needs the network)"
	@echo "make words          take new texts into the catalogues of other languages"
	@echo "make psql           a database shell      make chaos   kill things  make soak   for hours"

setup:
	@$(PYTHON) exchange_site/ops/setup.py

up: setup
	@exec $(PY) -m exchange_site.ops.up $(if $(DETACH),--detach)

down: setup
	@$(PY) -m exchange_site.ops.down

reset: setup
	@$(PY) -m exchange_site.ops.down --reset

psql: setup
	@$(PY) -m exchange_site.ops.psql

check: setup
	@$(PY) -m exchange_site.ops.check

# First what needs the machine for itself: processes that are killed, markets that must answer in time.
# Then whole exchanges and browsers, two at a time; then the rest, which has servers of its own. In the
# order of their names, because files with few tests, which would come last otherwise, are the long ones.
ALONE := tests/faults/test_kills.py tests/faults/test_listing.py tests/faults/test_standing.py
WHOLE := tests/browser tests/journeys tests/ops/test_daphne.py tests/ops/test_stack.py tests/proofs/test_with_processes.py
TEST := $(PY) -m pytest -m "not chaos" --durations 15
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder
test: check
	$(TEST) $(ALONE)
	$(TEST) -n 2 $(SIDE_BY_SIDE) $(WHOLE)
	$(TEST) -n 3 $(SIDE_BY_SIDE) tests --ignore=tests/house $(ALONE:%=--ignore=%) $(WHOLE:%=--ignore=%)

# Asks the index about every pinned version; --strict, because without an answer it would say "fine".
audit: setup
	$(PY) -m pip_audit --strict --disable-pip --require-hashes -r requirements.txt

test-redis: setup
	$(PY) -m tests.helpers.with_redis $(PY) -m pytest -q tests/journals

verify: setup
	@$(PY) manage.py verify

bench: setup
	@$(PY) manage.py bench

# Public order books, for the bench alone, in an environment of their own.
bench-peers:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --require-hashes -r requirements-bench.txt

tour: setup
	@$(PY) manage.py tour

chaos: setup
	$(PY) -m pytest -m chaos --timeout 3600

soak: setup
	FAIRBOOK_SOAK=1 $(PY) -m pytest tests/engine tests/journals tests/replay tests/races --timeout 7200

# New or changed texts of pages and mails, into exchange_site/locale; it names what is not translated.
words: setup
	@$(PY) -m exchange_site.words update

# New versions: edit *.in, run this, read the diff. One resolution serves both files.
lock: setup
	uv pip compile --quiet --no-header --no-emit-index-url --universal --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt
	uv pip compile --quiet --no-header --no-emit-index-url --universal --python-version 3.11 --generate-hashes -c requirements-dev.txt requirements.in -o requirements.txt
	uv pip compile --quiet --no-header --no-emit-index-url --universal --python-version 3.11 --generate-hashes requirements-bench.in -o requirements-bench.txt
	npm install --package-lock-only --ignore-scripts
