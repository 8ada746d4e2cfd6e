# make test   lint, types, the test-suite, and the SDK matrix; sets everything up first
# make demo   the main job, end to end, with the real SDK, offline
# make docs   docs/cli.md, from the commands themselves
# make bench  benchmarks/RESULTS.md and its plots
PYTHON ?= python3
MATRIX := 5 6 7
WORKERS ?= 4
# What depends on the SDK's line: its calls, the contract, and the refresh that they lead to.
SDK_TESTS := tests/sdk tests/test_contract.py $(wildcard $(addprefix tests/refresh/test_,\
	intercept.py fleet.py grant.py redeemer.py takeover.py))

.PHONY: test lint types audit suite matrix demo docs bench clean

test: lint types audit suite matrix

.venv/.stamp: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[crm8,dev]'
	touch $@

.venv-crm%/.stamp: pyproject.toml
	$(PYTHON) -m venv .venv-crm$*
	.venv-crm$*/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[crm$*,suite]'
	touch $@

.venv-bench/.stamp: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[crm8,suite,mysql,bench]'
	touch $@

lint: .venv/.stamp
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/.stamp
	.venv/bin/mypy

# Advisories are asked of their database where one can be reached.
audit: .venv/.stamp
	.venv/bin/bandit --quiet --recursive --severity-level medium zoho_mongo_store
	@if .venv/bin/python -c 'import socket; socket.create_connection(("api.osv.dev", 443), 5).close()' 2>/dev/null; \
	then .venv/bin/pip-audit --skip-editable --progress-spinner off --vulnerability-service osv; \
	else echo "pip-audit skipped: no advisory database can be reached"; fi

suite: .venv/.stamp
	.venv/bin/python -m pytest -n $(WORKERS) --dist worksteal

matrix: $(MATRIX:%=matrix-%)

matrix-%: .venv-crm%/.stamp
	.venv-crm$*/bin/python -m pytest -n $(WORKERS) --dist worksteal $(SDK_TESTS)

demo: .venv/.stamp
	.venv/bin/zoho-mongo-store demo

docs: .venv/.stamp
	.venv/bin/python docs/create_cli_reference.py

bench: .venv-bench/.stamp
	mkdir -p .benchmarks
	.venv-bench/bin/python -m pytest benchmarks --timeout 600 --benchmark-json .benchmarks/run.json \
		--benchmark-columns median,iqr,rounds
	.venv-bench/bin/python -m benchmarks.report .benchmarks/run.json

clean:
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis
