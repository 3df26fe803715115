"""The whole product around a public answer, on three networks at once: the engine's threads, the pages in a browser.

A customer complains; Ann claims the case and writes, asks marketing, and sends the answer to review; Lea approves; it
stands under the customer's post, once, as another client reads it; the customer answers, and the case shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect

from listener import registry
from listener.app import App, make_app
from listener.core.case import Case
from listener.core.colleague import Role
from listener.engine.threads import Engine
from listener.web import Server, make_web, serve
from listener.web.auth import cookie_name
from tests.browser import chromium
from tests.servers.bluesky import Account, Network, eventually
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.mastodon import Instance, Member
from tests.servers.smtp import Delivering

__all__ = ["chromium"]

pytestmark = [pytest.mark.servers, pytest.mark.browser]

SOON = 30_000
"""Milliseconds in which a poll, the judging and an event have come round."""

CONFIG = """
[listener]
state_dir = "state"
allow_private_sources = true
source_ports = [{ports}]

[web]
enabled = false

[replies]
post = true
hold = "1s"
agent_alone = "none"

[scorer]
name = "bundled"

[[brand]]
name = "Acme"

[credentials]
{credentials}

[[place]]
name = "town"
source = "mastodon"
brand = "Acme"
every = "1s"
credential = "town"
instance = "{instance}"
notifications = true

[[place]]
name = "sky"
source = "bluesky"
brand = "Acme"
every = "1s"
credential = "sky"
service = "{service}"
handle = "{handle}"

[[place]]
name = "post"
source = "imap"
brand = "Acme"
every = "1s"
credential = "post"
host = "127.0.0.1"
port = {imap}
security = "none"
user = "{user}"
smtp_host = "127.0.0.1"
smtp_port = {smtp}
smtp_security = "none"
sent_folder = "Sent"

[[channel]]
name = "console"
adapter = "console"

[[route.routes]]
name = "everything"
match = ["brand = Acme"]
channels = []
"""


class Customer(Protocol):
    """Somebody who speaks to us on a network, with a client of their own."""

    def complain(self, words: str) -> None:
        """Write to us."""
        ...

    def answers(self) -> list[str]:
        """Our answers to it, as their client shows them."""
        ...

    def reply(self, words: str) -> None:
        """Write under our answer."""
        ...


@dataclass(slots=True)
class Tooter:
    """A member of a Mastodon instance."""

    kim: Member
    brand: Member
    written: str = ""

    def complain(self, words: str) -> None:
        self.written = self.kim.post(f"@{self.brand.name} {words}")["id"]

    def _ours(self) -> list[dict[str, object]]:
        return [one for one in self.kim.answers(self.written) if one["account"]["username"] == self.brand.name]

    def answers(self) -> list[str]:
        return [str(self.brand.ask(f"/api/v1/statuses/{one['id']}/source")["text"]) for one in self._ours()]

    def reply(self, words: str) -> None:
        self.kim.post(f"@{self.brand.name} {words}", in_reply_to_id=self._ours()[0]["id"])


@dataclass(slots=True)
class Skyer:
    """An account on a Bluesky network."""

    kim: Account
    brand: Account
    written: dict[str, str] | None = None

    def complain(self, words: str) -> None:
        self.written = self.kim.post(f"@{self.brand.handle} {words}", about=self.brand)

    def _ours(self) -> list[dict[str, object]]:
        assert self.written is not None
        return [one for one in self.kim.answers(self.written["uri"]) if one["author"]["did"] == self.brand.did]

    def answers(self) -> list[str]:
        return [str(one["record"]["text"]) for one in self._ours()]  # type: ignore[index]

    def reply(self, words: str) -> None:
        answer = self._ours()[0]
        self.kim.post(words, under={"uri": answer["uri"], "cid": answer["cid"], "root": self.written})


@dataclass(slots=True)
class Writer:
    """Somebody with a mailbox."""

    dovecot: Dovecot
    kim: str
    ours: str

    def _send(self, words: str, **headers: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Kim <{self.kim}>", self.ours, "My parcel"
        mail["Message-ID"] = f"<{len(self.dovecot.mails(self.ours))}-{self.kim}>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(words)
        self.dovecot.put(self.ours, mail)

    def complain(self, words: str) -> None:
        self._send(words)

    def _received(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=default) for raw in self.dovecot.mails(self.kim)]  # type: ignore[misc]

    def answers(self) -> list[str]:
        return [str(mail.get_content()).replace("\r\n", "\n").split("\n\nOn ")[0] for mail in self._received()]

    def reply(self, words: str) -> None:
        answer = self._received()[0]
        self._send(words, In_Reply_To=str(answer["Message-ID"]), References=str(answer["Message-ID"]))


@dataclass(slots=True)
class House:
    """The running product, and a customer on each network."""

    app: App
    url: str
    customers: dict[str, Customer]

    def case(self, words: str) -> Case:
        """The case of a complaint, once it is there."""
        return eventually(lambda: self._found(words), f"no case of {words!r}", SOON / 1000)  # type: ignore[return-value]

    def _found(self, words: str) -> Case | None:
        return next((case for case in self.app.store.cases.unresolved() if words in case.headline), None)

    def page(self, chromium: Browser, handle: str) -> Page:
        """A browser of its own in which a colleague is signed in."""
        colleague = self.app.store.colleagues.find(handle)
        assert colleague is not None
        page = chromium.new_page()
        secret = self.app.sessions.open(colleague)
        page.context.add_cookies([{"name": cookie_name(self.app.settings), "value": secret, "url": self.url}])
        return page


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, mastodon: Instance, bluesky: Network, dovecot: Dovecot
) -> Iterator[House]:
    """Everything runs: three servers, the daemon's steps in their threads, the pages."""
    folder = tmp_path_factory.mktemp("house")
    town, sky = mastodon.member(), bluesky.account("brand")
    ours, kim = dovecot.name(), dovecot.name("kim", "customer.example")
    secrets = {"town": town.token, "sky": sky.app_password, "post": PASSWORD}
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    with ExitStack() as stack:
        smtp = stack.enter_context(Delivering(dovecot))
        ports = [int(url.rpartition(":")[2]) for url in (mastodon.url, bluesky.pds)]
        (folder / "listener.toml").write_text(
            CONFIG.format(
                ports=", ".join(map(str, [*ports, dovecot.port, smtp.port])), instance=mastodon.url,
                credentials="\n".join(f'{name}_file = "{folder / name}"' for name in secrets), service=bluesky.pds,
                handle=sky.handle, imap=dovecot.port, user=ours, smtp=smtp.port,
            )
        )  # fmt: skip
        app = make_app(registry.load_settings(folder / "listener.toml", {}))
        stack.callback(app.close)
        app.sync()
        roles: dict[str, Role] = {"ann": "agent", "mia": "marketer", "lea": "lead"}
        for handle, role in roles.items():
            app.store.colleagues.add(handle, handle.title(), role, app.clock())
        engine, pages = Engine(app.steps()), _serving(app)
        stack.callback(engine.stop)
        stack.callback(pages.stop)
        engine.start()
        yield House(
            app, pages.url,
            {
                "mastodon": Tooter(mastodon.member(), town),
                "bluesky": Skyer(bluesky.account("kim"), sky),
                "mail": Writer(dovecot, kim, ours),
            },
        )  # fmt: skip


