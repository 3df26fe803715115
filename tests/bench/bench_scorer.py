"""Texts per second of our scorer and of what it is compared with, one thread each, in turns.

Ours answers with every head. Beside it: the `transformers` pipeline with its defaults on the same weights (sentiment
alone), PyTorch in batches sorted by length in float32 and bfloat16, VADER, and the ceiling: the same matrix products
in our precision and shapes with nothing between them. Natural repeats: 10,000 tweets drawn as they are copied in life.

Run alone, on a quiet machine, in the training environment:
    OMP_NUM_THREADS=1 .venv-train/bin/python tests/bench/bench_scorer.py DIR/semeval/dev.jsonl [out.json]
They take turns in each round, so that a machine that slows down slows them all; medians are compared.  The pipeline
runs with its defaults: one text at a time, in the precision of the checkpoint.
"""

# ruff: noqa: E402 - the number of threads and the paths are read when the libraries are imported

import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np
import torch
from bench.products import Products
from safetensors.numpy import load_file
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, logging, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from models._recent import Recent
from models._text import mask
from models.bundled import Bundled, BundledOptions
from models.training.export import BUNDLE, read_config

CHECKPOINT = ROOT / ".train" / "checkpoint"
ROUNDS = 7
FEW = 400
"""Texts a round for what is slow."""
BATCH = 32
REPEATS = 10_000

Judge = Callable[[Sequence[str]], Sequence[str]]


class MeanBert(BertForSequenceClassification):
    """BERT with a head on the mean of all tokens, as our weights have it; the library's own reads the first one."""

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, **ignored):  # type: ignore[no-untyped-def]
        """Return logits."""
        states = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]
        weight = attention_mask[:, :, None].to(states.dtype)
        return SequenceClassifierOutput(logits=self.classifier((states * weight).sum(1) / weight.sum(1)))


def write_checkpoint() -> None:
    """Write the bundle as a checkpoint that `transformers` loads, expanded to float32."""
    config, held = read_config(), load_file(BUNDLE / "weights.safetensors")
    expand = lambda name: held[f"{name}.weight"] * held[f"{name}.scale"][:, None]  # noqa: E731
    network = MeanBert(
        BertConfig(
            hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, vocab_size=30522,
            max_position_embeddings=80, id2label=dict(enumerate(config["labels"])), hidden_act="gelu",
        )
    )  # fmt: skip
    # The pipeline tells the sentiment alone; temperature and bias go into its head, so that its labels are ours.
    moods, temperature = len(config["labels"]), float(config["temperature"])  # type: ignore[arg-type]
    bias = held["head.bias"][:moods] / temperature + np.array(config["bias"], np.float32)
    state = {"classifier.weight": held["head.weight"][:moods] / temperature, "classifier.bias": bias}
    top = "bert.embeddings."
    state[top + "word_embeddings.weight"] = expand("words")
    state[top + "position_embeddings.weight"] = held["positions"]
    state[top + "token_type_embeddings.weight"] = np.zeros((2, 384), np.float32)
    names = {"norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm"}
    squeezed = {"attended": "attention.output.dense", "widen": "intermediate.dense", "narrow": "output.dense"}
    for kind in ("weight", "bias"):
        state[f"{top}LayerNorm.{kind}"] = held[f"norm.{kind}"]
        for layer in range(6):
            ours, theirs = f"layers.{layer}", f"bert.encoder.layer.{layer}"
            for part, name in names.items():
                state[f"{theirs}.{name}.{kind}"] = held[f"{ours}.{part}.{kind}"]
            for part, name in squeezed.items():
                value = expand(f"{ours}.{part}") if kind == "weight" else held[f"{ours}.{part}.bias"]
                state[f"{theirs}.{name}.{kind}"] = value
            three = expand(f"{ours}.attend") if kind == "weight" else held[f"{ours}.attend.bias"]
            for name, value in zip(("query", "key", "value"), np.split(three, 3), strict=True):
                scale = 32**0.5 if name == "query" else 1.0
                state[f"{theirs}.attention.self.{name}.{kind}"] = (value * scale).astype(np.float32)
    found = network.load_state_dict(
        {name: torch.from_numpy(value.copy()) for name, value in state.items()}, strict=False
    )
    assert not found.unexpected_keys, found
    assert all("pooler" in name or "position_ids" in name for name in found.missing_keys), found
    CHECKPOINT.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(CHECKPOINT)
    BertTokenizerFast(tokenizer_file=str(BUNDLE / "tokenizer.json")).save_pretrained(CHECKPOINT)


