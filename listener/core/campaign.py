"""A campaign: what marketing runs, and the brief that tells staff what was promised.

`applies()` says which mentions carry the brief; `Draft.fit()` turns what was typed into a brief, or says at each field
what is wrong with it. Pure; `listener/casework/campaigns.py` writes the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from listener.core.errors import Refused
from listener.core.mention import Mention, clean, line
from listener.core.query import Matchbook, Place, Query

State = Literal["announced", "running", "over", "withdrawn"]

LEAD = timedelta(0)
"""Before a campaign starts nobody has seen it: the same words then mean something else."""

AFTER_EFFECTS = timedelta(days=14)
"""What a campaign promised is asked about after its end: parcels arrive days later, goods may commonly be sent back for
two weeks, and reviews are written once a thing was used."""

LONGEST_NAME = 100
LONGEST_TEXT = 5000
MOST_TERMS = 50
CHOOSE_A_BRAND = "choose one of the brands we listen for"
_YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What staff must know of a campaign, as marketing wrote it.

    Args:
        name: what the campaign is called, at most 100 characters.
        brand: the brand it is for.
        starts_at: from when customers see it, to the minute.
        ends_at: until when its offer stands, to the minute.
        terms: words and phrases, any of which makes a mention one about it; none: every mention of the brand is.
        promises: what customers are promised.
        known_issues: what is known to go wrong.
        wording: approved words for answers.
    """

    name: str
    brand: str
    starts_at: datetime
    ends_at: datetime
    terms: tuple[str, ...] = ()
    promises: str = ""
    known_issues: str = ""
    wording: str = ""

    def about(self, mention: Mention) -> bool:
        """Whether a mention speaks of it, whenever it was published; words match as they do in queries."""
        if mention.brand != self.brand:
            return False
        place = Place(name=mention.place, source=mention.post.source)
        return not self.terms or bool(_matchbook(self.brand, self.terms).mentions(mention.post, place))


