# Two commands do everything on a machine that has only Python 3.11+ and make: `make verify` and `make test`.
# Five attack the suite (docs/attacks.md), for minutes to hours: soundness, mutants, kills, hostile, repeat.
PYTHON ?= python3
VENV ?= .venv
BUILD ?= build
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

ATTACKS = soundness mutants kills hostile repeat

.PHONY: verify test lint figures report explore bench attacks $(ATTACKS) install clean

verify: $(STAMP)
	$(BIN)/filterlaw verify --output $(BUILD)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

figures: $(STAMP)
	$(BIN)/filterlaw figures --output $(BUILD)/figures

report: $(STAMP)
	$(BIN)/filterlaw report --output $(BUILD)/report

explore: $(STAMP)
	$(BIN)/filterlaw explore

bench: $(STAMP)
	$(BIN)/python -m tests.bench

# RECORD=--record keeps what is found for the page
$(ATTACKS): $(STAMP)
	$(BIN)/python -m tests.attack $@ $(RECORD)

# a fast sample of each, drawn anew every time
attacks: $(STAMP)
	$(BIN)/python -m tests.attack --sample

install: $(STAMP)

clean:
	rm -rf $(VENV) $(BUILD)

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; filterlaw needs Python 3.11 or newer (make PYTHON=/path/to/python3.11)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "make: filterlaw needs Python 3.11 or newer, $(PYTHON) is %d.%d (make PYTHON=/path/to/python3.11)" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot create virtual environments; install its venv package (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable ".[all,dev]"
	@touch $@
