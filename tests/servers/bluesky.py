"""A real Bluesky network on loopback (`@atproto/dev-env`): directory, data server, index.

Started once a test session, with a PostgreSQL and a Redis of its own, stopped by process id. `make servers` installs
it; in CI the installation runs beside the other tests and is waited for. `Account` is a client of its own: plain HTTP.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from listener.core.query import Place
from sources.bluesky import BlueskyOptions

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".servers" / "bluesky"
LOCK = Path(__file__).parent / "bluesky_network" / "pinned.json"
BUILT, FAILED, LOG = HOME / "built", HOME / "failed", HOME / "install.log"
CURE = "run `make servers` (as root, with Node 20 and npm; it installs PostgreSQL and Redis)"
PATIENCE = 600
"""Seconds that CI waits for the installation, which compiles for two to three minutes."""

SKY = Place(name="sky", source="bluesky", every=timedelta(minutes=1))

_numbers = itertools.count(1)
T = TypeVar("T")


class Refused(Exception):
    """What the network did not want: HTTP status, name of the error, and words."""

    def __init__(self, status: int, error: str, message: str) -> None:
        """Keep what it said."""
        super().__init__(f"{status} {error}: {message}")
        self.status, self.error = status, error


def call(
    base: str,
    method: str,
    *,
    token: str = "",
    body: Mapping[str, Any] | None = None,
    params: Mapping[str, str | list[str]] | None = None,
) -> dict[str, Any]:
    """One call of an XRPC method, a query or (with a body) a procedure; raises Refused."""
    query = f"?{urllib.parse.urlencode(params, doseq=True)}" if params else ""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data is not None else {}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{base}/xrpc/{method}{query}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as said:
            return json.loads(said.read() or b"{}")  # type: ignore[no-any-return]
    except urllib.error.HTTPError as refusal:
        told = json.loads(refusal.read() or b"{}")
        raise Refused(refusal.code, str(told.get("error")), str(told.get("message"))) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody on the network, as another client sees and moves it."""

    pds: str
    handle: str
    did: str
    token: str = field(repr=False)
    app_password: str = field(repr=False)

    def ask(self, method: str, **params: str | list[str]) -> dict[str, Any]:
        """Read."""
        return call(self.pds, method, token=self.token, params=params)

    def do(self, method: str, **body: object) -> dict[str, Any]:
        """Write."""
        return call(self.pds, method, token=self.token, body=body)

    def post(
        self, text: str, *, under: Mapping[str, Any] | None = None, about: Account | None = None, **more: object
    ) -> dict[str, str]:
        """Publish a post, perhaps under another one, perhaps mentioning somebody by handle; gives uri and cid."""
        record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": text, "createdAt": moment(), **more}
        if under is not None:
            ref = {"uri": under["uri"], "cid": under["cid"]}
            record["reply"] = {"root": under.get("root", ref), "parent": ref}
        if about is not None:
            at = f"@{about.handle}".encode()
            start = text.encode().index(at)
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": about.did}
            span = {"byteStart": start, "byteEnd": start + len(at)}
            record["facets"] = [{"index": span, "features": [feature]}]
        return self.put("app.bsky.feed.post", record)

    def put(self, collection: str, record: Mapping[str, Any], rkey: str | None = None) -> dict[str, str]:
        """Write a record of any kind; gives uri and cid."""
        named = {} if rkey is None else {"rkey": rkey}
        made = self.do("com.atproto.repo.createRecord", repo=self.did, collection=collection, record=record, **named)
        return {"uri": made["uri"], "cid": made["cid"]}

    def delete(self, uri: str) -> None:
        """Take a record of ours away."""
        _, _, _, collection, rkey = uri.split("/")
        self.do("com.atproto.repo.deleteRecord", repo=self.did, collection=collection, rkey=rkey)

    def answers(self, uri: str) -> list[dict[str, Any]]:
        """The posts under a post, as the network shows them."""
        try:
            thread = self.ask("app.bsky.feed.getPostThread", uri=uri, depth="1")["thread"]
        except Refused:
            return []  # not indexed yet
        return [reply["post"] for reply in thread.get("replies", []) if "post" in reply]

    def records(self) -> list[dict[str, Any]]:
        """Every post in this account's own repository: the truth, whatever the index shows."""
        listed = self.ask("com.atproto.repo.listRecords", repo=self.did, collection="app.bsky.feed.post", limit="100")
        return listed["records"]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The running network.

    Args:
        pds: address of the data server: what a place calls `service`.
        bsky: address of the index.
        secret: what it signs its sessions with, for tests of worn-out ones.
    """

    pds: str
    bsky: str
    secret: str

    def account(self, name: str, password: str = "only-for-tests", *, app: bool = True) -> Account:
        """A new account that the index knows, with an app password if one is wanted."""
        handle = f"{name}{next(_numbers)}.test"
        made = call(
            self.pds,
            "com.atproto.server.createAccount",
            body={"handle": handle, "email": f"{handle}@shop.example", "password": password},
        )
        token = made["accessJwt"]
        if app:
            made |= call(self.pds, "com.atproto.server.createAppPassword", token=token, body={"name": "listener"})
        account = Account(
            pds=self.pds, handle=handle, did=made["did"], token=token, app_password=made.get("password", "")
        )
        eventually(lambda: _known(account), f"{handle} is not indexed")
        return account


def sky_options(service: str, handle: str) -> BlueskyOptions:
    """An account that hears who speaks to it: a search would find the posts of other tests."""
    return BlueskyOptions(handle=handle, service=service, search=("nothing that anybody writes",))


def moment() -> str:
    """Now, as the network writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def eventually(look: Callable[[], T], complaint: str, seconds: float = 60) -> T:
    """The first truthy answer; the index is a moment behind."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, complaint
        time.sleep(0.05)
    return seen


def _known(account: Account) -> bool:
    try:
        return bool(account.ask("app.bsky.actor.getProfile", actor=account.did))
    except Refused:
        return False


@pytest.fixture(scope="session")
def bluesky() -> Iterator[Network]:
    """A fresh network, shared by the whole session."""
    ci = os.environ.get("CI") == "true"
    reason = _absent() if not ci else _awaited()
    if reason is not None and ci:
        pytest.fail(reason)
    elif reason is not None:
        pytest.skip(reason)
    # Not pytest's folder: PostgreSQL runs as its own user, who may not enter there.
    folder = Path(tempfile.mkdtemp(prefix="listener-bluesky-"))
    folder.chmod(0o755)
    try:
        with _database(folder) as database, _redis(folder) as redis, _network(folder, database, redis) as network:
            yield network
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _absent() -> str | None:
    """What is not installed; None when all is there."""
    if FAILED.is_file():
        return f"the Bluesky network could not be installed: {_tail(LOG)}"
    if not _built():
        return f"the Bluesky network is not installed: {CURE}"
    absent = [tool for tool in ("node", "redis-server") if shutil.which(tool) is None]
    absent += [] if _postgres() else ["PostgreSQL"]
    return f"{absent[0]} is not installed: {CURE}" if absent else None


def _built() -> bool:
    """Whether what is installed is what the tests ask for."""
    return BUILT.is_file() and BUILT.read_text().split()[:1] == [hashlib.sha256(LOCK.read_bytes()).hexdigest()]


def _awaited() -> str | None:
    """As `_absent`, once the installation that runs beside the tests has ended."""
    end = time.monotonic() + PATIENCE
    while not _built() and not FAILED.is_file() and LOG.is_file() and time.monotonic() < end:
        time.sleep(0.5)
    if time.monotonic() >= end:
        return f"the Bluesky network was not built within {PATIENCE} s: {_tail(LOG)}"
    return _absent()


def _postgres() -> Path | None:
    """The folder of PostgreSQL's programs: Debian keeps them out of the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.is_file() else "it left no log"


