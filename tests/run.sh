#!/usr/bin/env bash
# What `make test` runs: style, types, import contracts, all tests, and the suite once more against the built wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

say() { printf '\n== %s\n' "$*"; }

say "style, types, import contracts"
$bin/ruff check .
$bin/ruff format --check .
$bin/lint-imports
$bin/mypy

if [ "$(id -u)" = 0 ] && [ "${CI:-}" = true ]; then
    say "real servers for the tests"
    bash tests/servers/install.sh
fi

# On the second core meanwhile: its tests use no browser, no server and no fixed port.
log=$(mktemp)
bash tests/wheel.sh >"$log" 2>&1 &
wheel=$!
trap 'kill "$wheel" 2>/dev/null || true' EXIT

say "tests"
$bin/python -m pytest -q --durations=15 "$@"

say "the wheel, from an empty folder"
wait "$wheel" || { cat "$log"; exit 1; }
trap - EXIT
cat "$log" && rm -f "$log"
