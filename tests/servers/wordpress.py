"""A real WordPress on loopback (Debian's packages), started once a test session and stopped by process id.

`make servers` installs what it needs. In CI its absence is a failure; elsewhere a skip that names the cure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SITE = Path("/usr/share/wordpress")
CURE = "run `make servers` (as root; it installs Debian's wordpress, php and mariadb-server)"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', ':{socket}');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true); define('WP_ENVIRONMENT_TYPE', 'local');
define('AUTOMATIC_UPDATER_DISABLED', true); define('WP_SITEURL', '{url}'); define('WP_HOME', '{url}');
define('WP_CONTENT_DIR', '{site}/wp-content');
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

POST = """<?php
require $argv[1] . '/wp-load.php';
$post = ['post_title' => $argv[2], 'post_content' => $argv[3], 'post_status' => 'publish', 'post_author' => 1];
$id = wp_insert_post($post, true);
echo is_wp_error($id) ? $id->get_error_message() : $id;
"""

COMMENT = """<?php
require $argv[1] . '/wp-load.php';
$comment = ['comment_post_ID' => (int) $argv[2], 'comment_author' => $argv[3], 'comment_approved' => 1];
echo wp_insert_comment($comment + ['comment_content' => $argv[4]]);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPress:
    """The running site.

    Args:
        url: its address.
        run: runs a PHP script of ours with arguments; returns what it says.
    """

    url: str
    run: Callable[..., str]

    @property
    def feed(self) -> str:
        """Address of its posts as RSS."""
        return f"{self.url}/?feed=rss2"

    @property
    def comments_feed(self) -> str:
        """Address of its comments as RSS."""
        return f"{self.url}/?feed=comments-rss2"

    def publish(self, title: str, content: str) -> str:
        """Publish a post; returns its number."""
        return self.run(POST, title, content)

    def comment(self, post: str, author: str, content: str) -> str:
        """Publish a comment; returns its number."""
        return self.run(COMMENT, post, author, content)


def missing() -> str | None:
    """What is not installed; None when all is there."""
    if not (SITE / "wp-load.php").is_file():
        return "WordPress"
    return next((tool for tool in ("php", "mariadbd", "mariadb-install-db") if not shutil.which(tool, path=PATH)), None)


@pytest.fixture(scope="session")
def wordpress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WordPress]:
    """A fresh site, shared by the whole session."""
    absent = missing()
    if absent is not None:
        reason = f"{absent} is not installed: {CURE}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("wordpress")
    folder.chmod(0o755)
    with _database(folder) as socket_path, _site(folder, socket_path) as site:
        yield site


@contextmanager
def _process(command: list[str], log: Path, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, **more)  # type: ignore[call-overload]
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
            pytest.fail(f"{process.args!r} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


@contextmanager
def _database(folder: Path) -> Iterator[Path]:
    """MariaDB without a TCP port; only its socket in the test's own folder."""
    data, log = folder / "db", folder / "mariadb.log"
    # Socket paths are limited to about 100 characters, which a test's folder may exceed.
    socket_path = Path("/tmp") / f"listener-test-{os.getpid()}.sock"
    user = ["--user=root"] if os.geteuid() == 0 else []
    install = [_tool("mariadb-install-db"), "--no-defaults", *user, f"--datadir={data}"]
    installed = subprocess.run([*install, "--auth-root-authentication-method=normal"], capture_output=True, check=False)
    if installed.returncode:
        pytest.fail(f"mariadb-install-db: {installed.stdout[-1000:]!r} {installed.stderr[-1000:]!r}")
    command = [
        _tool("mariadbd"), "--no-defaults", *user, f"--datadir={data}", "--skip-networking", f"--socket={socket_path}",
        "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--performance-schema=OFF",
        f"--pid-file={folder / 'mariadb.pid'}",
    ]  # fmt: skip
    with _process(command, log) as process:
        _until(lambda: _answers(socket_path), process, log)
        connect = "mysqli_report(MYSQLI_REPORT_OFF); $c = mysqli_connect('localhost', 'root', '', '', 0, $argv[1]); "
        create = "echo mysqli_query($c, 'CREATE DATABASE wordpress') ? 'ok' : mysqli_error($c);"
        made = _php(["-r", connect + create, str(socket_path)])
        assert made == "ok", made
        yield socket_path


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


@contextmanager
def _site(folder: Path, socket_path: Path) -> Iterator[WordPress]:
    site, log = folder / "site", folder / "php.log"
    # Debian's tree links its parts from elsewhere; the copy has them all.
    shutil.copytree(SITE, site, symlinks=False, ignore_dangling_symlinks=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    config = site / "wp-config.php"
    config.unlink(missing_ok=True)
    config.write_text(CONFIG.format(socket=socket_path, url=url, site=site))

    def run(script: str, *arguments: str) -> str:
        path = folder / "script.php"
        path.write_text(script)
        return _php([str(path), str(site), *arguments])

    command = [_tool("php"), "-d", "opcache.enable_cli=1", "-S", f"127.0.0.1:{port}", "-t", str(site)]
    with _process(command, log, cwd=site) as process:
        _until(lambda: _listens(port), process, log)
        _install(url)
        yield WordPress(url=url, run=run)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _install(url: str) -> None:
    """Answer the questions of WordPress' own installer."""
    answers = {
        "weblog_title": "Brackholm", "user_name": "admin", "admin_password": "only-for-tests", "blog_public": "0",
        "admin_password2": "only-for-tests", "pw_weak": "1", "admin_email": "a@shop.example",
    }  # fmt: skip
    body = urllib.parse.urlencode(answers).encode()
    with urllib.request.urlopen(f"{url}/wp-admin/install.php?step=2", body, timeout=120) as said:
        page = said.read().decode(errors="replace")
    assert "Success" in page, page[-2000:]


def _php(arguments: list[str]) -> str:
    ran = subprocess.run([_tool("php"), *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:] + ran.stdout[-2000:]
    return ran.stdout.strip()


def _tool(name: str) -> str:
    found = shutil.which(name, path=PATH)
    assert found is not None, CURE
    return found
