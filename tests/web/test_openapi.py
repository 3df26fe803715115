"""Every address of the API, asked by schemathesis with what its description allows and with what it does not.

What is drawn is drawn alike in every run. Ids of things that are there are put in most of the time: with drawn ones
alone, nearly every answer would be a 404. `LISTENER_FUZZ=500` asks each address so many times instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import httpx2
import pytest
import requests
import schemathesis
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from listener.casework import Wished
from listener.core.campaign import Draft
from listener.core.colleague import Right, Role
from listener.core.event import Actor
from listener.core.mention import Author
from listener.testing import START, make_post
from listener.web import Server, make_web, serve
from listener.web.openapi import describe
from tests.web.stage import Stage

EXAMPLES = int(os.environ.get("LISTENER_FUZZ", "8"))
"""Requests to each address, for each role, that fit the description; and as many that do not."""

CONFORMS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip

LEFT_OUT = {"/cases/stream", "/sign-out", "/account/sessions/end", "/readyz"}
"""What goes on for ever, ends the session, or tells of trouble by its status."""

DAY = timedelta(days=1)

Known = Mapping[str, Sequence[Any]]
"""Values of things that are there, by the name of the parameter or field that takes them."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Cases of authors who wrote more than once, customers, campaigns and colleagues of every role."""
    with Stage(tmp_path) as made:
        for n in range(60):
            author = Author(handle=f"@voice{n % 20}", name=f"Voice {n % 20}")
            made.hear(make_post(str(n), f"acme is broken {n}", author=author), place=("forum", "reviews")[n % 2])
        made.work()
        yield made


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    server = serve(make_web(stage, stage.health), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def token(stage: Stage, role: Role, handle: str = "") -> str:
    """A token with every right that the role has."""
    colleague = stage.colleague(role, handle)
    rights = [right for right in get_args(Right) if colleague.may(right)]
    return stage.tokens.make(Actor(colleague=colleague, via="page"), "fuzz", rights, 30 * DAY)[1]


def known(stage: Stage) -> Known:
    """What is there to ask for."""
    lead = Actor(colleague=stage.colleague("lead"), via="page")
    voices = [f"@voice{n}" for n in range(20)]
    for handle in ("agent-two", "agent-three"):
        stage.colleague("agent", handle)
    campaigns = [
        stage.campaigns.register(
            Draft(
                name=f"Campaign {n}", brand="Acme", starts_at=f"{START + n * DAY:%Y-%m-%dT%H:%M}",
                ends_at=f"{START + (n + 2) * DAY:%Y-%m-%dT%H:%M}", terms="acme", promises="Nothing to pay.",
            ),
            lead,
        ).public_id
        for n in range(-3, 3)
    ]  # fmt: skip
    cases = [case.public_id for case in stage.store.cases.unresolved(1000)]
    panels = [stage.customers.of_case(stage.store.cases.find(public_id)) for public_id in cases[:12]]  # type: ignore[arg-type]
    people = [profile.voice for panel in panels for profile in panel.profiles]
    customers = [
        stage.customers.link(one, other, lead).customer.public_id
        for one, other in zip(people[:6:2], people[1:6:2], strict=True)
        if one != other
    ]
    mentions = [trail.mention.id for trail in stage.store.trails.judged(limit=60)]
    agent = Actor(colleague=stage.colleague("agent", "agent-two"), via="page")
    remedies = [
        stage.remedies.give(case, Wished(key=case, kind="refund", cents=cents, what="postage"), agent).remedy.public_id
        for case, cents in zip(cases[:20], (500, 60_000) * 10, strict=True)
    ]
    replies = [stage.replies.begin(case, agent).public_id for case in cases[20:30]]
    return {
        "replies": replies,
        "cases": cases, "remedies": remedies, "kind": ["voucher", "refund"], "kind_id": [1, 2, 3], "month": ["2026-11"],
        "cents": [0, 100, 5000, 900_000], "usual": [100], "severity": ["low", "crisis"], "currency": ["SEK"],
        "campaigns": campaigns, "customers": customers, "voices": voices,
        "handle": ["agent-two", "agent-three", "nobody"], "to": ["agent", "agent-two", "lead"],
        "event": range(1, 400), "mention": mentions, "version": [1, 2, 3], "brand": ["Acme", "Globex"],
        "source": [people[0].source], "realm": [people[0].realm], "name": ["Mine", "Acme too"],
        "starts_at": [f"{START:%Y-%m-%dT%H:%M}Z"], "ends_at": [f"{START + 9 * DAY:%Y-%m-%dT%H:%M}Z"],
        "until": [f"{START + DAY:%Y-%m-%dT%H:%M}Z"],
    }  # fmt: skip


def values(name: str, path: str, there: Known) -> Sequence[Any]:
    """What fits a parameter or field of an address; nothing where only drawn values make sense."""
    if name == "handle" and "customers" in path:
        return there["voices"]
    if name in {"public_id", "into"}:
        nouns = ("campaigns", "customers", "cases", "remedies", "replies")
        return next((there[noun] for noun in nouns if f"/{noun}" in path), ())
    return there.get(name, ())


def filled(given_values: Any, path: str, there: Known, data: st.DataObject) -> Any:
    """Drawn values, most of them replaced by those of things that are there."""
    if not isinstance(given_values, dict):
        return given_values
    full = {}
    for name, value in given_values.items():
        fitting = values(name, path, there)
        if isinstance(value, dict):
            full[name] = filled(value, path, there, data)
        elif fitting and data.draw(st.integers(0, 3)):
            full[name] = data.draw(st.sampled_from(fitting))
        else:
            full[name] = value
    return full


def ask(operation: Any, mode: GenerationMode, url: str, secret: str, there: Known) -> list[int]:
    """Ask one address many times; gives the statuses.

    Raises:
        FailureGroup: an answer is none that the description allows.
    """
    statuses = []

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def each(case: schemathesis.Case, data: st.DataObject) -> None:
        case.path_parameters = filled(case.path_parameters, case.path, there, data)
        if mode is GenerationMode.POSITIVE:
            case.body = filled(case.body, case.path, there, data)
        headers = {"authorization": f"Bearer {secret}"}
        answer = case.call(base_url=url, headers=headers, session=session, timeout=20)
        case.validate_response(answer, checks=CONFORMS, headers=headers)
        statuses.append(answer.status_code)

    with requests.Session() as session:
        session.trust_env = False
        each()
    return statuses


@pytest.mark.slow
@pytest.mark.parametrize("role", ["admin", "agent"])
def test_no_request_breaks_the_api_and_every_answer_is_as_described(stage: Stage, server: Server, role: Role) -> None:
    # The one who asks is not among those whom the requests close or give another role.
    secret = token(stage, role, "fuzz")
    there = known(stage)
    described = describe(make_web(stage))
    # Who may ask is tested below; here every request comes with its token.
    del described["components"]["securitySchemes"]
    for operations in described["paths"].values():
        for operation in operations.values():
            del operation["security"]
    api = schemathesis.openapi.from_dict(described)
    faults: list[str] = []
    statuses: dict[tuple[str, GenerationMode], list[int]] = {}
    for found in api.get_all_operations():
        operation = found.ok()
        # What does not fit is refused before anybody's role matters.
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)[: 2 if role == "admin" else 1]:
            try:
                statuses[operation.label, mode] = ask(operation, mode, server.url, secret, there)
            except Unsatisfiable:
                # Where nothing can be said, nothing can be said wrongly.
                assert mode is GenerationMode.NEGATIVE, operation.label
            except BaseExceptionGroup as problem:
                faults.append(f"{operation.label}, {mode.name}: {problem}")
    assert "\n\n".join(faults) == ""
    # So that this means something: most acts were done, not only refused.
    done = {label for (label, _), found in statuses.items() if any(status < 300 for status in found)}
    assert len(done) >= (30 if role == "admin" else 18), done


