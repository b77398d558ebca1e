# Everything needs only make and Python 3.11 to 3.14; scripts/venv.sh sets up .venv at first use.
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench integration chaos fuzz mutation venv run-venv lock clean

# The environment says which address; an empty value means the default.
host = $(or $(HOST),127.0.0.1)
port = $(or $(PORT),8000)
export PYTHON

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: run-venv ## start the service on http://127.0.0.1:8000 (PORT=... HOST=... override)
	@exec .venv/bin/dystonia-cds serve --host "$(host)" --port "$(port)"

test: venv ## run the whole test suite, the walls between the packages first
	.venv/bin/lint-imports --no-logo
	.venv/bin/python -m pytest

lint: venv ## check style, types and imports
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --strict
	.venv/bin/lint-imports --no-logo

format: venv ## put the code into its usual form
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

bench: venv ## run the benchmarks
	.venv/bin/python -m benchmarks

integration: venv ## test against real FHIR servers and broken ones, at most five minutes
	.venv/bin/python -m pytest tests/integration -m "not chaos"

chaos: venv ## the same with every fault against every service
	.venv/bin/python -m pytest tests/integration

fuzz: venv ## a million mutated requests, 100,000 mutated tokens, 100,000 calls with others' data (FUZZ="--minutes 30")
	.venv/bin/python -m tests.support.mutated --count 100000
	.venv/bin/python -m tests.fuzz.memory_image
	.venv/bin/python -m tests.fuzz.canaries --count 10000
	.venv/bin/python -m tests.fuzz.wrong_patient
	.venv/bin/python -m tests.fuzz --count 1000000 --keep fuzz-failures $(FUZZ)

mutation: venv ## change plugin/ in many small places, one at a time (MUTATION="--sample 300 --seed 7")
	PYTHONPATH=. .venv/bin/python scripts/mutation.py --show $(MUTATION)

venv: ## set up .venv and nothing else (PYTHON=... chooses the interpreter)
	@scripts/venv.sh dev

run-venv:
	@scripts/venv.sh run

lock: ## compile the locks anew from pyproject.toml (needs uv; UPGRADE=1 takes newer versions)
	@scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## remove .venv and everything else that can be made again
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
