# Everything here works from a fresh clone: each target sets up .venv first if it has to.
# PYTHON=/path/to/python3.11 chooses the interpreter, PIP_ARGS="…" adds arguments to the installation.

PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& { echo $$p; break; }; done)
READY := .venv/.installed
export PIP_ARGS

.DEFAULT_GOAL := help
.PHONY: help install demo test check format lab image constraints clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' \
	| while IFS='|' read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

$(READY): pyproject.toml $(wildcard deploy/setup/*.txt) deploy/setup/install.py
	@test -n "$(PYTHON)" || { echo "setup: Python 3.11, 3.12 or 3.13 is needed and none is on PATH." \
	"On Debian 12: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) deploy/setup/install.py

install: $(READY) ## Set up .venv, if that has not been done

demo: $(READY) ## Watch six real checkpoints being judged (about two minutes after installation)
	@.venv/bin/tailwatch demo

test: $(READY) ## Static checks, unit, integration and acceptance tests
	@.venv/bin/python deploy/setup/verify.py

check: $(READY) ## Static checks only: ruff, mypy, import contracts
	@.venv/bin/python deploy/setup/verify.py --static

format: $(READY) ## Rewrite the code in the house style
	@.venv/bin/ruff check --fix --exit-zero . && .venv/bin/ruff format .

lab: $(READY) ## Train the lab's checkpoints again from nothing
	@.venv/bin/python -m benchmarks.lab build

image: ## Build the sandbox image, without a registry
	@deploy/sandbox/build-image

constraints: ## Pin the versions that .venv holds now
	@.venv/bin/python deploy/setup/install.py --write-constraints

clean: ## Remove .venv and everything that tools left behind
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .tailwatch
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
