"""`listener user`, while no daemon runs and while one does: the same answers, and links that work."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.cli.conftest import Command
from tests.homes import CONFIG, Home, Running

SECRET = r"/welcome/[\w-]{43}$"


def test_somebody_is_added_listed_and_closed(home: Home, command: Command) -> None:
    assert command("user", "add", "Dana", "--role", "lead", "--name", "Dana Okafor").code == 0
    added = command("user", "add", "ben", "--json").json
    assert isinstance(added, dict)
    assert (added["handle"], added["role"], added["hours"]) == ("ben", "agent", 72)
    listed = command("user", "list")
    assert "dana  Dana Okafor, lead, invited" in listed.out
    assert "ben  ben, agent, invited" in listed.out
    assert command("user", "close", "dana").out == "dana cannot sign in any more\n"
    states = command("user", "list", "--json").json
    assert {row["handle"]: row["state"] for row in states} == {"dana": "closed", "ben": "invited"}
    done = home.ask("SELECT who, via, act, subject FROM events ORDER BY id")
    assert done[0] == ("the operator", "command", "colleague invited", "colleague dana")
    assert done[-1] == ("the operator", "command", "account closed", "colleague dana")


def test_links_lead_to_the_public_address(home: Home, command: Command) -> None:
    home.config.write_text(CONFIG.replace("port = 0", 'port = 0\npublic_url = "https://desk.example/"'))
    told = command("user", "add", "dana")
    assert "dana (agent) chooses a password here; it works once, for 72 hours:" in told.out
    assert re.search("https://desk.example" + SECRET, told.out.strip())
    assert re.search("https://desk.example" + SECRET, str(command("user", "reset", "dana").out).strip())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "dana", "--role", "boss"), "the roles are viewer, marketer, agent, lead, admin"),
        (("add", "d\x1b[2Jana"), "a handle is 1 to 64 letters"),
        (("add", "ben"), "somebody signs in as ben already"),
        (("add", "eve", "--name", " "), "a name has 1 to 80 characters"),
        (("reset", "nobody"), "nobody signs in under that handle"),
        (("close", "nobody"), "nobody signs in under that handle"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    home: Home, command: Command, arguments: tuple[str, ...], words: str
) -> None:
    assert command("user", "add", "ben").code == 0
    ended = command("user", *arguments)
    assert ended.code == 1
    assert words in ended.err
    assert "\x1b" not in ended.err


def test_without_anybody_the_list_says_how_to_begin(home: Home, command: Command) -> None:
    assert command("user", "list").code == 4
    command("user", "close", "nobody")
    assert "prints a link to make the first one" in command("user", "list").out


@pytest.mark.model
def test_the_daemon_prints_a_link_until_somebody_used_it_and_does_errands_with_accounts(home: Home) -> None:
    older, running = started(home)
    running.end()
    link, running = started(home)
    assert link != older
    choice = {"handle": "dana", "name": "Dana", "password": "copper lantern seven rows"}
    with httpx2.Client(headers={"origin": running.url}, trust_env=False, timeout=20) as browser:
        assert browser.get(f"{running.url}{urlsplit(older).path}").status_code == 409
        assert browser.post(link, data=choice).status_code == 303
        assert "Dana" in browser.get(f"{running.url}/cases").text
    assert home.ask("SELECT handle, role FROM colleagues") == [("dana", "admin")]
    told = home.command("user", "add", "ben", "--json").json
    assert isinstance(told, dict)
    assert str(told["url"]).startswith(f"{running.url}/welcome/")
    refused = home.command("user", "close", "dana")
    assert (refused.code, "last admin" in refused.err) == (1, True)
    secrets = {link.rsplit("/", 1)[1], str(told["url"]).rsplit("/", 1)[1]}
    assert not any(running.said(secret) for secret in secrets)
    running.end()
    again = home.daemon()
    again.wait_for("started")
    assert "/welcome/" not in again.words.read_text()
    again.end()


def started(home: Home) -> tuple[str, Running]:
    """A daemon, and the link that it prints."""
    running = home.daemon()
    running.wait_for("started")
    [link] = re.findall(r"^    (http://127\.0\.0\.1:\d+/welcome/[\w-]{43})$", running.words.read_text(), re.MULTILINE)
    return link, running