def _serving(app: App) -> Server:
    pages = serve(make_web(app), "127.0.0.1", 0)
    pages.start()
    return pages


@pytest.mark.parametrize("network", ["mastodon", "mail", "bluesky"])
def test_a_complaint_is_answered_in_public_once_and_the_customers_answer_comes_back(
    network: str, house: House, chromium: Browser
) -> None:
    customer = house.customers[network]
    complaint, sorry = f"the {network} parcel is broken and nobody helps", "I am sorry. A new one leaves today."
    customer.complain(complaint)
    case = house.case(complaint)
    at = f"{house.url}/cases/{case.public_id}"
    ann, mia, lea = (house.page(chromium, name) for name in ("ann", "mia", "lea"))

    opening = _asks_marketing(ann, at)
    _advises(mia, at, f"{opening}{sorry}")
    ann.goto(at)
    expect(ann.get_by_label("Words of the answer")).to_have_value(f"{opening}{sorry}")
    ann.get_by_role("button", name="Send to review").click()
    expect(ann.locator("#reply-head")).to_contain_text("in review")
    assert customer.answers() == [], "nobody approved it yet"
    lea.goto(at)
    lea.get_by_role("button", name="Approve and post").click()
    eventually(lambda: customer.answers() == [f"{opening}{sorry}"], "it never stood under the post", SOON / 1000)
    eventually(lambda: _status(house, case) == "waiting", "the case does not wait for its customer", SOON / 1000)

    customer.reply("Thank you, and when will it be here?")
    eventually(lambda: _status(house, case) == "acknowledged", "their answer did not come back to Ann", SOON / 1000)
    ann.goto(at)
    expect(ann.locator(".story")).to_contain_text("when will it be here?")
    expect(ann.locator(".story")).to_contain_text(sorry)
    assert customer.answers() == [f"{opening}{sorry}"], "once"
    told = [event.act for event in house.app.store.events.of_case(case.id)]
    assert [told.count(act) for act in ("approved", "handed over", "answered")] == [1, 1, 1]
    for page in (ann, mia, lea):
        page.close()


def _asks_marketing(ann: Page, at: str) -> str:
    """Ann claims the case, begins an answer and hands it to Mia; gives how an answer begins there."""
    ann.goto(at)
    ann.get_by_role("button", name="Claim", exact=True).click()
    expect(ann.locator(".state")).to_contain_text("Yours until")
    ann.get_by_role("button", name="Begin an answer").click()
    words = ann.get_by_label("Words of the answer")
    opening = words.input_value()
    words.fill(f"{opening}Sorry!")
    ann.locator("#ask summary").click()
    ann.get_by_label("Who", exact=True).select_option("mia")
    ann.get_by_label("What you want to know").fill("May I promise a new one?")
    ann.get_by_role("button", name="Hand it to marketing").click()
    expect(ann.locator("#reply-head")).to_contain_text("with marketing")
    return opening


def _advises(mia: Page, at: str, text: str) -> None:
    """Mia betters the words and gives them back."""
    mia.goto(at)
    expect(mia.locator("#reply")).to_contain_text("May I promise a new one?")
    mia.get_by_label("Words of the answer").fill(text)
    mia.get_by_role("button", name="Give it back").click()
    expect(mia.locator("#reply-head")).to_contain_text("draft")


def _status(house: House, case: Case) -> str:
    return house.app.store.cases.get(case.id).status
