# Samara: `make demo` shows it, `make test` proves it. Both set up what they need in .venv.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# Where this is set, each of the hundreds of programs that the tests start compiles all of Samara again.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV) || { echo "No virtual environment: on Debian, 'apt install python3-venv' first."; exit 1; }
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/installed ## the whole platform on this machine, with real and simulated sensors
	@$(BIN)/samara demo

test: $(VENV)/installed-dev ## everything: lint, types, import contracts, unit and integration tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/installed-dev ## the figures of docs/benchmarks.md (40 minutes; BENCH="--quick" for four)
	$(BIN)/python tests/benchmarks/bench_ingest.py $(BENCH)

bench-api: $(VENV)/installed-dev ## the API over 100 million measurements (12 GB and an hour to load, once; BENCH="--measurements 2000000")
	$(BIN)/python tests/benchmarks/bench_api.py .samara/bench-api $(BENCH)

bench-demo: $(VENV)/installed-dev ## how long the demonstration takes until the totals of its pages are whole
	rm -rf .samara/bench-demo
	$(BIN)/python tests/benchmarks/bench_demo.py .samara/bench-demo

bench-pages: $(VENV)/installed-dev ## the pages of a tenant of 300 points, and when a browser shows the first words
	$(BIN)/python tests/benchmarks/bench_pages.py .samara/bench-pages
	$(BIN)/python -m pytest -s -m slow tests/browser/test_browser_weight.py

looks: $(VENV)/installed-dev ## every page in French and English, three widths, light and dark, and on paper; pictures in .samara/looks
	@mkdir -p .samara/looks
	PAGE_PICTURES=$(abspath .samara/looks) $(BIN)/python -m pytest -s -m slow tests/browser/test_browser_every_page.py

faults: $(VENV)/installed-dev ## the long form of the fault tests
	$(BIN)/python -m pytest -m slow tests/acceptance/faults

conformance: $(VENV)/installed-dev ## the API against its OpenAPI document, at length
	$(BIN)/python -m pytest -m slow tests/integration/api

acceptance: $(VENV)/installed-dev ## 200,000 uplinks with every fault at once, ingest and database killed in turn; the long forms of serve, simulate and demo
	$(BIN)/python -m pytest -m slow tests/acceptance/faults/test_everything.py tests/acceptance/test_serve.py tests/acceptance/test_simulate.py tests/acceptance/test_demo.py

in-service: $(VENV)/installed-dev ## from scan to "Capteur en service" on a phone, against the demonstration: how many seconds
	$(BIN)/python -m pytest -s -m slow tests/acceptance/test_in_service.py

rules-long: $(VENV)/installed-dev ## ten thousand rules against promtool, a thousand kills of the worker that evaluates
	$(BIN)/python -m pytest -s -m slow tests/acceptance/promtool tests/integration/evaluation

audit: $(VENV)/installed-dev ## known vulnerabilities in what Samara depends on (needs the network and npm); fails when one was not asked about
	$(BIN)/python .ci/audit.py

vendor: $(VENV)/installed ## fetch other people's browser code again (needs npm)
	$(BIN)/python -m api.vendor

lock: ## write the lock files again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra build --generate-hashes --python-version 3.11 --no-header -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra simulate --extra parquet --extra cluster --extra tracing --extra dev -c requirements.lock --generate-hashes --python-version 3.11 --no-header -o requirements-dev.lock

clean: ## remove the virtual environment and the demo's data
	@data=$$(readlink -f .samara/postgres 2>/dev/null); rm -rf $(VENV) .samara $$data

.PHONY: audit looks help demo test bench bench-api bench-demo bench-pages faults conformance acceptance vendor lock clean rules-long in-service
