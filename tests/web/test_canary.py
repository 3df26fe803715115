"""Secrets that would be known again anywhere are in no page, no answer, no log, no command's words and no backup.

A real daemon is given one in each place that takes a secret: a place's and a channel's credential, the database's
address, a password, and those that it makes itself: sessions, tokens, one-time links.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from fastapi.routing import APIRoute

from listener.testing import FakeClock
from listener.web import make_web
from tests.homes import CONFIG, Ended, FeedServer, Home, Running, until
from tests.web.stage import Stage

pytestmark = [pytest.mark.model, pytest.mark.slow]

PLACE, CHANNEL, STORE = "canary-place-4f1c", "canary-channel-9b27", "canary-store-77d0"
PASSWORD = "canary-password-51ee of an admin"
GIVEN = {
    "LISTENER_CREDENTIAL_FORUM": PLACE,
    # Nobody listens at the port: what was tried is told in the log and on the case.
    "LISTENER_CREDENTIAL_DESK": f"json://staff:{CHANNEL}@127.0.0.1:9/canary-path-0c3a?token=canary-query-18ab",
}


@dataclass
class Canaries:
    """The secrets by what they are; `seen` collects where one was met."""

    known: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)

    def listen(self, where: str, what: str | bytes) -> None:
        """Look for every secret, also in the ways in which addresses and logs write it."""
        text = what.decode("utf-8", "replace") if isinstance(what, bytes) else what
        for name, secret in self.known.items():
            ways = {secret, quote(secret, safe=""), secret[:24], base64.b64encode(secret.encode()).decode().rstrip("=")}
            if any(way in text for way in ways):
                self.seen.append((name, where))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with FeedServer() as feeds:
        config = CONFIG.replace("[web]", 'allow_private_notifiers = true\n[web]\npublic_url = "http://127.0.0.1"')
        config += feeds.place("forum") + 'credential = "forum"\n'
        config += '\n[[place]]\nname = "gone"\nsource = "feed"\nurl = "http://127.0.0.1:9/x"\ncredential = "forum"\n'
        config += '\n[[channel]]\nname = "desk"\nadapter = "apprise"\ncredential = "desk"\n'
        found = Home(tmp_path_factory.mktemp("canary"), config)
        found.write("My acme kettle is broken, I hate it.", "acme never answers, this is terrible")
        yield found
        found.close()


@pytest.fixture(scope="module")
def running(home: Home) -> Running:
    made = home.daemon(**GIVEN)
    until(lambda: home.number("SELECT count(*) FROM cases"), "a case")
    made.wait_for("message_failed")
    until(lambda: "/welcome/" in made.words.read_text(), "the first admin's link")
    return made


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries(
        {
            "place": PLACE,
            "channel": CHANNEL,
            "password": PASSWORD,
            "path": "canary-path-0c3a",
            "query": "canary-query-18ab",
        }
    )


@pytest.fixture(scope="module")
def admin(running: Running, canaries: Canaries) -> Iterator[httpx2.Client]:
    """The first admin, with a token and an invited colleague; what was made is known to the canaries."""
    [link] = re.findall(r"/welcome/(\S+)", running.words.read_text())
    canaries.known["first link"] = link
    with httpx2.Client(base_url=running.url, headers={"origin": running.url}, trust_env=False, timeout=20) as client:
        page = f"/welcome/{link}"
        answer = client.post(page, data={"handle": "dana", "name": "Dana", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        canaries.known["session"] = next(iter(client.cookies.values()))
        made = client.post("/account/tokens", data={"name": "export", "rights": ["read", "manage"], "days": "7"})
        canaries.known["token"] = re.findall(r"lst_[\w-]{20,}", made.text)[0]
        invited = client.post("/colleagues", data={"handle": "kim", "name": "Kim", "role": "agent"})
        canaries.known["link"] = re.findall(r"/welcome/([\w-]{20,})", invited.text)[0]
        yield client


def routes(folder: Path) -> Iterator[tuple[str, str]]:
    """Every method and address there is, with its parameters."""
    with Stage(folder, now=FakeClock()()) as stage:
        for route in make_web(stage).routes:
            if isinstance(route, APIRoute) and not route.path.endswith("/stream"):
                yield from ((method, route.path) for method in sorted(route.methods))


def filled(path: str, there: Mapping[str, str]) -> str:
    """An address of something that is there."""
    return re.sub(r"{(\w+)}", lambda found: there.get(found[1], "1"), path)


ENDS = {"/sign-out", "/account/sessions/end", "/account/password", "/account/tokens", "/colleagues/{handle}/link",
        "/colleagues/{handle}/reopen", "/colleagues/{handle}/close", "/api/v1/colleagues/{handle}/link",
        "/api/v1/colleagues/{handle}/reopen", "/api/v1/colleagues/{handle}/close", "/colleagues"}  # fmt: skip
"""Forms that end what the test works with, or make a secret that is shown this once."""


def test_no_secret_is_in_any_page_or_answer(
    running: Running, home: Home, admin: httpx2.Client, canaries: Canaries, tmp_path: Path
) -> None:
    [(case,), *_] = home.ask("SELECT public_id FROM cases")
    there = {
        "public_id": str(case),
        "event": "1",
        "handle": "kim",
        "secret": "guessed",
        "token_id": "1",
        "name": "mine",
    }
    asked, kinds = 0, set()
    bearer = {"authorization": f"Bearer {canaries.known['token']}"}
    for method, path in routes(tmp_path):
        if method != "GET" and path in ENDS:
            continue
        for headers in ({}, bearer) if path.startswith(("/api", "/metrics")) else ({},):
            for wanted in {filled(path, there), filled(path, dict.fromkeys(there, "nothing-like-it"))}:
                body = {"json": {}} if path.startswith("/api") else {"data": {"handle": "dana", "password": "wrong"}}
                answer = admin.request(method, wanted, headers=headers, **(body if method != "GET" else {}))
                shown = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
                canaries.listen(f"{method} {wanted}", f"{shown}\n{answer.text}")
                asked += 1
                kinds.add(answer.status_code)
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}, {"cookie": "listener=guessed"}):
        for method, path in (("GET", "/cases"), ("POST", "/account/name"), ("POST", "/api/v1/colleagues")):
            answer = admin.request(method, path, headers=headers)
            canaries.listen(f"{method} {path} {headers}", f"{answer.headers}\n{answer.text}")
    assert canaries.seen == []
    assert asked > 120
    assert {200, 303, 400, 404, 409} <= kinds


def test_no_secret_is_in_the_log_the_database_or_a_backup(
    running: Running, home: Home, admin: httpx2.Client, canaries: Canaries, tmp_path: Path
) -> None:
    admin.post("/sign-in", data={"handle": "dana", "password": f"not {PASSWORD}"})
    canaries.listen("log", running.log.read_text())
    words = running.words.read_text()
    canaries.listen("words", re.sub(r"/welcome/\S+", "", words))
    assert words.count("/welcome/") == 1
    assert home.command("backup", str(tmp_path / "copy.db"), **GIVEN).code == 0
    canaries.listen("backup", (tmp_path / "copy.db").read_bytes())
    assert (tmp_path / "copy.db").stat().st_size > 100_000
    for file in (home.folder / "state").iterdir():
        if file.is_file():
            canaries.listen(f"state/{file.name}", file.read_bytes())
    assert canaries.seen == []


def test_no_secret_is_in_what_a_command_says(
    running: Running, home: Home, admin: httpx2.Client, canaries: Canaries
) -> None:
    [(case,), *_] = home.ask("SELECT public_id FROM cases")
    said: dict[str, Ended] = {}
    for words in (
        "check", "check --json", "check --online --json", "check --print-default", f"explain {case}",
        f"explain {case} --json", "explain 1 --json", "user list", "user list --json", "sources --json", "reload",
        "dead --json", "once --json", "run", "--version",
    ):  # fmt: skip
        said[words] = home.command(*words.split(), **GIVEN)
    said["bad channel"] = home.command("check", "--json", **{**GIVEN, "LISTENER_CREDENTIAL_DESK": f"json:/{CHANNEL}"})
    said["bad scheme"] = home.command("check", **{**GIVEN, "LISTENER_CREDENTIAL_DESK": f"{CHANNEL}://x"})
    canaries.known["store"] = STORE
    address = f"postgresql://staff:{STORE}@127.0.0.1:9/listener"
    for words in ("check --json", "once", "run", "migrate", "user list"):
        said[f"{words} (store)"] = home.command(*words.split(), **GIVEN, LISTENER_STORE_URL=address)
    for words, ended in said.items():
        canaries.listen(words, ended.out + ended.err)
        assert "Traceback" not in ended.err, words
    assert canaries.seen == []
    assert said["check --json"].code == 0, said["check --json"]
    assert json.loads(said[f"explain {case} --json"].out)


def test_a_canary_that_is_there_is_met() -> None:
    canaries = Canaries({"place": PLACE})
    for text in (f"x{PLACE}x", f"Basic {base64.b64encode(PLACE.encode()).decode()}", PLACE.encode()):
        canaries.listen("here", text)
    assert len(canaries.seen) == 3
