"""Passwords are long and not the first that anybody would try; handles, names and roles are read strictly."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.core.colleague import MEANINGS, RIGHTS, ROLE_MEANINGS, ROLES, handle_of, name_of, rights_of, role_of
from listener.core.errors import Refused
from listener.core.password import COMMONEST, check_password


@pytest.mark.parametrize(
    "password",
    [
        "copper lantern seven rows", "ett helt vanligt lösenord", "пароль из четырёх слов", "correct-horse-7-staples",
        "            x", "0123456789ab!Zq", "我们的产品从来没有坏过吧真的", "p" * 6 + "q" * 6, "dana okafor likes tea",
    ],
)  # fmt: skip
def test_long_ones_of_any_characters_are_taken(password: str) -> None:
    assert check_password(password, "dana", "Dana Okafor")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("x7#Kq2!mZ0p", "at least 12 characters"),
        ("", "at least 12 characters"),
        ("x" * 1001, "at most 1000 characters"),
        ("PasswordPassword", "first that anybody"),
        ("password2026!", "first that anybody"),
        ("1234567890123", "first that anybody"),
        ("aaaaaaaaaaaaaa", "first that anybody"),
        ("abcabcabcabcabc", "first that anybody"),
        ("nopqrstuvwxyz", "first that anybody"),
        ("correct horse battery staple", "first that anybody"),
        ("dana.okafor@shop.example", "first that anybody"),
        ("Dana Okafor 123", "first that anybody"),
        ("             ", "first that anybody"),
    ],
)
def test_short_and_obvious_ones_are_refused_in_words(password: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        check_password(password, "dana.okafor@shop.example", "Dana Okafor")


def test_every_common_one_is_refused() -> None:
    for password in COMMONEST:
        with pytest.raises(Refused):
            check_password(password)


def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    assert check_password("cafe\u0301 au lait noir") == check_password("caf\u00e9 au lait noir")


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_no_text_is_an_error_of_another_kind(password: str, handle: str, name: str) -> None:
    for read in (lambda: check_password(password, handle, name), lambda: handle_of(handle), lambda: name_of(name)):
        with suppress(Refused):
            assert read()


def test_handles_and_names_are_kept_in_one_form() -> None:
    assert handle_of(" Dana.Okafor@Shop.example ") == "dana.okafor@shop.example"
    assert name_of(" Dana\t \u202eOkafor\x00 ") == "Dana Okafor"
    for wrong in ("", "-dana", "da na", "däna", "d" * 65, "а", "../x"):
        with pytest.raises(Refused, match="a handle is"):
            handle_of(wrong)
    for wrong in ("", " ", "\u200b", "n" * 81):
        with pytest.raises(Refused, match="a name has"):
            name_of(wrong)


def test_roles_and_rights_are_known_and_explained() -> None:
    assert [role_of(role) for role in ROLES] == list(ROLES)
    assert set(RIGHTS) == set(ROLE_MEANINGS) == set(ROLES)
    assert rights_of(MEANINGS) == RIGHTS["admin"]
    with pytest.raises(Refused, match="the roles are viewer, marketer"):
        role_of("boss")
    with pytest.raises(Refused, match="the rights are read, note"):
        rights_of(["read", "everything"])
