# Thin: each target says what it does and calls the tool that does it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
CORE := cpp_runtime/CMakeLists.txt $(wildcard $(addprefix cpp_runtime/,include/*/* src/* src/*/* bindings/* cmake/*))

.PHONY: install demo test lint results docs clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt $(CORE)
	@echo "==> installing NanoEdge and all it needs into $(VENV), compiling its core (some minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "NanoEdge needs Python 3.11 or newer: make install PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --editable '.[export,dev,docs]'
	@touch $@

demo: install
	@echo "==> the whole way once: draw, train, export, compare (about five minutes)"
	$(BIN)/nanoedge demo --out demo --force

test: install
	@echo "==> running the tests"
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

results: install
	@echo "==> running the benchmarks; docs/results.md is written from their JSON"
	$(BIN)/python -m tools.results $(ONLY)

docs: install
	@echo "==> building the manual into site/"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "open site/index.html"

clean:
	rm -rf build dist site demo .pytest_cache .mypy_cache .ruff_cache
