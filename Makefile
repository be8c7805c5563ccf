# GNU make. Each target first sets up what it needs, once.

PYTHON ?= python3
UPGRADE ?=

VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
BENCH_VENV := .venv-bench
BENCH_LOCK := tools/bench-requirements.lock
SAM_LOCK := tools/sam-requirements.lock
AWS_VENV := .venv-aws
AWS_LOCK := tools/aws-requirements.lock
SBOM ?= .aws-sam/sbom.json
LAMBDA_IMAGE := lambda-python:3.14

# The layer's makefile calls `python3 -m pip`: SAM's own is recent and has no limits
# that Debian's has.
with_sam = PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" SAM_CLI_TELEMETRY=0

# One command for each lock: `make lock` writes it, `make check` compares it.
# Every lock has hashes, which each installation checks.
compile = $(BIN)/uv pip compile --quiet --no-header --generate-hashes
compile_dev = $(compile) --universal \
	--group dev --all-extras pyproject.toml --output-file
compile_sam = $(compile) --universal \
	--python-version 3.11 tools/sam-requirements.in --output-file
compile_aws = $(compile) --universal \
	--python-version 3.11 tools/aws-requirements.in --output-file
compile_bench = $(compile) --universal \
	--python-version 3.11 tools/bench-requirements.in --output-file
# Constrained by the lock that the tests run with: what ships is what was tested.
compile_for_lambda = $(compile) \
	--python-version 3.14 --python-platform x86_64-manylinux_2_28 \
	--constraint requirements.lock
compile_layer = $(compile_for_lambda) layer/requirements.in --output-file
# Less what the first layer has: both are laid into one folder.
compile_second = $(compile_for_lambda) layer/second/requirements.in \
	$$(sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package \1/p' layer/requirements.txt) \
	--output-file

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help rehearse test coverage check locks-current docs bench fuzz build image lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' \
		$(firstword $(MAKEFILE_LIST))

rehearse: $(VENV)/ready ## Run the bundled example: a good version goes live, a bad one is rolled back
	$(BIN)/hookgate rehearse

test: $(VENV)/ready $(SAM_VENV)/ready $(AWS_VENV)/ready ## Run all tests (about 10 minutes on two cores)
	@echo 'Running about 8,100 tests. This takes about 10 minutes on two cores.'
	$(BIN)/pytest -n 4

coverage: $(VENV)/ready $(SAM_VENV)/ready $(AWS_VENV)/ready ## Run all tests and show the branch coverage (about 20 minutes)
	@echo 'Running about 8,100 tests with coverage. This takes about 20 minutes on two cores.'
	$(BIN)/pytest -n 4 --timeout 600 --cov --cov-report=term

check: $(VENV)/ready $(SAM_VENV)/ready locks-current ## Check lint, types, import contracts, words to avoid, the template and the locks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_words.py
	$(with_sam) sam validate

docs: $(VENV)/ready ## Write the reference pages of validators and codes from the code
	$(BIN)/hookgate validators --markdown docs/reference

bench: $(VENV)/ready $(BENCH_VENV)/ready ## Measure the figures of docs/performance.md
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/ready ## Send a million changed inputs to the readers of files and responses
	$(BIN)/python tools/fuzz.py

build: $(SAM_VENV)/ready $(SBOM) ## Package the hooks and the layers into .aws-sam/build, with an SBOM
	$(with_sam) sam build

image: $(SAM_VENV)/ready ## Make the container image for `sam local`, from Debian's packages (root; needs Docker)
	$(with_sam) tools/lambda-image $(LAMBDA_IMAGE)

# CycloneDX, of all packages that can be deployed.
$(SBOM): $(SAM_VENV)/ready layer/hookgate/version.py layer/requirements.txt layer/second/requirements.txt
	mkdir -p $(@D)
	sed "s/^dynamic = .*/version = $$(sed -n 's/^VERSION = //p' layer/hookgate/version.py)/" \
		pyproject.toml > $@.toml
	cat layer/requirements.txt layer/second/requirements.txt | PYTHONWARNINGS=ignore \
		$(SAM_VENV)/bin/cyclonedx-py requirements --pyproject $@.toml \
		--output-reproducible --output-format JSON --output-file $@ -

lock: $(VENV)/ready ## Update the locks (UPGRADE=--upgrade takes newer versions)
	$(compile_dev) requirements.lock $(UPGRADE)
	$(compile_sam) $(SAM_LOCK) $(UPGRADE)
	$(compile_bench) $(BENCH_LOCK) $(UPGRADE)
	$(compile_aws) $(AWS_LOCK) $(UPGRADE)
	$(compile_layer) layer/requirements.txt $(UPGRADE)
	$(compile_second) layer/second/requirements.txt $(UPGRADE)

clean: ## Remove what the targets create
	rm -rf .coverage .coverage.* $(VENV) $(SAM_VENV) $(BENCH_VENV) $(AWS_VENV) .aws-sam .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# uv keeps the versions it finds in the output file, so a copy changes only where the
# requirements did.
locks-current: $(VENV)/ready
	@mkdir -p .aws-sam/locks
	@cp requirements.lock .aws-sam/locks/dev && $(compile_dev) .aws-sam/locks/dev
	@cp $(SAM_LOCK) .aws-sam/locks/sam && $(compile_sam) .aws-sam/locks/sam
	@cp $(BENCH_LOCK) .aws-sam/locks/bench && $(compile_bench) .aws-sam/locks/bench
	@cp $(AWS_LOCK) .aws-sam/locks/aws && $(compile_aws) .aws-sam/locks/aws
	@cp layer/requirements.txt .aws-sam/locks/layer && $(compile_layer) .aws-sam/locks/layer
	@cp layer/second/requirements.txt .aws-sam/locks/second \
		&& $(compile_second) .aws-sam/locks/second
	@diff -u requirements.lock .aws-sam/locks/dev \
		&& diff -u $(SAM_LOCK) .aws-sam/locks/sam \
		&& diff -u $(BENCH_LOCK) .aws-sam/locks/bench \
		&& diff -u $(AWS_LOCK) .aws-sam/locks/aws \
		&& diff -u layer/requirements.txt .aws-sam/locks/layer \
		&& diff -u layer/second/requirements.txt .aws-sam/locks/second \
		|| { echo 'A lock is behind its requirements: run `make lock`.' >&2; exit 1; }

$(VENV)/uv-ready: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	awk '/^[^ ]/ {on = /^uv==/} on' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement $(VENV)/uv.lock
	touch $@

$(VENV)/ready: $(VENV)/uv-ready requirements.lock pyproject.toml
	$(BIN)/uv pip sync --quiet requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(SAM_VENV)/ready: $(VENV)/uv-ready $(SAM_LOCK)
	test -x $(SAM_VENV)/bin/python || $(PYTHON) -m venv $(SAM_VENV)
	$(BIN)/uv pip sync --quiet --python $(SAM_VENV) $(SAM_LOCK)
	touch $@

$(AWS_VENV)/ready: $(VENV)/uv-ready $(AWS_LOCK)
	test -x $(AWS_VENV)/bin/python || $(PYTHON) -m venv $(AWS_VENV)
	$(BIN)/uv pip sync --quiet --python $(AWS_VENV) $(AWS_LOCK)
	touch $@

$(BENCH_VENV)/ready: $(VENV)/uv-ready $(BENCH_LOCK)
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	$(BIN)/uv pip sync --quiet --python $(BENCH_VENV) $(BENCH_LOCK)
	touch $@
