"""What the pages say: cases, one case, mentions, trends and places, over posts that walked through the real steps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from listener.core.errors import Rejected, Unavailable
from listener.core.mention import Author, Engagement, Post
from listener.testing import START, FakeScorer, make_post
from tests.web.stage import Stage


def text_of(answer: httpx2.Response) -> str:
    """The page's source with white space folded."""
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def angry(n: str = "1", text: str = "My Acme kettle is broken, again.", **fields: object) -> Post:
    return make_post(n, text, author=Author(handle=f"@ann{n}", name=f"Ann {n}"), **fields)


def only_case(stage: Stage) -> str:
    [case] = stage.store.cases.unresolved()
    return f"/cases/{case.public_id}"


def test_the_root_leads_to_the_cases(web: httpx2.Client) -> None:
    answer = web.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/cases")


def test_an_empty_list_says_what_to_do_next(web: httpx2.Client) -> None:
    page = text_of(web.get("/cases"))
    assert "Nothing has been heard yet" in page
    assert "2 places are listened to" in page


def test_without_any_place_the_empty_list_says_so(web: httpx2.Client, stage: Stage) -> None:
    stage.store.places.sync((), START)
    assert "No place is configured" in text_of(web.get("/cases"))
    assert "no place is listened to" in text_of(web.get("/cases"))


def test_what_waits_to_be_judged_is_said(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("1", "acme"), make_post("2", "acme!"))
    assert "2 mentions heard, not judged yet" in text_of(web.get("/cases"))