@lru_cache(maxsize=256)
def _matchbook(brand: str, terms: tuple[str, ...]) -> Matchbook:
    return Matchbook([Query(name="campaign", brand=brand, terms=terms)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign with its brief as it now stands.

    Args:
        id: row id, used by the store.
        public_id: opaque id used in links.
        brief: what staff must know.
        owner: row id of the colleague who registered it; None when a program of Listener did.
        version: of the brief, from 1; a changed brief is to be read again.
        created_at: when it was registered.
        changed_at: when its brief last changed.
        announced_at: when the message to the teams' channels was put in the outbox; None until then.
        withdrawn_at: when it was withdrawn; None for most.
    """

    id: int
    public_id: str
    brief: Brief
    owner: int | None
    version: int
    created_at: datetime
    changed_at: datetime
    announced_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def subject(self) -> str:
        """How events name it."""
        return f"campaign {self.public_id}"

    def state(self, now: datetime) -> State:
        """Where it stands: announced (yet to come), running, over or withdrawn."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if now < self.brief.starts_at:
            return "announced"
        return "running" if now <= self.brief.ends_at else "over"

    def asks(self, now: datetime) -> bool:
        """Whether its brief is to be read: it is yet to come, runs, or customers still come back to it."""
        return self.withdrawn_at is None and now <= self.brief.ends_at + AFTER_EFFECTS


def applies(campaign: Campaign, mention: Mention) -> bool:
    """Whether a mention carries a campaign's brief.

    Args:
        campaign: the campaign.
        mention: counts from when it was published, or seen where its platform gives no date.

    Returns:
        True for a mention that is about the campaign, from its start until 14 days after its end. One that was
        withdrawn while it ran goes on for as long after that, since customers saw it; one that was withdrawn before
        its start applies to nothing.
    """
    brief, until = campaign.brief, campaign.brief.ends_at
    if campaign.withdrawn_at is not None:
        if campaign.withdrawn_at <= brief.starts_at:
            return False
        until = min(until, campaign.withdrawn_at)
    at = mention.post.published_at or mention.seen_at
    return brief.starts_at - LEAD <= at <= until + AFTER_EFFECTS and brief.about(mention)


class Unfit(Refused):
    """The brief cannot be kept as it is: see the fields."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep what is wrong.

        Args:
            problems: a sentence for each field of `Draft` that does not fit.
        """
        self.problems = dict(problems)
        super().__init__("; ".join(f"{field}: {said}" for field, said in problems.items()))


class Outdated(Refused):
    """Somebody changed the brief meanwhile."""

    def __init__(self, present: Campaign) -> None:
        """Keep the campaign as it is now, to be compared with what was typed."""
        self.present = present
        super().__init__(
            "somebody changed the brief since you opened it: compare, then save again", resource=present.public_id
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A brief as it was typed; nothing of it is checked yet.

    Args:
        name: as in Brief.
        brand: as in Brief.
        starts_at: a date and time; without a zone it is UTC.
        ends_at: likewise.
        terms: one a line.
        promises: as in Brief.
        known_issues: as in Brief.
        wording: as in Brief.
    """

    name: str = ""
    brand: str = ""
    starts_at: str = ""
    ends_at: str = ""
    terms: str = ""
    promises: str = ""
    known_issues: str = ""
    wording: str = ""

    @classmethod
    def of(cls, brief: Brief) -> Draft:
        """A brief as a form shows it."""
        return cls(
            name=brief.name, brand=brief.brand, starts_at=f"{brief.starts_at:%Y-%m-%dT%H:%M}",
            ends_at=f"{brief.ends_at:%Y-%m-%dT%H:%M}", terms="\n".join(brief.terms), promises=brief.promises,
            known_issues=brief.known_issues, wording=brief.wording,
        )  # fmt: skip

    @property
    def listed(self) -> tuple[str, ...]:
        """The terms, cleaned, each once."""
        return tuple(dict.fromkeys(filter(None, (line(each) for each in self.terms.splitlines()))))

    def trial(self, brands: Sequence[str], now: datetime) -> Brief:
        """As much of the brief as it takes to try its terms on mentions.

        Args:
            brands: those we listen for.
            now: the present, for its dates.

        Raises:
            Unfit: the brand is none of ours, or the terms are too many or too long.
        """
        problems: dict[str, str] = {}
        if self.brand not in brands:
            problems["brand"] = CHOOSE_A_BRAND
        _check_terms(self.listed, problems)
        if problems:
            raise Unfit(problems)
        return Brief(name="", brand=self.brand, starts_at=now, ends_at=now, terms=self.listed)

    def fit(self, brands: Sequence[str]) -> Brief:
        """The brief that was meant.

        Args:
            brands: those we listen for.

        Raises:
            Unfit: something is missing or wrong; says what at each field.
        """
        problems: dict[str, str] = {}
        name = _text("name", line(self.name), LONGEST_NAME, problems)
        if not any(sign.isprintable() and not sign.isspace() for sign in name):
            problems["name"] = "give it a name, as in “Free returns until midnight”"
        if self.brand not in brands:
            problems["brand"] = CHOOSE_A_BRAND
        starts_at, ends_at = _moment("starts_at", self.starts_at, problems), _moment("ends_at", self.ends_at, problems)
        if starts_at and ends_at and ends_at <= starts_at:
            problems["ends_at"] = "it has to end after it starts"
        _check_terms(self.listed, problems)
        words = {
            field: _text(field, clean(getattr(self, field)), LONGEST_TEXT, problems)
            for field in ("promises", "known_issues", "wording")
        }
        if not any(words.values()):
            problems.setdefault("promises", "write at least one of promises, known issues and approved wording")
        if problems or not starts_at or not ends_at:
            raise Unfit(problems)
        return Brief(name=name, brand=self.brand, starts_at=starts_at, ends_at=ends_at, terms=self.listed, **words)


FIELDS: Mapping[str, str] = {
    "name": "Name",
    "brand": "Brand",
    "starts_at": "Starts",
    "ends_at": "Ends",
    "terms": "Terms",
    "promises": "Promises",
    "known_issues": "Known issues",
    "wording": "Approved wording",
}
"""The fields of a brief with their words on pages."""


def changed_fields(one: Brief, other: Brief) -> tuple[str, ...]:
    """The fields in which two briefs differ, in the order of the form."""
    return tuple(field for field in FIELDS if getattr(one, field) != getattr(other, field))


def _text(field: str, text: str, longest: int, problems: dict[str, str]) -> str:
    if len(text) > longest:
        problems[field] = f"at most {longest:,} characters; these are {len(text):,}"
    return text


def _check_terms(terms: Sequence[str], problems: dict[str, str]) -> None:
    if len(terms) > MOST_TERMS:
        problems["terms"] = f"at most {MOST_TERMS} terms; these are {len(terms)}"
    long = next((term for term in terms if len(term) > LONGEST_NAME), None)
    if long is not None:
        problems["terms"] = f"one term a line, of at most {LONGEST_NAME} characters: “{long[:40]}…” is longer"


def _moment(field: str, text: str, problems: dict[str, str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        problems[field] = "write a date and a time, as in 2026-11-21 09:00"
        return None
    if moment.year not in _YEARS:
        problems[field] = "a year from 2000 to 2100"
        return None
    return moment.replace(second=0, microsecond=0)
