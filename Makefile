# Every rule sets up what it needs, once; stamp files remember what was installed from which lists.
# Works with the make, python3 (3.11 or newer) and, for the contracts, node (20 or newer) of the machine.

PYTHON ?= python3
ARGS ?=
MINUTES ?= 2

VENV := .venv
BIN := $(VENV)/bin
VENV8 := .venv-web3-8
VENVP := .venv-proofs
NPM := node_modules/.installed
FORGE = $$($(BIN)/python -c 'from kameng_escrow.chain.foundry import find_foundry as f; print(f("forge"))')

LOCK := --quiet --upgrade --universal --no-annotate --custom-compile-command 'make lock'

# What must also hold on web3 8, which is what a plain `pip install kameng-escrow` gets.
# Sign-In with Ethereum's library wants web3 7, and so what needs the service is left out.
SDK_TESTS = $$(grep -LE 'kameng_escrow\.(books|notify|service|talk|trade|webhooks)|walk_packages' tests/unit/test_*.py) \
  $(addprefix tests/integration/test_,async_client.py client.py client_money.py client_reading.py \
   client_relaying.py client_verbs.py deploying.py deployments.py json_rpc.py nodes.py sender.py signing.py)

# The tests start hundreds of processes, each of which would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export APE_DATA_FOLDER := $(CURDIR)/.cache/ape

