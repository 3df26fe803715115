"""Signing in and out, one-time links, one's own account, colleagues, the audit log: over HTTP as a browser would."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from argon2 import PasswordHasher

from listener.casework.sessions import digest_of
from listener.core.errors import Refused, StoreError
from listener.core.event import OPERATOR, Actor
from listener.web import Server
from tests.web.stage import Stage

PASSWORD = "copper lantern seven rows"


def join(stage: Stage, handle: str = "dana", role: str = "agent", password: str = PASSWORD) -> None:
    """Somebody is invited and chooses a password."""
    _, secret = stage.accounts.invite(OPERATOR, handle, handle.title(), role)
    stage.accounts.welcome(
        secret, handle=handle, name=handle.title(), password=password, address="192.0.2.9", browser="b"
    )


def sign_in(web: httpx2.Client, handle: str = "dana", password: str = PASSWORD, **more: str) -> httpx2.Response:
    return web.post("/sign-in", data={"handle": handle, "password": password, **more})


def acts(stage: Stage) -> list[str]:
    return [event.act for event, _ in stage.store.events.page()]


def cookie(answer: httpx2.Response) -> str:
    return answer.headers["set-cookie"]


def test_who_is_not_signed_in_is_led_to_the_page_that_signs_in_and_back(outside: httpx2.Client, stage: Stage) -> None:
    join(stage)
    answer = outside.get("/cases?brand=Acme")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/cases%3Fbrand%3DAcme")
    page = outside.get(answer.headers["location"]).text
    [wanted] = re.findall(r'name="next" value="([^"]+)"', page)
    assert sign_in(outside, next=wanted).headers["location"] == "/cases?brand=Acme"
    assert outside.get("/cases").status_code == 200


def test_programs_are_told_in_json(outside: httpx2.Client) -> None:
    for path in ("/api/v1/cases", "/api/v1/openapi.json", "/metrics"):
        answer = outside.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["error"].startswith("Nobody is signed in")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/\t/evil.example", " //evil.example", "/%0d%0aLocation:x\r\n", "evil.example", "///evil.example", "/ /evil",
        "/sign-in?next=/sign-in", "/welcome/x", "https:evil.example", "/\u2215evil.example", "",
    ],
)  # fmt: skip
def test_after_signing_in_nobody_is_led_elsewhere(outside: httpx2.Client, stage: Stage, wanted: str) -> None:
    join(stage)
    assert sign_in(outside, next=wanted).headers["location"] == "/cases"


def test_unknown_handles_and_wrong_passwords_get_the_same_answer_and_the_same_work(
    outside: httpx2.Client, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(stage)
    join(stage, "gone")
    stage.accounts.close(OPERATOR, "gone")
    stage.accounts.invite(OPERATOR, "fresh", "Fresh", "agent")
    compared: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            compared.append(str(hash).rsplit("$", 2)[0])
            return super().verify(hash, password)

    monkeypatch.setattr(stage.passwords, "_hasher", Counting(time_cost=1, memory_cost=8, parallelism=1))
    pages = set()
    for handle in ("dana", "gone", "fresh", "nobody"):
        answer = sign_in(outside, handle, "wrong wrong wrong")
        assert answer.status_code == 409
        pages.add(answer.text.replace(f'value="{handle}"', ""))
    assert len(pages) == 1
    assert "do not belong together" in pages.pop()
    assert len(compared) == 4
    assert len(set(compared)) == 1, "the parameters differ, and so does the time"
    assert acts(stage)[:4] == ["sign-in failed"] * 4
    assert not any("wrong wrong" in event.detail + event.subject for event, _ in stage.store.events.page())


def test_a_full_disk_is_named_to_who_signs_in(outside: httpx2.Client, stage: Stage) -> None:
    join(stage)
    stage.store.db.write(
        "CREATE TRIGGER no_room BEFORE INSERT ON limits BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    answer = sign_in(outside)
    assert answer.status_code == 503
    assert "The disk is full: nothing was changed" in answer.text
    assert "cannot be read" not in answer.text
    assert stage.store.db.path not in answer.text


class Slow(PasswordHasher):
    """Takes so long that something else happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.meanwhile = meanwhile

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.meanwhile()
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
        self.meanwhile()
        return super().verify(hash, password)


