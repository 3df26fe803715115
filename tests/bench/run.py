"""Runs every benchmark and writes FIGURES.md; what `make bench` calls. Run it on a quiet machine, and alone.

Each benchmark prints one JSON object, kept in `.bench/`, so that a slow one need not be repeated for a fast one:
`python tests/bench/run.py daemon` runs that one and writes the page from all that is there.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".bench"
PYTHON = str(ROOT / ".venv" / "bin" / "python")
Found = Mapping[str, object]


def scorer() -> Found:
    """Our scorer, the transformers pipeline on the same weights, and VADER; in the training environment."""
    data = os.environ.get("LISTENER_DATA")
    if not data:
        raise SystemExit("LISTENER_DATA must name the folder with semeval/dev.jsonl: make bench LISTENER_DATA=DIR")
    python = ROOT / ".venv-train" / "bin" / "python"
    out = KEPT / "scorer.json"
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    script = str(ROOT / "tests" / "bench" / "bench_scorer.py")
    subprocess.run([str(python), script, f"{data}/semeval/dev.jsonl", str(out)], check=True, env=environ, cwd=ROOT)
    return json.loads(out.read_text())  # type: ignore[no-any-return]


def script(name: str) -> Found:
    """A benchmark that prints its JSON on the last line."""
    done = subprocess.run(
        [PYTHON, str(ROOT / "tests" / "bench" / f"bench_{name}.py")], check=True, stdout=subprocess.PIPE, cwd=ROOT
    )
    return json.loads(done.stdout.decode().strip().splitlines()[-1])  # type: ignore[no-any-return]


RUNS = {
    "scorer": scorer, "path": lambda: script("path"), "daemon": lambda: script("daemon"),
    "desk": lambda: script("desk"),
}  # fmt: skip


def processor() -> str:
    """The processor's name and what it can do that matters here."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    wanted = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return f"{name}, {os.cpu_count()} cores, {' '.join(wanted) or 'no AVX-512'}"


def commit() -> str:
    """The commit that is measured."""
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, cwd=ROOT, check=True
    ).stdout.decode().strip()  # fmt: skip


def kept(name: str) -> dict[str, object]:
    """The newest figures of a benchmark; empty when it never ran here."""
    path = KEPT / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def row(what: str, figure: object, target: str, reached: bool | None, how: str) -> str:
    """A line of the table."""
    mark = "" if reached is None else "yes" if reached else "**no**"
    return f"| {what} | {figure} | {target} | {mark} | {how} |"


def speed_rows() -> list[str]:
    """Speed, start and memory."""
    s, p, d = kept("scorer"), kept("path"), kept("daemon")
    rows = []
    if s:
        rates: dict[str, float] = s["texts_per_second"]  # type: ignore[assignment]
        times = float(s["times_the_pipeline"])  # type: ignore[arg-type]
        how = f"`bench_scorer.py`: one thread, {s['precision']}, medians of turns, on {s.get('measured_on', '')}"
        rows += [
            row("Bundled scorer, texts/s", rates["bundled"], "", None, how),
            row("`transformers` pipeline, defaults, same weights, texts/s", rates["pipeline"], "", None, how),
            row("VADER (word list), texts/s", rates["vader"], "", None, how),
            row("Bundled scorer over the pipeline", f"{times:g} ×", "≥ 6 × with AMX or AVX-512 BF16", times >= 6, how),
            row(
                "PyTorch in batches, float32 and bfloat16, texts/s",
                f"{rates['torch_f32']} / {rates['torch_bf16']}",
                "",
                None,
                how,
            ),
            row(
                "Bundled scorer over batched PyTorch, float32 and bfloat16",
                f"{s['times_batched_f32']} × / {s['times_batched_bf16']} ×",
                "",
                None,
                how,
            ),
            row(
                "Share of the processor's matrix-product ceiling",
                f"{s['share_of_ceiling']:.0%}",
                "≥ 60 %",
                float(s["share_of_ceiling"]) >= 0.6,
                f"the same products alone: {rates['ceiling']} texts/s",
            ),
            row(
                "The same with natural repeats, over the pipeline",
                f"{s['times_the_pipeline_with_repeats']} ×",
                "≥ 10 ×",
                float(s["times_the_pipeline_with_repeats"]) >= 10,
                f"{s['repeats']}",
            ),
            row(
                "Labels equal to batched float32",
                s["labels_same_as"]["torch_f32"],
                "≥ 0.99",
                float(s["labels_same_as"]["torch_f32"]) >= 0.99,
                how,
            ),
            row(
                "First verdict after the start of a process, s",
                s["first_verdict_seconds"],
                "≤ 2",
                float(s["first_verdict_seconds"]) <= 2,
                "median of 3, imports included",
            ),
            row(
                "Scorer's memory after 10,000 texts of 1 to 500 words, MiB",
                s["memory_mib"],
                "≤ 280",
                int(s["memory_mib"]) <= 280,
                "a process with the scorer alone",
            ),
        ]
    if p:
        rate, share = int(p["without_model_per_second"]), float(p["everything_else_share"])  # type: ignore[call-overload,arg-type]
        how = "`bench_path.py`: 50,000 mentions of a replay, disk file, synchronous=FULL, one in 20 opens a case"
        rows += [
            row(
                "Path without the model, mentions/s",
                rate,
                "≥ 5,000",
                rate >= 5000,
                f"{how}; rounds {p['without_model_rounds']}",
            ),
            row(
                "Path with the model, mentions/s",
                p["with_model_per_second"],
                "",
                None,
                "`bench_path.py`, 3,000 distinct posts",
            ),
            row(
                "Everything but the model, share of the time",
                f"{share:.1%}",
                "< 20 %",
                share < 0.2,
                "same run, beside the scorer alone",
            ),
        ]
    if d:
        ready, memory = float(d["ready_seconds"]), int(d["memory_mb"])  # type: ignore[arg-type,call-overload]
        rows += [
            row(
                "Start to READY=1 with the model, s",
                ready,
                "≤ 5",
                ready <= 5,
                f"`bench_daemon.py`: median of {d['ready_rounds']}",
            ),
            row(
                "Memory after 10,000 texts of 1 to 500 words, MB",
                memory,
                "≤ 450",
                memory <= 450,
                f"resident, pages and parser included; peak {d['peak_mb']}",
            ),
        ]
    return rows


