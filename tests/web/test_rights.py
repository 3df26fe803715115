"""Every route, every role, every method: the right it names decides, for browsers and for tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import get_args

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from listener.core.colleague import RIGHTS, ROLES, Right, Role
from listener.core.event import Actor
from listener.web import Server, make_web, serve
from listener.web.auth import for_programs
from listener.web.guard import WRITING
from listener.web.openapi import doors
from tests.web.stage import Stage

OPEN = {"/sign-in", "/welcome/{secret}", "/healthz", "/readyz"}
"""Routes that are for everybody."""

ENDLESS = {"/cases/stream", "/api/v1/events/stream"}
"""Routes whose answer goes on for ever; only their beginning is read."""


def routes(web: FastAPI) -> list[APIRoute]:
    """Every route, however it was included."""
    found = [route for route in web.routes if isinstance(route, APIRoute)]
    assert all(isinstance(route, APIRoute | Mount) for route in web.routes)
    return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("rights")) as made:
        yield made


@pytest.fixture(scope="module")
def web(stage: Stage) -> FastAPI:
    return make_web(stage, stage.health)


@pytest.fixture(scope="module")
def server(web: FastAPI) -> Iterator[Server]:
    server = serve(web, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def asked(client: httpx2.Client, route: APIRoute, method: str) -> int:
    """The status of an answer; its body is not read, for some go on for ever."""
    path = route.path
    for name in route.param_convertors:
        path = path.replace("{" + name + "}", "1")
    with client.stream(method, path) as answer:
        return answer.status_code


def test_every_route_names_one_right_or_is_for_everybody(web: FastAPI) -> None:
    for route in routes(web):
        found = list(doors(route.dependant))
        if route.path in OPEN:
            assert found == [], route.path
        else:
            assert len(found) >= 1, f"{route.path} asks nobody who they are"
            assert all(door.right in get_args(Right) for door in found)
    assert {route.path for route in routes(web)} >= OPEN
    assert sum(isinstance(route, Mount) for route in web.routes) == 1


def test_reading_changes_nothing(web: FastAPI, server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "admin") as admin:
        before = stage.store.events.newest_id()
        for route in routes(web):
            if route.methods == {"GET"}:
                asked(admin, route, "GET")
        assert stage.store.events.newest_id() == before


def test_nobody_gets_in_without_signing_in(web: FastAPI, server: Server) -> None:
    with httpx2.Client(base_url=server.url, headers={"origin": server.url}, trust_env=False) as nobody:
        for route in routes(web):
            for method in route.methods:
                status = asked(nobody, route, method)
                if route.path in OPEN:
                    assert status not in {401, 403}, route.path
                else:
                    assert status == (401 if for_programs(route.path) else 303), (method, route.path)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_its_rights_say_and_nothing_else(
    web: FastAPI, server: Server, stage: Stage, role: Role
) -> None:
    with stage.signed_in(server.url, role) as client:
        for route in routes(web):
            needed = {door.right for door in doors(route.dependant)}
            for method in route.methods:
                if route.path in {"/sign-out", "/account/sessions/end"}:
                    continue
                status = asked(client, route, method)
                may = needed <= RIGHTS[role]
                assert (status != 403) == may, (role, method, route.path, status)
                assert status != 401, (role, method, route.path)
                assert status < 500 or route.path == "/readyz", (role, method, route.path, status)


@pytest.mark.parametrize("right", get_args(Right))
def test_a_token_may_what_it_was_made_for_and_only_under_the_api(
    web: FastAPI, server: Server, stage: Stage, right: Right
) -> None:
    admin = Actor(colleague=stage.colleague("admin"), via="page")
    token, secret = stage.tokens.make(admin, "one right", [right], timedelta(days=1))
    headers = {"authorization": f"Bearer {secret}"}
    with httpx2.Client(base_url=server.url, headers=headers, trust_env=False) as program:
        for route in routes(web):
            needed = {door.right for door in doors(route.dependant)}
            for method in route.methods:
                status = asked(program, route, method)
                if route.path in OPEN:
                    continue
                if not for_programs(route.path):
                    assert status == 303, (method, route.path, status)
                else:
                    assert (status != 403) == (needed <= {right}), (right, method, route.path, status)
                    assert status not in {401, 500}, (right, method, route.path, status)
    stage.tokens.revoke(admin, token.id)


@pytest.mark.parametrize("role", ROLES)
def test_every_form_of_another_site_is_refused(web: FastAPI, server: Server, stage: Stage, role: Role) -> None:
    with stage.signed_in(server.url, role) as client:
        client.headers.pop("origin")
        for route in routes(web):
            for method in route.methods & WRITING:
                for headers in (
                    {}, {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
                    {"sec-fetch-site": "same-site", "origin": server.url},
                    {"sec-fetch-site": "cross-site", "origin": server.url},
                    {"origin": server.url + ".evil.example"}, {"origin": "http://127.0.0.1:1"}, {"origin": ""},
                ):  # fmt: skip
                    path = route.path.replace("{", "").replace("}", "")
                    answer = client.request(method, path, headers=headers)
                    assert answer.status_code == 403, (method, path, headers)
                    assert "not asked for by a page of ours" in answer.text


def test_forms_of_our_own_pages_and_programs_with_a_token_are_taken(server: Server, stage: Stage) -> None:
    admin = Actor(colleague=stage.colleague("admin"), via="page")
    _, secret = stage.tokens.make(admin, "all", ["read", "manage"], timedelta(days=1))
    bearer = {"authorization": f"Bearer {secret}"}
    with stage.signed_in(server.url, "admin") as client:
        client.headers.pop("origin")
        for headers in (
            {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": server.url},
            {"origin": server.url.upper()}, {"sec-fetch-site": "same-origin", "origin": "null"},
        ):  # fmt: skip
            assert client.post("/account/shortcuts", data={"on": "1"}, headers=headers).status_code == 303, headers
    with httpx2.Client(base_url=server.url, trust_env=False) as program:
        path, body = "/api/v1/colleagues/admin/role", {"role": "admin"}
        assert program.post(path, json=body, headers=bearer).status_code == 200
        assert program.post(path, json=body, headers={**bearer, "sec-fetch-site": "cross-site"}).status_code == 403
        assert program.post(path, json=body, headers={**bearer, "origin": "https://evil.example"}).status_code == 403
        assert program.post(path, json=body, headers={"authorization": "Bearer lst_guess"}).status_code == 401
        assert program.post(path, json=body, headers={"authorization": "Basic eDp5"}).status_code == 403


def test_a_body_that_is_too_large_is_refused_however_it_comes(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "admin") as client:
        large = b"name=" + b"x" * (256 * 1024)
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert client.post("/account/name", content=large, headers=form).status_code == 413

        def pieces() -> Iterator[bytes]:
            for start in range(0, len(large), 4096):
                yield large[start : start + 4096]

        before = stage.colleague("admin").name
        # To hang up on us is an answer as well.
        with suppress(httpx2.HTTPError):
            assert client.post("/account/name", content=pieces(), headers=form).status_code >= 400
        assert stage.colleague("admin").name == before