def test_a_password_that_is_changed_while_it_is_compared_opens_nothing(
    stage: Stage, outside: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    join(stage)
    dana = stage.accounts.find("dana")
    other = stage.passwords.write("another one altogether")
    slow = Slow(lambda: stage.store.colleagues.set_password(dana.id, other))
    monkeypatch.setattr(stage.passwords, "_hasher", slow)
    assert sign_in(outside).status_code == 409
    stage.store.colleagues.set_password(dana.id, stage.passwords.write(PASSWORD))
    with pytest.raises(Refused, match="meanwhile"):
        stage.accounts.change_password(Actor(colleague=dana, via="page"), PASSWORD, "seven rows of copper", browser="b")
    assert stage.store.colleagues.password(dana.id) == other


def test_a_role_that_is_taken_while_a_link_is_used_stays_taken(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = stage.accounts.invite(OPERATOR, "dana", "Dana", "lead")
    slow = Slow(lambda: stage.accounts.change_role(OPERATOR, "dana", "viewer"))
    monkeypatch.setattr(stage.passwords, "_hasher", slow)
    stage.accounts.welcome(
        secret, handle="dana", name="Dana", password=PASSWORD, address="192.0.2.9", browser="b"
    )  # fmt: skip
    assert stage.accounts.find("dana").role == "viewer"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(outside: httpx2.Client, stage: Stage) -> None:
    join(stage)
    said = cookie(sign_in(outside))
    assert said.startswith("listener=")
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    assert "Path=/" in said
    assert "Domain" not in said
    assert "Secure" not in said
    secret = said.split("=", 1)[1].split(";")[0]
    assert len(secret) >= 43
    assert secret not in stage.store.db.path.encode().decode()
    rows = stage.store.db.read("SELECT * FROM sessions")
    assert secret not in {value for row in rows for value in row}
    assert digest_of(secret) in {row["digest"] for row in rows}


def test_with_https_the_cookie_is_bound_to_the_host(outside: httpx2.Client, stage: Stage) -> None:
    join(stage)
    stage.settings = replace(stage.settings, web=replace(stage.settings.web, public_url="https://desk.example"))
    said = cookie(sign_in(outside))
    assert said.startswith("__Host-listener=")
    assert outside.get("/sign-in").headers["strict-transport-security"] == "max-age=31536000"
    assert "Secure" in said
    assert "Domain" not in said


def test_signing_in_gives_a_new_secret_and_ends_the_one_before(outside: httpx2.Client, stage: Stage) -> None:
    join(stage)
    join(stage, "mallory")
    planted = stage.sessions.open(stage.accounts.find("mallory"), "a trap")
    outside.cookies.set("listener", planted)
    secret = cookie(sign_in(outside)).split("=", 1)[1].split(";")[0]
    assert secret != planted
    assert stage.sessions.find(planted) is None
    found = stage.sessions.find(secret)
    assert found is not None
    assert found.handle == "dana"


def test_a_session_ends_after_half_a_day_unused_and_after_a_week_however_used(stage: Stage) -> None:
    dana = stage.colleague()
    secret = stage.sessions.open(dana)
    stage.clock.forward(timedelta(hours=11, minutes=59))
    assert stage.sessions.find(secret) == dana
    stage.clock.forward(timedelta(hours=12))
    assert stage.sessions.find(secret) is None
    secret = stage.sessions.open(dana)
    for _ in range(14):
        stage.clock.forward(timedelta(hours=11, minutes=30))
        assert stage.sessions.find(secret) == dana
    stage.clock.forward(timedelta(hours=7))
    assert stage.sessions.find(secret) is None


def test_signing_out_ends_the_session_for_whoever_copied_it(web: httpx2.Client, stage: Stage) -> None:
    kept = next(iter(web.cookies.jar)).value
    assert web.post("/sign-out").headers["location"] == "/sign-in"
    assert kept is not None
    assert stage.sessions.find(kept) is None
    assert acts(stage)[0] == "signed out"


def test_signing_out_everywhere_ends_all_of_ones_own_and_nobody_elses(
    web: httpx2.Client, stage: Stage, server: Server
) -> None:
    with stage.signed_in(server.url, "lead") as phone, stage.signed_in(server.url, "agent") as other:
        assert 'Where you are signed in <span class="n">2</span>' in web.get("/account").text
        assert web.post("/account/sessions/end").status_code == 303
        assert phone.get("/cases").status_code == 303
        assert other.get("/cases").status_code == 200


def test_another_role_and_a_closed_account_end_sessions_at_once(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "admin") as admin, stage.signed_in(server.url, "agent") as agent:
        assert agent.get("/cases").status_code == 200
        assert admin.post("/colleagues/agent/role", data={"role": "viewer"}).status_code == 303
        assert agent.get("/cases").status_code == 303
    with stage.signed_in(server.url, "admin") as admin, stage.signed_in(server.url, "lead") as lead:
        _, token = stage.tokens.make(
            Actor(colleague=stage.colleague("lead"), via="page"), "t", ["read"], timedelta(days=1)
        )
        assert stage.tokens.find(token) is not None
        assert admin.post("/colleagues/lead/close").status_code == 303
        assert lead.get("/cases").status_code == 303
        assert stage.tokens.find(token) is None


def test_ten_wrong_passwords_close_a_handle_for_a_while_and_a_right_one_takes_no_room(
    outside: httpx2.Client, stage: Stage
) -> None:
    join(stage)
    for _ in range(15):
        assert sign_in(outside).status_code == 303
        outside.cookies.clear()
    for _ in range(10):
        assert sign_in(outside, password="wrong wrong wrong").status_code == 409
    answer = sign_in(outside)
    assert answer.status_code == 429
    assert "tried too often; try again in 6 minutes" in answer.text
    assert 300 <= int(answer.headers["retry-after"]) <= 360
    stage.clock.forward(timedelta(seconds=int(answer.headers["retry-after"])))
    assert sign_in(outside).status_code == 303


def test_twenty_wrong_handles_close_an_address(outside: httpx2.Client, stage: Stage) -> None:
    for n in range(20):
        assert sign_in(outside, f"nobody{n}").status_code == 409
    assert sign_in(outside, "another").status_code == 429
    stage.clock.forward(timedelta(hours=1))
    assert sign_in(outside, "another").status_code == 409


def test_ten_links_that_lead_nowhere_close_the_welcome_page(outside: httpx2.Client, stage: Stage) -> None:
    secret = stage.accounts.first_link()
    for n in range(10):
        assert outside.get(f"/welcome/guess{n}").status_code == 409
    assert outside.get("/welcome/guess").status_code == 429
    assert outside.get(f"/welcome/{secret}").status_code == 429
    stage.clock.forward(timedelta(hours=1))
    for _ in range(15):
        assert outside.get(f"/welcome/{secret}").status_code == 200


def test_the_first_link_makes_an_admin_once(outside: httpx2.Client, stage: Stage) -> None:
    assert "Nobody has an account yet" in outside.get("/sign-in").text
    older = stage.accounts.first_link()
    secret = stage.accounts.first_link()
    assert outside.get(f"/welcome/{older}").status_code == 409
    assert "Make the first account" in outside.get(f"/welcome/{secret}").text
    choice = {"handle": "Dana", "name": "Dana Okafor", "password": PASSWORD}
    short = outside.post(f"/welcome/{secret}", data={**choice, "password": "short"})
    assert short.status_code == 409
    assert "at least 12 characters" in short.text
    assert 'value="Dana Okafor"' in short.text
    answer = outside.post(f"/welcome/{secret}", data=choice)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    assert outside.get("/colleagues").status_code == 200
    again = outside.post(f"/welcome/{secret}", data={**choice, "handle": "mallory"})
    assert again.status_code == 409
    assert "used already" in again.text
    assert stage.accounts.first_link() is None
    assert [each.handle for each in stage.store.colleagues.all()] == ["dana"]
    assert secret not in {value for row in stage.store.db.read("SELECT * FROM invitations") for value in row}


def test_a_link_is_too_old_in_time(outside: httpx2.Client, stage: Stage) -> None:
    first = stage.accounts.first_link()
    stage.clock.forward(timedelta(hours=24))
    assert outside.get(f"/welcome/{first}").status_code == 409
    _, invited = stage.accounts.invite(OPERATOR, "dana", "Dana", "agent")
    stage.clock.forward(timedelta(days=3))
    assert outside.get(f"/welcome/{invited}").status_code == 409


def test_a_first_link_is_worth_nothing_once_there_is_an_account(outside: httpx2.Client, stage: Stage) -> None:
    secret = stage.accounts.first_link()
    stage.accounts.invite(OPERATOR, "dana", "Dana", "agent")
    assert outside.get(f"/welcome/{secret}").status_code == 409


def test_an_admin_invites_and_resets_by_links_that_are_shown_once(server: Server, stage: Stage) -> None:
    with stage.signed_in(server.url, "admin") as admin:
        page = admin.post("/colleagues", data={"handle": "eve", "name": "Eve", "role": "marketer"}).text
        [link] = re.findall(r'value="(http://[^"]+/welcome/[^"]+)"', page)
        assert link not in admin.get("/colleagues").text
        assert "invited, the link works until" in admin.get("/colleagues").text
        assert not stage.accounts.find("eve").on_duty
        with httpx2.Client(headers={"origin": server.url}, trust_env=False) as eve:
            assert "You were invited as marketer" in eve.get(link).text
            assert eve.post(link, data={"handle": "eve.b", "name": "Eve B", "password": PASSWORD}).status_code == 303
            assert "Eve B" in eve.get(f"{server.url}/cases").text
            assert stage.accounts.find("eve.b").on_duty
            page = admin.post("/colleagues/eve.b/link").text
            [reset] = re.findall(r'value="(http://[^"]+/welcome/[^"]+)"', page)
            assert "Choose a new password" in eve.get(reset).text
            other = "quiet harbour nine maps"
            assert eve.post(reset, data={"handle": "mallory", "password": other}).status_code == 303
            eve.cookies.clear()
            eve.base_url = httpx2.URL(server.url)
            assert sign_in(eve, "mallory", other).status_code == 409
            assert sign_in(eve, "eve.b", PASSWORD).status_code == 409
            assert sign_in(eve, "eve.b", other).status_code == 303


def test_the_last_admin_stays(server: Server, stage: Stage) -> None:
    join(stage, "root", "admin")
    with httpx2.Client(base_url=server.url, headers={"origin": server.url}, trust_env=False) as root:
        sign_in(root, "root")
        assert "last admin" in root.post("/colleagues/root/role", data={"role": "agent"}).text
        assert "nobody closes their own account" in root.post("/colleagues/root/close").text.lower()
        join(stage, "second", "admin")
        assert root.post("/colleagues/root/role", data={"role": "agent"}).status_code == 303


def test_a_closed_account_can_be_opened_again_with_a_new_password(server: Server, stage: Stage) -> None:
    join(stage)
    with (
        stage.signed_in(server.url, "admin") as admin,
        httpx2.Client(base_url=server.url, headers={"origin": server.url}, trust_env=False) as dana,
    ):
        admin.post("/colleagues/dana/close")
        assert sign_in(dana).status_code == 409
        page = admin.post("/colleagues/dana/reopen").text
        [link] = re.findall(r'value="(http://[^"]+/welcome/[^"]+)"', page)
        assert sign_in(dana).status_code == 409
        assert dana.post(link, data={"handle": "dana", "name": "Dana", "password": PASSWORD}).status_code == 303


def test_a_new_password_takes_the_old_one_and_signs_other_browsers_out(server: Server, stage: Stage) -> None:
    join(stage)
    with (
        httpx2.Client(base_url=server.url, headers={"origin": server.url}, trust_env=False) as desk,
        httpx2.Client(base_url=server.url, headers={"origin": server.url}, trust_env=False) as phone,
    ):
        sign_in(desk)
        sign_in(phone)
        new = "quiet harbour nine maps"
        assert "present password is another" in desk.post("/account/password", data={"old": "x", "new": new}).text
        assert desk.post("/account/password", data={"old": PASSWORD, "new": new}).status_code == 303
        assert desk.get("/account").status_code == 200
        assert phone.get("/account").status_code == 303
        assert sign_in(phone, password=new).status_code == 303


def test_a_password_hashed_with_older_parameters_is_hashed_anew(outside: httpx2.Client, stage: Stage) -> None:
    join(stage)
    dana = stage.accounts.find("dana")
    stage.store.colleagues.set_password(dana.id, PasswordHasher(time_cost=2, memory_cost=64).hash(PASSWORD))
    assert sign_in(outside).status_code == 303
    written = stage.store.colleagues.password(dana.id)
    assert written is not None
    assert "m=8,t=1,p=1" in written
    outside.cookies.clear()
    assert sign_in(outside).status_code == 303


def test_duty_name_and_shortcuts_are_ones_own(web: httpx2.Client, stage: Stage) -> None:
    assert "On duty" in web.get("/cases").text
    answer = web.post("/account/duty", headers={"referer": f"{web.base_url}/mentions?brand=Acme"})
    assert answer.headers["location"] == "/mentions?brand=Acme"
    assert "Off duty" in web.get("/cases").text
    web.post("/account/duty", data={"on": "1"})
    web.post("/account/name", data={"name": "  Dana \u202e\u0000 Okafor "})
    web.post("/account/shortcuts", data={})
    me = stage.colleague("lead")
    assert (me.on_duty, me.name, me.shortcuts) == (True, "Dana Okafor", False)
    assert web.post("/account/name", data={"name": " "}).status_code == 409


def test_the_audit_log_tells_who_did_what_and_can_be_sifted(server: Server, stage: Stage) -> None:
    join(stage)
    with stage.signed_in(server.url, "admin") as admin:
        for n in range(120):
            admin.post("/account/name", data={"name": f"Admin {n}"})
        first = admin.get("/audit").text
        [older] = re.findall(r'rel="next" href="([^"]+)"', first)
        assert first.count("name changed</td>") == 100
        assert admin.get(older.replace("&amp;", "&")).text.count("name changed</td>") == 20
        assert "colleague invited</td>" in admin.get("/audit?who=the+operator").text
        assert "name changed</td>" not in admin.get("/audit?act=colleague+joined").text
        log = admin.get("/api/v1/audit?act=colleague+invited").json()
        assert [event["subject"] for event in log["events"]] == ["colleague dana"]
        assert log["next"] is None
        assert admin.get("/api/v1/audit").json()["next"].startswith("/api/v1/audit?before=")
        for before in ("-1", "0", "99999999999999999999999999"):
            assert admin.get(f"/audit?before={before}").status_code == 200


def test_events_cannot_be_changed_or_deleted(stage: Stage) -> None:
    join(stage)
    for sql in ("UPDATE events SET who = 'x'", "DELETE FROM events"):
        with pytest.raises(StoreError, match="events are never"):
            stage.store.db.write(sql)


def test_an_address_behind_a_proxy_is_believed_only_where_there_is_one(stage: Stage, outside: httpx2.Client) -> None:
    for n in range(20):
        outside.post("/sign-in", data={"handle": f"n{n}"}, headers={"x-forwarded-for": f"192.0.2.{n}"})
    assert sign_in(outside).status_code == 429
    stage.settings = replace(stage.settings, web=replace(stage.settings.web, public_url="http://127.0.0.1"))
    answer = outside.post("/sign-in", data={"handle": "x"}, headers={"x-forwarded-for": "127.0.0.1, 192.0.2.77"})
    assert answer.status_code == 409
    details = [event.detail for event, _ in stage.store.events.page(limit=1)]
    assert details == ["from 192.0.2.77"]
    for said, meant in (("192.0.2.8:80", "192.0.2.8"), ("[2001:db8::9]:80", "2001:db8::/64")):
        outside.post("/sign-in", data={"handle": "x"}, headers={"x-forwarded-for": said})
        assert [event.detail for event, _ in stage.store.events.page(limit=1)] == [f"from {meant}"]
    for odd in ("not an address", "192.0.2.1:80", "::ffff:192.0.2.5", "2001:db8::1"):
        assert outside.post("/sign-in", headers={"x-forwarded-for": odd}).status_code == 409


def test_odd_text_in_every_field_is_refused_in_words(outside: httpx2.Client, server: Server, stage: Stage) -> None:
    secret = stage.accounts.first_link()
    with stage.signed_in(server.url, "admin") as admin:
        for odd in (
            "\x00",
            "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
            "x" * 5000,
            "\u202e\u05d0\u05d1",
            "<b>",
        ):
            for path, fields in (
                ("/sign-in", ("handle", "password", "next")),
                (f"/welcome/{secret}", ("handle", "name", "password")),
            ):
                assert outside.post(path, data=dict.fromkeys(fields, odd)).status_code in {409, 429}
            for path, fields in (
                ("/colleagues", ("handle", "name", "role")),
                ("/account/password", ("old", "new")),
                ("/account/tokens", ("name", "rights")),
            ):
                assert admin.post(path, data=dict.fromkeys(fields, odd)).status_code in {409, 429}
            assert admin.post("/colleagues/%00%ff/role", data={"role": odd}).status_code == 409


@pytest.mark.parametrize("first", [True, False], ids=["the first", "an invitation"])
def test_one_link_used_by_many_at_once_lets_one_in(stage: Stage, first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody, write = threading.Barrier(12, timeout=30), stage.passwords.write

    def together(password: str) -> str:
        everybody.wait()  # Each of them has looked at the link by now, and found it good.
        return write(password)

    monkeypatch.setattr(stage.passwords, "write", together)
    secret = stage.accounts.first_link() if first else stage.accounts.invite(OPERATOR, "dana", "Dana", "agent")[1]
    assert secret is not None

    def use(n: int) -> bool:
        try:
            stage.accounts.welcome(
                secret, handle=f"h{n}", name=f"N{n}", password=PASSWORD, address=f"192.0.2.{n}", browser=""
            )
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(use, range(12))) == 1
    assert len(stage.store.colleagues.all()) == 1


def test_a_rush_of_sign_ins_hashes_one_password_at_a_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    join(stage)
    at_once: list[int] = []
    inside = 0

    class Slow(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
            nonlocal inside
            inside += 1
            at_once.append(inside)
            found = super().verify(hash, password)
            inside -= 1
            return found

    monkeypatch.setattr(stage.passwords, "_hasher", Slow(time_cost=20, memory_cost=512, parallelism=1))
    stage.store.colleagues.set_password(stage.accounts.find("dana").id, stage.passwords.write(PASSWORD))
    with ThreadPoolExecutor(8) as threads:
        secrets = set(
            threads.map(
                lambda n: stage.sessions.sign_in("dana", PASSWORD, address=f"192.0.2.{n}", browser=""), range(8)
            )
        )
    assert len(secrets) == 8
    assert at_once == [1] * 8
