"""Settings from the environment: LISTENER_<KEY> for [listener], LISTENER_<SECTION>_<KEY> for [web], [store], [scorer].

A variable beats the file. Its value is taken as text where text fits, else read as a TOML value, else split at commas.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping

from listener.settings._lines import KeyPath
from listener.settings.fields import fits, own_keys
from listener.settings.problems import suggest
from listener.settings.sections import GeneralSettings, ScorerSettings, StoreSettings, WebSettings

_SECTIONS: Mapping[str, type[object]] = {
    "web": WebSettings,
    "store": StoreSettings,
    "scorer": ScorerSettings,
    "listener": GeneralSettings,
}
_PREFIX = "LISTENER_"


def from_environ(environ: Mapping[str, str]) -> tuple[Mapping[KeyPath, object], Mapping[KeyPath, str], list[str]]:
    """Read the settings in the environment.

    Returns:
        Values by key path, the variable's name by key path, and what is wrong with the names.
    """
    values: dict[KeyPath, object] = {}
    names: dict[KeyPath, str] = {}
    wrong = []
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable.startswith("LISTENER_CREDENTIAL_"):
            continue
        section, key = _split(variable)
        known = own_keys(_SECTIONS[section])
        if key in known and key != "options":
            path = (section, key)
            values[path] = _typed(_SECTIONS[section], key, environ[variable])
        elif section == "scorer":
            path = (section, key)
            values[path] = _as_toml(environ[variable])
        else:
            # LISTENER_ALONE is too common a beginning to claim every variable; only near misses are ours.
            if section != "listener" or difflib.get_close_matches(key, known, n=1, cutoff=0.8):
                wrong.append(f"{variable}: no such setting; {suggest(key, known)}")
            continue
        names[path] = variable
    return values, names, wrong


def _split(variable: str) -> tuple[str, str]:
    rest = variable.removeprefix(_PREFIX).lower()
    for section in _SECTIONS:
        if rest.startswith(f"{section}_"):
            return section, rest.removeprefix(f"{section}_")
    return "listener", rest


def _typed(cls: type[object], key: str, text: str) -> object:
    """The first reading of the text that fits the setting; the text itself when none does."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    readings = (text, _as_toml(text), parts, _as_toml(f"[{text}]"))
    return next((reading for reading in readings if fits(cls, key, reading)), text)


def _as_toml(text: str) -> object:
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return document["value"] if len(document) == 1 else text
