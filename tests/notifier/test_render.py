"""What messages say, and that nothing a stranger writes can do more than be read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener import RequestKind
from listener.testing import HOSTILE, example_announcement, example_message, example_request
from notifier._markup import address, neutral, shorten
from notifier._services import utf8, utf16
from notifier.render import Limits, render

LINK = "https://desk.example/cases/c-1"

anything = st.one_of(
    st.text(max_size=400),
    st.lists(
        st.sampled_from(
            [*HOSTILE.split(), "](", "![", "<", ">", "||", "@", "\r", "\n", "\u2028", "\u202e", "\u2066", "ש", "ع"]
        )
    ).map("".join),
)
markups = st.sampled_from(["plain", "chat"])


def test_one_case_is_told_in_plain_words() -> None:
    said = render(example_message())
    assert said.title == "HIGH: New case, Brackholm, from kari"
    assert said.text.splitlines() == [
        "New case about Brackholm.",
        "Who: kari, 1,200 followers",
        "Where: feed, place forum",
        "How bad: high, negative, sure (93%), 1 of 5 stars",
        "Said: “Three weeks and no parcel.”",
        "Why you: route complaints: sentiment = negative",
        "Original: https://forum.example/posts/1",
        f"Answer: {LINK}",
        "ref: check-1",
    ]


def test_what_was_told_in_private_is_marked_so() -> None:
    message = example_message()
    line = message.cases[0]
    call = replace(line.mention, post=replace(line.mention.post, kind="call", source="call"))
    said = render(replace(message, cases=(replace(line, mention=call), *message.cases[1:])))
    assert "Where: call, in private: never quote it in public" in said.text.splitlines()


def test_a_storm_says_how_many_and_lists_the_newest() -> None:
    said = render(example_message(count=12, total=60, reason="grown"))
    assert said.title == "HIGH: The matter grew to 60 cases, Brackholm"
    assert "1 storm: 60 cases, the 12 newest below." in said.text
    assert said.text.count("\nhttps://desk.example/cases/c-") == 12
    assert said.text.endswith("\n\nAll cases: https://desk.example/cases\nref: check-1")


@pytest.mark.parametrize(
    ("reason", "one", "many"),
    [
        ("opened", "New case", "3 new cases"),
        ("grown", "The matter grew", "The matter grew to 3 cases"),
        ("repeat", "Still unclaimed", "3 cases, still unclaimed"),
        ("overdue", "Overdue", "3 cases overdue"),
        ("resolved", "Resolved", "3 cases resolved"),
    ],
)
def test_each_reason_has_its_words(reason: str, one: str, many: str) -> None:
    assert one in render(example_message(reason=reason)).title  # type: ignore[arg-type]
    assert many in render(example_message(count=3, reason=reason)).title  # type: ignore[arg-type]


def test_sample_data_is_marked_in_title_and_text() -> None:
    said = render(example_message(sample=True))
    assert said.title.startswith("[sample data] ")
    assert said.text.startswith("SAMPLE DATA")


def test_only_the_first_200_characters_of_a_post_are_quoted() -> None:
    quoted = re.search("Said: “(.*)”", render(example_message("x" * 5_000)).text)
    assert quoted
    assert quoted.group(1) == "x" * 199 + "…"


def test_a_message_without_pages_has_no_link_and_still_its_key() -> None:
    message = example_message()
    bare = replace(message, cases=(replace(message.cases[0], url=""),), inbox_url="")
    assert render(bare).text.splitlines()[-2:] == ["Original: https://forum.example/posts/1", "ref: check-1"]


def test_a_message_without_cases_still_says_why_and_where() -> None:
    said = render(replace(example_message(), cases=(), total=2))
    assert "2 cases" in said.text
    assert said.text.endswith("ref: check-1")


def test_an_unjudged_mention_without_stars_is_told_by_its_severity_alone() -> None:
    line = example_message().cases[0]
    mention = replace(line.mention, sentiment=None, post=replace(line.mention.post, rating=None, text="", title=""))
    said = render(replace(example_message(), cases=(replace(line, mention=mention),)))
    assert "How bad: high\n" in said.text
    assert "Said: (no words)" in said.text


@given(text=anything, author=anything, place=anything, markup=markups)
@settings(max_examples=300)
def test_hostile_words_stay_words(text: str, author: str, place: str, markup: str) -> None:
    message = example_message(text, author=author)
    line = message.cases[0]
    hostile = replace(
        line,
        mention=replace(line.mention, place=place),
        case=replace(line.case, brand=author, reason=text),
    )
    said = render(replace(message, cases=(hostile,), bundle=f"author={author}", route=place), markup)  # type: ignore[arg-type]
    everything = f"{said.title}\n{said.text}"
    assert len(said.title.splitlines()) == 1
    assert not [c for c in everything if c != "\n" and unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not re.search("[\u202a-\u202e\u2066\u2067\u200e\u200f]", everything)
    assert not re.search(r"@(here|everyone|channel|all|room)\b", everything, re.IGNORECASE)
    assert len(said.text.splitlines()) == 9, "a post cannot start a line"
    assert said.text.endswith(f"\nAnswer: {LINK}\nref: check-1")
    for row in everything.split("\n"):
        assert row.count("\u2068") == row.count("\u2069"), "what is isolated ends on its line"
    if markup == "chat":
        assert not re.search(r"[<>`]|\]\(|!\[|\|\||@\w", everything)


@given(text=anything, limit=st.integers(120, 2_000), count=st.integers(1, 12), title=st.sampled_from([0, 60, 200]))
@settings(max_examples=200)
@pytest.mark.parametrize("measure", [len, utf16, utf8])
def test_cut_messages_fit_and_keep_the_link(measure, text: str, limit: int, count: int, title: int) -> None:  # type: ignore[no-untyped-def]
    said = render(example_message(text, count=count), "chat", Limits(body=limit, title=title, measure=measure))
    assert measure(said.text) <= limit
    assert measure(said.title) <= (title or 0)
    assert LINK in said.text or "All cases: https://desk.example/cases\n" in said.text
    assert said.text.splitlines()[-1] == "ref: check-1"


def test_the_link_outlives_the_key_where_only_one_fits() -> None:
    said = render(example_message("word " * 100), "plain", Limits(body=45, title=0))
    assert said.text.endswith(f"Answer: {LINK}")


def test_older_cases_go_before_the_newest_one_is_cut() -> None:
    said = render(example_message(count=12, total=60), "chat", Limits(body=700, title=0))
    assert re.search(r"60 cases, the \d newest below", said.text)
    assert "\n1. kari" in said.text


@given(text=st.text(max_size=60), limit=st.integers(0, 60))
def test_cutting_ends_at_a_whole_character(text: str, limit: int) -> None:
    cut = shorten(text, limit)
    assert len(cut) <= limit
    assert cut == text or text.startswith(cut.removesuffix("…").rstrip())


def test_cutting_never_parts_a_family() -> None:
    family = "👩\u200d👩\u200d👧"
    assert shorten(f"x{family}{family}", 9) == f"x{family}…"
    assert shorten("cafe\u0301s are fine", 5) == "caf…"


def test_right_to_left_words_are_isolated_and_others_left_alone() -> None:
    assert neutral("شكرا", "plain") == "\u2068شكرا\u2069"
    assert neutral("plain words", "plain") == "plain words"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.example/@kari/1?a=b#c", "https://x.example/%40kari/1?a=b#c"),
        ("https://x.example/)[click](https://evil", "https://x.example/%29%5Bclick%5D%28https://evil"),
        ("https://bank.example@evil.example/", "https://bank.example%40evil.example/"),
        ("http://[::1]:8000/cases/c", "http://[::1]:8000/cases/c"),
        ("http://[::1", ""),
        ("javascript:alert(1)", ""),
        ("https://x.example/a b", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_addresses_hold_no_markup(url: str | None, shown: str) -> None:
    assert address(url) == shown


def test_a_notice_to_the_operator_says_its_words_and_no_case() -> None:
    message = replace(example_message(), notice="Listener's disk is full (/var): intake rests.", cases=(), total=0)
    rendered = render(message)
    assert rendered.title.startswith("Listener itself: Listener's disk is full")
    assert "intake rests" in rendered.text
    assert "case" not in rendered.title


def test_a_campaign_is_told_with_its_dates_promises_and_known_issues() -> None:
    said = render(example_announcement())
    assert said.title == "Campaign: Free returns, Brackholm, from 3 Nov 2026, 09:30 UTC"
    assert said.text.splitlines() == [
        "What marketing runs: Free returns.",
        "Brand: Brackholm",
        "From 3 Nov 2026, 09:30 UTC to 7 Nov 2026, 09:30 UTC",
        "Promises:",
        "· Nothing to pay, also for sale items.",
        "· Until Saturday, midnight.",
        "Known issues:",
        "· The label takes up to an hour to arrive.",
        "Customers will ask: read the brief with the approved wording, and mark it read.",
        "Brief: https://desk.example/campaigns/p-1",
        "ref: check-2",
    ]


def test_a_long_brief_is_cut_and_its_link_stays() -> None:
    said = render(example_announcement(promises="\n".join(f"Promise {n}" for n in range(50))))
    assert "· Promise 11\n· …\nKnown" in said.text
    short = render(example_announcement(promises="x " * 5_000), limits=Limits(body=160, title=0))
    assert len(short.text) <= 160
    assert "https://desk.example/campaigns/p-1" in short.text


@pytest.mark.parametrize(
    ("kind", "title", "sentence"),
    [
        ("advice", "Marketing is asked", "Advice on an answer is asked of Mia by Dana."),
        ("review", "An answer waits for review", "An answer was sent to review by Dana."),
        ("remedy", "A remedy waits for a decision", "A remedy above an allowance was proposed by Dana."),
    ],
)
def test_a_request_says_who_waits_for_what_and_where(kind: RequestKind, title: str, sentence: str) -> None:
    said = render(example_request(kind))
    assert said.title == f"HIGH: {title}, Brackholm"
    until = ["Until: 2 Nov 2026, 10:00 UTC; then it goes back by itself"] if kind == "advice" else []
    link = ["Case: https://desk.example/cases/c-1", "ref: check-3"]
    assert said.text.splitlines() == [sentence, "Brand: Brackholm", *until, *link]
    sample = render(replace(example_request(kind), sample=True))
    assert sample.title.startswith("[sample data] HIGH: ")
    assert sample.text.startswith("SAMPLE DATA")


@given(name=anything, markup=markups)
def test_a_hostile_colleague_stays_a_name(name: str, markup: str) -> None:
    said = render(example_request("advice", name), markup)  # type: ignore[arg-type]
    everything = f"{said.title}\n{said.text}"
    assert not [c for c in everything if c != "\n" and unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not re.search(r"@(here|everyone|channel|all|room)\b", everything, re.IGNORECASE)
    assert all(row.startswith(("Advice ", "Brand: ", "Until: ", "Case: ", "ref: ")) for row in said.text.split("\n"))
    assert said.text.endswith("\nCase: https://desk.example/cases/c-1\nref: check-3")


def test_an_answer_that_did_not_arrive_is_told_as_such() -> None:
    assert "An answer did not arrive, Brackholm" in render(example_message(reason="returned")).title
    assert "An answer did not arrive, in 3 cases" in render(example_message(count=3, reason="returned")).title


def test_a_campaign_of_sample_data_is_marked() -> None:
    said = render(example_announcement(sample=True))
    assert said.title.startswith("[sample data] Campaign: ")
    assert said.text.startswith("SAMPLE DATA")


@given(name=anything, promises=anything, markup=markups)
def test_a_hostile_brief_stays_words(name: str, promises: str, markup: str) -> None:
    said = render(example_announcement(name, promises), markup)  # type: ignore[arg-type]
    everything = f"{said.title}\n{said.text}"
    assert len(said.title.splitlines()) == 1
    assert not [c for c in everything if c != "\n" and unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not re.search(r"@(here|everyone|channel|all|room)\b", everything, re.IGNORECASE)
    known = ("What ", "Brand: ", "From ", "Promises:", "· ", "Known ", "Customers ", "Brief: ", "ref: ")
    assert all(row.startswith(known) for row in said.text.split("\n")), "a brief cannot start a line"
    assert said.text.endswith("\nBrief: https://desk.example/campaigns/p-1\nref: check-2")
