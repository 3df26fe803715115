"""The configuration is read whole or refused with file, line and cure; no secret stands in it or leaks from it."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.errors import SettingsError
from listener.core.notification import Told
from listener.core.route import Matcher
from listener.settings import Problem, Settings, duration, duration_text, load, rules_of
from listener.settings._lines import KeyPath, lines_of


class Folder:
    """A folder with one configuration file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "listener.toml"

    def load(self, text: str, **environ: str) -> Settings:
        self.file.write_text(text, encoding="utf-8")
        return load(self.file, environ)

    def faults(self, text: str, **environ: str) -> list[str]:
        """The problems without the heading, the folder left out."""
        with pytest.raises(SettingsError) as caught:
            self.load(text, **environ)
        return str(caught.value).replace(f"{self.path}/", "").split("\n")[1:]

    def fault(self, text: str, **environ: str) -> str:
        faults = self.faults(text, **environ)
        assert len(faults) == 1, faults
        return faults[0]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


TOPIC = "[[topic]]\nname = 'delivery'\ndescription = 'd'\nphrases = ['late']\n"
BRAND = '[[brand]]\nname = "Brackholm"\nterms = ["brackholm"]\n'
FEED = '[[place]]\nname = "news"\nsource = "feed"\n'

# --- what is read


def test_without_a_file_everything_has_its_default() -> None:
    settings = load(None, {})
    assert settings.listener.alert_horizon == timedelta(hours=48)
    assert settings.web.port == 8420
    assert settings.web.host == "127.0.0.1"
    assert settings.scorer.name == "bundled"
    assert [channel.name for channel in settings.channels] == ["console"]
    assert settings.state_dir == Path.cwd() / "var/listener"
    assert settings.written.where(("web", "port")) == "defaults"


def test_an_empty_file_is_the_defaults(folder: Folder) -> None:
    assert folder.load("").route == load(None, {}).route


def test_sections_become_nouns(folder: Folder) -> None:
    settings = folder.load(
        BRAND
        + FEED
        + 'every = "1h30m"\nbrand = "Brackholm"\nhistory = "live"\nenabled = false\nlabels = ["press"]\n'
        + 'url = "https://news.example/feed"\n[place.headers]\nx = 1\n'
        + '[[query]]\nname = "app"\nbrand = "Brackholm"\nterms = ["fjordapp"]\nplaces = ["news"]\n'
        + '[scorer]\nname = "bundled"\nthreads = 2\n'
    )
    place = settings.places[0]
    assert (place.name, place.source, place.every) == ("news", "feed", timedelta(minutes=90))
    assert (place.brand, place.history, place.enabled, place.labels) == ("Brackholm", "live", False, ("press",))
    assert place.params == {"url": "https://news.example/feed", "headers": {"x": 1}}
    assert [(query.name, query.terms, query.places) for query in settings.queries] == [
        ("Brackholm", ("brackholm",), ()),
        ("app", ("fjordapp",), ("news",)),
    ]
    assert settings.scorer.options == {"threads": 2}


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load(None, {}).revision = "x"  # type: ignore[misc]


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Folder) -> None:
    folder.file.write_bytes(b"\xef\xbb\xbf[web]\r\nport = 99\r\nhots = []\r\n")
    with pytest.raises(SettingsError, match=r"listener\.toml:3: unknown key `hots`; did you mean `hosts`"):
        load(folder.file, {})


def test_public_url_loses_its_last_slash(folder: Folder) -> None:
    assert folder.load('[web]\npublic_url = "https://l.example/x/"').web.public_url == "https://l.example/x"


# --- where the state is kept


def test_state_dir_starts_at_the_files_folder(folder: Folder) -> None:
    assert folder.load('[listener]\nstate_dir = "state"').state_dir == folder.path / "state"


def test_state_dir_comes_from_systemd_when_not_written(folder: Folder) -> None:
    assert folder.load("", STATE_DIRECTORY="/var/lib/listener:/x").state_dir == Path("/var/lib/listener")
    assert folder.load('[listener]\nstate_dir = "/s"', STATE_DIRECTORY="/var/lib/l").state_dir == Path("/s")


