#!/usr/bin/env bash
# Make the bundled weights again: LISTENER_DATA=DIR bash models/training/train.sh   (about four hours on one core)
# DIR holds semeval/train.jsonl and semeval/dev.jsonl. Everything but the bundle stays in .train/ and .venv-train/.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${LISTENER_DATA:?must name the directory with the labelled rows: make train LISTENER_DATA=DIR}"
if ! cmp -s requirements-train.txt .venv-train/requirements-train.txt; then
    python3 -m venv .venv-train
    .venv-train/bin/pip install --quiet --requirement requirements-train.txt
    cp requirements-train.txt .venv-train/
fi
mkdir -p .train
# One thread: two on a busy machine wait for each other and are slower than one.
export LISTENER_DATA OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1
python=.venv-train/bin/python
"$python" -m models.training.crossvalidate
"$python" -m models.training.teach
"$python" -m models.training.train
"$python" -m models.training.meaning
"$python" -m models.training.reference
"$python" -m models.training.calibrate
"$python" -m models.training.quality
"$python" -m models.training.multi_train
"$python" -m models.training.multi_heads
"$python" -m models.training.multi_grave
"$python" -m models.training.multi_meaning
"$python" -m models.training.multi_quality
