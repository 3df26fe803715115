"""`listener import`: rows come in once, broken ones are named, and a broken-off import goes on."""

from __future__ import annotations

import json

import pytest

from listener import errands
from listener.app import App
from listener.cli import rows
from listener.core.errors import StoreError
from tests.cli.conftest import Command
from tests.homes import CONFIG, Home

pytestmark = pytest.mark.model

CSV = """id,who,Body,date
1,ann,"acme broke,
I hate it",2026-11-20
2,bo
3,cy,acme is lovely,soon
4,di,nothing about it,
"""


def test_rows_are_stored_and_bad_ones_named_by_number(home: Home, command: Command) -> None:
    (home.folder / "old.csv").write_text(CSV)
    ended = command("import", "old.csv", "--place", "rows", "--map", "text=Body", "--map", "author=who", "--json")
    assert ended.code == 0, ended.err
    told = ended.json
    assert isinstance(told, dict)
    assert told["outcomes"] == {"stored": 1, "unmatched": 1}
    assert [bad["row"] for bad in told["bad"]] == [3, 4]
    assert told["last_row"] == 5
    assert home.ask("SELECT text, handle, place FROM posts") == [("acme broke,\nI hate it", "ann", "rows")]


def test_imported_rows_page_nobody_unless_asked(home: Home, command: Command) -> None:
    home.config.write_text(CONFIG.replace('history = "live"', ""))
    (home.folder / "old.ndjson").write_text('{"id": "1", "author": "a", "text": "acme broke, I hate it"}\n')
    (home.folder / "new.ndjson").write_text('{"id": "2", "author": "b", "text": "acme broke, I hate it"}\n')
    assert command("import", "old.ndjson", "--place", "rows").code == 0
    assert command("once").code == 0
    assert home.ask("SELECT arrival, label FROM mentions") == [("backfill", "negative")]
    assert home.number("SELECT count(*) FROM cases") == 0
    assert command("import", "new.ndjson", "--place", "rows", "--alert").code == 0
    assert command("once").code == 0
    assert home.number("SELECT count(*) FROM cases") == 1


def test_the_same_file_again_brings_nothing(home: Home, command: Command) -> None:
    (home.folder / "old.csv").write_text("id,text\n1,acme broke\n")
    assert "1 stored" in command("import", "old.csv", "--place", "rows").out
    (home.folder / "old.csv").rename(home.folder / "moved.csv")
    again = command("import", "moved.csv", "--place", "rows")
    assert again.code == 0
    assert "it was imported before" in again.out
    assert home.number("SELECT count(*) FROM posts") == 1


def test_a_broken_off_import_goes_on_where_it_stopped(
    home: Home, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps({"id": str(n), "text": f"acme number {n}"}) for n in range(25)]
    lines[12] = "{broken"
    (home.folder / "old.ndjson").write_text("\n".join(lines))
    monkeypatch.setattr(rows, "_ROWS", 5)
    real, calls = App.take_in, []

    def fails_at_the_third(self: App, *args: object, **words: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise StoreError("the disk hiccuped")
        return real(self, *args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(App, "take_in", fails_at_the_third)
    broken = command("import", "old.ndjson", "--place", "rows")
    assert broken.code == 4
    assert "the disk hiccuped" in broken.err
    assert home.number("SELECT count(*) FROM posts") == 10
    done = command("import", "old.ndjson", "--place", "rows")
    assert done.code == 0
    assert "went on after row 10" in done.out
    assert "row 13: " in done.out
    assert home.number("SELECT count(*) FROM posts") == 24
    assert home.number("SELECT sum(n) FROM tallies WHERE outcome = 'duplicate'") == 0


def test_a_place_or_a_brand_must_be_known(home: Home, command: Command) -> None:
    (home.folder / "old.csv").write_text("id,text\n1,no name in it\n")
    ended = command("import", "old.csv", "--place", "row")
    assert ended.code == 3
    assert "did you mean `rows`?" in ended.err
    assert "--brand" in ended.err
    assert (
        "no brand is called `Akme`; did you mean `Acme`?"
        in command("import", "old.csv", "--place", "archive", "--brand", "Akme").err
    )
    assert command("import", "old.csv", "--place", "archive", "--brand", "Acme").code == 0
    assert home.ask("SELECT brand, place FROM mentions") == [("Acme", "archive")]


def test_a_mapping_that_fits_nothing_is_explained(home: Home, command: Command) -> None:
    (home.folder / "old.csv").write_text("id,words\n1,acme\n")
    wrong = command("import", "old.csv", "--place", "rows", "--map", "text=Body")
    assert wrong.code == 1
    assert "no column 'Body'" in wrong.err
    assert command("import", "old.csv", "--place", "rows", "--map", "text").code == 2
    assert command("import", "old.csv", "--place", "rows", "--map", "words=words").code == 1
    assert "no column known to hold text" in command("import", "old.csv", "--place", "rows").err


def test_hostile_rows_travel_unharmed(home: Home, command: Command) -> None:
    row = {
        "id": "\ud800x",
        "author": "<b>",
        "text": "acme \ud83d\udca5 \udfff \u202e <script> \x00\x1b[2J" + "y" * 30_000,
    }
    (home.folder / "odd.ndjson").write_text(json.dumps(row) + "\n" + '{"id": "2", "text": "acme \\ud800"}\n')
    assert command("import", "odd.ndjson", "--place", "rows").code == 0
    assert home.number("SELECT count(*) FROM posts") == 2
    assert home.number("SELECT max(length(text)) FROM posts") == 20_000


def test_portions_stay_below_the_longest_request(home: Home, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts at their longest, in characters that JSON spells with twelve bytes."""
    from listener.control import MAX_LINE

    longest = []
    real = errands.as_words

    def measured(posts: object) -> object:
        words = real(posts)  # type: ignore[arg-type]
        longest.append(len(json.dumps(words)))
        return words

    monkeypatch.setattr(errands, "as_words", measured)
    text = "acme " + "💥" * 19_990
    lines = [json.dumps({"id": str(n), "text": text}, ensure_ascii=False) for n in range(60)]
    (home.folder / "big.ndjson").write_text("\n".join(lines), encoding="utf-8")
    assert command("import", "big.ndjson", "--place", "rows").code == 0
    assert len(longest) > 1
    assert max(longest) < MAX_LINE