def test_state_dir_in_the_environment_starts_at_the_working_directory(folder: Folder) -> None:
    assert folder.load("", LISTENER_STATE_DIR="here").state_dir == Path.cwd() / "here"


# --- the environment


def test_the_environment_beats_the_file(folder: Folder) -> None:
    settings = folder.load(
        "[web]\nport = 1\n",
        LISTENER_WEB_PORT="2",
        LISTENER_WEB_ENABLED="false",
        LISTENER_WEB_HOSTS="a, b",
        LISTENER_NAME="8420",
        LISTENER_ALERT_HORIZON="3h",
        LISTENER_SCORER_THREADS="4",
        LISTENER_LISTENER_LOG_LEVEL="debug",
        LISTENER_DATA="/somewhere",
    )
    assert settings.web.port == 2
    assert not settings.web.enabled
    assert settings.web.hosts == ("a", "b")
    assert settings.listener.name == "8420"
    assert settings.listener.alert_horizon == timedelta(hours=3)
    assert settings.listener.log_level == "debug"
    assert settings.scorer.options == {"threads": 4}


def test_a_fault_in_the_environment_names_the_variable(folder: Folder) -> None:
    assert folder.fault("", LISTENER_WEB_PORT="many") == "LISTENER_WEB_PORT: `port`: input should be a valid integer"
    fault = folder.fault("", LISTENER_WEB_PROT="1")
    assert fault.startswith("LISTENER_WEB_PROT: no such setting; did you mean `port`?")
    assert "did you mean `state_dir`?" in folder.fault("", LISTENER_STATE_DRI="1")


# --- what is refused