def desk_rows() -> list[str]:
    """The pages with many cases and many people."""
    found = kept("desk")
    if not found:
        return []
    slowest = float(max(found["list_p95_ms"], found["search_p95_ms"]))  # type: ignore[call-overload,type-var]
    how = (
        f"`bench_desk.py`: {found['mentions']:,} mentions, {found['cases']:,} cases, {found['people']} people with "
        f"open streams, a click a second each for {found['seconds']:g} s; {found['clicks']} clicks"
    )
    return [
        row("List and search of cases, p95, ms", slowest, "≤ 100", slowest <= 100 and not found["failed"], how),
        *(
            row(
                f"{name}, median and p95, ms",
                f"{found[f'{key}_p50_ms']} / {found[f'{key}_p95_ms']}",
                "",
                None,
                "same run",
            )
            for key, name in (("list", "List"), ("search", "Search"), ("case", "Case page"), ("claim", "Claim"))
        ),
    ]


def quality_rows() -> list[str]:
    """Quality, from the run that `make train` ends with."""
    path = ROOT / "models" / "bundled" / "quality.json"
    if not path.exists():
        return []
    return ["", "The table of quality is in [the model card](models/bundled/MODEL_CARD.md); `make train` writes it."]


def crash_rows() -> list[str]:
    """What `make chaos` counted."""
    found = kept("chaos")
    if not found:
        return []
    rows = [
        "",
        "## Kills at random",
        "",
        "`make chaos`: the real daemon is ended by `kill -9` at random moments while it takes in overlapping pages;",
        "the receiver of its messages answers 503 one time in five.",
        "",
        "| what | count |",
        "|---|--:|",
    ]
    return rows + [f"| {name.replace('_', ' ')} | {value} |" for name, value in found.items()]


def write() -> None:
    """Write FIGURES.md from all that was measured."""
    lines = [
        "# Figures",
        "",
        "Written by `make bench` (speed, start, memory) and `make chaos` (kills); nothing here is typed by hand.",
        "Absolute numbers belong to one machine on one day; ratios are measured side by side in one run.",
        "",
        f"Machine: {processor()}; Python {platform.python_version()}; commit {commit()}; {datetime.now(UTC):%Y-%m-%d}.",
        "",
        "| figure | measured | target | reached | how |",
        "|---|--:|---|---|---|",
        *speed_rows(),
        *desk_rows(),
        *quality_rows(),
        *crash_rows(),
    ]
    (ROOT / "FIGURES.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Run what is asked for, all by default, and write the page."""
    KEPT.mkdir(exist_ok=True)
    chosen = sys.argv[1:] or list(RUNS)
    for name in chosen:
        if name in RUNS:
            print(f"== {name}", flush=True)
            found = {**RUNS[name](), "measured_on": f"{datetime.now(UTC):%Y-%m-%d}"}
            (KEPT / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
            print(json.dumps(found, indent=1), flush=True)
    write()
    print("FIGURES.md is written.")


if __name__ == "__main__":
    main()
