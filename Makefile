# One command each; the first sets everything up in .venv, later ones install nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One torch thread per worker: two processes with two threads each are slower than four with one.
# Bytecode is kept even where the environment says otherwise: else each process compiles every module again.
QUIET := OMP_NUM_THREADS=1 RAY_USAGE_STATS_ENABLED=0 PYTHONDONTWRITEBYTECODE=
# A file's tests share what is made for them, so they stay in one worker; tests/conftest.py says which come first.
PYTEST := $(QUIET) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup atlas imagenet test fast check lint types slow soak oldest newest bench quality figures screens pictures chromium firefox slurm clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv with everything in it (once)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Atlas needs Python 3.11 or newer; say which with make PYTHON=python3.11 …" >&2; exit 1; }
	@echo "setup: $(VENV), with everything that constraints.txt names; a few minutes, and once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip uninstall --yes --quiet atlas 2>/dev/null # as earlier checkouts were called
	$(BIN)/python -m pip install --progress-bar off --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

atlas: $(READY)  ## the main job on the embedded default: every channel of PatternNet
	$(BIN)/atlas run experiment=demo

imagenet: $(READY)  ## a real network: 64 channels and 24 classes of EfficientNet-Lite0
	$(BIN)/atlas run experiment=imagenet

test: $(READY) chromium  ## all checks and tests but the slow ones
	$(MAKE) --no-print-directory lint types
	$(PYTEST) -m "not slow" --durations=25

fast: $(READY) chromium
	$(PYTEST) -m "not slow and not process and not job"

check: $(READY)  ## lint, types, import layers and the fast tests, in two minutes
	$(MAKE) --no-print-directory lint types fast

