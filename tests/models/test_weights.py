"""Weights read where they lie: the same numbers as the library's copies, and little memory."""

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import models.bundled
from models._heap import return_what_is_free
from models._weights import Weights

ROOMY = """
from pathlib import Path
from models.bundled import Bundled, BundledOptions
texts = ["Where is my order?", "Wo ist meine Bestellung?", "¿Dónde está mi pedido? Llevo semanas esperando."]
long = [" ".join([text] * 9 * number) for text in texts for number in range(1, 6)]
Bundled(BundledOptions(precision="int8"), None).read(long)
print(int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) // 1024)
"""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    source = np.random.default_rng(3)
    save_file(
        {
            "whole": source.integers(-128, 127, (7, 5)).astype(np.int8),
            "halves": source.integers(0, 255, (3, 4)).astype(np.uint8),
            "scale": source.random((7,)).astype(np.float16),
            "bias": source.random((2, 3, 4)).astype(np.float32),
        },
        path,
        metadata={"made": "here"},
    )
    return path


def test_every_array_is_what_the_library_reads(kept: Path) -> None:
    found, wanted = Weights(kept).tensors(), load_file(kept)
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_what_was_forgotten_is_read_again(kept: Path) -> None:
    weights = Weights(kept)
    found = weights.tensors()
    weights.forget()
    np.testing.assert_array_equal(found["bias"], load_file(kept)["bias"])


def test_the_digest_changes_with_one_byte(kept: Path) -> None:
    before = Weights(kept).digest()
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    assert Weights(kept).digest() != before


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    return_what_is_free()


@pytest.mark.model
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell its memory")
def test_both_bundles_take_less_than_a_quarter_of_a_gigabyte() -> None:
    root = Path(models.bundled.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", ROOMY], check=True, capture_output=True, text=True, cwd=root, timeout=60
    )
    assert int(done.stdout) < 250
