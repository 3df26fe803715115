"""Notices about a mail of ours, in the forms of the mail systems and absent people's mailboxes that write them."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "imap"

RETURNED = {
    "postfix": ("there is no such mailbox (5.1.1)", "550 5.1.1 the address: Recipient address rejected: User unknown"),
    "postfix-utf8": ("code 5.4.6", "mail for customer.example loops back to myself"),
    "exim": ("the mailbox is full (5.2.2)", "552 5.2.2 the address: Quota exceeded"),
    "exim-plain": (
        "there is no such mailbox (5.1.1)",
        "550 5.1.1 the address: Recipient address rejected: User unknown",
    ),
    "exchange": ("there is no such mailbox (5.1.10)", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"),
    "gmail": ("there is no such mail server (5.1.2)", "DNS Error: DNS type 'mx' lookup of customer.example responded"),
    "qmail": ("its mail server refuses mails from us (5.7.1)", "554 5.7.1 the address: Relay access denied"),
}
"""Bounces: why the mail did not arrive, in our words, and how the other side's begin to say so."""
LATER = ("delayed", "exim-warning")
"""Warnings: it may arrive yet."""
AWAY = ("away-exchange", "away-gmail", "away-sieve", "away-desk")
"""Automatic answers."""


def notice(
    name: str, known: str, *, ours: str = "service@brackholm.example", to: str = "kim@customer.example"
) -> bytes:
    """A notice about the mail of ours with this Message-ID."""
    text = (FOLDER / f"{name}.eml").read_text(encoding="utf-8")
    for mark, value in (("@KNOWN@", known), ("@OURS@", ours), ("@KIM@", to)):
        text = text.replace(mark, value)
    return text.replace("\n", "\r\n").encode()
