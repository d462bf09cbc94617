# Thin: each target says what it does and calls the tool that does it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
CORE := cpp_runtime/CMakeLists.txt $(wildcard $(addprefix cpp_runtime/,include/*/* src/* src/*/* src/*/*/* bindings/* cmake/*))

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=
CPP := $(shell find cpp_runtime -name '*.cpp' -o -name '*.hpp')
TOOLS := PATH="$(abspath $(BIN)):$$PATH"

.PHONY: install demo test lint format sanitize fuzz cross arm-count results docs clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt $(CORE)
	@echo "==> installing NanoEdge and all it needs into $(VENV), compiling its core (some minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "NanoEdge needs Python 3.11 or newer: make install PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --editable '.[export,pretrained,video,dev,docs,cross]'
	@touch $@

demo: install
	@echo "==> the whole way once: draw, train, export, compare (about five minutes)"
	$(BIN)/nanoedge demo --out demo --force

test: install
	@echo "==> running the tests"
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/clang-format --dry-run --Werror $(CPP)

format: install
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

sanitize: install
	@echo "==> the C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer"
	$(TOOLS) cmake -S cpp_runtime -B build/sanitize -DPython3_EXECUTABLE=$(abspath $(BIN))/python \
	  -DNANOEDGE_SANITIZE=ON -DNANOEDGE_TESTS=ON -DNANOEDGE_CPU=native
	$(TOOLS) cmake --build build/sanitize --parallel $(shell nproc)
	$(BIN)/python -m tools.sanitize build/sanitize

fuzz: install
	@echo "==> each fuzzer for $(FUZZ_SECONDS) s (make fuzz FUZZ_SECONDS=600 FUZZ_TARGETS=native_model)"
	@command -v clang++ >/dev/null || \
	  { echo "The fuzzers need clang; on Debian: apt-get install clang"; exit 1; }
	$(TOOLS) CC=clang CXX=clang++ cmake -S cpp_runtime -B build/fuzz -DPython3_EXECUTABLE=$(abspath $(BIN))/python \
	  -DNANOEDGE_SANITIZE=ON -DNANOEDGE_FUZZ=ON -DNANOEDGE_APPS=OFF -DNANOEDGE_CPU=native
	$(TOOLS) cmake --build build/fuzz --parallel $(shell nproc)
	$(BIN)/python -m tools.fuzz build/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

cross: install
	@echo "==> wheels, static executables and the library for other machines, into dist/"
	$(BIN)/python -m tools.cross $(TARGETS)

arm-count: install
	@echo "==> instructions a frame on emulated ARM CPUs"
	$(BIN)/python -m tools.instructions $(BUNDLE)

results: install
	@echo "==> running the benchmarks; docs/results.md is written from their JSON"
	$(BIN)/python -m tools.results $(ONLY)

docs: install
	@echo "==> building the manual into site/"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "open site/index.html"

clean:
	rm -rf build dist site demo .pytest_cache .mypy_cache .ruff_cache
