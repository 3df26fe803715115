"""Secrets: none may stand in the file, and those it names are read from three ways. No message here shows a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from listener.settings._lines import KeyPath
from listener.settings.fields import Table
from listener.settings.problems import Problems
from listener.settings.sections import Secrets

_SECRET_KEYS = ("password", "passwd", "passphrase", "secret", "apikey", "accesskey", "privatekey", "bearer")
_SECRET_IN_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://[^/\s@:?#]*:[^/\s@?#]*@|[?&](?:pass(?:word|wd)?|(?:access_?)?token|secret|api_?key)=[^&\s]",
    re.IGNORECASE,
)
_CURE = 'give it a name with `credential = "NAME"` and put it where config/README.md, "Secrets", says'


def without_secrets(value: object, path: KeyPath, problems: Problems) -> object:
    """A copy of a document without the secrets written in it, each of which is noted as a problem."""
    if isinstance(value, Mapping):
        kept = {}
        for key, entry in value.items():
            below = (*path, key)
            if _is_secret(below, entry):
                problems.add(below, f"`{key}` holds a secret, which may not stand in this file; {_CURE}")
            else:
                kept[key] = without_secrets(entry, below, problems)
        return kept
    if isinstance(value, list):
        return [
            without_secrets(entry, (*path, index), problems)
            for index, entry in enumerate(value)
            if not _notes_address(entry, (*path, index), problems)
        ]
    return value


def _notes_address(entry: object, path: KeyPath, problems: Problems) -> bool:
    if not _has_password(entry):
        return False
    problems.add(path, f"an address with a password in it may not stand in this file; {_CURE}")
    return True


def _is_secret(path: KeyPath, value: object) -> bool:
    key = str(path[-1])
    if path[0] == "credentials":
        return len(path) == 2 and not key.endswith("_file") and not isinstance(value, Mapping | list)
    if _has_password(value):
        return True
    if isinstance(value, bool | Mapping) or value in ("", []):
        return False
    word = re.sub(r"[^a-z]", "", key.casefold())
    return not key.endswith("_file") and (word.endswith("token") or any(secret in word for secret in _SECRET_KEYS))


def _has_password(value: object) -> bool:
    return isinstance(value, str) and _SECRET_IN_ADDRESS.search(value) is not None


def read_secrets(
    wanted: Iterable[tuple[str, KeyPath]], files: Table, environ: Mapping[str, str], folder: Path, problems: Problems
) -> Secrets:
    """Read the secrets that places, channels and the store name.

    Args:
        wanted: each name, with where it is asked for.
        files: the table `[credentials]`.
        environ: the environment.
        folder: where relative paths start.
        problems: collects what is missing, empty or unreadable.
    """
    values = {}
    for name, path in wanted:
        if name in values:
            continue
        try:
            found = _read(name, files, environ, folder)
        except (OSError, UnicodeDecodeError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
            problems.add(path, f"the file of credential `{name}` cannot be read: {reason}")
            continue
        if found:
            values[name] = found
        else:
            problems.add(path, f"credential `{name}` is {'missing' if found is None else 'empty'}; {_ways(name)}")
    return Secrets(values)


def _read(name: str, files: Table, environ: Mapping[str, str], folder: Path) -> str | None:
    """The secret: systemd's own first, then a named file, then the environment; None when no way leads to it."""
    granted = environ.get("CREDENTIALS_DIRECTORY")
    if granted and (Path(granted) / name).is_file():
        return _first_text(Path(granted) / name)
    variable = _variable(name)
    named = environ.get(f"{variable}_FILE")
    if named:
        return _first_text(Path(named))
    written = files.get(f"{name}_file")
    if isinstance(written, str) and written:
        return _first_text(folder / written)
    found = environ.get(variable)
    return None if found is None else found.strip()


def _first_text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


def _variable(name: str) -> str:
    return f"LISTENER_CREDENTIAL_{re.sub('[^A-Za-z0-9]', '_', name).upper()}"


def _ways(name: str) -> str:
    return (
        f"three ways to give it: systemd's LoadCredential={name}:/path; a file named by `{name}_file` in [credentials] "
        f"or by {_variable(name)}_FILE; the variable {_variable(name)}"
    )
