"""The sections of the configuration file as nouns, and Settings: everything in it, checked and with defaults.

The `Args` of each docstring are the manual: `defaults.py` prints them above the keys they describe. Places, queries
and routes are nouns of the core.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from listener.core.protocols import DEFAULT_HORIZON
from listener.core.query import Place, Query
from listener.core.replying import Alone
from listener.core.route import Route, Severity
from listener.core.topic import Topic
from listener.settings.fields import Stricter
from listener.settings.problems import Places

_NAME = re.compile(r"[^\x00-\x1f\x7f|]{1,100}")
_CREDENTIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_PORTS = range(65536)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or text != text.strip():
        raise ValueError("a name is 1 to 100 characters on one line, without `|` and without blanks at its ends")
    return text


def _credential(text: str) -> str:
    if not _CREDENTIAL.fullmatch(text):
        raise ValueError("write the name of a credential (letters, digits, _ and -), never the secret itself")
    return text


def _positive(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return span


def _nearness(number: float) -> float:
    if not 0 < number <= 1:
        raise ValueError("a nearness is a number above 0, and at most 1")
    return number


def _port(number: int) -> int:
    if number not in _PORTS:
        raise ValueError("a port is a number from 0 (any free one) to 65535")
    return number


def _address(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError('write the full address, as in "https://listener.example.org"')
    return text.rstrip("/")


Name = Annotated[str, AfterValidator(_name)]
Credential = Annotated[str, AfterValidator(_credential)]
Span = Annotated[timedelta, AfterValidator(_positive)]


Nearness = Annotated[float, AfterValidator(_nearness)]


STRICTER: Mapping[type[object], Stricter] = {
    Place: (("name", Name), ("credential", Credential | None), ("every", Span)),
    Query: (("name", Name),),
    Topic: (("name", Name), ("threshold", Nearness | None)),
}
"""What the file's nouns of the core must also satisfy; the core itself knows no files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralSettings:
    """The whole installation.

    Args:
        name: what this installation is called on its pages and in its messages.
        state_dir: folder of the database, the socket and the lock; a relative one starts at this file's folder.
            Empty: $STATE_DIRECTORY (systemd sets it), else var/listener in the working directory.
        alert_horizon: posts published longer ago than this when first seen are counted, but page nobody.
        case_window: a new complaint joins the customer's resolved case for this long; later it opens another.
        sample_data: marks every page and message as sample data; for demonstrations.
        log_level: the least that is logged: debug, info, warning or error.
        log_format: text for people, json for machines, auto for text on a terminal and json elsewhere.
        allow_private_sources: lets places lead into your own network and to this machine, at any port.
        allow_private_notifiers: lets channels lead into your own network and to this machine, mail relays included.
        source_ports: the ports at which places may be asked; absent: 80 and 443, for mailboxes 993, 143, 465 and 587.
    """

    name: Name = "Listener"
    state_dir: str = ""
    alert_horizon: Span = DEFAULT_HORIZON
    case_window: Span = timedelta(days=7)
    sample_data: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "text", "json"] = "auto"
    allow_private_sources: bool = False
    allow_private_notifiers: bool = False
    source_ports: tuple[Annotated[int, AfterValidator(_port)], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The database.

    Args:
        url: its address; empty: the SQLite file listener.db in the state directory.
        credential: name of the secret that holds the address, for an address with a password in it.
    """

    url: str = field(default="", repr=False)
    credential: Credential | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The pages.

    Args:
        enabled: whether to serve them.
        host: the address to serve on; keep the loopback unless a proxy with sign-in stands in front.
        port: where to serve them; 0 takes any free one.
        public_url: the address under which staff reach the pages, for links in messages. Required once messages
            leave this machine.
        hosts: further names under which the pages may be asked for, beside the loopback, `host` and `public_url`.
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, AfterValidator(_port)] = 8420
    public_url: Annotated[str, AfterValidator(_address)] = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """What colleagues do with cases.

    Args:
        claim_lease: a claim ends after this long without work on the case, which then waits for everybody again.
        announce_channels: names of the channels that are told what marketing runs; absent: all of them; []: none.
        announce_before: how long before a campaign starts they are told; of one that is registered later, at once.
        advice_channels: names of the channels that are told of drafts with marketing; []: only the pages show them.
        review_channels: the same for answers that wait to be approved.
        remedy_channels: the same for remedies that are above an allowance.
    """

    claim_lease: Span = timedelta(hours=1)
    announce_channels: tuple[str, ...] | None = None
    announce_before: Span = timedelta(days=1)
    advice_channels: tuple[str, ...] = ()
    review_channels: tuple[str, ...] = ()
    remedy_channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySettings:
    """Public answers. A colleague approves every word; nothing is posted unless it is switched on here.

    Args:
        post: whether Listener posts approved answers itself; otherwise staff answer by hand and leave the link.
        hold: how long an approved answer waits before it is posted, in which it can be taken back.
        ask_within: how long marketing has with a draft before it goes back to who asked.
        wait: how long an answered case waits for its customer before it is resolved.
        agent_alone: the worst severity on which an agent answers without review; "none": on none.
        lead_alone: the same for a lead.
        admin_alone: the same for an admin.
    """

    post: bool = False
    hold: Span = timedelta(seconds=10)
    ask_within: Span = timedelta(minutes=30)
    wait: Span = timedelta(days=7)
    agent_alone: Alone = "normal"
    lead_alone: Alone = "high"
    admin_alone: Alone = "crisis"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerSettings:
    """The model that judges texts.

    Args:
        name: which scorer; `listener sources` lists the installed ones. Further keys are its own options.
        options: the scorer's own options as written.
    """

    name: Name = "bundled"
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A brand we listen for, ours or a rival's.

    Args:
        name: as staff call it.
        terms: words and phrases that mean it; short for a query with the brand's name.
        exclude: words and phrases, any of which takes a match back.
        rival: true for a competitor's brand.
    """

    name: Name
    terms: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rival: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """A way to staff.

    Args:
        name: the operator's name for it, unique; routes call it by this.
        adapter: the kind of channel.
        credential: name of the secret the adapter needs.
        options: the adapter's own options as written.
    """

    name: Name
    adapter: Name
    credential: Credential | None = None
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    """The escalation tree: what all routes inherit.

    Args:
        channels: names of the channels that are told; absent at the top: all of them; []: the inbox only.
        severity: of the cases it opens: crisis, high, normal or low.
        group_by: facts whose equal values share one message.
        group_wait: pause before the first message about a bundle, so that a storm makes one.
        group_interval: least pause between two messages about one bundle that grew.
        repeat_interval: pause before a bundle that nobody claimed is told again; doubles each time, up to a day.
        acknowledge_within: promise until a case is claimed; staff are told once when it is broken.
        reply_within: promise until the first public reply.
        resolve_within: promise until a case is resolved.
    """

    channels: tuple[str, ...] | None = None
    severity: Severity | None = None
    group_by: tuple[str, ...] | None = None
    group_wait: timedelta | None = None
    group_interval: Span | None = None
    repeat_interval: Span | None = None
    acknowledge_within: Span | None = None
    reply_within: Span | None = None
    resolve_within: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildTable(RouteTable):
    """Who is told of which mentions. Routes are tried in order; the first that fits takes it.

    Args:
        name: unique; shown to staff as the reason of a case. Absent: the matchers in words.
        match: tests of facts, all of which must hold.
        continue: also try the routes after this one.
    """

    name: Name | None = None
    match: tuple[str, ...] = ()
    continue_: bool = False


class Secrets:
    """The secrets that the configuration names; printing it shows the names only."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Keep the secrets by name."""
        self._values = dict(values)

    def reveal(self, name: str | None) -> str | None:
        """The secret of this name; None for no name."""
        return None if name is None else self._values.get(name)

    def __repr__(self) -> str:
        """Names only."""
        return f"Secrets({', '.join(sorted(self._values))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything in the configuration, checked, with defaults filled in.

    Args:
        file: the configuration file as named; empty when only defaults and the environment count.
        folder: where relative paths in the file start.
        state_dir: folder of the database, the socket and the lock; it need not exist yet.
        listener: the whole installation.
        store: the database.
        web: the pages.
        inbox: what colleagues do with cases.
        replies: what customers are answered.
        scorer: the model.
        brands: in the order of the file.
        topics: in the order of the file.
        queries: those of the brands' own terms first, then the written ones.
        places: in the order of the file, disabled ones included.
        channels: in the order of the file; the console when none is written.
        route: the root of the escalation tree with everything inherited filled in.
        secrets: what the credentials hold.
        revision: ten hex digits over everything that decides, without secrets; stored with decisions.
        written: where each setting stands, for messages.
    """

    file: str
    folder: Path
    state_dir: Path
    listener: GeneralSettings
    store: StoreSettings
    web: WebSettings
    inbox: InboxSettings
    replies: ReplySettings
    scorer: ScorerSettings
    brands: tuple[Brand, ...]
    topics: tuple[Topic, ...]
    queries: tuple[Query, ...]
    places: tuple[Place, ...]
    channels: tuple[ChannelSettings, ...]
    route: Route
    secrets: Secrets = field(compare=False)
    revision: str
    written: Places = field(repr=False, compare=False)
