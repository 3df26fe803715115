"""A real Dovecot on loopback (Debian's package), started once a test session and stopped by process id.

Any name may sign in with `PASSWORD` and has a mailbox of its own, so each test takes a new name. `make servers`
installs what it needs. In CI its absence is a failure; elsewhere a skip that names the cure.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import trustme
from imapclient import IMAPClient

from listener.core.query import Place

CURE = "run `make servers` (as root; it installs Debian's dovecot-imapd)"
PASSWORD = "s3cret-k9f2"
"""The one that `check_source` gives every source."""
HOST = "mail.brackholm.example"
"""The name on the certificate."""
MAILBOX = Place(name="post", source="imap", every=timedelta(minutes=1))
"""A place on it."""

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 100
first_valid_uid = 1
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
  }}
}}
"""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dovecot:
    """The running server.

    Args:
        port: IMAP without TLS, and STARTTLS.
        tls_port: IMAP with TLS.
        ca_file: the authority that signed its certificate.
    """

    port: int
    tls_port: int
    ca_file: Path
    host: str = field(default="127.0.0.1")

    def name(self, who: str = "service", domain: str = "brackholm.example") -> str:
        """A mailbox that nobody has used yet."""
        return f"{who}{next(_numbers)}@{domain}"

    @contextmanager
    def client(self, user: str, folder: str = "INBOX") -> Iterator[Any]:
        """Another mail program, signed in, the folder open for writing."""
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10) as client:
            client.login(user, PASSWORD)
            client.select_folder(folder)
            yield client

    def put(self, user: str, *mails: bytes | Message, folder: str = "INBOX", at: datetime | None = None) -> None:
        """Deliver mails into a folder."""
        with self.client(user, folder) as client:
            for mail in mails:
                client.append(folder, mail if isinstance(mail, bytes) else mail.as_bytes(), (), at)

    def mails(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """All mails of a folder as another program reads them, oldest first."""
        with self.client(user, folder) as client:
            found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]


def missing() -> str | None:
    """Why it cannot run here; None when it can."""
    if not shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return "Dovecot is not installed"
    return None if os.geteuid() == 0 else "Dovecot needs root to start"


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A fresh server, shared by the whole session."""
    absent = missing()
    if absent is not None:
        reason = f"{absent}: {CURE}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running() as server:
        yield server


@contextmanager
def running() -> Iterator[Dovecot]:
    """Start one and stop it at the end."""
    # Its sockets' paths must be short, and its own users must get at the folder, so it is none of pytest's.
    folder = Path(tempfile.mkdtemp(prefix="listener-dovecot-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        server = _configured(folder)
        tool = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert tool is not None, CURE
        process = subprocess.Popen([tool, "-F", "-c", str(folder / "dovecot.conf")], stderr=subprocess.DEVNULL)
        try:
            _until_ready(server, process, folder / "dovecot.log")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configured(folder: Path) -> Dovecot:
    owner = pwd.getpwnam("dovecot")
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    authority = trustme.CA()
    signed = authority.issue_cert(HOST)
    signed.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in signed.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / "ca.pem")
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, tls_port = one.getsockname()[1], other.getsockname()[1]
    config = CONFIG.format(folder=folder, port=port, tls_port=tls_port, password=PASSWORD)
    (folder / "dovecot.conf").write_text(config)
    return Dovecot(port=port, tls_port=tls_port, ca_file=folder / "ca.pem")


def _until_ready(server: Dovecot, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            with IMAPClient("127.0.0.1", server.port, ssl=False, timeout=2) as client:
                client.login("nobody", PASSWORD)
                return
        except (OSError, IMAPClient.Error) as why:
            if process.poll() is not None or time.monotonic() > end:
                said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                pytest.fail(f"Dovecot did not start ({why}): {said}")
            time.sleep(0.05)