def test_without_a_token_every_address_answers_401(stage: Stage, server: Server) -> None:
    api = describe(make_web(stage))
    addresses = {path: list(operations) for path, operations in api["paths"].items()}
    asked = 0
    with httpx2.Client(base_url=server.url, trust_env=False) as nobody:
        for path, methods in {**addresses, "/api/v1/openapi.json": ["get"], "/metrics": ["get"]}.items():
            for method in methods:
                url = path.replace("{", "").replace("}", "")
                for headers in ({}, {"authorization": "Bearer lst_guessed"}, {"authorization": "Basic eDp5"}):
                    answer = nobody.request(method, url, headers={"origin": server.url, **headers})
                    assert (answer.status_code, answer.json().keys()) == (401, {"error"}), (method, path, headers)
                    asked += 1
                if method != "get":
                    answer = nobody.request(method, url)
                    assert (answer.status_code, answer.json().keys()) == (403, {"error"}), (method, path)
    assert asked >= 140


ODD = (
    str(10**30), str(2**63), str(2**63 - 1), "-1", "+1", "\u0661", "\u00b2", "nan", "1e400", "[]", "\x00", "%ff",
    "x" * 3000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\u202e</script>", "../../x", ";", "",
)  # fmt: skip
"""What no number, time or id is."""

CHOSEN = {
    "until": "custom", "outcome": "answered", "label": "negative", "role": "agent", "mood": "neutral", "days": "7",
    "brand": "Acme", "way": "phone", "decision": "approve",
}  # fmt: skip
"""Fields that take one of a few words; the others are read only once these fit."""


def fields(dependant: Dependant) -> Iterator[str]:
    """What a route reads from the address's end and from a form."""
    for field in (*dependant.query_params, *dependant.body_params):
        yield field.alias
    for inner in dependant.dependencies:
        yield from fields(inner)


@pytest.mark.slow
@pytest.mark.parametrize("fitting", [True, False])
def test_no_odd_value_breaks_a_page(stage: Stage, fitting: bool) -> None:
    web = make_web(stage, stage.health)
    server = serve(web, "127.0.0.1", 0)
    server.start()
    there = {"public_id": known(stage)["cases"][0], "event": "1", "handle": "agent", "token_id": "1"}
    faults = []
    with stage.signed_in(server.url, "admin") as client:
        # A connection that a broken answer closed must not fail the request after it.
        client.headers["connection"] = "close"
        for route in (each for each in web.routes if isinstance(each, APIRoute) and each.path not in LEFT_OUT):
            for method, odd in product(sorted(route.methods), ODD):
                path = route.path
                for name in route.param_convertors:
                    path = path.replace(
                        "{" + name + "}", there.get(name, "1") if fitting else quote(odd, safe="") or "0"
                    )
                said = {name: CHOSEN.get(name, odd) if fitting else odd for name in fields(route.dependant)}
                answer = client.request(method, path, params=said, data=said if method == "POST" else None)
                if answer.status_code >= 500:
                    faults.append((method, path[:60], odd[:30], answer.status_code))
    server.stop()
    assert faults == []
