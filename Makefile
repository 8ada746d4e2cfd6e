# make test      lint, types, the site, the test-suite, and the SDK matrix; sets everything up first
# make servers   what depends on the server's version, on MongoDB 4.4, 5.0 and 6.0.27
# make demo      the main job, end to end, with the real SDK, offline
# make docs      docs/reference/cli.md, from the commands themselves, and the diagrams
# make site      the documentation's site, in .site; a broken link is an error
# make dist      the sdist and the wheel, checked, and a part of the tests from the unpacked sdist
# make coverage  the suite with its coverage; less than the floor is an error
# make lowest    what depends on other packages, on the lowest versions of them
# make bench     benchmarks/RESULTS.md and its plots, on a quiet machine
# make bench-quick  the same, small, into .benchmarks: shows that all of it works
PYTHON ?= python3
MATRIX := 5 6 7
ENVIRONMENTS := .venv .venv-bench $(MATRIX:%=.venv-crm%)
# More than there are cores: many tests wait for a server, a time-out or an election.
WORKERS ?= 6
# How often a failed test runs again. Its first failure is printed in full.
RERUNS ?= 0
PARALLEL := -n $(WORKERS) --dist worksteal --reruns $(RERUNS) --rerun-show-tracebacks
# What depends on the SDK's line: its calls, the contract, and the refresh that they lead to.
SDK_TESTS := tests/sdk tests/login tests/test_contract.py $(wildcard $(addprefix tests/refresh/test_,\
	intercept.py fleet.py grant.py attempt.py takeover.py))
# What depends on the server's version. PyPI carries these versions for x86-64 Linux.
SERVERS := 4.4.2 5.0.4 6.0.27
SERVER_TESTS := tests/test_contract.py tests/driver/test_indexes.py tests/driver/test_names.py \
	tests/errors/test_answers.py tests/storage/test_upsert.py \
	tests/refresh/test_leases.py tests/refresh/test_fleet.py tests/transfer \
	tests/encryption/test_contract.py
# What can be seen in a minute to be missing from the sdist.
DIST_TESTS := tests/model tests/test_project.py tests/docs/test_readme.py tests/docs/test_reference_pages.py
# What depends on the versions of other packages.
LOWEST_TESTS := tests/test_contract.py tests/driver tests/storage tests/refresh tests/encryption \
	tests/commands tests/transfer
# In percent of the lines, of what the tests run in their own process.
FLOOR := 50

BENCHMARKS := .venv-bench/bin/python -m pytest benchmarks --timeout 600 --benchmark-columns median,iqr,rounds

.PHONY: test lint types audit suite matrix servers demo docs site dist coverage lowest bench bench-quick clean

test: lint types audit site suite matrix

.venv/.stamp: EXTRAS := crm8,dev
.venv-bench/.stamp: EXTRAS := crm8,suite,mysql,bench
.venv-crm%/.stamp: EXTRAS = $(@D:.venv-%=%),suite

# The tests start thousands of short processes. Without bytecode each compiles all it imports anew.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

# By uv, which is quick; by pip where the index is one that only pip's own settings name.
$(ENVIRONMENTS:%=%/.stamp): pyproject.toml
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(@D)/bin/uv pip install --quiet --python $(@D) --editable '.[$(EXTRAS)]' || \
		$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
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
	.venv/bin/python -m pytest $(PARALLEL)

matrix: $(MATRIX:%=matrix-%)

matrix-%: .venv-crm%/.stamp
	.venv-crm$*/bin/python -m pytest $(PARALLEL) $(SDK_TESTS)

ifeq ($(shell uname -sm),Linux x86_64)
servers: $(SERVERS:%=server-%)
else
servers:
	@echo "make servers skipped: PyPI carries MongoDB $(SERVERS) for x86-64 Linux only"
endif

# A replica set of one, then a standalone server; the run fails if the version is another.
server-%: export ZOHO_MONGO_MONGOD = $(CURDIR)/.servers/$*/mongod
server-%: export ZOHO_MONGO_TEST_VERSION = $*
server-%: export ZOHO_MONGO_TEST_URI =
server-%: .venv/.stamp
	.venv/bin/python tests/fetch_servers.py .servers $*
	.venv/bin/python -m pytest $(PARALLEL) -k 'not mongomock' $(SERVER_TESTS)
	ZOHO_MONGO_TEST_TOPOLOGY=standalone \
		.venv/bin/python -m pytest $(PARALLEL) -k 'not mongomock' tests/test_contract.py

demo: .venv/.stamp
	.venv/bin/zoho-mongo-store demo

docs: .venv/.stamp
	.venv/bin/python docs/create_cli_reference.py
	.venv/bin/python docs/draw_diagrams.py

site: export NO_MKDOCS_2_WARNING = 1
site: .venv/.stamp
	.venv/bin/mkdocs build --quiet

dist: .venv/.stamp
	rm -rf dist
	.venv/bin/python -m build --no-isolation
	.venv/bin/twine check --strict dist/*
	mkdir dist/unpacked
	tar --extract --file dist/*.tar.gz --directory dist/unpacked --strip-components 1
	cd dist/unpacked && ../../.venv/bin/python -m pytest -n 2 $(DIST_TESTS)

# From Python 3.12 on, sys.monitoring counts at little cost.
coverage: export COVERAGE_CORE ?= sysmon
coverage: .venv/.stamp
	.venv/bin/python -m pytest $(PARALLEL) --cov --cov-fail-under $(FLOOR) --cov-report term

# The lowest version of each dependency that pyproject.toml names.
lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest --resolution lowest-direct \
		--editable '.[crm8,suite]'
	.venv-lowest/bin/python -m pytest $(PARALLEL) $(LOWEST_TESTS)

bench: .venv-bench/.stamp
	mkdir -p .benchmarks
	$(BENCHMARKS) --benchmark-json .benchmarks/run.json
	.venv-bench/bin/python -m benchmarks.report .benchmarks/run.json benchmarks

bench-quick: .venv-bench/.stamp
	mkdir -p .benchmarks
	$(BENCHMARKS) --quick --benchmark-json .benchmarks/quick.json
	.venv-bench/bin/python -m benchmarks.report .benchmarks/quick.json .benchmarks

clean:
	rm -rf .venv .venv-* .servers .site .pytest_cache .mypy_cache .ruff_cache .hypothesis