.DEFAULT_GOAL := help
ifeq ($(filter test-%,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: help
help: ## list these rules
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- what people run ---------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.base ## take orders through every ending on a local chain (ARGS='--once --json out.json')
	@$(BIN)/kameng demo $(ARGS)

.PHONY: test
test: lint $(NPM) ## lint, then every test (ARGS='-k settle' for some)
	@$(MAKE) --no-print-directory -j 2 test-pytest test-ape

# Ape compiles on one core for most of its time, so its tests run beside the others.
.PHONY: test-pytest test-ape
test-pytest:
	$(BIN)/pytest -p no:ape_test -n auto --maxprocesses 8 $(ARGS)
test-ape:
	@if [ -x $(BIN)/ape ]; then echo "$(BIN)/ape test"; $(BIN)/ape test; \
	else echo "ape test: left out, ape does not install on this Python (see pyproject.toml)"; fi

.PHONY: test-web3-8
test-web3-8: $(VENV8)/.dev $(NPM) ## the SDK's tests on web3 8, without ape
	$(VENV8)/bin/pytest -n auto --maxprocesses 8 $(SDK_TESTS) $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev $(NPM) ## ruff, mypy, and the contracts' format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(FORGE) fmt --check contracts tests/forge

.PHONY: fix
fix: $(VENV)/.dev $(NPM) ## let ruff and forge repair and format what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(FORGE) fmt contracts tests/forge

.PHONY: compile
compile: $(VENV)/.dev $(NPM) ## compile the contracts into the artifacts that the wheel ships
	@$(BIN)/kameng compile $(ARGS)

.PHONY: docs
docs: $(VENV)/.dev ## write the generated parts of the manual and build it into site/
	$(BIN)/python -m docs.generators
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: verify
verify: $(VENV)/.dev $(VENVP)/.proofs $(NPM) ## the long proofs (STEPS=slither,coverage for some; CALLS=, HISTORIES=)
	$(BIN)/python -m bench.verify $(STEPS) $(if $(CALLS),--calls $(CALLS)) $(if $(HISTORIES),--histories $(HISTORIES)) $(ARGS)

.PHONY: bench-gas
bench-gas: $(VENV)/.dev $(NPM) ## what an order and each operation cost; writes bench/results/{gas,operations}.json
	$(BIN)/python -m bench.gas
	$(BIN)/python -m bench.operations_gas
	$(BIN)/python -m docs.generators

.PHONY: bench-mirror
bench-mirror: $(VENV)/.dev $(NPM) ## how fast a mirror catches up and follows; a quarter of an hour; writes bench/results/mirror.json
	$(BIN)/python -m bench.mirror $(ARGS)

.PHONY: bench-keeper
bench-keeper: $(VENV)/.dev $(NPM) ## settle 10,000 orders that come due in the same minute; writes bench/results/keeper.json
	$(BIN)/python -m bench.keeper

.PHONY: bench-api
bench-api: $(VENV)/.dev $(NPM) ## reads of orders through a served API, of a million; ten minutes; writes bench/results/api.json
	$(BIN)/python -m bench.api $(ARGS)

.PHONY: bench-risk
bench-risk: $(VENV)/.dev ## how good scores, warnings, alarms and outlooks are, and how fast; writes bench/results/risk.json
	$(BIN)/python -m bench.risk $(ARGS)

.PHONY: bench-simulate
bench-simulate: $(VENV)/.dev $(NPM) ## a simulated market of 10,000 orders on an Anvil; writes bench/results/simulate.json
	$(BIN)/python -m bench.simulate $(ARGS)

.PHONY: chaos
chaos: $(VENV)/.dev $(NPM) ## everything that can go wrong at once (MINUTES=30, SEED= to repeat); writes bench/results/chaos.json
	$(BIN)/python -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: wheel
wheel: $(VENV)/.dev ## build the wheel into dist/
	@rm -f dist/kameng_escrow-*.whl
	@$(BIN)/python -m build --wheel --outdir dist . > /dev/null

.PHONY: lock
lock: $(VENV)/.dev ## resolve constraints/ and package-lock.json anew
	$(BIN)/uv pip compile $(LOCK) $(foreach e,ape postgres service risk dev docs,--extra $(e)) \
	  -o constraints/web3-7.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --extra proofs -o constraints/proofs.txt pyproject.toml
	echo 'web3>=8' | $(BIN)/uv pip compile $(LOCK) --extra dev --extra risk \
	  -o constraints/web3-8.txt pyproject.toml -
	npm install --package-lock-only

.PHONY: clean
clean: ## remove everything that make made
	rm -rf $(VENV) $(VENV8) $(VENVP) node_modules .cache .build contracts/.cache dist site
	find kameng_escrow tests scripts -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# --- set-up, keyed by what it was made from ------------------------------------------------------

$(VENV)/.created $(VENV8)/.created $(VENVP)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kameng_escrow needs Python 3.11 or newer, and $(PYTHON) is not. Try: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv --clear $(@D) || { \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu, install python3-venv."; exit 1; }
	@touch $@

# The demo's share: what a user of the wheel would have.
$(VENV)/.base: pyproject.toml constraints/web3-7.txt $(VENV)/.created
	@echo "Installing kameng_escrow into $(VENV) (once, under a minute) ..."
	@$(BIN)/pip install --quiet --constraint constraints/web3-7.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints/web3-7.txt $(VENV)/.created
	@echo "Installing kameng_escrow and its development tools into $(VENV) (once, a minute or two) ..."
	@$(BIN)/pip install --quiet --constraint constraints/web3-7.txt --editable '.[ape,dev,docs,risk,service]'
	@touch $(VENV)/.base $@

$(VENV8)/.dev: pyproject.toml constraints/web3-8.txt $(VENV8)/.created
	@echo "Installing kameng_escrow with web3 8 into $(VENV8) (once, a minute or two) ..."
	@$(VENV8)/bin/pip install --quiet --constraint constraints/web3-8.txt --editable '.[dev]'
	@touch $@

# Apart from the others, because Halmos and ape ask for different releases of rich.
$(VENVP)/.proofs: pyproject.toml constraints/proofs.txt $(VENVP)/.created
	@echo "Installing the contracts' analysers into $(VENVP) (once, a minute or two) ..."
	@$(VENVP)/bin/pip install --quiet --constraint constraints/proofs.txt --editable '.[proofs]'
	@touch $@

$(NPM): package.json package-lock.json .npmrc
	@node -e 'process.exit(+process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { \
	  echo "The contracts' tools need Node.js 20 or newer on PATH (and npm with it)."; exit 1; }
	@echo "Installing the compiler, OpenZeppelin's contracts and Foundry into node_modules (once) ..."
	@npm ci --silent
	@touch $@
