python := ".venv/bin/python"

# List the recipes.
default:
    @just --list

# Create .venv with convcost (editable), the test tools and the linters, and install the Git hooks.
setup:
    python3 -m venv .venv
    {{ python }} -m pip install -q -e '.[dev,test,plot]'
    {{ python }} -m pre_commit install

# Run the whole suite; arguments go to pytest, as in `just test -k attention`.
test *arguments:
    {{ python }} -m pytest -q -n 2 {{ arguments }}

# Run the suite without its slow tests.
quick *arguments:
    {{ python }} -m pytest -q -n 2 -m 'not slow' {{ arguments }}

# Measure branch coverage, and fail if it is below the floor in pyproject.toml.
coverage:
    {{ python }} -m coverage run -m pytest -q -n 2
    {{ python }} -m coverage combine -q
    {{ python }} -m coverage report

# Format the code, then check it.
lint:
    .venv/bin/ruff format .
    .venv/bin/ruff check .
    .venv/bin/lint-imports

# Check the types of the package and of its tests.
types:
    .venv/bin/mypy
    .venv/bin/mypy --strict scripts/github_action.py

# Run the tests of the documentation, and build the site into site/; `pip install -e .[site]` has MkDocs.
docs:
    {{ python }} -m pytest -q tests/docs
    NO_MKDOCS_2_WARNING=1 {{ python }} -m mkdocs build --strict --quiet

# Build the site with the playground in it.
site: playground docs

# Build the playground, a static page that runs convcost in the browser, into playground/dist; needs npm.
playground:
    npm ci --prefix playground --ignore-scripts --no-audit --no-fund
    PYTHON={{ absolute_path(python) }} npm run build --prefix playground

# Measure the table of speeds; ratios, so that a busy machine does not matter.
bench *arguments:
    {{ python }} benchmarks/speed.py {{ arguments }}

# Run the fuzzer, for example `just fuzz --seconds 600 --seed 7`; failures are in fuzz-failures/.
fuzz *arguments:
    PYTHONPATH=tests {{ python }} -m fuzz {{ arguments }}

# Run all that CI runs, on a machine with apt-get.
ci:
    .ci/run
