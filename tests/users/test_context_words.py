"""A password is more than the names of its person and this place, and words of the market."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.users import context_words
from apps.users.models import User
from apps.users.services import people
from tests.helpers.mails import word_to

ALICE, NAME, PASSWORD = "alice.wonder@tea-party.example", "Alice Liddell", "correct horse battery"


@pytest.mark.parametrize(
    "password",
    [
        "Fairbook2024!",
        "fairbook-fairbook",
        "F41rb00kF41rb00k",
        "BitcoinBitcoin1",
        "b1tc0in-to-moon",
        "btcusdt-ethusdt",
        "Satoshi Nakamoto!",
        "admin-password-1",
        "AliceWonder1234",
        "wonderwonder99",
        "Al1ceL1dd3ll2024",
        "Liddell-trading",
        "tea-party-2024",
        "exchangecorp99",  # The site's host.
    ],
)
def test_a_password_that_is_little_but_such_words_is_refused(password, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_PUBLIC_URL", "https://www.exchangecorp.example")

    with pytest.raises(people.WeakPassword) as refused:
        people.check_password_is_strong(password, email=ALICE, full_name=NAME)

    assert refused.value.code == "weak_password"
    assert "Add at least 8 other characters" in str(refused.value.data["fields"]["password"])


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "my bitcoin horse battery",
        "alice fell into a rabbit hole",
        "Fairbook vU8%kq2z",
        "zoo42-gramophone",
        "11223344556677 ",
    ],
)
def test_a_phrase_may_have_them_in_it(password):
    people.check_password_is_strong(password, email=ALICE, full_name=NAME)


def test_names_that_are_too_short_to_tell_are_no_words():
    people.check_password_is_strong("jo-likes-jo-jo", email="jo@x.example", full_name="Jo X")


def test_the_list_is_words_in_lower_case_and_names_the_product():
    words = context_words.listed()

    assert "fairbook" in words
    assert all(word == word.casefold() and len(word) >= context_words.WORD_MIN for word in words)


def send(path: str, **body: object):
    return Client().post(path, body, content_type="application/json")


def test_it_holds_at_sign_up_and_at_a_reset_and_the_word_of_the_mail_stays_good(db, cache):
    terms = {"email": ALICE, "full_name": NAME, "country": "CH"}
    refused = send("/api/v1/users", password="liddell-bitcoin-1", **terms)
    assert (refused.status_code, refused.json()["code"]) == (400, "weak_password")

    people.register(email=ALICE, password=PASSWORD, full_name=NAME)
    send("/api/v1/users/resets", email=ALICE)
    word, door = word_to(ALICE), "/api/v1/users/resets/proofs"
    assert send(door, token=word, password="liddell-bitcoin-1").json()["code"] == "weak_password"
    assert send(door, token=word, password="a wholly other horse").status_code == 204

    assert User.objects.get(email=ALICE).check_password("a wholly other horse")


def test_of_two_reasons_a_person_hears_the_plainer_one():
    with pytest.raises(people.WeakPassword) as refused:
        people.check_password_is_strong(ALICE, email=ALICE)

    assert refused.value.data["fields"]["password"] == ["Your e-mail address is no password."]
