# Everything a checkout needs, from Python 3.11+, git and make alone. `make` lists the targets.
# The first `make serve`, `make test` or `make lint` creates .venv and installs; later ones start at once.

PORT ?= 8080
ARGS ?=
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

SOURCES := mparticle_sdk fake_server fixtures pytest_plugin
NODE := tests/clients/node

# A strict editable install links the files that it finds: it has to be repeated when pyproject.toml or the list of source
# files changes, not when their contents do. Hence stamps that carry a checksum of both, and of the place.
LAYOUT := $(shell { pwd; cat pyproject.toml; find $(SOURCES) \( -name __pycache__ -o -name '.*' \) -prune -o -type f -print \
	2>/dev/null | LC_ALL=C sort; } | cksum | tr ' ' '-')
STAMP := .venv/.installed
BASE := $(STAMP)-base-$(LAYOUT)
TEST := $(STAMP)-test-$(LAYOUT)
DEV := $(STAMP)-dev-$(LAYOUT)

# Stamps vouch for an interpreter and for the links below build/: without either they are void.
$(shell { [ -x .venv/bin/python ] && ls -d build/__editable__.* >/dev/null 2>&1; } || rm -f $(STAMP)-*)

# Where this is set, every program that a test starts would compile all it imports anew: most of the time of a run.
unexport PYTHONDONTWRITEBYTECODE

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help serve test lint format bench coverage docs clean node-packages

help: ## list the targets
	@echo "make serve [PORT=8080] [ARGS=…]  run the fake on 127.0.0.1"
	@echo "make test [ARGS=…]               run every test; ARGS goes to pytest"
	@echo "make lint                        ruff and mypy --strict"
	@echo "make format                      let ruff rewrite what it can"
	@echo "make bench [ARGS=…]              measure, as ratios in one run"
	@echo "make coverage                    the tests again, with a report of lines never run"
	@echo "make docs                        write docs/batch.md and docs/findings.md anew"
	@echo "make clean                       remove what these targets made"

serve: $(BASE)
	@.venv/bin/mparticle-fake serve --port $(PORT) $(ARGS)

test: $(TEST) node-packages
	.venv/bin/pytest -n auto --dist loadfile $(ARGS)

lint: $(DEV)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy -p mparticle_sdk -p mparticle_fake_server -p mparticle_fixtures -p mparticle_pytest_plugin
	.venv/bin/mypy tests docs

format: $(DEV)
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

bench: $(TEST)
	.venv/bin/python tests/benchmarks/run.py $(ARGS)

coverage: $(TEST) node-packages
	.venv/bin/coverage erase
	.venv/bin/coverage run .venv/bin/pytest $(ARGS)
	.venv/bin/coverage combine --quiet
	.venv/bin/coverage report

docs: $(BASE)
	.venv/bin/python docs/render.py

clean:
	rm -rf .venv build dist *.egg-info .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache $(NODE)/node_modules
	find . -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

# ---- the virtual environment ----

# A .venv whose pip does not start or belongs elsewhere is half made, moved or of a Python that is gone: make it anew.
# All stamps go first, since the links below build/ are always those of the latest installation.
# Another Python than 3.11 or newer is told, not replaced: it may be somebody's.
TOO_OLD := -c 'import sys; print("Python %d.%d" % sys.version_info[:2]); sys.exit(sys.version_info >= (3, 11))'
define install
@case "$$(.venv/bin/pip --version 2>/dev/null)" in \
	*" from $(CURDIR)/.venv/"*) ;; \
	*) [ -n "$(PYTHON)" ] || { echo "make: no Python 3.11 or newer found; name one: make PYTHON=/path/to/python3 …" >&2; exit 1; }; \
	   if old=$$($(PYTHON) $(TOO_OLD)); then \
	       echo "make: $(PYTHON) is $$old; name Python 3.11 or newer: make PYTHON=/path/to/python3 …" >&2; exit 1; fi; \
	   echo "Creating .venv with $(PYTHON)"; $(PYTHON) -m venv --clear .venv ;; \
esac
@if old=$$(.venv/bin/python $(TOO_OLD)); then \
	echo "make: .venv is of $$old; this needs 3.11 or newer. 'make clean' removes it, then run make again." >&2; exit 1; fi
@rm -f $(STAMP)-*
@echo "Installing mparticle-testkit$(1) into .venv (the first time takes a minute)"
@.venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check \
	--config-settings editable_mode=strict --editable ".$(1)" \
	|| { echo "make: the installation did not finish. Run make again; if that fails too, 'make clean' first." >&2; exit 1; }
endef

$(BASE):
	$(call install,)
	@touch $(BASE)

$(TEST):
	$(call install,[test])
	@touch $(BASE) $(TEST)

$(DEV):
	$(call install,[dev])
	@touch $(BASE) $(TEST) $(DEV)

# ---- the real Node client that tests/clients/ runs; without npm those tests skip, or fail where CI is set ----

ifneq ($(wildcard $(NODE)/package.json),)
NODE_STAMP := $(NODE)/node_modules/.installed-$(shell cat $(NODE)/package.json $(wildcard $(NODE)/package-lock.json) | cksum | tr ' ' '-')
node-packages: $(NODE_STAMP)
$(NODE_STAMP):
	@if ! command -v npm >/dev/null 2>&1; then \
		echo "No npm here: tests with the Node SDK will skip"; \
	elif ( cd $(NODE) && if [ -f package-lock.json ]; then npm ci --no-audit --no-fund --ignore-scripts; \
			else npm install --no-package-lock --no-audit --no-fund --ignore-scripts; fi </dev/null ); then \
		rm -f $(NODE)/node_modules/.installed-*; mkdir -p $(NODE)/node_modules; touch $(NODE_STAMP); \
	else \
		echo "npm could not install $(NODE): tests with the Node SDK will skip, or fail where CI is set" >&2; \
	fi
endif
