"""A port on loopback that must not be dialled, and counts who does; and names that lead wherever a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Self

from listener.http import AddressGuard
from listener.http.addresses import why_private

PUBLIC = "127.0.0.2"
"""Stands for an address of the public internet, where tests cannot go; on loopback as the traps are."""


class Trap:
    """Listens on all addresses of the machine, IPv4 and IPv6, and counts connections."""

    def __init__(self, host: str = "::") -> None:
        """Listen on a free port; "::" takes IPv4 as well."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, 0), family=family, dualstack_ipv6=host == "::")
        self.port = int(self._socket.getsockname()[1])
        self._host = "127.0.0.1" if host == "::" else host
        self._peers: list[int] = []
        self._caught = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._socket.accept()
            except OSError:
                return
            connection.close()
            with self._caught:
                self._peers.append(peer[1])
                self._caught.notify_all()

    @property
    def count(self) -> int:
        """Connections until now. Dials once itself and waits for that one, since they come in order."""
        with socket.create_connection((self._host, self.port), 5) as own:
            port = own.getsockname()[1]
            with self._caught:
                assert self._caught.wait_for(lambda: port in self._peers, 5), "the trap does not catch"
                self._peers.remove(port)
                return len(self._peers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class Names:
    """A resolver: each name has its list of answers, one for each time it is asked; the last one stays."""

    def __init__(self, **answers: Sequence[str]) -> None:
        """Names by their first label: `shop` is shop.example; an answer is addresses with blanks between."""
        self._answers = {name: list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        """Answer; a name that is not there has no address."""
        self.asked.append(host)
        answers = self._answers.get(host.partition(".")[0])
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return tuple((answers.pop(0) if len(answers) > 1 else answers[0]).split())


def judge(address: str) -> str | None:
    """The rule, but for the one address that stands for the public internet."""
    return None if address == PUBLIC else why_private(address)


class Heard(list[tuple[str, int, str, str]]):
    """What the log would hold."""

    def __call__(self, *said: str | int) -> None:
        """Hear."""
        self.append(said)  # type: ignore[arg-type]


def guard(names: Names | None = None, heard: Heard | None = None, **settings: object) -> AddressGuard:
    """A guard as the daemon has it, at any port, that asks these names."""
    witness = Heard() if heard is None else heard
    given = {"ports": None, "resolver": names or Names(), "judge": judge, "witness": witness, **settings}
    return AddressGuard(**given)  # type: ignore[arg-type]


TRICKS: dict[str, str] = {
    "loopback": "127.0.0.1",
    "elsewhere on loopback": "127.8.9.10",
    "two parts": "127.1",
    "three parts": "127.0.1",
    "one number": "2130706433",
    "one hexadecimal number": "0x7f000001",
    "hexadecimal and short": "0x7f.1",
    "hexadecimal parts": "0x7f.0x0.0x0.0x1",
    "octal part": "0177.0.0.1",
    "one octal number": "017700000001",
    "padded with zeros": "127.000.000.001",
    "final dot": "127.0.0.1.",
    "nought": "0",
    "unspecified": "0.0.0.0",
    "full-width digits": "１２７.０.０.１",
    "ideographic dots": "127。0。0。1",
    "circled digits": "①②⑦.⓪.⓪.①",
    "percent-encoded": "%31%32%37.0.0.1",
    "localhost": "localhost",
    "localhost, final dot": "localhost.",
    "localhost, capitals": "LocalHost",
    "localhost, circled": "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "below localhost": "shop.localhost",
    "domain of the machine": "localhost.localdomain",
    "single label": "intranet",
    "a name that leads inside": "inside.example",
    "a name that leads inside, final dot": "inside.example.",
    "a name that also leads inside": "mixed.example",
    "a name that also leads inside by IPv6": "mixed6.example",
    "a name that is mapped inside": "mapped.example",
    "nip-style name": "127.0.0.1.inside.example",
    "IPv6 loopback": "[::1]",
    "IPv6 loopback in full": "[0:0:0:0:0:0:0:1]",
    "IPv6 unspecified": "[::]",
    "IPv4-mapped": "[::ffff:127.0.0.1]",
    "IPv4-mapped in hexadecimal": "[::ffff:7f00:1]",
    "IPv4-compatible": "[::127.0.0.1]",
    "IPv4-translated": "[::ffff:0:127.0.0.1]",
    "NAT64": "[64:ff9b::127.0.0.1]",
    "NAT64, local prefix": "[64:ff9b:1::7f00:1]",
    "6to4": "[2002:7f00:1::1]",
    "Teredo": "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "ISATAP": "[2606:4700::5efe:127.0.0.1]",
    "IPv6 zone": "[::1%25lo]",
    "IPv6 link-local zone": "[fe80::1%25eth0]",
    "IPv6 unique local": "[fd00::1]",
    "IPv6 site-local": "[fec0::1]",
    "IPv6 multicast": "[ff02::1]",
    "metadata": "169.254.169.254",
    "metadata by IPv6": "[fd00:ec2::254]",
    "private ten": "10.0.0.1",
    "private 172": "172.31.255.254",
    "private 192": "192.168.1.1",
    "shared by customers": "100.64.0.1",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "measurements": "198.18.0.1",
    "public name as user": "shop.example@127.0.0.1",
    "public name and password": "shop.example:80@127.0.0.1",
    "public name as user, encoded at": "shop.example%40127.0.0.1",
    "encoded nought": "127.0.0.1%00.shop.example",
    "encoded hash": "127.0.0.1%23.shop.example",
}
"""Hosts that a stranger writes to get inside, by what the trick is."""


def tricky_names() -> Names:
    """The names among the tricks."""
    return Names(
        inside=["127.0.0.1"], mixed=[f"{PUBLIC} 127.0.0.1"], mixed6=["2606:4700::1111 ::1"],
        mapped=["::ffff:127.0.0.1"], shop=["127.0.0.1"], intranet=["127.0.0.1"],
    )  # fmt: skip
