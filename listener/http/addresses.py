"""Which addresses belong to the public internet, and which spellings of a host are read at all: the pure rule.

Called by `guard.py` before anything is dialled. It judges writing and asks nobody. The networks are those of the
IANA special-purpose address registries; Python's own list is the second opinion, since it changes with its version.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

Judge = Callable[[str], str | None]
"""Says why an address is not on the public internet; None when it is."""

_LABEL = r"[a-z0-9_-]{1,63}"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A name whose last part looks like this is read as an IPv4 address by some library or other."""

_PRIVATE_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa")

_SPECIAL: tuple[tuple[str, str], ...] = (
    ("this machine or network", "0.0.0.0/8 127.0.0.0/8 ::1/128 ::/128"),
    ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10"),
    ("shared by a provider's customers", "100.64.0.0/10"),
    ("link-local", "169.254.0.0/16 fe80::/10"),
    ("multicast", "224.0.0.0/4 ff00::/8"),
    ("broadcast", "255.255.255.255/32"),
    ("reserved", "240.0.0.0/4 192.0.0.0/24 100::/64 2001::/23 5f00::/16"),
    ("for documents", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
    ("for measurements", "198.18.0.0/15"),
    # These carry an IPv4 address inside, and reach whatever they carry.
    ("an IPv4 address in disguise", "::/96 ::ffff:0:0/96 ::ffff:0:0:0/96"),
    ("6to4", "192.88.99.0/24 2002::/16"),
    ("Teredo", "2001::/32"),
    ("NAT64", "64:ff9b::/96 64:ff9b:1::/48"),
)  # fmt: skip
_NETWORKS = tuple((ipaddress.ip_network(network), kind) for kind, networks in _SPECIAL for network in networks.split())
_UNICAST = ipaddress.ip_network("2000::/3")
"""Where public IPv6 addresses are; the rest is special or not given out."""
_ISATAP = (0x00005EFE, 0x02005EFE)


def why_private(address: str) -> str | None:
    """Why an IP address is not on the public internet; None when it is.

    Args:
        address: in its usual spelling; anything else is not public.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "no address in its usual spelling"
    if "%" in address:
        return "an address with a zone"
    kinds = [(network.prefixlen, kind) for network, kind in _NETWORKS if found in network]
    if kinds:
        return max(kinds)[1]
    if isinstance(found, ipaddress.IPv6Address):
        if found not in _UNICAST:
            return "reserved"
        if int(found) >> 32 & 0xFFFFFFFF in _ISATAP:
            return "an IPv4 address in disguise"
    return None if found.is_global and not found.is_multicast else "not global"


def plain_host(written: str) -> str:
    """A host in the one spelling that is looked up: ASCII, lower case, without brackets and final dot.

    Args:
        written: a name, an IPv4 address or an IPv6 address, the last with or without brackets.

    Raises:
        ValueError: it can be read in more than one way, or in none; says why.
    """
    bracketed = written[:1] == "[" and written[-1:] == "]"
    host = written[1:-1] if bracketed else written
    if "%" in host:
        raise ValueError("an address with a zone")
    if bracketed or ":" in host:
        return ipaddress.IPv6Address(host).compressed
    try:
        host = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("no name of a host") from None
    name = host.removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError("no name of a host")
    if not is_address(name):
        return name
    # Only one spelling of four numbers means the same everywhere: no octal, no hexadecimal, none left out.
    return str(ipaddress.IPv4Address(host))


def is_address(host: str) -> bool:
    """Whether what `plain_host` gave is an address, not a name."""
    return ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def why_refused(host: str, judge: Judge = why_private) -> str | None:
    """Why a host may not be dialled, as far as its writing says; None when its addresses decide.

    Args:
        host: a name or an address, as written.
        judge: is asked where it is an address.
    """
    try:
        name = plain_host(host)
    except ValueError as odd:
        return str(odd)
    if is_address(name):
        return judge(name)
    # A name without a dot is completed by the resolver, with the domain of our own network.
    private = "." not in name or any(name.endswith(f".{one}") for one in _PRIVATE_NAMES)
    return "a name of one's own network" if private else None
