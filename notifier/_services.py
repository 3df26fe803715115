"""Which Apprise services may carry messages, and how each reads text; data, used by `notifier/apprise.py`.

A service is on the list when it reaches named staff over a network. Left out on purpose, with the reason shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from notifier._markup import Markup


def utf16(text: str) -> int:
    """Units as most chat services count them: an emoji is two."""
    return len(text.encode("utf-16-le", "replace")) // 2


def utf8(text: str) -> int:
    """Bytes on the wire."""
    return len(text.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How to treat one kind of service.

    Args:
        markup: how the reading side treats text.
        own_host: the URL's host is a server, not a part of the credentials; it may be shown in errors.
        keyed: takes the key as a header.
        most: units of text, where that is less than Apprise knows of.
        measure: how it counts.
    """

    markup: Markup = "chat"
    own_host: bool = False
    keyed: bool = False
    most: int = 30_000
    measure: Callable[[str], int] = utf16


_CHAT = Service()
_OWN_CHAT = Service(own_host=True)
_PLAIN = Service(markup="plain")
_MAIL = Service(markup="plain", own_host=True, keyed=True)
_WEB = Service(own_host=True, keyed=True)
# ntfy turns a longer message into an attachment.
_NTFY = Service(own_host=True, most=4_096, measure=utf8)

_GROUPS: tuple[tuple[Service, str], ...] = (
    (_MAIL, "mailto mailtos"),
    (_WEB, "json jsons form forms xml xmls"),
    (_NTFY, "ntfy ntfys"),
    (_OWN_CHAT, "mmost mmosts rocket rockets matrix matrixs gotify gotifys nctalk nctalks ncloud nclouds synology"),
    (_OWN_CHAT, "synologys signal signals goalert goalerts hassio hassios apprise apprises"),
    (_CHAT, "slack discord tgram gchat workflow workflows webex wxteams zulip guilded twist ryver flock cliq zcliq"),
    (_CHAT, "dingtalk feishu lark wecombot line whatsapp threema revolt groupme zoom stackfield viber"),
    (_CHAT, "pover pbul onesignal pushy signl4 ilert incidentio squadcast betterstack pagertree firehydrant jira"),
    (_PLAIN, "pagerduty opsgenie splunk victorops twilio vonage nexmo sinch msgbird clicksend plivo sns telnyx"),
    (_PLAIN, "ses mailgun sendgrid postmark resend sparkpost brevo mailersend smtp2go o365"),
)

ALLOWED: dict[str, Service] = {schema: service for service, names in _GROUPS for schema in names.split()}

_REFUSED: tuple[tuple[str, str], ...] = (
    ("dbus qt kde gnome glib gio macosx windows growl syslog rsyslog blink1", "stays on a machine and reaches nobody"),
    ("x twitter tweet mastodon mastodons toot toots bluesky bsky reddit misskey misskeys nostr github streamlabs",
     "publishes, and a message names customers"),
    ("kodi kodis xbmc xbmcs emby embys jellyfin jellyfins enigma2 enigma2s lametric lametrics", "drives a screen"),
    ("aprs dapnet irc ircs", "carries fewer characters than a link needs, or in public"),
)  # fmt: skip

WHY_NOT: dict[str, str] = {schema: why for names, why in _REFUSED for schema in names.split()}

FIXED: dict[str, str] = {
    "retry": "Listener retries by itself, for 24 hours",
    "wait": "Listener retries by itself, for 24 hours",
    "optional": "it would report failures as successes",
    "overflow": "messages are cut to fit with their link kept",
    "format": "messages are plain text",
    "emojis": "messages are plain text",
    "redirect": "redirects are never followed",
    "store": "nothing is kept on disk",
    "batch": "a channel has one recipient",
    "cc": "a channel has one recipient",
    "bcc": "a channel has one recipient",
}
"""URL parameters that Listener decides, each with the reason it gives."""
