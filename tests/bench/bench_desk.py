"""The pages with 1,000,000 mentions, 100,000 cases and 20 people clicking; prints one JSON object, called by `run.py`.

The server is a process of its own, as in life; the people are threads of this one. Each looks at a list or a case,
searches, or claims, thinks for about a second, and clicks again, with the event stream open all the time. The database
is laid by SQL: it is the state of years, not the way to it.
"""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "stranger"))

from listener import registry  # noqa: E402
from listener.app import App, make_app, utc_now  # noqa: E402
from listener.core.case import Wanted  # noqa: E402
from listener.telemetry import set_up_logging  # noqa: E402
from listener.web import make_web, serve  # noqa: E402
from tests.bench.bench_path import demo_texts  # noqa: E402

MENTIONS = int(os.environ.get("BENCH_MENTIONS", "1000000"))
CASES = MENTIONS // 10
PEOPLE = 20
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
THINK = (0.5, 1.5)

CONFIG = """
[listener]
state_dir = "state"

[scorer]
name = "table"

[[brand]]
name = "Acme"
terms = ["acme"]

[[brand]]
name = "Bolt"
terms = ["bolt"]

[[place]]
name = "forum"
source = "replay"
path = "none.ndjson"
enabled = false

[[channel]]
name = "nobody"
adapter = "null"
"""

LAY = """
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :mentions)
  SELECT i FROM n;
INSERT INTO posts (id, source, realm, external_id, place, kind, handle, author_name, title, text, published_at, rating,
    likes, replies, shares, fingerprint, seen_at)
  SELECT i + 1, 'replay', 'forum', i, 'forum', 'post', 'user' || (i % 300000), 'User ' || i, '', t.text || ' ' || i,
    :now - (:mentions - i) * 15000, NULL, i % 7, 0, 0, 'f' || i, :now - (:mentions - i) * 15000
  FROM n JOIN said t ON t.id = i % :texts;
INSERT INTO mentions (id, post_id, brand, place, queries, words, fingerprint, seen_at, hour, arrival, arrival_reason,
    label, score, confidence, certainty, scorer, routes, routed_why)
  SELECT i + 1, i + 1, CASE WHEN i % 5 THEN 'Acme' ELSE 'Bolt' END, 'forum', 'acme', 'Acme', 'f' || i,
    :now - (:mentions - i) * 15000, (:now - (:mentions - i) * 15000) / 3600000, 'live', 'new',
    CASE i % 10 WHEN 0 THEN 'negative' WHEN 1 THEN 'positive' ELSE 'neutral' END, 0, 0.9, 'confident', 'table@1',
    '', 'no route takes it' FROM n;
INSERT INTO verdicts SELECT id, fingerprint, 0.9, 0.05, 0.05, 'negative', 0.9, 'confident', 'en', 1, 'table@1', :now
  FROM posts;
INSERT INTO moods SELECT hour, brand, 'replay', '', label, certainty, count(*) FROM mentions GROUP BY 1, 2, 5, 6;
INSERT INTO cases (id, public_id, key, brand, route, reason, severity, priority, status, headline, author, voice,
    opened_at, changed_at, resolved_at, mentions, clocks_from, acknowledge_by, due_at, outcome)
  SELECT m.id / 10, 'case-' || (m.id / 10), 'k' || m.id, m.brand, 'complaints', 'sentiment is negative',
    CASE (m.id / 10) % 40 WHEN 0 THEN 'crisis' WHEN 1 THEN 'high' WHEN 2 THEN 'low' ELSE 'normal' END,
    CASE (m.id / 10) % 40 WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 3 ELSE 2 END,
    CASE WHEN m.id / 10 > :cases * 0.9 THEN 'open' ELSE 'resolved' END, substr(p.text, 1, 140), p.handle,
    'replay' || char(31) || 'forum' || char(31) || p.handle, m.seen_at, m.seen_at,
    CASE WHEN m.id / 10 > :cases * 0.9 THEN NULL ELSE m.seen_at + 3600000 END, 2, m.seen_at, m.seen_at + 1800000,
    CASE WHEN m.id / 10 > :cases * 0.9 THEN m.seen_at + 1800000 ELSE 9007199254740991 END,
    CASE WHEN m.id / 10 > :cases * 0.9 THEN NULL ELSE 'answered' END
  FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id % 10 = 0;
INSERT INTO case_mentions SELECT m.id, m.id / 10, m.seen_at FROM mentions m WHERE m.id % 10 IN (0, 1) AND m.id >= 10;
INSERT INTO events (at, who, via, act, case_id, subject, detail, version)
  SELECT opened_at, 'Listener', 'listener', 'opened', id, '', '', 1 FROM cases
  UNION ALL SELECT changed_at, 'Listener', 'listener', 'grown', id, '', '', 2 FROM cases;
"""


