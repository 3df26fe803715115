"""Files as places and for the import: CSV and NDJSON, broken rows, growing, rotated and odd files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.core.errors import AdapterError, Rejected, Unavailable
from listener.core.mention import Post
from listener.core.protocols import Budget
from listener.core.query import Cursor, Page, Place
from listener.core.tools import Tools
from listener.testing import HOSTILE, FakeClock, check_source
from sources._cells import Shape
from sources._dates import moment
from sources._rows import BadRow, Row, Start, read_rows
from sources.file import File, FileOptions

DATA = Path(__file__).parents[1] / "data" / "file"
PLACE = Place(name="import", source="file")
TOOLS = Tools(http=None, clock=FakeClock())


def written(folder: Path, data: str | bytes, name: str = "posts.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def rows(path: Path, start: Start | None = None, **shape: object) -> tuple[list[Post], list[str]]:
    found = list(read_rows(path, Shape(**shape), start))  # type: ignore[arg-type]
    return [row.post for row in found if isinstance(row, Row)], [str(row) for row in found if isinstance(row, BadRow)]


def poll(path: Path, cursor: Cursor | None = None, posts: int = 500) -> Page:
    return File(FileOptions(path=path), TOOLS).poll(PLACE, (), cursor, Budget(posts=posts))


@pytest.mark.parametrize("name", ["reviews.csv", "posts.ndjson"])
def test_files_pass_the_contract(tmp_path: Path, name: str) -> None:
    mapping = {"text": "Review text", "rating": "Stars"} if name == "reviews.csv" else {}
    path = written(tmp_path, (DATA / name).read_bytes(), name)
    line = b"new,4,Late but kind,Jo,2026-11-14,\n" if name == "reviews.csv" else b'{"id": 99, "text": "new"}\n'
    hostile = {"id": 7, "text": HOSTILE}
    if name == "posts.ndjson":
        path.write_bytes(path.read_bytes() + json.dumps(hostile).encode() + b"\n")

    def make(tools: Tools, realm: str = "") -> File:
        return File(FileOptions(path=path, mapping=mapping, realm=realm), tools)

    check_source(
        make,
        place=PLACE,
        elsewhere=lambda tools: make(tools, "other"),
        grow=lambda: path.write_bytes(path.read_bytes() + line),
        says=[HOSTILE] if name == "posts.ndjson" else [],
    )


def test_a_csv_row_becomes_a_post_and_a_broken_one_is_told_with_its_number() -> None:
    columns = {"author": "reviewer"}
    posts, bad = rows(DATA / "reviews.csv", columns=columns, realm="shop")
    first, second, fourth, last = posts
    assert (first.external_id, first.realm, first.kind, first.rating) == ("r1", "shop", "review", 1.0)
    assert (first.text, first.author.name, first.url) == ("Lovely, warm jacket", "Ida", "https://shop.example/r1")
    assert first.published_at == datetime(2026, 11, 12, tzinfo=UTC)
    assert (second.text, second.rating) == ("It tore.\nNobody answers.", 0.0)
    assert second.published_at == datetime(2026, 11, 13, 9, tzinfo=UTC)
    assert (fourth.text, fourth.rating) == ('He said "fine"', 0.5)
    assert fourth.published_at == datetime(2026, 11, 13, 9, 30, tzinfo=UTC)
    assert last.external_id.startswith("row:")
    assert bad == [
        "row 4: it has 7 cells where the header has 6",
        "row 6: the rating 9 is above the best, 5: set rating_max",
        "row 7: the date 'some day' is not understood: set date_format",
    ]


def test_a_json_line_becomes_a_post_and_a_broken_one_is_told_with_its_number() -> None:
    posts, bad = rows(DATA / "posts.ndjson", columns={"author": "user"})
    assert [post.external_id for post in posts] == ["1", "2", "4"]
    assert (posts[0].author.handle, posts[0].author.followers) == ("ann", 12)
    assert posts[0].published_at == datetime(2026, 11, 14, 8, tzinfo=UTC)
    assert (posts[2].text, posts[2].rating, posts[2].kind, posts[2].engagement.likes) == (
        "other name",
        0.25,
        "review",
        7,
    )
    assert [told.split(":")[0] for told in bad] == ["row 4", "row 5", "row 6"]


def test_nested_values_are_reached_with_dots(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": {"Text": "deep", "n": 3}, "x.y": "flat"}\n', "a.json")
    posts, _ = rows(path, columns={"text": "a.text", "likes": "a.n", "title": "x.y", "url": "a.text.no"})
    assert (posts[0].text, posts[0].engagement.likes, posts[0].title, posts[0].url) == ("deep", 3, "flat", None)


@pytest.mark.parametrize(
    ("value", "shape", "rating"),
    [
        ("4/5", {}, 0.75), ("4", {}, 0.75), ("1", {}, 0.0), ("5", {}, 1.0), ("4,5", {}, 0.875), ("0", {}, 0.0),
        ("0.3", {"rating_max": 1}, 0.3), ("1", {"rating_max": 1}, 1.0), ("10/10", {}, 1.0), ("★★★★☆", {}, 0.75),
        ("★", {}, 0.0), ("★★★★★", {}, 1.0), ("3 stars", {}, 0.5), ("3 out of 5", {}, 0.5), ("", {}, None),
        ("0", {"rating_min": 0, "rating_max": 10}, 0.0), ("5", {"rating_min": 0, "rating_max": 10}, 0.5),
    ],
)  # fmt: skip
def test_ratings_end_at_0_and_1_on_every_scale(
    tmp_path: Path, value: str, shape: dict[str, float], rating: float | None
) -> None:
    path = written(tmp_path, f"text|rating\nx|{value}\n")
    assert [post.rating for post in rows(path, **shape)[0]] == [rating]


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-14T08:00:00Z", "2026-11-14 08:00", "2026-11-14T09:00:00+01:00", "1794643200", "1794643200000",
        "1794643200.0", "14.11.2026 08:00", "2026/11/14 08:00", "Sat Nov 14 08:00:00 +0000 2026",
        "Sat, 14 Nov 2026 08:00:00 GMT",
    ],
)  # fmt: skip
def test_usual_dates_are_understood(value: str) -> None:
    assert moment(value) == datetime(2026, 11, 14, 8, tzinfo=UTC)


def test_a_date_with_two_readings_needs_its_format() -> None:
    with pytest.raises(ValueError, match="set date_format"):
        moment("05/06/2026")
    assert moment("05/06/2026", "%d/%m/%Y") == datetime(2026, 6, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        "\ufefftext,id\nGröße,1\n".encode(),
        "text;id\r\nGröße;1\r\n".encode("cp1252"),
        "text\tid\nGr\0öße\t1\n".encode(),
        "\n\ntext,id\n\nGröße,1".encode(),
        '"text","id"\n"Größe","1"\n'.encode(),
    ],
)
def test_what_spreadsheets_write_is_understood(tmp_path: Path, data: bytes) -> None:
    posts, bad = rows(written(tmp_path, data))
    assert ([(post.text, post.external_id) for post in posts], bad) == ([("Größe", "1")], [])


def test_an_open_quote_costs_one_row_and_not_the_rest(tmp_path: Path) -> None:
    lines = ["text,id", "one,1", '"never closed,2', *(f"row {n},{n}" for n in range(3, 500)), '"also,500', '"fine",501']
    posts, bad = rows(written(tmp_path, "\n".join(lines) + "\n"))
    assert [post.external_id for post in posts] == ["1", *map(str, range(3, 500)), "501"]
    assert [told.split(":")[0] for told in bad] == ["row 3", "row 501"]


def test_a_line_without_end_costs_one_row(tmp_path: Path) -> None:
    long = '{"text": "' + "x" * 3_000_000 + '"}'
    posts, bad = rows(written(tmp_path, f'{{"text":"a"}}\n{long}\n{{"text":"b"}}\n', "a.ndjson"))
    assert [post.text for post in posts] == ["a", "b"]
    assert bad == ["row 2: it is longer than 1,000,000 bytes"]


def test_equal_rows_without_ids_are_one_post_and_others_differ(tmp_path: Path) -> None:
    posts, _ = rows(written(tmp_path, "text,shop\ngood,1\ngood,1\ngood,2\n"))
    assert len({post.external_id for post in posts}) == 2


@pytest.mark.parametrize(
    ("data", "columns", "said"),
    [
        ("a,b\n1,2\n", {}, "no column known to hold text"),
        ("text\nx\n", {"rating": "Stars"}, "no column 'Stars' for rating"),
        ("text\nx\n", {"txt": "text"}, "'txt', which no post has"),
        ("[\n{}]\n", {}, "JSON array"),
        ("text\nx".encode("utf-16"), {}, "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_meant_is_rejected(
    tmp_path: Path, data: str | bytes, columns: dict[str, str], said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        rows(written(tmp_path, data), columns=columns)


def test_a_missing_file_may_come_and_a_folder_may_not(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        poll(tmp_path / "none.csv")
    with pytest.raises(Rejected, match="folder"):
        poll(tmp_path)


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    first = poll(path)
    assert first.posts == ()
    written(tmp_path, "text,id\nx,1\n")
    assert len(poll(path, first.cursor).posts) == 1


def test_reading_goes_on_after_any_row(tmp_path: Path) -> None:
    path = written(tmp_path, 'text,id\n"a\nb",1\n\nbad,2,3\nc,4\nd,5\n')
    whole = list(read_rows(path, Shape()))
    for n, row in enumerate(whole, 1):
        assert list(read_rows(path, Shape(), Start(offset=row.offset, number=row.number))) == whole[n:]


def test_a_growing_file_is_read_on_and_a_row_being_written_waits(tmp_path: Path) -> None:
    path = written(tmp_path, "text,id\na,1\nb,2")
    first = poll(path)
    assert [post.external_id for post in first.posts] == ["1"]
    path.write_bytes(path.read_bytes() + b"2\nc,3")
    second = poll(path, first.cursor)
    assert [post.external_id for post in second.posts] == ["22"]
    third = poll(path, second.cursor)
    assert [post.external_id for post in third.posts] == ["3"], "a file that rests is taken as finished"
    assert poll(path, third.cursor).posts == ()


@pytest.mark.parametrize("data", ["text,id\nz,9\n", "text,id\nz,8\ny,9\nx,10\nw,11\n"])
def test_a_rotated_file_is_read_anew_and_says_so(tmp_path: Path, data: str) -> None:
    path = written(tmp_path, "text,id\na,1\nb,2\n")
    first = poll(path)
    written(tmp_path, data)
    second = poll(path, first.cursor)
    assert "9" in {post.external_id for post in second.posts}
    assert second.gap is not None


def test_an_edit_further_down_comes_on_a_page_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "text,id\nold,1\nother,2\nnew,1\n")
    first = poll(path)
    second = poll(path, first.cursor)
    assert ([post.text for post in first.posts], first.more) == (["old", "other"], True)
    assert ([post.text for post in second.posts], second.more) == (["new"], False)


@pytest.mark.parametrize("cursor", ["", "null", "[]", '{"v": 1}', '{"v": 1, "offset": "x"}'])
def test_a_cursor_that_cannot_be_read_starts_anew(tmp_path: Path, cursor: str) -> None:
    assert len(poll(written(tmp_path, "text\nx\n"), Cursor(cursor)).posts) == 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), b"text,id\n" + data)
    try:
        numbers = [row.number for row in read_rows(path, Shape())]
    except AdapterError:
        return
    assert numbers == sorted(set(numbers))
