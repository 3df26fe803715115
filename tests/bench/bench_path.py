"""Mentions per second through the whole path, without the model and with it, on a disk file with synchronous=FULL.

Without: 50,000 posts of a replay, verdicts from a table, one in twenty opens a case, a channel that accepts
everything. With: distinct posts made from the demo's, judged by the bundled scorer, beside the scorer alone on the same
texts. Rounds take turns; medians are compared. Prints one JSON object; called by `run.py`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# For an entry point that is installed in this folder; the daemon in a crash test gets it the same way.
sys.path.insert(0, str(ROOT / "tests" / "stranger"))

from listener import registry  # noqa: E402
from listener.app import App, make_app  # noqa: E402
from listener.engine.threads import Engine  # noqa: E402
from listener.telemetry import set_up_logging  # noqa: E402

MENTIONS = 50_000
JUDGED = 3_000
ROUNDS = 3

CONFIG = """
[listener]
state_dir = "state"
allow_private_sources = true

[web]
enabled = false

[scorer]
name = "{scorer}"

[[brand]]
name = "Acme"
terms = ["acme"]

[[place]]
name = "replay"
source = "replay"
every = "1s"
history = "live"
path = "posts.ndjson"

[[channel]]
name = "nobody"
adapter = "null"

[route]
group_wait = "0s"
group_interval = "1s"

[[route.routes]]
name = "complaints"
match = ["sentiment = negative", "certainty = confident"]
"""


def demo_texts() -> list[str]:
    """Texts as people write them: the demo's."""
    lines = (ROOT / "config" / "demo" / "brackholm.ndjson").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"].replace("Brackholm", "Acme").replace("brackholm", "acme") for line in lines]


def distinct_texts(count: int) -> list[str]:
    """So many different texts of natural length."""
    texts = demo_texts()
    return [f"{texts[n % len(texts)]} #acme {n}" for n in range(count)]


def write_posts(folder: Path, texts: list[str]) -> None:
    """Write a recording of posts by as many authors."""
    with (folder / "posts.ndjson").open("w", encoding="utf-8") as out:
        for n, text in enumerate(texts):
            post = {
                "source": "bench", "realm": "", "external_id": str(n), "kind": "post", "text": text,
                "author": {"handle": f"user{n}"}, "published_at": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            out.write(json.dumps(post) + "\n")


def run_path(texts: list[str], scorer: str) -> tuple[float, dict[str, int], App]:
    """Seconds from the first poll until every mention is done; what was counted; the closed app."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        write_posts(folder, texts)
        (folder / "listener.toml").write_text(CONFIG.format(scorer=scorer))
        app = make_app(registry.load_settings(folder / "listener.toml", {}))
        app.sync()
        app.warm()
        engine = Engine(app.steps())
        began = time.perf_counter()
        engine.start()
        while app.store.mentions.counts().get("done", 0) < len(texts):
            time.sleep(0.1)  # Counting takes some milliseconds itself.
        seconds = time.perf_counter() - began
        engine.stop()
        counts = {**app.store.mentions.counts(), **app.store.cases.counts()}
        app.close()
        return seconds, counts, app


def scorer_alone(texts: list[str]) -> float:
    """Seconds the bundled scorer takes for the same texts, in the batches the pipeline makes."""
    from listener import Tools
    from listener.app import utc_now
    from models import bundled

    scorer = bundled.Bundled(bundled.BundledOptions(), Tools(http=None, clock=utc_now))
    scorer.read(["warm"])
    began = time.perf_counter()
    for start in range(0, len(texts), 512):
        scorer.read(texts[start : start + 512])
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    set_up_logging("error")
    plain = [f"Acme post {n} is {'broken' if n % 20 == 0 else 'fine'}, {t}" for n, t in enumerate(
        text.replace("broken", "odd")[:140] for text in distinct_texts(MENTIONS))]  # fmt: skip
    judged = distinct_texts(JUDGED)
    without, alone, whole, counts = [], [], [], {}
    for _ in range(ROUNDS):
        seconds, counts, _ = run_path(plain, "table")
        without.append(MENTIONS / seconds)
        alone.append(scorer_alone(judged))
        whole.append(run_path(judged, "bundled")[0])
    everything_else = [1 - a / w for a, w in zip(alone, whole, strict=True)]
    print(
        json.dumps(
            {
                "mentions": MENTIONS,
                "cases": counts.get("open", 0),
                "without_model_per_second": round(statistics.median(without)),
                "without_model_rounds": [round(rate) for rate in without],
                "with_model_per_second": round(JUDGED / statistics.median(whole)),
                "scorer_alone_per_second": round(JUDGED / statistics.median(alone)),
                "everything_else_share": round(statistics.median(everything_else), 3),
                "everything_else_rounds": [round(share, 3) for share in everything_else],
            }
        )
    )


if __name__ == "__main__":
    main()
