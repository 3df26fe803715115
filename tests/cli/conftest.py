"""Commands in this process: `command("check", "--json")` gives how it ended and what it said."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from listener.cli import main
from tests.homes import Ended, Home

Command = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A folder with a configuration, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("LISTENER_CONFIG", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    found = Home(tmp_path)
    yield found
    found.close()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs a command to its end."""
    handlers = list(logging.getLogger().handlers)
    mask = os.umask(0o022)

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, said.out, said.err)

    yield run
    os.umask(mask)
    # The command logged to a stream that ends with this test.
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers
