# Everything lives in .venv, which is made here; nothing is installed outside it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO := captures/trace-dat/ready.dat captures/mixed/rme-ready-uart.log

TOOLS := tshark linux-perf trace-cmd chromium binutils
E2E_TOOLS := qemu-system-arm gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross trace-cmd busybox-static dash openssh-client \
  qemu-efi-aarch64

# The program that sets breakpoints on a target, made by gcc 12 of Debian 12; the result is kept beside its source.
SMCTAP := rmitrace/record/smctap
SMCTAP_FLAGS := -std=gnu11 -Wall -Wextra -Os -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
  -fno-unwind-tables -fno-ident -fno-tree-loop-distribute-patterns -mno-outline-atomics -static -nostdlib -no-pie \
  -Wl,--build-id=none,-z,noseparate-code,-z,norelro,-z,max-page-size=65536 -s

.PHONY: demo test bench clean tools smctap test-e2e e2e-rme

demo: $(VENV)/.installed  ## show a shipped connect and disconnect; as text where stdout is no terminal
	@$(BIN)/rmitrace view $(DEMO)

test: $(VENV)/.installed-dev tools  ## lint, types, import contracts, then every test, the fast ones first
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n auto

test-e2e: $(VENV)/.installed-dev  ## record on kernels of Debian booted in QEMU, and compare with QEMU's log
	@$(MAKE) --no-print-directory tools TOOLS="$(E2E_TOOLS)"
	RMITRACE_E2E=1 $(BIN)/pytest -n 2 --dist loadgroup --durations=5 tests/e2e

e2e-rme: $(VENV)/.installed-dev  ## record a device connect under your own RMM: FIRMWARE=.. [KERNEL=..] (tests/e2e/rme.py --help)
	$(BIN)/python tests/e2e/rme.py --firmware "$(FIRMWARE)" $(if $(KERNEL),--kernel "$(KERNEL)") $(RME_OPTIONS)

smctap:  ## make the program anew (it is reproducible)
	aarch64-linux-gnu-gcc $(SMCTAP_FLAGS) -o $(SMCTAP) rmitrace/record/smctap.c

bench: $(VENV)/.installed-dev tools  ## every benchmark, beside other programs: an hour; BENCH="--calls 1000000" for a short one
	@$(MAKE) --no-print-directory tools TOOLS=lnav
	$(BIN)/python -m benchmarks --keep benchmarks/RESULTS.md $(BENCH)

# Programs of other people that some tests are held against; without one its tests are skipped, but never in CI.
tools:
	@for t in $(TOOLS); do command -v $$t >/dev/null || dpkg -s $$t >/dev/null 2>&1 && continue; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$t; } >/dev/null 2>&1; fi; \
	  command -v $$t >/dev/null || dpkg -s $$t >/dev/null 2>&1 && continue; \
	  echo "$$t is missing (apt-get install $$t): its tests are skipped" >&2; test -z "$$CI" || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis snapshot_report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian splits venv off Python: python3-venv is the one package that may be missing.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q python3-venv; } || \
	  { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) install -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(PIP) install -e '.[dev]'
	@touch $@ $(VENV)/.installed
