"""For machines that watch: `/healthz` (the process answers), `/readyz` (it does its work), `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from listener.casework import Standing
from listener.core.case import Status
from listener.core.errors import StoreError
from listener.core.notification import DeliveryStatus
from listener.core.work import Step
from listener.web.auth import MayRead
from listener.web.desk import Desk, Health, Store

STEPS: tuple[Step, ...] = ("judge", "route")
STATUSES: tuple[Status, ...] = ("open", "acknowledged", "snoozed", "waiting", "resolved")
SENT: tuple[DeliveryStatus, ...] = ("pending", "sent", "held", "dropped", "dead")

EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

METRICS: Mapping[str, str] = {
    "listener_ready": "1 when all steps do their work, 0 when /readyz says why not.",
    "listener_mentions": "Mentions by step: judge and route wait, done have nothing left to do, dead were given up.",
    "listener_mentions_judged_total": "Mentions judged, by brand and sentiment; an edited one counts once, as it is.",
    "listener_oldest_waiting_seconds": "How long the mention that waits longest in a step has waited; 0 for none.",
    "listener_mentions_unsure": "Mentions that want a person's eye, by brand; a colleague settles them on /unsure.",
    "listener_topic_mentions_total": "Mentions that touch a topic, by brand, topic and the mood about it.",
    "listener_corrections": "Settled labels that stand, by brand; model was right, wrong, or taught by them since.",
    "listener_head_version": "Version of the head that moves a brand's verdicts; 0 where none is in use.",
    "listener_cases": "Cases by status.",
    "listener_notifications": "Notifications by status; dead ones were given up and wait in `listener dead`.",
    "listener_places": "Places that are polled.",
    "listener_places_down": "Polled places that do not answer.",
    "listener_place_up": "1 while a polled place answers, 0 while it does not.",
    "listener_place_answered_seconds": "Unix time of a place's last answer; absent before the first.",
    "listener_place_listening": "1 while a place's streams stand, 0 while one does not; absent without streams.",
    "listener_posts_total": "Posts fetched, by place and outcome; the outcomes add up to all that was fetched.",
}
"""Every metric with what it means; read from the database when asked, so that there is nothing to reset or lose."""


def reasons(desk: Desk, health: Health) -> tuple[str, ...]:
    """Why this process does not do its work, a sentence each; empty when it does."""
    found = list(health())
    try:
        polled, down = desk.store.places.standing()
        if polled and polled == down:
            found.append("Every place is down: nothing is heard.")
    except StoreError as problem:
        found.append(f"The database cannot be read: {problem}.")
    return tuple(found)


class Gauges(Collector):
    """Reads every metric from the store.

    Args:
        store: what is counted.
        now: the present.
        ready: whether nothing keeps the work from going on.
        checks: by brand, what colleagues said of its labels and the head that they taught.
    """

    def __init__(self, store: Store, now: datetime, ready: bool, checks: Mapping[str, Standing]) -> None:
        """Keep them; nothing is read yet."""
        self._store = store
        self._now = now
        self._ready = ready
        self._checks = checks

    def collect(self) -> Iterator[Metric]:
        """Every metric.

        Raises:
            StoreError: the database cannot be read.
        """
        yield _gauge("listener_ready", {(): float(self._ready)})
        yield from self._work()
        yield from self._judgement()
        yield from self._places()

    def _work(self) -> Iterator[Metric]:
        mentions = self._store.mentions.counts()
        judged: dict[tuple[str, ...], float] = {key: float(n) for key, n in self._store.trends.totals().items()}
        cases: dict[str, int] = dict.fromkeys(STATUSES, 0)
        for (_, status, _), n in self._store.cases.tallies().items():
            cases[status] += n
        steps = dict.fromkeys((*STEPS, "done", "dead"), 0) | dict(mentions)
        yield _gauge("listener_mentions", _keyed(steps), "step")
        yield _counter("listener_mentions_judged_total", judged, "brand", "sentiment")
        waits: dict[tuple[str, ...], float] = {(step,): self._waited(step) for step in STEPS}
        yield _gauge("listener_oldest_waiting_seconds", waits, "step")
        yield _gauge("listener_cases", _keyed(cases), "status")
        sent = dict.fromkeys(SENT, 0) | dict(self._store.outbox.counts())
        yield _gauge("listener_notifications", _keyed(sent), "status")

    def _judgement(self) -> Iterator[Metric]:
        """What was read in mentions, and what people said of that."""
        yield _gauge("listener_mentions_unsure", _keyed(self._store.trends.unsure()), "brand")
        topics: dict[tuple[str, ...], float] = {key: float(n) for key, n in self._store.trends.topics(*EVER).items()}
        yield _counter("listener_topic_mentions_total", topics, "brand", "topic", "sentiment")
        said: dict[tuple[str, ...], float] = {}
        for brand, check in self._checks.items():
            if check.accuracy is not None:
                right, wrong = check.accuracy.right, check.accuracy.looked - check.accuracy.right
                found = {"right": right, "wrong": wrong, "taught": check.accuracy.taught}
                said |= {(brand, model): float(n) for model, n in found.items()}
        yield _gauge("listener_corrections", said, "brand", "model")
        heads = {brand: check.head.version if check.head and check.used else 0 for brand, check in self._checks.items()}
        yield _gauge("listener_head_version", _keyed(heads), "brand")

    def _waited(self, step: Step) -> float:
        seen = self._store.trails.oldest_waiting(step)
        return max(0.0, (self._now - seen).total_seconds()) if seen else 0.0

    def _places(self) -> Iterator[Metric]:
        health = self._store.places.health()
        polled = [place for place in health if place.enabled]
        yield _gauge("listener_places", {(): float(len(polled))})
        yield _gauge("listener_places_down", {(): float(sum(place.down_since is not None for place in polled))})
        yield _gauge("listener_place_up", {(place.name,): float(place.down_since is None) for place in polled}, "place")
        answered: dict[tuple[str, ...], float] = {
            (place.name,): place.polled_at.timestamp() for place in polled if place.polled_at
        }
        yield _gauge("listener_place_answered_seconds", answered, "place")
        listening: dict[tuple[str, ...], float] = {
            (place.name,): float(place.listening_since is not None)
            for place in polled
            if place.listening_since or place.not_listening
        }
        yield _gauge("listener_place_listening", listening, "place")
        tallies: dict[tuple[str, ...], float] = {
            (place.name, outcome): float(n) for place in health for outcome, n in place.tallies.items()
        }
        yield _counter("listener_posts_total", tallies, "place", "outcome")


def _keyed(counts: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(key,): float(n) for key, n in counts.items()}


def _gauge(name: str, values: Mapping[tuple[str, ...], float], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, METRICS[name], labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, values: Mapping[tuple[str, ...], float], *labels: str) -> Metric:
    family = CounterMetricFamily(name, METRICS[name], labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def add_watchers(web: FastAPI, desk: Desk, health: Health) -> None:
    """Serve `/healthz`, `/readyz` and `/metrics`."""

    @web.get("/healthz", include_in_schema=False)
    def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @web.get("/readyz", include_in_schema=False)
    def readyz() -> PlainTextResponse:
        found = reasons(desk, health)
        return PlainTextResponse("".join(f"{reason}\n" for reason in found) or "ready\n", 503 if found else 200)

    @web.get("/metrics", include_in_schema=False)
    def metrics(by: MayRead) -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Gauges(desk.store, desk.clock(), not reasons(desk, health), desk.teaching.standing()))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