def batched(network: MeanBert, tokenizer: BertTokenizerFast, kind: torch.dtype) -> Judge:
    """Return PyTorch as a careful user runs it: batches sorted by length, no gradients, in one precision."""
    network = network.to(kind).eval()

    def read(texts: Sequence[str]) -> Sequence[str]:
        found: list[str] = [""] * len(texts)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                given = tokenizer([texts[at] for at in chosen], padding=True, truncation=True, max_length=80,
                                  return_tensors="pt")  # fmt: skip
                for at, label in zip(chosen, network(**given).logits.argmax(-1).tolist(), strict=True):
                    found[at] = network.config.id2label[label]
        return found

    return read


def anew(ours: Bundled) -> Bundled:
    """Let our scorer forget what it judged in an earlier round: what comes again within a round still counts."""
    ours._recent = Recent()
    return ours


def judges() -> dict[str, Judge]:
    """Return what is measured, each loaded and warm."""
    torch.set_num_threads(1)
    logging.set_verbosity(logging.CRITICAL)  # our class is not in the pipeline's list, which it reports as an error
    ours = Bundled(BundledOptions(), None)  # type: ignore[arg-type]
    ours.load()
    load: Callable[[], MeanBert] = lambda: MeanBert.from_pretrained(CHECKPOINT)  # noqa: E731
    tokenizer = BertTokenizerFast.from_pretrained(CHECKPOINT)
    pipe = pipeline("text-classification", model=load(), tokenizer=tokenizer)
    vader = SentimentIntensityAnalyzer()
    products = Products(ours.precision)

    def read_vader(texts: Sequence[str]) -> Sequence[str]:
        found = [vader.polarity_scores(text)["compound"] for text in texts]
        return ["negative" if value <= -0.05 else "positive" if value >= 0.05 else "neutral" for value in found]

    return {
        "bundled": lambda texts: [verdict.label for verdict in anew(ours).read(texts)],
        "pipeline": lambda texts: [found["label"] for found in pipe(list(texts), truncation=True)],
        "torch_f32": batched(load(), tokenizer, torch.float32),
        "torch_bf16": batched(load(), tokenizer, torch.bfloat16),
        "vader": read_vader,
        "ceiling": products.multiply,
    }


def copied(texts: Sequence[str], count: int) -> list[str]:
    """Return texts as a stream holds them: a few are copied very often, most stand alone (Zipf's law, exponent one)."""
    source = random.Random(2026)
    # Share of copies as with natural retweets: about two texts in five stand there before.
    return [texts[min(int(len(texts) ** source.random()), len(texts)) - 1] if source.random() < 0.5
            else source.choice(texts) for _ in range(count)]  # fmt: skip


