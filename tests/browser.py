"""Chromium for tests: Debian's, driven by playwright. Import the `chromium` fixture, or `open_chromium()` in a script.

Without Chromium a newcomer's tests are skipped by name; with CI=true they fail, since there it is installed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CURE = "Chromium is not installed: run `make servers`, or apt-get install chromium"

ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # tests may run as root, where its sandbox cannot
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # no page reaches beyond loopback
)

# A deadline, no duration: the machines that run this are shared, and five seconds are not always enough there.
expect.set_options(timeout=30_000)


def find_chromium() -> str | None:
    """Where Chromium is; $CHROMIUM names another one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """A running Chromium.

    Raises:
        FileNotFoundError: it is not installed; says how to install it.
    """
    path = find_chromium()
    if path is None:
        raise FileNotFoundError(CURE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A running Chromium for a module's tests."""
    if find_chromium() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(CURE)
        pytest.skip(CURE)
    with open_chromium() as browser:
        yield browser
