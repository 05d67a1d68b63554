"""A mailed word is used up once, also by two at the same moment; each mail has one sender."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail as outgoing
from django.db import connections, transaction

from apps.common.kernel.invariants import InvariantBroken
from apps.users.models import Proof, User
from apps.users.services import mail, passwords, people, proofs
from tests.helpers.mails import word_to

pytestmark = pytest.mark.usefixtures("transactional_db")
ALICE, NEW = "alice@example.org", "new@example.org"
PASSWORD, ANOTHER = "correct horse battery", "another horse battery"


def at_once(act: Callable[[], object], *, times: int = 2) -> list[str]:
    """Do something in several threads; return what came of it."""

    def one(_: int) -> str:
        try:
            act()
        except proofs.BadProof as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(one, range(times)))


@pytest.fixture
def all_look_first(monkeypatch) -> None:
    """Let nobody go on before both have seen that the word is good."""
    both, look_at = threading.Barrier(2), proofs.look_at
    seen = threading.local()

    def looking(word: str, **terms: object) -> Proof:
        proof = look_at(word, **terms)
        if not getattr(seen, "once", False):
            seen.once = True
            both.wait(10)
        return proof

    monkeypatch.setattr(proofs, "look_at", looking)


@pytest.fixture
def word(cache) -> str:
    people.register(email=ALICE, password=PASSWORD)
    passwords.ask_reset(email=ALICE)
    return word_to(ALICE)


def test_this_test_can_see_the_race(word, all_look_first, monkeypatch):
    """Only looked at, the word is used twice. If this fails, the next test proves nothing."""
    monkeypatch.setattr(proofs, "use", proofs.look_at)
    monkeypatch.setattr(proofs, "end_all_of", lambda *_: None)

    assert at_once(lambda: passwords.reset(word=word, password=ANOTHER)) == ["done", "done"]


def test_of_two_resets_by_one_word_one_is_done(word, all_look_first):
    said = at_once(lambda: passwords.reset(word=word, password=ANOTHER))

    assert said == ["bad_proof", "done"]


def test_of_two_proofs_of_one_sign_up_one_makes_the_person(cache, all_look_first):
    people.sign_up(email=NEW, password=PASSWORD, full_name="Nina", country="CH")
    word = word_to(NEW)

    said = at_once(lambda: people.prove_sign_up(word))

    assert said == ["bad_proof", "done"]
    assert User.objects.filter(email=NEW).count() == 1


def test_of_two_sign_ups_of_one_address_one_becomes_the_person(cache):
    words = []
    for _ in range(2):
        people.sign_up(email=NEW, password=PASSWORD, full_name="Nina", country="CH")
        words.append(word_to(NEW))

    said = at_once(lambda: people.prove_sign_up(words.pop()))

    assert said == ["bad_proof", "done"]


def test_of_four_senders_each_mail_has_one(cache):
    with transaction.atomic():
        for number in range(8):
            mail.tell("reset_password", to=f"p{number}@example.org", link="x")

    at_once(lambda: [mail.send_next() for _ in range(8)], times=4)

    assert sorted(sent.to[0] for sent in outgoing.outbox) == [
        f"p{number}@example.org" for number in range(8)
    ]


def test_a_mail_outside_of_a_transaction_is_a_mistake():
    with pytest.raises(InvariantBroken):
        mail.tell("reset_password", to=ALICE, link="x")
