"""The pure rule: which addresses are on the public internet, and which spellings of a host are read."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.http.addresses import is_address, plain_host, why_private, why_refused


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "this machine"),
        ("0.0.0.0", "this machine"),
        ("0.1.2.3", "this machine"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.1", "private"),
        ("100.64.0.1", "customers"),
        ("100.127.255.255", "customers"),
        ("169.254.169.254", "link-local"),
        ("192.0.0.8", "reserved"),
        ("192.0.2.1", "documents"),
        ("198.51.100.7", "documents"),
        ("203.0.113.7", "documents"),
        ("198.18.0.1", "measurements"),
        ("192.88.99.1", "6to4"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "this machine"),
        ("::1", "this machine"),
        ("::7f00:1", "disguise"),
        ("::8.8.8.8", "disguise"),
        ("::ffff:127.0.0.1", "disguise"),
        ("::ffff:8.8.8.8", "disguise"),
        ("::ffff:0:127.0.0.1", "disguise"),
        ("2606:4700::5efe:10.0.0.1", "disguise"),
        ("2606:4700::200:5efe:10.0.0.1", "disguise"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b::808:808", "NAT64"),
        ("64:ff9b:1::1", "NAT64"),
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "NAT64"),
        ("2002:7f00:1::", "6to4"),
        ("2002:808:808::1", "6to4"),
        ("2001:0:4136:e378::1", "Teredo"),
        ("2001:20::1", "reserved"),
        ("2001:db8::1", "documents"),
        ("3fff::1", "documents"),
        ("5f00::1", "reserved"),
        ("100::1", "reserved"),
        ("4000::1", "reserved"),
        ("fc00::1", "private"),
        ("fd12::1", "private"),
        ("fe80::1", "link-local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("fe80::1%eth0", "zone"),
        ("2606:4700::1111%eth0", "zone"),
        ("0177.0.0.1", "usual spelling"),
        ("127.1", "usual spelling"),
        ("localhost", "usual spelling"),
        ("", "usual spelling"),
    ],
)
def test_addresses_that_are_not_public_are_named_by_kind(address: str, why: str) -> None:
    assert why in (why_private(address) or "")


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.167.255.255", "223.255.255.254"),
        *("2606:4700::1111", "2a00:1450:4001::1", "2003::1", "2400::1"),
    ],
)
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert why_private(address) is None
    assert why_refused(address) is None


@given(st.ip_addresses())
def test_no_address_that_python_calls_special_is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    special = not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified
    special |= isinstance(address, ipaddress.IPv6Address) and (
        address.is_site_local or any((address.ipv4_mapped, address.sixtofour, address.teredo))
    )
    if special:
        assert why_private(str(address)) is not None


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example.", "shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("shop。example", "shop.example"),
        ("_dmarc.shop.example", "_dmarc.shop.example"),
        ("8.8.8.8", "8.8.8.8"),
        ("１.１.１.１", "1.1.1.1"),
        ("[2606:4700:0::1111]", "2606:4700::1111"),
        ("2606:4700::1111", "2606:4700::1111"),
        ("1.2.3.4.example", "1.2.3.4.example"),
        ("4chan.example", "4chan.example"),
    ],
)
def test_a_host_has_one_plain_spelling(written: str, plain: str) -> None:
    assert plain_host(written) == plain
    assert is_address(plain) == (":" in plain or plain.replace(".", "").isdigit())


@pytest.mark.parametrize(
    "written",
    [
        *("", ".", "..", "a..b", "a b.example", "a@b.example", "a/b.example", "a\\b.example", "a\x00b.example", "a\nb"),
        *("%31.example", "shop.example:80", "[::1", "::1]", "[shop.example]", "[127.0.0.1]", "x" * 64 + ".example"),
        *("a." * 127 + "aa", "shop.example..", "8.8.8.8.", "8.8.8", "8.8.8.8.8", "0x8.8.8.8", "08.8.8.8", "256.1.1.1"),
        *("1.2.3.0x4", "shop.0x", "shop.example.1", "²", "\ud800.example"),
    ],
)
def test_what_can_be_read_in_two_ways_or_none_is_no_host(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        plain_host(written)
    assert why_refused(written) is not None


@pytest.mark.parametrize(
    "name", ["localhost", "a.localhost", "desk.local", "chat.internal", "nas.home.arpa", "intranet"]
)
def test_names_of_one_s_own_network_are_refused_unasked(name: str) -> None:
    assert why_refused(name) == why_refused(f"{name}.") == "a name of one's own network"


@pytest.mark.parametrize(
    "name", ["shop.example", "localhost.example", "internal.example", "mylocal.example", "a.b.c.de"]
)
def test_other_names_are_judged_by_their_addresses(name: str) -> None:
    assert why_refused(name) is None


@given(st.text(max_size=40))
def test_any_text_has_an_answer(text: str) -> None:
    why_private(text)
    why_refused(text)
