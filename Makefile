# Needs Python 3.11 or later, make, and a package index.  `make test`, `make prove`, `make demo`, `make lint`, `make docs`,
# `make site`.

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python, \
	$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
VENV ?= .venv
RUN := $(VENV)/bin/python
WORKERS ?= 2

.PHONY: test prove demo lint docs site conformance mutants clean

test: $(VENV)/ready-dev
	$(RUN) -m pytest -n $(WORKERS)

# Every rewrite is proven or validated; docs/proofs.md says how.
prove: $(VENV)/ready-dev
	$(RUN) -m tests.proofs --workers $(WORKERS)
	$(RUN) docs/generate.py

demo: $(VENV)/ready-demo
	$(RUN) examples/demo.py

lint: $(VENV)/ready-dev
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m pyright --pythonpath $(RUN)

docs: $(VENV)/ready-dev
	$(RUN) docs/generate.py

site: $(VENV)/ready-docs
	$(RUN) docs/site_pages.py out/pages
	$(RUN) -m zensical build --clean --strict
	@echo "out/site/index.html"

conformance: $(VENV)/ready-dev
	$(RUN) benchmarks/conformance.py
	$(RUN) -m benchmarks.torch_conformance --jobs $(WORKERS)
	$(RUN) -m benchmarks.openvino_conformance

mutants: $(VENV)/ready-dev
	$(RUN) -m tests.mutants.run --workers $(WORKERS) --page

clean:
	rm -rf $(VENV) out build dist *.egg-info

# One file per set of extras: an installation that was interrupted is begun again.
$(VENV)/ready-%: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or later was found; say make PYTHON=/path/to/python" >&2; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[$*]'
	@touch $@
