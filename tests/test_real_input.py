"""Real input, end to end, by the commands a person types: labelled tweets and a WordPress site in, messages out.

The receivers are a real SMTP server and a real HTTP server; the scorer is the bundled one. Tweets are read from
$LISTENER_DATA, which holds no file of ours and is never committed.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.wordpress import WordPress
from tests.sinks import HttpSink, SmtpSink

LISTENER = str(Path(sys.executable).parent / "listener")

CONFIG = """
[listener]
state_dir = "state"
allow_private_sources = true
allow_private_notifiers = true

[web]
enabled = false
public_url = "https://desk.example"

[[brand]]
name = "Acme"
terms = ["acme"]

[[channel]]
name = "mail"
adapter = "apprise"
url = "{mail}"
pause = "0s"

[[channel]]
name = "desk"
adapter = "apprise"
url = "{desk}"

[route]
group_wait = "0s"

[[route.routes]]
name = "complaints"
match = ["sentiment = negative"]
"""


def listener(folder: Path, *arguments: str) -> str:
    """Run a command as a person would; gives what it prints."""
    done = subprocess.run(
        [LISTENER, *arguments, "--config", str(folder / "listener.toml")],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(folder: Path, sql: str) -> list[tuple[object, ...]]:
    """Read the database from outside."""
    with sqlite3.connect(f"file:{folder}/state/listener.db?mode=ro", uri=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def tweets() -> Path:
    """The development tweets."""
    path = Path(os.environ.get("LISTENER_DATA", "")) / "semeval" / "dev.jsonl"
    if not path.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs LISTENER_DATA, the folder with semeval/dev.jsonl")
        pytest.skip("LISTENER_DATA does not name the folder with semeval/dev.jsonl")
    return path


@pytest.mark.slow
@pytest.mark.model
def test_two_thousand_real_tweets_end_in_messages(
    tmp_path: Path, tweets: Path, smtp_sink: SmtpSink, http_sink: HttpSink
) -> None:
    (tmp_path / "listener.toml").write_text(CONFIG.format(mail=smtp_sink.url, desk=http_sink.url))
    rows = sum(1 for _ in tweets.open(encoding="utf-8"))
    again = ("import", str(tweets), "--place", "tweets", "--brand", "Acme", "--alert")
    listener(tmp_path, *again)
    listener(tmp_path, *again)
    assert ask(tmp_path, "SELECT count(*) FROM posts")[0][0] == rows, "the second import may add nothing"
    listener(tmp_path, "once")
    negative = int(str(ask(tmp_path, "SELECT count(*) FROM mentions WHERE label = 'negative'")[0][0]))
    cases = int(str(ask(tmp_path, "SELECT count(*) FROM cases")[0][0]))
    assert negative == cases > rows * 0.08
    for sink in (smtp_sink, http_sink):
        (arrival,) = sink.accepted
        assert f"{cases} cases" in arrival.text
        assert "https://desk.example/cases" in arrival.text
    assert smtp_sink.keys != http_sink.keys, "each channel has a message of its own"


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.servers
def test_a_complaint_on_a_real_wordpress_reaches_mail_and_desk_once(
    tmp_path: Path,
    wordpress: WordPress,
    smtp_sink: SmtpSink,
    http_sink: HttpSink,
) -> None:
    place = f'\n[[place]]\nname = "blog"\nsource = "feed"\nurl = "{wordpress.feed}"\n'
    config = CONFIG.format(mail=smtp_sink.url, desk=http_sink.url)
    (tmp_path / "listener.toml").write_text(config + place)
    wordpress.publish("Acme is a disgrace", "<p>This is the worst service ever &amp; I want my money back, Acme!</p>")
    wordpress.publish("Nice day", "<p>I love my new kettle from Acme, thank you so much.</p>")
    for _ in range(2):
        listener(tmp_path, "once")
    labels = dict(ask(tmp_path, "SELECT p.title, m.label FROM mentions m JOIN posts p ON p.id = m.post_id"))  # type: ignore[arg-type]
    assert labels == {"Acme is a disgrace": "negative", "Nice day": "positive"}
    for sink in (smtp_sink, http_sink):
        (arrival,) = sink.accepted
        assert "worst service ever & I want my money back" in arrival.text
        assert "https://desk.example/cases/" in arrival.text
    (case,) = ask(tmp_path, "SELECT public_id FROM cases")
    told = json.loads(listener(tmp_path, "explain", str(case[0]), "--json"))
    assert "Acme is a disgrace" in json.dumps(told)