FAULTS = {
    "[listener]\nalert_horizn = '1h'": "2: unknown key `alert_horizn`; did you mean `alert_horizon`? known: ",
    "[listener]\nalert_horizon = 5": '2: `alert_horizon`: a duration is text with a unit, such as "30s"',
    "[listener]\nalert_horizon = '5 potatoes'": "2: `alert_horizon`: '5 potatoes' is not a duration",
    "[listener]\nalert_horizon = '0s'": "2: `alert_horizon`: must be longer than 0s",
    "[listener]\nsample_data = 1": "2: `sample_data`: input should be a valid boolean",
    "[listener]\nlog_level = 'loud'": "2: `log_level`: input should be 'debug', 'info', 'warning' or 'error'",
    "\n[web]\n\nport = '1'": "4: `port`: input should be a valid integer",
    "[web]\nport = 70000": "2: `port`: a port is a number from 0",
    "[web]\npublic_url = 'listener.example'": "2: `public_url`: write the full address",
    "[wbe]": "1: unknown section `wbe`; did you mean `web`? known: ",
    "x = 1": "1: unknown section `x`; known: ",
    "web = 3": "1: `web` is a table: write [web] on a line of its own",
    "[place]\nname = 'n'": "1: `place` is a list of tables: write [[place]] on a line of its own",
    "[[place]]\nname = 'n'": "1: `source` is missing",
    FEED + "every = '0s'": "4: `every`: must be longer than 0s",
    FEED + "history = 'life'": "4: `history`: input should be 'backfill' or 'live'",
    FEED + "brand = 'F'": "4: no brand is called `F`; none is configured",
    FEED + FEED: "5: a second place is called `news`, after listener.toml:1; names are unique",
    BRAND + BRAND.replace("B", "b"): "5: a second brand is called `brackholm`, after listener.toml:1",
    "[[brand]]\nname = 'Lone'": "1: nothing listens for brand `Lone`: give it `terms`, a [[query]] or a [[place]]",
    "[[brand]]\nname = ' x'\nterms = ['x']": "2: `name`: a name is 1 to 100 characters on one line",
    "[[brand]]\nname = 'x'\nterms = ['x',\n ' ']": "4: an empty word would match nothing",
    "[[brand]]\nname = 'x'\nterms = ['x',\n 4]": "4: `terms`: input should be a valid string",
    BRAND + "[[query]]\nname='q'\nbrand = 'Brackhlm'\nterms = ['x']": "6: no brand is called `Brackhlm`; did you mean",
    "[[topic]]\nname='t'\ndescription='d'\nphrases=[]": "4: `phrases` is empty: write five or so",
    "[[topic]]\nname='t'\ndescription='d'\nphrases=[' ']": "4: an empty word would match nothing",
    "[[topic]]\nname='t'\ndescription='d'\nphrases=['p']\nbrands=['B']": "5: no brand is called `B`",
    "[[topic]]\nname='t'\ndescription='d'\nphrases=['p']\nthreshold=2.0": "5: `threshold`: a nearness",
    BRAND + "[[query]]\nname='q'\nbrand='Brackholm'\nterms=[]": "7: `terms` is empty: the query would match nothing",
    BRAND + "[[query]]\nname='brackholm'\nbrand='Brackholm'\nterms=['x']": "5: a second query is called `brackholm`",
    BRAND + FEED + "[[query]]\nname='q'\nbrand='Brackholm'\nterms=['x']\nplaces=['news', 'nws']": (
        "11: no place is called `nws`; did you mean `news`? known: news"
    ),
    "[[place]]\nname = ' n'\nsource = 'x'": "2: `name`: a name is 1 to 100",
    "[[channel]]\nname = 'desk'": "1: `adapter` is missing",
    "[[channel]]\nname = 'desk'\nadapter='a'\n[[channel]]\nname = 'Desk'\nadapter='a'": "5: a second channel is called",
    "[inbox]\nannounce_channels = ['consol']": (
        "2: no channel is called `consol`; did you mean `console`? known: console"
    ),
    "[route]\nchannels = ['consol']": "2: no channel is called `consol`; did you mean `console`? known: console",
    "[route]\ngroup_by = ['brand',\n 'brnd']": "3: unknown fact `brnd`; did you mean `brand`? known: ",
    "[route]\nseverity = 'awful'": "2: `severity`: input should be 'crisis', 'high', 'normal' or 'low'",
    "[route]\nmatch = ['rating < 1']": "2: unknown key `match`; known: acknowledge_within, channels, ",
    "[route]\nroutes = 3": "2: `routes` is a list of tables",
    "[[route.routes]]\nmatch = ['a',\n 'sentment = x']": "2: matcher `a`: 'a' is not a matcher|3: matcher `sentment",
    "[[route.routes]]\nmatch = ['kind = letter']": "2: matcher `kind = letter`: no kind is called `letter`; known: ",
    "[[route.routes]]\nmatch = ['sentiment = bad',\n'sentiment != negativ']": (
        "2: matcher `sentiment = bad`: no sentiment is called `bad`; |3: matcher `sentiment != negativ`: "
        "no sentiment is called `negativ`; did you mean `negative`? "
    ),
    "[[route.routes]]\nmatch = ['kind = letter',\n'sentiment != negativ']": (
        "2: matcher `kind = letter`: no kind is called `letter`; known: article, call, |"
        "3: matcher `sentiment != negativ`: no sentiment is called `negativ`; did you mean `negative`? "
    ),
    "[[route.routes]]\nmatch = ['topic = delivery']": (
        "2: matcher `topic = delivery`: no topic is called `delivery`; none is configured"
    ),
    TOPIC + "[[route.routes]]\nmatch = ['topic = Delivery', 'topic =~ ^x',\n'topic != delivry']": (
        "7: matcher `topic != delivry`: no topic is called `delivry`; did you mean `delivery`? known: delivery"
    ),
    FEED + "[[route.routes]]\nmatch = ['place = news', 'place != calls',\n'place = two']": (
        "6: matcher `place = two`: no place is called `two`; known: calls, news"
    ),
    BRAND + "[[route.routes]]\nmatch = ['brand = brackholm', 'query = Brackholm',\n'brand = Brakholm',\n'query = q']": (
        "6: matcher `brand = Brakholm`: no brand is called `Brakholm`; did you mean `Brackholm`? |"
        "7: matcher `query = q`: no query is called `q`; known: Brackholm"
    ),
    "[[route.routes]]\nmatch = ['rating < good']": "2: matcher `rating < good`: ",
    "[[route.routes]]\nmatch = ['text =~ (']": "2: matcher `text =~ (`: '(' is not a regular expression",
    "[[route.routes]]\n[[route.routes]]": "2: a second route is called `everything`, after listener.toml:1; give it",
    "[[route.routes]]\nnme = 1\n[[route.routes.routes]]\nnme = 2": "2: unknown key `nme`; did|4: unknown key `nme`",
    "[[route.routes]]\ncontinue = 'yes'": "2: `continue`: input should be a valid boolean",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_with_its_line_and_cure(folder: Folder, text: str) -> None:
    expected = [f"listener.toml:{fault}" for fault in FAULTS[text].split("|")]
    found = folder.faults(text)
    assert len(found) == len(expected), found
    for fault, start in zip(found, expected, strict=True):
        assert fault.startswith(start), fault


def test_all_faults_are_told_at_once_in_the_order_of_the_file(folder: Folder) -> None:
    faults = folder.faults("[web]\nport = 'x'\n[listener]\nnme = 'x'\n[[place]]\nname = 'a'\n[route]\nseverity = 'x'")
    assert [fault.split(":")[1] for fault in faults] == ["2", "4", "5", "8"]


def test_the_error_says_how_many_and_where(folder: Folder) -> None:
    folder.file.write_text("x = 1\ny = 2")
    with pytest.raises(SettingsError) as caught:
        load(folder.file, {})
    assert str(caught.value).startswith(f"{folder.file}: 2 problems in the configuration\n")
    assert caught.value.resource == str(folder.file)


@pytest.mark.parametrize(
    ("text", "line"), [("a = \n", 1), ("\n\n[web\n", 3), ('a = "x\n', 1), ("a = '''\n\nx", 3), ("[a]\n[a]\n", 2)]
)
def test_broken_toml_is_told_with_its_line(folder: Folder, text: str, line: int) -> None:
    folder.file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(folder.file, {})
    assert str(caught.value).startswith(f"{folder.file}:{line}: not valid TOML: ")


def test_a_missing_file_says_how_to_get_one(folder: Folder) -> None:
    with pytest.raises(SettingsError, match="there is no such file; `listener check --print-default > "):
        load(folder.file, {})


def test_a_folder_or_another_encoding_is_refused(folder: Folder) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(folder.path, {})
    folder.file.write_bytes(b"name = '\xe9'")
    with pytest.raises(SettingsError, match=r"not UTF-8 text \(byte 8\)"):
        load(folder.file, {})


# --- secrets

HIDDEN = "hunter2hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f'[[channel]]\nname="m"\nadapter="a"\npassword = "{HIDDEN}"',
        f'[[channel]]\nname="m"\nadapter="a"\nurl = "mailto://me:{HIDDEN}@mail.example"',
        f'[[channel]]\nname="m"\nadapter="a"\nurls = ["https://x.example",\n"mailto://me:{HIDDEN}@mail.example"]',
        f'{FEED}api_key = "{HIDDEN}"',
        f'{FEED}accessToken = "{HIDDEN}"',
        f'{FEED}url = "https://news.example/feed?token={HIDDEN}"',
        f'{FEED}[place.login]\nclient-secret = "{HIDDEN}"',
        f'[store]\nurl = "postgresql://me:{HIDDEN}@db.example/listener"',
        f'[credentials]\nreddit = "{HIDDEN}"',
        f'[web]\nsecret = "{HIDDEN}"',
        f'[[channel]]\nname="m"\nadapter="a"\ncredential = "{HIDDEN}@x y"',
        f'{FEED}credential = "{HIDDEN}@x y"',
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_shown(folder: Folder, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        folder.load(text)
    said = str(caught.value)
    assert HIDDEN not in said
    assert "credential" in said
    assert said.count("\n") == 1


def test_a_refused_secret_reaches_no_other_check(folder: Folder) -> None:
    seen: list[Settings] = []

    def also(settings: Settings) -> tuple[Problem, ...]:
        seen.append(settings)
        return ()

    urls = f'urls = ["https://me:{HIDDEN}@x.example", "https://y.example"]'
    folder.file.write_text(f'{FEED}password = "{HIDDEN}"\n{urls}')
    with pytest.raises(SettingsError):
        load(folder.file, {}, also=also)
    assert seen[0].places[0].params == {"urls": ["https://y.example"]}


@pytest.mark.parametrize(
    "text", ["max_tokens = 3", "token_file = '/x'", "password = ''", "url = 'https://me@x.example'"]
)
def test_what_only_looks_like_a_secret_is_kept(folder: Folder, text: str) -> None:
    assert len(folder.load(FEED + text).places[0].params) == 1


ASKS = FEED + 'credential = "reddit-1"\n'


def test_a_secret_comes_from_the_environment(folder: Folder) -> None:
    settings = folder.load(ASKS, LISTENER_CREDENTIAL_REDDIT_1=f"{HIDDEN}\n")
    assert settings.secrets.reveal("reddit-1") == HIDDEN
    assert settings.secrets.reveal(None) is None


def test_a_secret_comes_from_a_named_file(folder: Folder) -> None:
    (folder.path / "one").write_text(f"{HIDDEN}\n")
    settings = folder.load(ASKS + "[credentials]\nreddit-1_file = 'one'")
    assert settings.secrets.reveal("reddit-1") == HIDDEN
    settings = folder.load(ASKS, LISTENER_CREDENTIAL_REDDIT_1_FILE=str(folder.path / "one"))
    assert settings.secrets.reveal("reddit-1") == HIDDEN


def test_systemds_credential_comes_first(folder: Folder) -> None:
    (folder.path / "reddit-1").write_text(HIDDEN)
    settings = folder.load(ASKS, CREDENTIALS_DIRECTORY=str(folder.path), LISTENER_CREDENTIAL_REDDIT_1="other")
    assert settings.secrets.reveal("reddit-1") == HIDDEN


def test_a_missing_secret_names_the_three_ways(folder: Folder) -> None:
    fault = folder.fault(ASKS)
    assert fault.startswith("listener.toml:4: credential `reddit-1` is missing; three ways to give it: ")
    for way in ("LoadCredential=reddit-1:/path", "`reddit-1_file` in [credentials]", "LISTENER_CREDENTIAL_REDDIT_1"):
        assert way in fault


def test_an_empty_or_unreadable_secret_is_told(folder: Folder) -> None:
    assert "is empty" in folder.fault(ASKS, LISTENER_CREDENTIAL_REDDIT_1=" ")
    fault = folder.fault(ASKS, LISTENER_CREDENTIAL_REDDIT_1_FILE="/nowhere/at/all")
    assert "cannot be read: No such file" in fault


def test_a_disabled_place_needs_no_secret(folder: Folder) -> None:
    assert folder.load(f"{ASKS}enabled = false").places[0].credential == "reddit-1"


def test_the_stores_address_may_be_a_secret(folder: Folder) -> None:
    address = f"postgresql://me:{HIDDEN}@db.example/listener"
    settings = folder.load('[store]\ncredential = "database"', LISTENER_CREDENTIAL_DATABASE=address)
    assert settings.store.url == address
    assert HIDDEN not in repr(settings)
    assert HIDDEN not in repr(folder.load("", LISTENER_STORE_URL=address))


def test_secrets_are_in_no_repr_and_in_no_revision(folder: Folder) -> None:
    settings = folder.load(ASKS, LISTENER_CREDENTIAL_REDDIT_1=HIDDEN)
    assert HIDDEN not in repr(settings)
    assert HIDDEN not in repr(dataclasses.asdict(settings))
    assert settings.revision == folder.load(ASKS, LISTENER_CREDENTIAL_REDDIT_1="other").revision


# --- routes


def test_without_routes_complaints_and_low_stars_open_cases() -> None:
    route = load(None, {}).route
    assert [child.name for child in route.routes] == ["complaints", "low stars"]
    angry = {"sentiment": "negative", "certainty": "confident", "rating": 0.0}
    assert [taken.name for taken in route.taken_by(angry)] == ["complaints"]
    assert [taken.name for taken in route.taken_by({"sentiment": "neutral", "rating": 0.25})] == ["low stars"]
    assert route.taken_by({"sentiment": "negative", "certainty": "unsure", "rating": 0.5}) == ()


def test_default_routes_leave_rivals_alone(folder: Folder) -> None:
    route = folder.load(BRAND + 'rival = true\n[[brand]]\nname = "Ours"\nterms = ["ours"]').route
    angry = {"sentiment": "negative", "certainty": "confident"}
    assert route.taken_by({**angry, "brand": "Brackholm"}) == ()
    assert route.taken_by({**angry, "brand": "Ours"})


def test_no_routes_open_no_cases(folder: Folder) -> None:
    assert folder.load("[route]\nroutes = []").route.routes == ()


def test_children_inherit_and_may_differ(folder: Folder) -> None:
    channels = "".join(f'[[channel]]\nname = "{name}"\nadapter = "console"\n' for name in ("desk", "boss"))
    root = folder.load(
        channels + '[route]\nchannels = ["desk"]\ngroup_wait = "1m"\nseverity = "low"\n'
        '[[route.routes]]\nname = "a"\nmatch = ["kind = review"]\ngroup_by = ["place"]\ncontinue = true\n'
        '[[route.routes.routes]]\nmatch = ["rating < 0.1"]\nchannels = ["boss"]\nseverity = "high"\n'
        '[[route.routes]]\nname = "b"\nchannels = []\n'
    ).route
    a, b = root.routes
    deep = a.routes[0]
    assert (root.channels, root.group_wait, root.severity) == (("desk",), timedelta(minutes=1), "low")
    assert (a.channels, a.group_wait, a.severity, a.group_by) == (("desk",), timedelta(minutes=1), "low", ("place",))
    assert (a.continue_, deep.continue_, b.continue_) == (True, False, False)
    assert (deep.name, deep.channels, deep.severity, deep.group_by) == (
        "a: rating < 0.1",
        ("boss",),
        "high",
        ("place",),
    )
    assert deep.match == (Matcher(fact="rating", op="<", value="0.1"),)
    assert (b.channels, b.match, b.routes) == ((), (), ())


def test_the_root_tells_every_channel_unless_it_says_otherwise(folder: Folder) -> None:
    channels = "".join(f'[[channel]]\nname = "{name}"\nadapter = "console"\n' for name in ("desk", "boss"))
    assert folder.load(channels).route.channels == ("desk", "boss")
    assert folder.load(channels + "[route]\nchannels = []").route.channels == ()


# --- the revision


def test_the_revision_changes_with_what_decides_and_with_nothing_else(folder: Folder) -> None:
    plain = folder.load(BRAND)
    assert len(plain.revision) == 10
    same = folder.load(f"# a word\n{BRAND}[web]\nport = 1\n[listener]\nlog_level = 'debug'")
    assert same.revision == plain.revision
    for change in ("[listener]\nalert_horizon = '1h'", FEED, "[scorer]\nname = 'x'", "[route]\nseverity = 'low'"):
        assert folder.load(BRAND + change).revision != plain.revision


# --- durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15m", 900), ("48h", 172_800), ("7d", 604_800), ("1h30m", 5400), ("2w", 1_209_600), ("0s", 0), ("1.5s", 1.5),
     ("250ms", 0.25), (" 1h 30m ", 5400)],
)  # fmt: skip
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "-1m", "1y", "15 m x", "١m", "99999999d", 15, None, True, "1e3s"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|ten years"):
        duration(text)