@contextmanager
def _process(command: list[str], log: Path, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as said:
        process = subprocess.Popen(command, **{"stdout": said, "stderr": said, **more})  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Wait for a condition, no longer than the process lives."""
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"{process.args!r} did not start: {_tail(log)}")
        time.sleep(0.05)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    """PostgreSQL in the test's own folder; it refuses to run as root. Gives the address of a database."""
    programs = _postgres()
    assert programs is not None, CURE
    data, log, port = folder / "pg", folder / "postgres.log", _free()
    data.mkdir()
    who: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        shutil.chown(data, "postgres", "postgres")
        who |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "pg", "-E", "UTF8", "--locale=C", "--no-sync"],
        capture_output=True, text=True, check=False, **who,
    )  # fmt: skip
    if made.returncode:
        pytest.fail(f"initdb: {made.stdout[-1000:]} {made.stderr[-1000:]}")
    settings = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": data, "fsync": "off",
        "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": 60,
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with _process([str(programs / "postgres"), "-D", str(data), *options], log, **who) as process:
        answers = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        _until(lambda: subprocess.run(answers, check=False).returncode == 0, process, log)
        yield f"postgresql://pg@127.0.0.1:{port}/postgres"


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    port, log = _free(), folder / "redis.log"
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with _process(command, log) as process:
        _until(lambda: _listens(port), process, log)
        yield f"127.0.0.1:{port}"


@contextmanager
def _network(folder: Path, database: str, redis: str) -> Iterator[Network]:
    """The network itself, in one process of Node."""
    log, home, told = folder / "network.log", folder / "tmp", folder / "told.json"
    home.mkdir()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(home), "NODE_ENV": "test",
        "DB_POSTGRES_URL": database, "REDIS_HOST": redis, "LOG_ENABLED": "false",
    }  # fmt: skip
    script = Path(__file__).parent / "bluesky_network" / "network.js"
    with told.open("wb") as line, _process(
        ["node", str(script)], log, stdin=subprocess.PIPE, stdout=line, cwd=HOME, env=environment
    ) as process:  # fmt: skip
        _until(lambda: told.read_bytes().endswith(b"}\n"), process, log, seconds=300)
        yield Network(**json.loads(told.read_text()))
