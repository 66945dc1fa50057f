# Everything a developer runs. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help run test manage check format lock bench bench-peers soak audit lighthouse

# The first Python that is new enough; PYTHON=/path/to/one overrides. On Linux the system's own comes first: it is built
# with profiles of real use, and renders pages in two thirds of the time that one compiled by hand takes.
SYSTEM_PYTHON = $(if $(filter Linux,$(shell uname -s)),/usr/bin/python3)
PYTHON ?= $(shell for each in $(SYSTEM_PYTHON) python3 python3.13 python3.12 python3.11 /usr/bin/python3; do \
	"$$each" -c 'import ssl, sys, venv, zoneinfo; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& echo "$$each" && break; done)
DATA ?= sample
# Test processes: one more than cores, since some tests wait for others.
WORKERS ?= $(shell expr 1 + `getconf _NPROCESSORS_ONLN`)
INSTALL = @if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed, and none is on the path." >&2; exit 1; fi; \
	"$(PYTHON)" -I shop/local/install.py
RUN = .venv/bin/python -m
# Where an environment forbids bytecode, each of a run's processes would compile all of Django again.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start the shop on this machine (PORT=8000, DATA=sample or online-retail); Ctrl-C ends it
	$(INSTALL)
	@exec $(RUN) shop.local run --data "$(DATA)"

manage: ## a management command against the local shop: make manage CMD="outbox"
	$(INSTALL)
	@exec $(RUN) shop.local manage --data "$(DATA)" "$(CMD)"

test: ## the tests, on servers of their own (ARGS="-k cart", WORKERS=2)
	$(INSTALL) --dev
	@exec $(RUN) pytest -n $(WORKERS) --dist loadgroup -m "not soak and not bench" $(ARGS)

check: ## everything CI runs: style, types, imports, migrations, settings, secrets, then the tests
	$(INSTALL) --dev
	@status=0; $(RUN) shop.local.check || status=1; \
		$(RUN) pytest -n $(WORKERS) --dist loadgroup -m "not soak and not bench" $(ARGS) || status=1; exit $$status

format: ## put the code in order
	$(INSTALL) --dev
	@$(RUN) ruff check --fix-only --quiet .
	@$(RUN) ruff format .
	@find shop templates -name '*.html' -exec .venv/bin/djangofmt --quiet {} +
	@find shop templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 {} + || true

lock: ## compile the requirements to hashed locks
	$(INSTALL) --dev
	@for each in requirements requirements-local requirements-dev; do \
		UV_SYSTEM_CERTS=1 .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
			--no-annotate $$each.in -o $$each.txt $(ARGS) || exit 1; done

bench: ## measure speed against the promises
	$(INSTALL) --dev
	@exec $(RUN) pytest -n 0 -p no:randomly -m bench $(ARGS)

bench-peers: ## measure django-oscar beside the shop, installed from the package index where that can be reached
	$(INSTALL) --dev
	@BENCH_PEERS=.local/peers exec $(RUN) pytest -n 0 -p no:randomly -rs -m bench tests/bench/peers $(ARGS)

soak: ## the full counts of what `make check` samples (half an hour and more)
	$(INSTALL) --dev
	@exec $(RUN) pytest -n 0 -m soak $(ARGS)

audit: ## known weaknesses in the locked requirements (asks an advisory service)
	$(INSTALL) --dev
	@exec $(RUN) pip_audit --disable-pip --require-hashes -r requirements.txt -r requirements-local.txt

lighthouse: ## Lighthouse against a running shop (SITE_URL=http://localhost:8000); needs Node
	@if command -v npx >/dev/null; then \
		npx --yes lighthouse@12.8 "$${SITE_URL:-http://localhost:8000}" --quiet --chrome-flags="--headless --no-sandbox" \
			--output=html --output-path=.local/lighthouse.html && echo "Report: .local/lighthouse.html"; \
	else echo "Lighthouse: not run (no Node on this machine)"; fi
