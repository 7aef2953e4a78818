# 小智: two commands matter — `make demo` and `make test`. Both set up all they need and may be run again at will.
.DEFAULT_GOAL := help
.PHONY: help demo test proof check format run lock bench clean

BIN := .venv/bin

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: ## set everything up and show 小智 at work on the local cloud
	@./packaging/setup demo
	@$(BIN)/xiaozhi demo --out demo

test: ## set everything up, check the code and run all tests
	@./packaging/setup test
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder
	@$(BIN)/pytest -m speechbrain

proof: ## the long proofs that `make test` leaves out: nights killed at every moment, worker processes
	@./packaging/setup test
	@$(BIN)/pytest -m proof

check: ## lint, types and import rules
	@./packaging/setup test
	@$(BIN)/ruff format --check --quiet . && echo "format   ok"
	@$(BIN)/ruff check --quiet . && echo "lint     ok"
	@$(BIN)/lint-imports --no-cache > .venv/lint-imports.log 2>&1 && echo "imports  ok" || { cat .venv/lint-imports.log; exit 1; }
	@$(BIN)/mypy --no-error-summary && echo "types    ok"

format: ## put the code into shape
	@./packaging/setup test
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

run: ## set everything up and start the local cloud, until Ctrl-C
	@./packaging/setup demo
	@$(BIN)/xiaozhi local-cloud

bench: ## measure speed and memory against their references
	@./packaging/setup test
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock: ## renew requirements.lock from pyproject.toml
	@./packaging/setup test
	@./packaging/lock

clean: ## remove what the other targets made
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis demo dist
