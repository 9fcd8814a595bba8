# Every target makes the virtual environment it needs, on a machine that has some Python 3 and make, and keeps it.
# `make` alone lists the targets. ARGS reaches the command behind a target: make test ARGS="-k rollback -x"

.DEFAULT_GOAL := help
.PHONY: help demo test test-full coverage lint format bench docs requirements clean runtime dev

# Tests start hundreds of processes. Where bytecode is not kept, each of them compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

ARGS ?=
BIN := .venv/bin
CODE := $(wildcard synapse_sdk tests bench examples)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: runtime ## Run a real job on photos, let it fail on purpose, and watch it clean up
	@$(BIN)/synapse demo $(ARGS)

test: dev ## Run the tests that need nothing but Python: some fifteen minutes on two cores
	$(BIN)/pytest -n auto -m "not full" $(ARGS)

test-full: dev ## Run all tests, with the slow ones and those that need a system package
	$(BIN)/pytest -n auto $(ARGS)

coverage: dev ## Run the tests of `make test` and show the lines and branches they miss
	$(BIN)/pytest -n auto -m "not full" --cov $(ARGS)

lint: dev ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-logo

format: dev ## Lay the code out and mend what ruff can mend safely
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: dev ## Measure the engine beside its peers and its limits
	$(BIN)/python bench/run.py $(ARGS)

docs: ## Build the documentation into site/
	@tools/venv.sh .venv-docs requirements/docs.txt
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict $(ARGS)

# Keeps the pins that still fit; ARGS=--upgrade moves all to the newest. What is installed twice has one version.
# Extras stay in the pins: without them pip looks for `coverage[toml]` anew, and refuses a newer one that has no hash.
COMPILE = tools/uv.sh pip compile --quiet --universal --python-version 3.12 --python "$$(tools/find-python.sh)" \
	--generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make requirements" $(ARGS)
requirements: ## Pin the dependencies of pyproject.toml anew in requirements/*.txt
	@$(COMPILE) pyproject.toml --group build --output-file requirements/runtime.txt
	@$(COMPILE) pyproject.toml --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	@$(COMPILE) --group docs --constraint requirements/dev.txt --output-file requirements/docs.txt

clean: ## Remove all that make made, the virtual environments included
	rm -rf .venv .venv-docs .venv-uv build dist site htmlcov .coverage .coverage.* coverage.xml
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment: what `make demo` needs, and the tools of development on top.
runtime:
	@tools/venv.sh .venv requirements/runtime.txt --package

dev: runtime
	@tools/venv.sh .venv requirements/dev.txt
