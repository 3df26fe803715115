"""The configuration: TOML file, environment and secrets to one frozen, checked Settings.

loading    load(): reads, checks, and tells everything wrong at once with file and line
sections   Settings and its sections; their docstrings are the manual
defaults   default_toml(): the commented file of all settings
ruling     rules_of(): the rules that the pipeline works by
fields     fill(): a table to a dataclass, used for adapters' options too
problems   Problem, and the one error that lists them
"""

from listener.settings.defaults import MANUAL, default_toml, manual
from listener.settings.durations import duration, duration_text
from listener.settings.fields import fill, own_keys
from listener.settings.loading import load
from listener.settings.problems import Places, Problem, Problems, refuse, suggest
from listener.settings.ruling import local_url, rules_of
from listener.settings.sections import (
    Brand,
    ChannelSettings,
    GeneralSettings,
    InboxSettings,
    ReplySettings,
    ScorerSettings,
    Secrets,
    Settings,
    StoreSettings,
    WebSettings,
)

__all__ = [
    "MANUAL", "Brand", "ChannelSettings", "GeneralSettings", "InboxSettings", "Places", "Problem", "Problems",
    "ReplySettings", "ScorerSettings", "Secrets", "Settings", "StoreSettings", "WebSettings", "default_toml",
    "duration", "duration_text", "fill", "load", "local_url", "manual", "own_keys", "refuse", "rules_of", "suggest",
]  # fmt: skip