def measure(texts: Sequence[str]) -> dict[str, object]:
    """Let them take turns and return medians, spreads and ratios."""
    all_of_them = judges()
    few = texts[:: max(1, len(texts) // FEW)][:FEW]
    said = {name: judge(few) for name, judge in all_of_them.items()}
    same = {
        name: round(sum(a == b for a, b in zip(said["bundled"], said[name], strict=True)) / len(few), 4)
        for name in ("pipeline", "torch_f32", "torch_bf16")
    }
    rates: dict[str, list[float]] = {name: [] for name in all_of_them}
    for number in range(ROUNDS):
        for name, judge in all_of_them.items():
            chosen = texts if name in {"bundled", "vader", "ceiling"} else few
            started = time.perf_counter()
            judge(chosen)
            rates[name].append(len(chosen) / (time.perf_counter() - started))
        print(f"round {number + 1}:", {name: round(found[-1]) for name, found in rates.items()}, flush=True)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    repeats = copied(texts, REPEATS)
    started = time.perf_counter()
    all_of_them["bundled"](repeats)
    natural = len(repeats) / (time.perf_counter() - started)
    ours = Bundled(BundledOptions(), None)  # type: ignore[arg-type]
    return {
        "processor": processor(),
        "precision": ours.precision,
        "torch": torch.__version__,
        "revision": read_config()["revision"],
        "texts": len(texts),
        "texts_per_second": {name: round(median, 1) for name, median in medians.items()},
        "spread": {name: [round(min(found), 1), round(max(found), 1)] for name, found in rates.items()},
        "times_the_pipeline": round(medians["bundled"] / medians["pipeline"], 2),
        "times_the_pipeline_by_round": [
            round(ours / theirs, 2) for ours, theirs in zip(rates["bundled"], rates["pipeline"], strict=True)
        ],
        "times_batched_f32": round(medians["bundled"] / medians["torch_f32"], 2),
        "times_batched_bf16": round(medians["bundled"] / medians["torch_bf16"], 2),
        "share_of_ceiling": round(medians["bundled"] / medians["ceiling"], 3),
        "repeats": {"texts": len(repeats), "distinct": len(set(repeats)), "per_second": round(natural, 1)},
        "times_the_pipeline_with_repeats": round(natural / medians["pipeline"], 2),
        "labels_same_as": same,
        "load_seconds": round(load_seconds(), 2),
        "first_verdict_seconds": round(first_verdict_seconds(), 2),
        "memory_mib": memory(),
        "memory_mib_english_alone": memory("{'languages': ('en',)}"),
        "peak_mib_of_this_process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


FIRST = """
import time; began = time.perf_counter()
from models.bundled import Bundled, BundledOptions
Bundled(BundledOptions(), None).read(["The parcel arrived on time."])
print(time.perf_counter() - began)
"""

MEMORY = """
import random
from pathlib import Path
from models.bundled import Bundled, BundledOptions
ours, source = Bundled(BundledOptions(**OPTIONS), None), random.Random(7)
# Random words look like other languages too, sooner or later; this one does at once, where others are listened in.
ours.read(["Wo ist meine Bestellung geblieben?"])
words = "the parcel from them arrived late again and nobody told me why so I am rather cross about it now".split()
for start in range(0, 10_000, 250):
    ours.read([" ".join(source.choices(words, k=source.randint(1, 500))) for _ in range(250)])
status = Path("/proc/self/status").read_text()
print(int(status.split("VmRSS:")[1].split()[0]) // 1024)
"""


def alone(script: str) -> float:
    """Return the number that a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout.strip().splitlines()[-1])


def first_verdict_seconds() -> float:
    """Return the median time from the start of a process's imports to its first verdict."""
    return statistics.median(alone(FIRST) for _ in range(3))


def memory(options: str = "{}") -> int:
    """Return what a process holds after 10,000 texts of 1 to 500 words, in MiB; both bundles unless told otherwise."""
    return int(alone(MEMORY.replace("OPTIONS", options)))


def load_seconds() -> float:
    """Return how long loading takes in a process that has the files in the page cache."""
    started = time.perf_counter()
    Bundled(BundledOptions(), None).load()  # type: ignore[arg-type]
    return time.perf_counter() - started


def processor() -> str:
    """Return the processor's name and the features that matter here."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return f"{name} ({', '.join(sorted(flag for flag in flags if flag in FEATURES))})"


FEATURES = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "avx_vnni"}


def main() -> int:
    """Measure on the texts of a JSON-lines file; labels are not read."""
    texts = [mask(json.loads(line)["text"]) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    write_checkpoint()
    found = measure(texts)
    print(json.dumps(found, indent=1))
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
