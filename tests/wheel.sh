#!/usr/bin/env bash
# Build the wheel, install it without the sources, and run the tests that need neither server, browser nor sources.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

.venv/bin/uv build --quiet --wheel --out-dir "$work/dist"
.venv/bin/uv venv --quiet "$work/venv"
.venv/bin/uv pip install --quiet --python "$work/venv/bin/python" --require-hashes -r requirements-test.lock
.venv/bin/uv pip install --quiet --python "$work/venv/bin/python" --no-deps "$work"/dist/*.whl
cp -r tests config systemd pyproject.toml README.md ARCHITECTURE.md "$work"/
cd "$work"
venv/bin/python -m pytest -q -p no:cacheprovider --durations=15 -m "not servers and not browser and not slow and not sources" "$@"
echo "the wheel in $work passed; the sources in $root were not used"
