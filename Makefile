# make demo    the whole way on a few MB of real text: download, prepare, train, generate
# make test    lint, types, import order, tests
# make test-corpora   what is tested on the development corpora, and beside other systems on them: needs `../shared/corpora`
# make test-hostile   what grows and damages inputs, and kills workers
# make test-flink     every data job on a real Flink cluster: needs Java and the jars of Flink and of Beam's runner
# make test-compose   docker-compose.yml for real, with local images: needs root, docker.io, docker-compose, debootstrap
# make env     only the environment in .venv
#
# Everything stays inside this folder. On Linux without a GPU, PyTorch's CPU build is asked for by its exact name, so that a wrong
# index gives an error instead of gigabytes of CUDA libraries; see README.md for the one variable to set.

PYTHON ?= python3
# Caches of the installers stay inside the clone as well.
export UV_CACHE_DIR = $(CURDIR)/.cache/uv
export PIP_CACHE_DIR = $(CURDIR)/.cache/pip
# So does Python's bytecode. Where the environment forbids to write it, each of the hundreds of processes that tests start would compile
# all of Beam or PyTorch again: one to three CPU seconds.
unexport PYTHONDONTWRITEBYTECODE
TORCH ?= torch==2.13.0+cpu
UV = uv==0.13.9
BIN = .venv/bin
ifeq ($(shell uname),Darwin)
TORCH = torch==2.13.0
endif

.PHONY: env demo test test-corpora test-hostile test-flink test-compose lint kernels clean

env: .venv/.complete

# The stamp is written last: an interrupted installation is taken up again.
.venv/.complete: pyproject.toml constraints.txt Makefile
	@command -v $(firstword $(PYTHON)) > /dev/null || \
		{ echo "There is no $(PYTHON): install Python 3.11, 3.12 or 3.13, or name one, as in \`make demo PYTHON=python3.11\`." >&2; exit 1; }
	@if test -x $(BIN)/python; then $(BIN)/python scripts/check_python.py --environment; else $(PYTHON) scripts/check_python.py; fi
	@echo "== environment: .venv (about 570 MB of downloads, 2.3 GB on disk)"
	@test -x $(BIN)/python || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)" \
		|| { echo "PyTorch's CPU build was not found: set PIP_EXTRA_INDEX_URL to PyTorch's CPU index, or TORCH=torch==2.13.0 on a GPU machine (README.md)"; exit 1; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable ".[data,train,dev]"
	@touch $@

demo: env
	@$(BIN)/python -m demo.run

lint: env
	@echo "== ruff";            $(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	@echo "== mypy --strict";   $(BIN)/mypy
	@echo "== import order";    $(BIN)/lint-imports

# Once, before several processes need them at the same time.
kernels: env
	@echo "== kernels";         $(BIN)/python -P -m pipeline.warm_up

test: lint kernels
	@echo "== pytest"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

test-corpora: kernels
	@echo "== corpora"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'corpora and not flink' -n 2 --dist loadscope --no-loadscope-reorder -rs

test-hostile: kernels
	@echo "== hostile"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m hostile -n 2 --dist loadscope --no-loadscope-reorder

test-flink: kernels
	@echo "== flink"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m flink tests/flink -rs

test-compose: env
	@echo "== docker-compose"
	@$(BIN)/python -m pytest -m compose tests/compose -rs

clean:
	rm -rf .venv .demo .cache build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