@given(st.integers(0, 3000 * 86_400_000))
def test_a_written_duration_reads_back(milliseconds: int) -> None:
    span = timedelta(milliseconds=milliseconds)
    assert duration(duration_text(span)) == span


def test_durations_are_written_as_people_write_them() -> None:
    assert [duration_text(timedelta(hours=hours)) for hours in (0, 1.5, 24, 48, 49, 168)] == [
        "0s", "1h30m", "24h", "48h", "49h", "7d",
    ]  # fmt: skip


# --- lines

TORTURE = '''\
a = 1 # [no] header = 1
"quoted.key" = "# = [x] \\" '"
b.c.'d' = [ # =
  "x", # ]
  """
] = # "quoted" \\"""
""", { k = [1, 2], "l m" = """""x""""" } , [
    'y'
  ],
]
lit = \'\'\'
[not] = "a"
\'\'\'\'\'
when = 1979-05-27T07:32:00Z
inline = { x = 1, y.z = "}" }
empty = [ ]
none = {}
[ t . "u" ] # comment
  k = "v"
[[r]]
n = 0
[[r.s]]
n = 1
[[ r . s ]]
n = 2
[r.s.deep]
z = 1
[[r]]
[[r.s]]
n = 3
'''


def _paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _paths(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _paths(entry, (*path, index))


def test_every_key_has_its_line() -> None:
    lines = lines_of(TORTURE)
    assert set(_paths(tomllib.loads(TORTURE))) <= lines.keys()
    expected: dict[KeyPath, int] = {
        ("a",): 1, ("quoted.key",): 2, ("b", "c", "d"): 3, ("b", "c", "d", 0): 4, ("b", "c", "d", 1): 5,
        ("b", "c", "d", 2, "l m"): 7, ("b", "c", "d", 3, 0): 8, ("lit",): 11, ("when",): 14, ("inline", "y", "z"): 15,
        ("empty",): 16, ("t", "u"): 18, ("t", "u", "k"): 19, ("r", 0): 20, ("r", 0, "s", 0, "n"): 23,
        ("r", 0, "s", 1, "n"): 25, ("r", 0, "s", 1, "deep", "z"): 27, ("r", 1): 28, ("r", 1, "s", 0, "n"): 30,
    }  # fmt: skip
    assert {path: lines[path] for path in expected} == expected


_KEYS = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), st.sampled_from(['"a b"', "'#='", '"\\"]"']))
_SCALARS = st.sampled_from(
    ["1", "true", '"# = ]"', "'}'", '"""\n]"""', "'''\n\n}'''", "1979-05-27", "-1.5e3", '"\\\\"']
)
_VALUES = st.recursive(
    _SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=3).map(lambda entries: "[ # [\n" + ",\n".join(entries) + "\n]"),
        st.dictionaries(_KEYS, below, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=8,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_toml_is_located(table: Mapping[str, str]) -> None:
    text = "".join(f"{key} = {value} # x\n" for key, value in table.items())
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # the same key bare and quoted
        return
    lines = lines_of(text)
    assert set(_paths(document)) == lines.keys()
    for key, start in ((path[0], line) for path, line in lines.items() if len(path) == 1):
        head = text.split("\n")[start - 1].split(" = ")[0] if not str(key).endswith("=") else ""
        assert not head or str(key) == next(iter(tomllib.loads(f"{head} = 1")))


TWO = "[[channel]]\nname = 'desk'\nadapter = 'console'\n[[channel]]\nname = 'leads'\nadapter = 'console'\n"


def test_what_waits_for_a_colleague_is_told_where_the_operator_says_and_nowhere_else(folder: Folder) -> None:
    assert rules_of(folder.load(TWO)).told == Told()
    text = "[inbox]\nadvice_channels = ['desk']\nreview_channels = ['leads', 'desk']\nremedy_channels = ['leads']"
    told = rules_of(folder.load(TWO + text)).told
    assert told == Told(advice=("desk",), review=("leads", "desk"), remedy=("leads",))


@pytest.mark.parametrize("key", ["advice_channels", "review_channels", "remedy_channels"])
def test_a_channel_for_requests_that_there_is_not_is_refused(folder: Folder, key: str) -> None:
    assert "no channel is called `lead`; did you mean `leads`?" in folder.fault(f"{TWO}[inbox]\n{key} = ['lead']")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ("desk", "leads")),
        ("[inbox]\nannounce_channels = []", ()),
        ("[inbox]\nannounce_channels = ['leads']", ("leads",)),
    ],
)
def test_campaigns_are_told_to_all_channels_unless_some_are_chosen(
    folder: Folder, text: str, told: tuple[str, ...]
) -> None:
    assert rules_of(folder.load(TWO + text)).announce_channels == told
