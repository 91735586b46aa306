# Every target does its own set-up: a fresh Debian or Ubuntu machine needs `make` and nothing else.
# PYTHON=/path/to/python3 chooses the interpreter (3.11 or newer) that .venv is made from.

VENV := .venv/bin
STAMP := .venv/.installed

# The matrices of tests are small: threads of BLAS that wait for each other only slow them down.
test test-all: export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(STAMP) ## fit the animal model of the course and print what comes out
	$(VENV)/python -m animalmm demo

test: $(STAMP) ## run the tests that take seconds (ARGS="-k name" goes to pytest)
	$(VENV)/python -m pytest -m "not slow" $(ARGS)

test-all: $(STAMP) ## run every test
	$(VENV)/python -m pytest $(ARGS)

lint: $(STAMP) ## check style and types
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/mypy

bench: $(STAMP) ## measure speed and memory
	for script in run pedigrees markers single_step one_kernel many_kernels selected_inverse ordering fits lme4 growth; do \
		$(VENV)/python benchmarks/$$script.py || exit 1; done

$(STAMP): pyproject.toml .ci/setup.sh
	@.ci/setup.sh
	@touch $@
