# The commands of the project. `make run` and `make test` work from a fresh clone; nothing else needs to be installed first
# but Python 3.11, Node.js 20 and a C library; see README.md.

PYTHON := .venv/bin/python
NAME ?=
ARGUMENTS ?=

.PHONY: run test setup check bench chaos drill spark lock schema screenshots format clean

run: ## Set up what is missing and start the studio with the demo city (PORT=8000)
	@scripts/setup.sh run
	@DEMO=$${DEMO:-1} exec $(PYTHON) manage.py up

setup: ## Everything that running, testing and checking need
	@scripts/setup.sh dev

test: ## All tests, on real services and in a real browser
	@scripts/setup.sh dev
	@scripts/test.sh

check: ## Format, lint, types and import contracts of both languages; under 50 s
	@scripts/check.sh

bench: ## Measure against peers and physical limits: make bench NAME=d1,flow
	@scripts/setup.sh dev
	@$(PYTHON) -m tests.bench $(NAME)

chaos: ## Kill, freeze, fill and cut off at every failpoint: make chaos ARGUMENTS="--kills 20000 --seed 7"
	@scripts/setup.sh dev
	@scripts/services.sh
	@$(PYTHON) -m tests.chaos $(ARGUMENTS)

drill: ## Upgrade drill: a worker of an older version beside this one: make drill ARGUMENTS="--before COMMIT"
	@scripts/setup.sh dev
	@$(PYTHON) -m tests.hosts.drill $(ARGUMENTS)

spark: ## A real Apache Spark (needs Java 17) and all tests of stages on Spark: make spark
	@scripts/setup.sh dev
	@$(PYTHON) -m tests.integration.spark.drill

lock: ## Turn requirements*.in and package.json into locked files
	@scripts/lock.sh

schema: ## Write the JSON Schemas, the API description and the option table to docs/
	@scripts/setup.sh dev
	@$(PYTHON) manage.py schemas --folder docs

screenshots: ## Pictures of every page in both languages and themes, to docs/screenshots
	@scripts/setup.sh dev
	@$(PYTHON) -m tests.e2e.screenshots

format: ## Put both languages into their usual form
	@.venv/bin/ruff check --fix-only --quiet . && .venv/bin/ruff format --quiet .
	@cd frontend && npx oxfmt src lint

clean: ## Remove what was built and cached; the data folder stays
	rm -rf .venv frontend/node_modules frontend/dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