# The site's scripts are checked as browsers get them: joined, so that a name of one file may stand in another.
SCRIPT := build/lint/atlas.js
lint: $(READY)  ## ruff, the direction of imports, the site's scripts, those of jobs/, the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	@mkdir -p $(dir $(SCRIPT))
	@$(BIN)/python -c 'import sys; from atlas.report.site.static import own_scripts; sys.stdout.buffer.write(own_scripts())' > $(SCRIPT)
	$(BIN)/oxlint --deny-warnings $(SCRIPT) atlas/cli/static/ask.js
	$(BIN)/shellcheck jobs/*.sbatch
	$(BIN)/hadolint Dockerfile

types: $(READY)  ## pyrefly
	$(BIN)/pyrefly check --output-format min-text

# AGAIN=--lf: only what failed the last time. A test that fills the memory runs alone.
slow: $(READY) chromium firefox slurm build/cluster/.ready  ## the tests that take minutes
	$(PYTEST) -m slow --durations=0 --durations-min=5 --ignore=tests/test_short_memory.py $(AGAIN)
	$(PYTEST) -n 0 tests/test_short_memory.py

MINUTES := 20
soak: $(READY)  ## a job on a cluster of several nodes under random kills, for MINUTES (20), and whether it is whole
	PYTHONPATH=.:tests $(QUIET) $(BIN)/python tests/soak.py $(MINUTES)

# The ends of the ranges that this machine can have: torch stays what constraints.txt names.
oldest:  ## a job and the self-test with the oldest library of every range
	$(call try,$@)

newest:  ## the same with the newest
	$(call try,$@)

define try
	rm -rf build/$(1)
	$(PYTHON) -m venv build/$(1)
	$(PYTHON) tests/ranges.py $(1) > build/$(1)/requirements.txt
	build/$(1)/bin/python -m pip install --quiet --disable-pip-version-check -r build/$(1)/requirements.txt
	build/$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps . $$($(PYTHON) tests/ranges.py $(1) torchvision)
	cd build/$(1) && $(QUIET) bin/atlas run layers=[conv1] channels=0:8 recipe=quick cluster=inline
	cd build/$(1) && $(QUIET) bin/atlas selftest
endef

# Other libraries, each in an environment of its own; torch, torchvision and timm are those of .venv, so that all run alike.
PEERS := build/bench/torch/.ready build/bench/xplique/.ready
PIP := bin/python -m pip install --quiet --disable-pip-version-check
SITE := -c 'import sysconfig; print(sysconfig.get_path("purelib"))'

build/bench/torch/.ready: $(READY)
	$(BIN)/python -m venv build/bench/torch
	$(BIN)/python $(SITE) > $$(build/bench/torch/bin/python $(SITE))/borrowed.pth
	build/bench/torch/$(PIP) --no-deps torch-lucent==0.1.8 torch-dreams==4.0.0 kornia==0.4.1 opencv-python-headless
	build/bench/torch/$(PIP) decorator future ipython tqdm
	@touch $@

build/bench/xplique/.ready: $(READY)
	$(BIN)/python -m venv build/bench/xplique
	build/bench/xplique/$(PIP) tensorflow-cpu==2.20.0 tensorflow-probability==0.25.0 einops deprecated matplotlib \
		opencv-python-headless 'scikit-image<=0.25.2' 'scikit-learn<=1.7.2' 'scipy<=1.15.3'
	build/bench/xplique/$(PIP) --no-deps xplique==2.0.2 tf-keras==2.20.1
	@touch $@

# What Ray's dashboard needs, `ray job submit` and metrics among it: forty packages that no other test looks at.
build/cluster/.ready: $(READY) constraints.txt
	$(BIN)/python -m venv build/cluster
	$(BIN)/python $(SITE) > $$(build/cluster/bin/python $(SITE))/borrowed.pth
	build/cluster/$(PIP) -c constraints.txt 'ray[default]'
	@touch $@

bench: $(READY) chromium $(PEERS)  ## speed and memory, as ratios measured in one run
	$(QUIET) $(BIN)/python tests/benchmarks/bench_optimize.py
	$(BIN)/python tests/benchmarks/bench_job.py
	$(BIN)/python tests/benchmarks/bench_similarity.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_scheduler.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_commits.py
	PYTHONPATH=tests:. $(BIN)/python tests/benchmarks/bench_stores.py
	PYTHONPATH=tests:. $(BIN)/python tests/benchmarks/bench_query.py
	PYTHONPATH=tests:. $(BIN)/python tests/benchmarks/bench_site.py 30000 --keep build/bench_site
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_browser.py build/bench_site
	rm -rf build/bench_site

quality: $(READY)  ## which recipe makes the best images, measured on EfficientNet-Lite0 and PatternNet
	PYTHONPATH=tests:. $(BIN)/python tests/benchmarks/bench_quality.py
	PYTHONPATH=tests:. $(BIN)/python tests/benchmarks/bench_quality.py --network patternnet

figures: $(READY)  ## every one of the sources' figures, of PatternNet, beside the newest atlas that has it
	for name in layer-grid raw-vs-octaves metric-invariance cumulative neurons interaction trajectory saliency dream \
		filter-vs-dream similarity; do $(BIN)/atlas figure $$name || exit; done
	$(BIN)/atlas figure models model=[patternnet,googlenet] models.googlenet.weights=none recipe=quick features=4

screens: $(READY) chromium  ## a picture of every page of the site of the newest atlas, light, dark and as on a phone
	PYTHONPATH=tests $(BIN)/python tests/browser/screens.py

pictures: $(READY) chromium  ## the pictures of README and docs, of the atlases of make imagenet and make atlas
	PYTHONPATH=. $(BIN)/python tests/browser/pictures.py

# What the tests need beside Python; on Debian it is installed where it is not there.
CHROMIUM := command -v chromium || command -v chromium-browser || command -v google-chrome
FIREFOX := command -v firefox-esr || command -v firefox
ROOT := $$([ "$$(id -u)" = 0 ] || echo sudo)
define have
	@{ $(1); } >/dev/null || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq --no-install-recommends $(2); } >/dev/null 2>&1 || \
		{ echo "$(3): install $(2), then run make again" >&2; exit 1; }
endef

chromium:
	$(call have,$(CHROMIUM),chromium,the tests of the site need chromium on PATH)

firefox:
	$(call have,$(FIREFOX),firefox-esr,the slow tests of the site need firefox on PATH)

slurm:
	$(call have,command -v munged sbatch,slurm-wlm munge,the recipes of jobs/ are tried on real daemons of SLURM)

clean:  ## remove what can be made again, but no atlas
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