def test_without_cases_the_judged_mentions_are_counted(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(*(make_post(str(n), f"I love acme {n}") for n in range(3)))
    stage.work()
    assert "3 mentions judged, none needed a case" in text_of(web.get("/cases"))


def test_a_case_is_listed_with_who_where_how_bad_and_what_breaks_next(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(angry(rating=0.0, kind="review"))
    stage.work()
    stage.clock.forward(timedelta(minutes=12))
    page = text_of(web.get("/cases"))
    for said in (
        "My Acme kettle is broken, again.", "Ann 1", "review on fake", "1 of 5 stars", "12 min ago", "negative",
        '<span class="chip severity high">high</span>', "To do <span class=\"n\">1</span>", "to do",
    ):  # fmt: skip
        assert said in page, said


def test_the_most_severe_case_comes_first(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(angry("1"), angry("2", "Acme stove: burnt hand"), angry("3"))
    stage.work()
    page = text_of(web.get("/cases"))
    assert page.index("burnt hand") < page.index("Ann 3")
    assert page.index("burnt hand") < page.index("Ann 1")


def test_doubt_is_said_and_never_shown_as_neutral(web: httpx2.Client, stage: Stage) -> None:
    stage.scorer = FakeScorer(table={"kettle": (0.5, 0.4, 0.1)})
    stage.hear(angry())
    stage.work()
    assert "unsure: negative" in text_of(web.get("/cases"))
    page = text_of(web.get(only_case(stage)))
    assert "negative 50 %, neutral 40 %, positive 10 %; <strong>not sure, a person should look</strong>" in page
    assert "No channel was told" in page


def test_filters_live_in_the_address(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(angry("1"), angry("2", "Globex is broken"))
    stage.work()
    assert "Globex is broken" not in text_of(web.get("/cases?brand=Acme"))
    assert "My Acme kettle" not in text_of(web.get("/cases?brand=Globex"))
    both = text_of(web.get("/cases"))
    assert '<option value="Globex">Globex (1)</option>' in both
    assert 'To do <span class="n">2</span>' in both
    assert "No case is resolved" in text_of(web.get("/cases?view=resolved"))
    assert "Nothing fits these filters" in text_of(web.get("/cases?brand=Nobody"))


def test_long_lists_have_pages(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(*(angry(str(n)) for n in range(45)))
    stage.work()
    first, second = text_of(web.get("/cases?brand=Acme")), text_of(web.get("/cases?brand=Acme&page=2"))
    assert (first.count('class="case high"'), second.count('class="case high"')) == (40, 5)
    assert 'rel="next" href="/cases?page=2&amp;brand=Acme"' in first
    assert 'rel="prev" href="/cases?brand=Acme"' in second
    assert "The list ends before this page" in text_of(web.get("/cases?page=9"))


@pytest.mark.parametrize("query", ["page=x", "view=everything", "page=1e9"])
def test_a_senseless_address_is_a_page_that_says_so(web: httpx2.Client, query: str) -> None:
    answer = web.get(f"/cases?{query}")
    assert answer.status_code == 400
    assert "makes no sense" in answer.text


@pytest.mark.parametrize("page", ["-5", "0", "99999999999999999999999"])
def test_odd_page_numbers_are_no_defect(web: httpx2.Client, page: str) -> None:
    for path in ("/cases", "/mentions", "/api/v1/cases"):
        assert web.get(f"{path}?page={page}").status_code == 200


def test_a_missing_page_is_in_the_style_of_the_house(web: httpx2.Client) -> None:
    for path in ("/nothing", "/cases/none", "/cases/a/b", "/static/none"):
        answer = web.get(path)
        assert answer.status_code == 404
        assert "<h1>Nothing is here</h1>" in answer.text
    assert web.get("/api/v1/cases/none").json() == {
        "error": "Nothing is here. The address may be mistyped, or what it led to is gone."
    }


def test_a_case_shows_all_that_led_to_it(web: httpx2.Client, stage: Stage) -> None:
    post = angry(
        url="https://forum.example/t/1", rating=0.0, title="Acme again", in_reply_to="root-7", root="root-7",
        engagement=Engagement(likes=3, replies=1),
    )  # fmt: skip
    stage.hear(replace(post, author=replace(post.author, followers=1200)))
    stage.work()
    page = text_of(web.get(only_case(stage)))
    for said in (
        "My <mark>Acme</mark> kettle is broken, again.", "<mark>Acme</mark> again", "1,200 followers",
        'href="https://forum.example/t/1" rel="noopener noreferrer nofollow ugc"', "at forum.example",
        "The words alone: negative 95 %, neutral 4 %, positive 1 %. With the stars: negative, mood −0.91",
        "by the query Acme", "live: the place plays history as live", "root-7", "by table@1",
        "by complaints: <bdi", "3 likes, 1 reply, 0 shares",
        "complaints: sentiment is negative", f"configuration {stage.settings.revision}",
        '<strong><bdi>desk</bdi></strong> <span class="chip sent">sent</span>', "new case",
        "Judged negative", "Case opened", "desk told",
    ):  # fmt: skip
        assert said in page, said


def test_each_try_of_a_message_is_told(web: httpx2.Client, stage: Stage) -> None:
    stage.channels["desk"].fail(Unavailable("mail.example does not answer"), Rejected("the address is unknown"))
    stage.hear(angry())
    stage.work()
    page = text_of(web.get(only_case(stage)))
    assert "mail.example does not answer" in page
    assert '<span class="chip pending">to be sent</span> next try' in page
    stage.clock.forward(timedelta(minutes=2))
    stage.send()
    page = text_of(web.get(only_case(stage)))
    assert "given up" in page
    assert "refused" in page
    assert "the address is unknown" in page
    assert page.count("desk could not be told") == 2


def test_an_edit_shows_what_was_said_before(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(angry(text="I love Acme", rating=1.0))
    stage.work()
    stage.clock.forward(timedelta(hours=1))
    stage.hear(angry(text="Acme is broken", rating=0.0))
    stage.work()
    page = text_of(web.get(only_case(stage)))
    assert "Edited by its author: 1 earlier version" in page
    assert "I love Acme" in page
    assert "read as positive" in page
    assert "Post edited by its author" in page


def test_a_growing_case_says_when_each_mention_joined(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(angry())
    stage.work()
    stage.clock.forward(timedelta(hours=2))
    stage.hear(replace(angry(text="Acme: still broken"), external_id="later"))
    stage.work()
    page = text_of(web.get(only_case(stage)))
    assert "A mention joined" in page
    assert page.index("still broken") < page.index("kettle is broken, again.</div>")


def test_places_say_how_each_fares(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(make_post("1", "acme is fine"), make_post("2", "nothing of ours"), make_post("1", "acme is fine"))
    stage.lose("reviews", Unavailable("reviews.example does not answer"))
    stage.work()
    stage.clock.forward(timedelta(minutes=3))
    page = text_of(web.get("/places"))
    for said in (
        "reviews.example does not answer", "1 failed try in a row", "since <time", "1 of 2 places down",
        '<strong>3</strong> <span class="muted">=</span> 1 <span class="muted">new +</span>',
        '1 <span class="muted">known already +</span>', '1 <span class="muted">about no brand</span>',
    ):  # fmt: skip
        assert said in page, said
    assert page.index("<bdi>reviews</bdi>") < page.index("<bdi>forum</bdi>")


def test_places_say_whether_they_listen(web: httpx2.Client, stage: Stage) -> None:
    assert "istening" not in text_of(web.get("/places"))
    stage.store.places.listens("forum", since=stage.clock(), why=None)
    stage.store.places.listens("reviews", since=None, why="#<b>: town.example answered 404")
    page = text_of(web.get("/places"))
    assert "Listening since <time" in page
    assert "Not listening, only asked as planned:" in page
    assert "#&lt;b&gt;: town.example answered 404" in page
    told = {place["name"]: place for place in web.get("/api/v1/places").json()["places"]}
    assert told["forum"]["listening_since"] is not None
    assert told["reviews"]["not_listening"] == "#<b>: town.example answered 404"


def test_history_that_alerted_nobody_is_a_line(web: httpx2.Client, stage: Stage) -> None:
    old = START - timedelta(days=30)
    stage.hear(
        *(angry(str(n), published_at=old) for n in range(3)),
        make_post("9", "I love acme", published_at=old),
        place="reviews",
    )
    stage.work()
    page = text_of(web.get("/places"))
    assert "4 older posts counted, 3 complaints among them." in page
    assert "more than 2 days before it was heard opens no case" in page
    assert "4 mentions judged, none needed a case" in text_of(web.get("/cases"))
    assert "history: counted, opens no case" in text_of(web.get("/mentions"))


def test_trends_count_every_judged_mention_by_day(web: httpx2.Client, stage: Stage) -> None:
    for back, text in ((0, "acme broken"), (0, "i love acme"), (3, "acme broken"), (20, "acme broken"), (40, "acme")):
        at = START - timedelta(days=back)
        stage.hear(make_post(f"{back}{text}", text, published_at=at))
    stage.work()
    page = text_of(web.get("/trends"))
    assert '<dt>Mentions</dt><dd>3</dd><dd class="muted">1 in the 14 days before</dd>' in page
    assert "67 %" in page
    assert "too few in the 14 days before to compare" in page
    assert '<th scope="row">Sat 14 Nov</th><td>2</td><td>1</td><td>0</td><td>1</td><td>0</td><td>0.00</td>' in page
    assert "<dt>Mentions</dt><dd>4</dd>" in text_of(web.get("/trends?days=30"))


def test_a_change_is_told_only_with_enough_to_compare(web: httpx2.Client, stage: Stage) -> None:
    early, late = START - timedelta(days=20), START - timedelta(days=2)
    stage.hear(*(make_post(f"a{n}", f"acme {n}", published_at=early) for n in range(30)))
    stage.hear(*(make_post(f"b{n}", f"acme broken {n}", published_at=late) for n in range(10)))
    stage.work()
    assert "100 points more than in the 14 days before (n = 30)" in text_of(web.get("/trends"))


def test_trends_without_figures_say_so(web: httpx2.Client) -> None:
    assert "Nothing was counted in these days" in text_of(web.get("/trends"))


def test_mentions_are_filtered_by_brand_sentiment_and_certainty(web: httpx2.Client, stage: Stage) -> None:
    stage.scorer = FakeScorer(table={"broken": (0.9, 0.1, 0.0), "hm": (0.5, 0.4, 0.1)})
    stage.hear(angry("1", "acme broken"), angry("2", "globex broken"), angry("3", "hm, acme"), angry("4", "acme opens"))
    stage.work()
    page = text_of(web.get("/mentions"))
    assert all(name in page for name in ("Ann 1", "Ann 2", "Ann 3", "Ann 4", "its case"))
    worse = text_of(web.get("/mentions?brand=Acme&label=negative&certainty=confident"))
    assert "Ann 1" in worse
    assert not any(name in worse for name in ("Ann 2", "Ann 3", "Ann 4"))
    assert "No mention fits" in text_of(web.get("/mentions?brand=Globex&label=positive"))


def test_sample_data_is_said_on_every_page(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(angry())
    stage.work()
    paths = ("/cases", only_case(stage), "/mentions", "/trends", "/places", "/nothing", "/cases?page=x")
    assert not any("Sample data" in web.get(path).text for path in paths)
    stage.settings = replace(stage.settings, listener=replace(stage.settings.listener, sample_data=True))
    assert all("<strong>Sample data.</strong>" in web.get(path).text for path in paths)


def test_troubles_stand_on_every_page(web: httpx2.Client, stage: Stage) -> None:
    stage.troubles = ("The disk is full.",)
    for path in ("/cases", "/trends", "/places"):
        assert "<strong>Not all is well.</strong> The disk is full." in text_of(web.get(path))


def test_a_database_that_cannot_be_read_is_a_page_and_not_a_crash(
    web: httpx2.Client, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.store.db.write("ALTER TABLE cases RENAME TO gone")
    answer = web.get("/cases")
    assert answer.status_code == 503
    assert "The database cannot be read" in answer.text
    assert web.get("/api/v1/cases").json()["error"].startswith("The database cannot be read.")


def test_json_twins_say_the_same_without_row_ids(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(angry(rating=0.25), angry("2", "Globex broken"))
    stage.work()
    listed = web.get("/api/v1/cases").json()
    assert listed["next"] is None
    assert {case["brand"] for case in listed["cases"]} == {"Acme", "Globex"}
    [case] = web.get("/api/v1/cases?brand=Acme").json()["cases"]
    whole = web.get(f"/api/v1/cases/{case['id']}").json()
    [mention] = whole["mentions"]
    assert mention["sentiment"]["label"] == "negative"
    assert mention["probabilities"] == {"negative": 0.95, "neutral": 0.04, "positive": 0.01}
    assert whole["deliveries"][0]["tries"][0]["outcome"] == "accepted"
    places = web.get("/api/v1/places").json()["places"]
    assert [place["name"] for place in places] == ["forum", "reviews"]
    assert places[0]["tallies"] == {"stored": 2}
    row_ids = {key for found in (whole["case"], mention, *whole["deliveries"]) for key in found} & {
        "post_id",
        "mention_id",
    }
    assert not row_ids
    assert not isinstance(case["id"], int)
    assert "post_id" not in json.dumps(whole)


def test_json_lists_have_pages(web: httpx2.Client, stage: Stage) -> None:
    stage.hear(*(angry(str(n)) for n in range(130)))
    stage.work()
    first = web.get("/api/v1/cases?brand=Acme").json()
    assert first["next"] == "/api/v1/cases?brand=Acme&page=2"
    second = web.get(first["next"]).json()
    assert (len(first["cases"]), len(second["cases"]), second["next"]) == (100, 30, None)
