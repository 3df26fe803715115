"""A recording played as a place: pace, shifted dates, restarts, edits."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from listener.core.errors import Unavailable
from listener.core.protocols import Budget
from listener.core.query import Cursor, Page, Place
from listener.core.tools import Tools
from listener.testing import HOSTILE, START, FakeClock, check_source
from sources.replay import Replay, ReplayOptions

DATA = Path(__file__).parents[1] / "data" / "replay" / "posts.ndjson"
PLACE = Place(name="demo", source="replay", history="live")
FIRST = datetime.fromisoformat("2026-11-01T08:00:00Z")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def poll(
    clock: FakeClock, cursor: Cursor | None = None, path: Path = DATA, posts: int = 500, **options: object
) -> Page:
    made = Replay(ReplayOptions(path=path, **options), Tools(http=None, clock=clock))  # type: ignore[arg-type]
    return made.poll(PLACE, (), cursor, Budget(posts=posts))


def recording(folder: Path, count: int, hours: float = 1.0) -> Path:
    path = folder / "many.ndjson"
    with path.open("w") as file:
        for n in range(count):
            at = (FIRST + timedelta(hours=n * hours)).isoformat()
            file.write(
                json.dumps({"source": "x", "external_id": str(n), "text": f"post {n}", "published_at": at}) + "\n"
            )
    return path


def test_the_recording_passes_the_contract(tmp_path: Path) -> None:
    path, other = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    line = json.dumps({"source": "x", "realm": "one", "external_id": "77", "text": HOSTILE}) + "\n"
    path.write_text(DATA.read_text() + line)
    other.write_text(line.replace('"one"', '"two"'))

    def grow() -> None:
        path.write_text(path.read_text() + line.replace('"77"', '"78"'))

    check_source(
        lambda tools: Replay(ReplayOptions(path=path), tools),
        place=PLACE,
        grow=grow,
        elsewhere=lambda tools: Replay(ReplayOptions(path=other), tools),
        says=[HOSTILE],
    )


def test_posts_keep_what_was_recorded(clock: FakeClock) -> None:
    first, review = poll(clock).posts[:2]
    assert (first.source, first.realm, first.external_id, first.kind) == ("x", "", "1", "post")
    assert (first.author.handle, first.author.followers) == ("kari", 310)
    assert (first.engagement.likes, first.engagement.replies, first.published_at) == (3, 1, FIRST)
    assert (review.source, review.realm, review.rating, review.title) == ("googleplay", "app.example", 1.0, "Good")


def test_all_comes_at_once_without_a_span_and_an_edit_after_what_it_changes(clock: FakeClock) -> None:
    first = poll(clock)
    second = poll(clock, first.cursor)
    assert [len(first.posts), len(second.posts)] == [2, 3]
    assert (first.more, second.more) == (True, False)
    assert (first.posts[1].external_id, second.posts[0].title) == ("1", "Bad")
    assert poll(clock, second.cursor).posts == ()


def test_the_file_is_played_over_its_span(clock: FakeClock, tmp_path: Path) -> None:
    path = recording(tmp_path, 101)
    told = poll(clock, path=path, span=timedelta(seconds=100))
    heard = [len(told.posts)]
    for _ in range(4):
        clock.forward(timedelta(seconds=25))
        told = poll(clock, told.cursor, path=path, span=timedelta(seconds=100))
        heard.append(len(told.posts))
    assert heard == [1, 25, 25, 25, 25]
    assert not told.more


def test_a_restart_goes_on_where_it_was(clock: FakeClock, tmp_path: Path) -> None:
    path = recording(tmp_path, 11)
    first = poll(clock, path=path, span=timedelta(seconds=10))
    clock.forward(timedelta(hours=3))
    rest = poll(clock, Cursor(str(first.cursor)), path=path, span=timedelta(seconds=10))
    assert [post.external_id for post in rest.posts] == [str(n) for n in range(1, 11)]


def test_dates_are_shifted_so_that_the_last_is_now(clock: FakeClock, tmp_path: Path) -> None:
    posts = poll(clock, path=recording(tmp_path, 3), shift=True).posts
    assert [post.published_at for post in posts] == [START - timedelta(hours=n) for n in (2, 1, 0)]


@pytest.mark.parametrize("hours", [1.0, 0.0001])
def test_no_post_is_dated_later_than_it_is_played(clock: FakeClock, tmp_path: Path, hours: float) -> None:
    path = recording(tmp_path, 50, hours)
    cursor, heard = None, 0
    for _ in range(60):
        page = poll(clock, cursor, path=path, span=timedelta(seconds=60), shift=True)
        cursor, heard = page.cursor, heard + len(page.posts)
        assert all(post.published_at is not None and post.published_at <= clock() for post in page.posts)
        clock.forward(timedelta(seconds=1.5))
    assert heard == 50


def test_an_undated_post_is_played_with_the_one_before_it(clock: FakeClock) -> None:
    start = poll(clock, span=timedelta(seconds=48))
    clock.forward(timedelta(seconds=30))
    later: list[str] = []
    page = poll(clock, start.cursor, span=timedelta(seconds=48))
    later += [post.external_id for post in page.posts]
    page = poll(clock, page.cursor, span=timedelta(seconds=48))
    later += [post.external_id for post in page.posts]
    assert later == ["1", "1", "t9"]


def test_a_long_recording_is_read_in_pages(clock: FakeClock, tmp_path: Path) -> None:
    path = recording(tmp_path, 1_000, 0.01)
    cursor, ids = None, []
    while True:
        page = poll(clock, cursor, path=path, posts=100)
        ids += [post.external_id for post in page.posts]
        cursor = page.cursor
        if not page.more:
            break
    assert ids == [str(n) for n in range(1_000)]


def test_a_broken_line_is_told_and_the_rest_is_played(clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"text": "a", "external_id": 1}\nbroken\n\n{"external_id": 2}\n{"text": "b", "external_id": 3}\n')
    page = poll(clock, path=path)
    assert [post.external_id for post in page.posts] == ["1", "3"]
    assert [told.split(":")[0] for told in page.rejected] == ["row 2", "row 4"]


def test_another_file_in_its_place_starts_anew(clock: FakeClock, tmp_path: Path) -> None:
    path = recording(tmp_path, 5)
    cursor = poll(clock, path=path).cursor
    path.write_text('{"external_id": "z", "text": "new"}\n')
    assert [post.external_id for post in poll(clock, cursor, path=path).posts] == ["z"]


@pytest.mark.parametrize("cursor", ["", "null", "[]", '{"v": 1}', '{"v": 1, "began": "x"}', '{"v": 1, "odd": 1}'])
def test_a_cursor_that_cannot_be_read_starts_anew(clock: FakeClock, cursor: str) -> None:
    assert len(poll(clock, Cursor(cursor)).posts) == 2


def test_a_missing_file_says_so(clock: FakeClock, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        poll(clock, path=tmp_path / "none")
