# What people and CI run. Each target makes what it needs: `make run` and `make test` work on a fresh clone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV ?= .venv
WORKERS ?= 2
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet install
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate
FLINK := $(or $(JIANHU_CACHE),$(HOME)/.cache/jianhu)/flink
BENCH_VENV := $(or $(JIANHU_CACHE),$(HOME)/.cache/jianhu)/bench-venv
FOLDERS := sensors streams alerts dashboards simulators jianhu scripts tests benchmarks

.PHONY: help run test check lint types contracts format services services-up bench bench-flink soak lock clean

help: ## say what there is
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

run: $(VENV)/.ready-run ## start everything on this machine with a simulated region; needs Python alone
	@$(VENV)/bin/jianhu up $(ARGS)

test: check services ## everything: check, then all tests; says at the end what it could not run
	$(VENV)/bin/python -m pytest -n $(WORKERS) $(ARGS)

check: lint types contracts ## what needs no running: style, types, who may import whom

lint: $(VENV)/.ready-dev
	$(VENV)/bin/ruff check $(wildcard $(FOLDERS))
	$(VENV)/bin/ruff format --check $(wildcard $(FOLDERS))

types: $(VENV)/.ready-dev
	$(VENV)/bin/mypy

contracts: $(VENV)/.ready-dev
	$(VENV)/bin/lint-imports

format: $(VENV)/.ready-dev ## write the code as the formatter wants it
	$(VENV)/bin/ruff check --fix $(wildcard $(FOLDERS))
	$(VENV)/bin/ruff format $(wildcard $(FOLDERS))

services: ## make Kafka, InfluxDB, Chromium, PostgreSQL and Alertmanager ready for the tests (the first time some 6 minutes)
	@$(FIND_PYTHON); "$$python" scripts/prepare.py

services-up: services ## run Kafka and InfluxDB in the foreground, for trying things out
	@$(FIND_PYTHON); exec "$$python" scripts/services.py up $(ARGS)

bench: $(VENV)/.ready-dev services $(BENCH_VENV)/.ready ## measure: packets a second beside Quix Streams, and time to the first page
	$(VENV)/bin/python -m benchmarks stream $(ARGS)
	$(VENV)/bin/python -m benchmarks page

bench-flink: $(FLINK)/.ready ## make Flink ready (1 GB, Java and Maven), so that `make bench` measures beside it too

soak: $(VENV)/.ready-dev services ## the long forms of the tests
	JIANHU_SOAK=1 $(VENV)/bin/python -m pytest -m slow $(ARGS)

lock: ## resolve the dependencies again (needs uv)
	$(COMPILE) --extra build -o requirements.lock pyproject.toml
	$(COMPILE) --extra build --extra dev --constraint requirements.lock -o requirements-dev.lock pyproject.toml
	$(COMPILE) --group bench -o requirements-bench.lock
	$(COMPILE) --group flink -o requirements-flink.lock

clean: ## take away what was made in this checkout; what services use stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A shell line that sets $python to a Python that is new enough, or stops with a sentence.
define FIND_PYTHON
python=; for name in "$${PYTHON:-python3.11}" python3.12 python3.13 python3 python; do \
	if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then \
	echo "jianhu needs Python 3.11 or newer; none was found in PATH (PYTHON=/path/to/python makes another one known)" >&2; \
	exit 1; fi
endef

$(VENV)/bin/python:
	@$(FIND_PYTHON); "$$python" -m venv $(VENV)

$(VENV)/.ready-run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what jianhu needs into $(VENV) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The tests' lock holds the same versions and more: it makes the other stamp true too.
$(VENV)/.ready-dev: requirements-dev.lock requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what jianhu and its tests need into $(VENV) …"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.ready-run $@

# Quix Streams in an environment of its own, outside the checkout: it cannot live in ours.
$(BENCH_VENV)/.ready: requirements-bench.lock
	@$(FIND_PYTHON); "$$python" -m venv --clear $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-bench.lock
	@touch $@

# Flink likewise, with the connector for Kafka, which is no part of it.
$(FLINK)/.ready: requirements-flink.lock
	@$(FIND_PYTHON); "$$python" -m venv --clear $(FLINK)/venv
	@$(FLINK)/venv/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-flink.lock
	@mvn -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory=$(FLINK) \
		-Dartifact=org.apache.flink:flink-sql-connector-kafka:3.2.0-1.19
	@touch $@
