# Everything runs in .venv, which is made, and made again, when it is missing or out of date.
#   make test PYTHON=python3.12      another interpreter
#   make test ARGS='-k vmap'         more options for pytest

PYTHON ?= python3
JOBS   ?= 2
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
LOWERING := jaxlib==0.10.2 jax-cuda13-plugin==0.10.2 jax-cuda13-pjrt==0.10.2 libtpu
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.PHONY: help demo test check lint types bench wheel matrix gpu-check lowering-check golden venv clean

help:
	@echo 'make demo     fit eight schools and print the summary'
	@echo 'make test     the whole suite, with the examples in docstrings'
	@echo 'make check    the quick set: lint, arrows, tests that are not slow'
	@echo 'make types    mypy'
	@echo 'make bench    the table of timings'
	@echo 'make wheel    build the wheel and import it in an empty environment'
	@echo 'make matrix   the suite under each Python from 3.11 to 3.13 that is here'
	@echo 'make gpu-check        laws, samplers and benchmarks on an NVIDIA GPU, where there is one'
	@echo 'make lowering-check   compile every operation for an H100 and a TPU, without one'
	@echo 'make golden   rewrite tests/golden; review the difference'
	@echo 'make clean    remove environments, builds and caches'

demo: venv
	$(BIN)/python examples/eight_schools.py

test: venv
	$(PYTEST) $(ARGS)

check: lint types
	$(PYTEST) -m 'not slow' $(ARGS)

lint: venv
	$(BIN)/ruff check
	PYTHONPATH=src $(BIN)/lint-imports

types: venv
	$(BIN)/mypy -p chainrule

bench: venv
	$(BIN)/python benchmarks/run.py $(ARGS)

wheel: venv
	tools/wheel.sh $(BIN)/python

matrix:
	tools/matrix.sh $(ARGS)

gpu-check: venv
	$(BIN)/python tools/gpu_check.py --report benchmarks/reports/gpu.md $(ARGS)

lowering-check:
	tools/venv.sh .venv-lowering $(PYTHON) $(LOWERING)
	.venv-lowering/bin/python tools/lowering_check.py $(ARGS)

golden: venv
	$(BIN)/python -m pytest tests --golden $(ARGS)

venv:
	@tools/venv.sh $(VENV) $(PYTHON)

clean:
	rm -rf .venv .venv-3.* build dist src/*.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
