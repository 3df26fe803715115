#!/usr/bin/env bash
# What `make test` runs: style, types, import contracts, and all tests in two halves, each on a core of its own: what
# needs a server, a browser, much time or the sources runs here, everything else against the built wheel.
# `pytest` alone runs every test in the checkout.
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

log=$(mktemp)
bash tests/wheel.sh "$@" >"$log" 2>&1 &
wheel=$!
trap 'kill "$wheel" 2>/dev/null || true' EXIT

say "tests with servers, a browser, the sources, or long ones"
$bin/python -m pytest -q --durations=15 -m "servers or browser or slow or sources" "$@"

say "all other tests, against the wheel in an empty folder"
wait "$wheel" || { cat "$log"; exit 1; }
trap - EXIT
cat "$log" && rm -f "$log"
