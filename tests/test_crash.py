"""Kill the daemon at random while it works, again and again, and count what is there in the end.

`make test` kills 20 times over 5,000 mentions; `make chaos` 200 times over 100,000. What a `kill -9` cannot show is a
power failure: that rests on `synchronous=FULL` and on SQLite's own tests.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tests.lives import Lives
from tests.paging import PagingServer
from tests.sinks import HttpSink

KEPT = Path(__file__).resolve().parents[1] / ".bench" / "chaos.json"
"""Where `make chaos` leaves its counts for FIGURES.md."""

CONFIG = """
[listener]
state_dir = "state"
allow_private_sources = true
allow_private_notifiers = true

[web]
enabled = false
public_url = "http://desk.example"

[scorer]
name = "table"

[[brand]]
name = "Acme"
terms = ["acme"]

[[place]]
name = "pages"
source = "pages"
url = "{url}"
every = "1s"
history = "live"

[[channel]]
name = "staff"
adapter = "apprise"
url = "{sink}"

[route]
group_by = ["author"]
group_wait = "0s"
group_interval = "1s"
repeat_interval = "90d"
# The test moves the clock; a promise that it breaks would be one more message about the same case.
acknowledge_within = "90d"

[[route.routes]]
name = "complaints"
match = ["sentiment = negative", "certainty = confident"]
"""


@pytest.fixture
def size() -> tuple[int, int]:
    """Kills and mentions."""
    return (200, 100_000) if os.environ.get("CHAOS") else (20, 5_000)


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled_by_kills_at_random(tmp_path: Path, size: tuple[int, int]) -> None:
    kills, total = size
    dice = random.Random(20261114)
    seconds = kills * 1.3
    with PagingServer(total, rate=total / seconds) as server, HttpSink(mode="fifth") as sink:
        lives = Lives(tmp_path, CONFIG.format(url=server.url, sink=sink.url))
        for _ in range(kills):
            lives.start()
            # A kill may fall into the start, into work, or into rest; the sleep is the point of the test.
            time.sleep(dice.uniform(0.5, 2.0))
            lives.kill()
        lives.start()
        lives.until(
            lambda: lives.number("SELECT count(*) FROM posts") == total
            and lives.number("SELECT count(*) FROM mentions WHERE step IS NOT NULL") == 0,
            "all mentions judged and routed", 120 + total / 500, restart=True,
        )  # fmt: skip
        lives.until(lambda: _delivered(lives), "all messages delivered", 240 + total / 200)
        assert lives.stop() == 0
        _check(lives, server, sink, kills, total)


def _delivered(lives: Lives) -> bool:
    """Let failed tries be due by moving the clock, and say whether none is left."""
    waiting = lives.number("SELECT count(*) FROM notifications WHERE step IS NOT NULL AND reason <> 'repeat'")
    due = "SELECT count(*) FROM notifications WHERE step IS NOT NULL AND reason <> 'repeat' AND attempts = 0"
    if waiting and not lives.number(due):
        lives.ahead(timedelta(minutes=3))
        time.sleep(0.5)
    return waiting == 0


def _check(lives: Lives, server: PagingServer, sink: HttpSink, kills: int, total: int) -> None:
    posts = [row[0] for row in lives.ask("SELECT external_id FROM posts")]
    mentions = [row[0] for row in lives.ask("SELECT p.external_id FROM mentions m JOIN posts p ON p.id = m.post_id")]
    told = lives.ask(
        "SELECT c.author, n.key FROM notifications n JOIN notification_cases j ON j.notification_id = n.id "
        "JOIN cases c ON c.id = j.case_id WHERE n.status = 'sent'"
    )
    accepted = Counter(sink.keys)
    dead = lives.number("SELECT count(*) FROM mentions WHERE step = 'dead'")
    repeats = sum(accepted.values()) - len(accepted)
    found = {
        "kills": kills,
        "mentions": total,
        "lost": total - len(set(posts)),
        "doubled": len(posts) - len(set(posts)) + len(mentions) - len(set(mentions)),
        "dead": dead,
        "cases_missing": len(server.complaints() - {str(row[0]).removeprefix("user") for row in told}),
        "cases_doubled": lives.number("SELECT count(*) - count(DISTINCT key) FROM cases"),
        "messages_missing": len({str(row[1]) for row in told} - set(accepted)),
        "told_twice_under_two_keys": len(told) - len({row[0] for row in told}),
        "repeats_with_the_same_key": repeats,
        "integrity": str(lives.ask("PRAGMA integrity_check")[0][0]),
    }
    print(f"\ncrash run: {found}")
    if os.environ.get("CHAOS"):
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(found, indent=1) + "\n")
    assert found["lost"] == found["doubled"] == found["dead"] == 0, found
    assert set(mentions) == set(posts) == {str(n) for n in range(total)}
    assert found["cases_missing"] == found["cases_doubled"] == found["messages_missing"] == 0, found
    assert found["told_twice_under_two_keys"] == 0, found
    assert repeats <= kills, f"a kill may repeat one message of a channel, not more: {found}"
    assert found["integrity"] == "ok"
    texts = {arrival.key: arrival.text for arrival in sink.accepted}
    assert all(arrival.text == texts[arrival.key] for arrival in sink.accepted), "a repeat said something else"


@pytest.mark.slow
def test_a_text_that_kills_the_process_ends_in_dead_and_the_rest_is_judged(tmp_path: Path) -> None:
    with PagingServer(600, deadly=(123,)) as server, HttpSink() as sink:
        lives = Lives(tmp_path, CONFIG.format(url=server.url, sink=sink.url))
        lives.start()
        lives.until(
            lambda: lives.number("SELECT count(*) FROM mentions") == 600
            and lives.number("SELECT count(*) FROM mentions WHERE step IS NOT NULL AND step <> 'dead'") == 0,
            "one dead, all others done", 120, restart=True,
        )  # fmt: skip
        (dead,) = lives.ask(
            "SELECT p.external_id, m.last_error FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.step = 'dead'"
        )
        assert dead[0] == "123"
        assert "process ended" in str(dead[1])
        assert lives.number("SELECT count(*) FROM mentions WHERE label IS NOT NULL") == 599
        assert lives.started == 4, "it may end the process three times, as its tries say, and no more"
        assert lives.alive()
        assert lives.stop() == 0