def lay(app: App) -> None:
    """Fill the database with years of work."""
    db = app.store.db
    texts = demo_texts()
    values = {
        "mentions": str(MENTIONS), "cases": str(CASES), "texts": str(len(texts)),
        "now": str(int(time.time() * 1000)),
    }  # fmt: skip
    with app.store.transaction():
        db.write("CREATE TEMP TABLE said (id INTEGER PRIMARY KEY, text TEXT)")
        db.write_many("INSERT INTO said VALUES (?, ?)", list(enumerate(texts)))
        for statement in LAY.split(";\n"):
            if statement.strip():
                db.write(re.sub(r":(\w+)", lambda found: values[found.group(1)], statement))


def host(folder: Path) -> None:
    """Be the server: lay the database, hire the people, serve until the other side closes our input."""
    set_up_logging("error")
    app = make_app(registry.load_settings(folder / "listener.toml", {}))
    app.sync()
    lay(app)
    cookies = []
    for number in range(PEOPLE):
        colleague = app.store.colleagues.add(f"agent{number}", f"Agent {number}", "agent", utc_now())
        cookies.append(app.sessions.open(colleague, "a benchmark's browser"))
    server = serve(make_web(app), "127.0.0.1", 0)
    server.start()
    cases = [case.public_id for case in app.store.cases.page(Wanted(statuses=("open",)), limit=400)]
    print(json.dumps({"url": server.url, "cookies": cookies, "cases": cases}), flush=True)
    sys.stdin.read()
    server.stop()
    app.close()


class Person(threading.Thread):
    """Somebody who clicks, thinks, and clicks again."""

    def __init__(self, number: int, url: str, cookie: str, cases: list[str], until: float) -> None:
        super().__init__(daemon=True)
        self._chance = random.Random(number)
        self._client = httpx2.Client(
            base_url=url, cookies={"listener": cookie}, headers={"origin": url}, trust_env=False, timeout=30
        )
        self._cases = cases
        self._until = until
        self.took: dict[str, list[float]] = defaultdict(list)
        self.failed: list[str] = []

    def run(self) -> None:
        """Click until the time is over."""
        time.sleep(self._chance.uniform(0, THINK[1]))
        while time.monotonic() < self._until:
            kind, path, method = self._choose()
            began = time.perf_counter()
            answer = self._client.request(method, path)
            self.took[kind].append(time.perf_counter() - began)
            # 409: another has that case, which is an answer.
            if answer.status_code not in {200, 303, 409}:
                self.failed.append(f"{answer.status_code} {method} {path}")
            time.sleep(self._chance.uniform(*THINK))

    def _choose(self) -> tuple[str, str, str]:
        chance = self._chance
        case = chance.choice(self._cases)
        lists = ("/cases", "/cases", "/cases?brand=Bolt", "/cases?severity=high", "/cases?view=resolved",
                 "/cases?view=mine", "/cases?page=2", "/cases?page=40")  # fmt: skip
        pick = chance.random()
        if pick < 0.55:
            return "list", chance.choice(lists), "GET"
        if pick < 0.60:
            return "search", f"/cases?q=user{chance.randrange(1000)}", "GET"
        if pick < 0.90:
            return "case", f"/cases/{case}", "GET"
        return "claim", f"/cases/{case}/claim", "POST"


class Stream(threading.Thread):
    """A person's open event stream; counts what it hears."""

    def __init__(self, url: str, cookie: str) -> None:
        super().__init__(daemon=True)
        self._client = httpx2.Client(base_url=url, cookies={"listener": cookie}, trust_env=False, timeout=120)
        self.heard = 0

    def run(self) -> None:
        """Listen until the server ends."""
        with suppress(httpx2.HTTPError), self._client.stream("GET", "/cases/stream") as answer:
            for line in answer.iter_lines():
                self.heard += line.startswith("data:")


def p95(took: list[float]) -> float:
    """In milliseconds."""
    return round(statistics.quantiles(took, n=20)[-1] * 1000, 1) if len(took) > 1 else 0.0


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR"))))
        (folder / "listener.toml").write_text(CONFIG)
        server = stack.enter_context(
            subprocess.Popen(
                [sys.executable, __file__, "host", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=folder,
            )
        )  # fmt: skip
        assert server.stdin
        assert server.stdout
        told = json.loads(server.stdout.readline())
        streams = [Stream(told["url"], cookie) for cookie in told["cookies"]]
        people = [
            Person(number, told["url"], cookie, told["cases"], time.monotonic() + SECONDS)
            for number, cookie in enumerate(told["cookies"])
        ]
        for thread in (*streams, *people):
            thread.start()
        for person in people:
            person.join(SECONDS + 60)
        server.stdin.close()
        server.wait(30)
    took = {kind: [t for person in people for t in person.took[kind]] for kind in ("list", "search", "case", "claim")}
    print(
        json.dumps(
            {
                "mentions": MENTIONS,
                "cases": CASES,
                "people": PEOPLE,
                "seconds": SECONDS,
                "clicks": sum(len(times) for times in took.values()),
                "failed": sorted({word for person in people for word in person.failed})[:5],
                "events_heard": sum(stream.heard for stream in streams),
                **{f"{kind}_p50_ms": round(statistics.median(times) * 1000, 1) for kind, times in took.items()},
                **{f"{kind}_p95_ms": p95(times) for kind, times in took.items()},
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["host"]:
        host(Path(sys.argv[2]))
    else:
        main()
