PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

export OMP_NUM_THREADS ?= 1   # as app.py has it, for the tests

.PHONY: run test install lint types bench clean

run: install            ## start the app (PORT=8502 make run for another port)
	BACKSTEP_LOG=plain $(BIN)/streamlit run app.py --server.port $(PORT)

test: install           ## run every test
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not alone"
	$(BIN)/python -m pytest -m alone $$(grep -l --include=*.py "pytest.mark.alone" -r tests)

install: $(VENV)/installed

$(VENV)/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else "Backstep needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12 run" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

lint: install           ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install          ## strict types on engines/ and views/
	$(BIN)/mypy

bench: install          ## measure what the design promises
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
