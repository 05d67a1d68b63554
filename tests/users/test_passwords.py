"""What is a password, how it is reset and changed, and what each of these ends."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from apps.common.errors import Unavailable
from apps.common.kernel.invariants import InvariantBroken
from apps.common.models import AuditRecord
from apps.users import breached
from apps.users.models import Proof, User
from apps.users.services import accounts, people, withdrawal_lock
from apps.users.services.mail import text_of
from exchange_site.hashers import Argon2id, Turns
from tests.helpers import mails
from tests.helpers.mails import word_to

PASSWORD, ANOTHER = "correct horse battery", "another horse battery"
ALICE = "alice@example.org"
SESSION, RESETS, RESET = "/api/v1/session", "/api/v1/users/resets", "/api/v1/users/resets/proofs"
PROOFS, CHANGE, EMAIL = "/api/v1/users/proofs", "/api/v1/account/password", "/api/v1/account/email"


@pytest.fixture
def alice(db, cache) -> int:
    user_id = people.register(email=ALICE, password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


def send(browser: Client, path: str, **body: object):
    return browser.post(path, body, content_type="application/json")


def logged_in(login: str = ALICE, password: str = PASSWORD) -> Client:
    browser = Client()
    answer = send(browser, SESSION, login=login, password=password)
    assert answer.status_code == 200, answer.content
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(SESSION).status_code == 200


def may_log_in(password: str, login: str = ALICE) -> bool:
    return send(Client(), SESSION, login=login, password=password).status_code == 200


def kinds_to(address: str) -> list[str]:
    """Return what an address was told, beside each log-in of these tests."""
    return [kind for kind in mails.kinds_to(address) if kind != "new_device"]


def withdrawals_wait(user_id: int) -> bool:
    until = withdrawal_lock.locked_until(user_id)
    return until is not None and until > timezone.now() + timedelta(hours=23)


# -- resets


def test_a_reset_sets_the_password_ends_every_log_in_and_locks_withdrawals(alice):
    before = [logged_in(), logged_in()]
    assert send(Client(), RESETS, email="Alice@Example.org").status_code == 202

    answer = send(Client(), RESET, token=word_to(ALICE), password=ANOTHER)

    assert answer.status_code == 204
    assert [is_in(browser) for browser in before] == [False, False]
    assert not may_log_in(PASSWORD)
    assert may_log_in(ANOTHER)
    assert withdrawals_wait(alice)
    assert kinds_to(ALICE)[:2] == ["reset_password", "password_changed"]
    kinds = AuditRecord.objects.filter(subject=f"user:{alice}").values_list("kind", flat=True)
    assert {"password.reset_asked", "password.changed", "withdrawals.locked"} <= set(kinds)


def test_a_reset_of_nobody_is_answered_like_any_other(alice):
    known, unknown = send(Client(), RESETS, email=ALICE), send(Client(), RESETS, email="no@one.org")

    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    assert kinds_to("no@one.org") == []


def test_a_reset_word_is_good_once_for_ten_minutes_and_not_after_another_reset(alice):
    send(Client(), RESETS, email=ALICE)
    first = word_to(ALICE)
    send(Client(), RESETS, email=ALICE)
    second = word_to(ALICE)
    ends = Proof.objects.latest("pk").ends_at
    assert timedelta(minutes=9) < ends - timezone.now() <= timedelta(minutes=10)
    assert "for 10 minutes" in text_of(mails.mails_to(ALICE)[-1])

    assert send(Client(), RESET, token=second, password=ANOTHER).status_code == 204
    for word in (first, second):
        refused = send(Client(), RESET, token=word, password="a third horse battery")
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_proof")
    assert may_log_in(ANOTHER)


def test_a_reset_word_is_worth_nothing_when_its_time_is_over(alice):
    send(Client(), RESETS, email=ALICE)
    Proof.objects.update(ends_at=timezone.now())

    late = send(Client(), RESET, token=word_to(ALICE), password=ANOTHER)

    assert (late.status_code, late.json()["code"]) == (400, "bad_proof")
    assert may_log_in(PASSWORD)


def test_an_exchange_may_let_its_links_live_longer_and_says_so(alice, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_RESET_LINK_S", "1800")
    send(Client(), RESETS, email=ALICE)

    ends = Proof.objects.latest("pk").ends_at
    assert timedelta(minutes=29) < ends - timezone.now() <= timedelta(minutes=30)
    assert "for 30 minutes" in text_of(mails.mails_to(ALICE)[-1])
    assert "It works for 30 minutes" in Client().get("/forgot/").content.decode()


def test_a_weak_new_password_leaves_the_word_good(alice):
    send(Client(), RESETS, email=ALICE)
    word = word_to(ALICE)

    weak = send(Client(), RESET, token=word, password="short")

    assert (weak.status_code, weak.json()["code"]) == (400, "weak_password")
    assert send(Client(), RESET, token=word, password=ANOTHER).status_code == 204


def test_a_words_digest_is_all_that_is_kept_of_it(alice):
    send(Client(), RESETS, email=ALICE)

    word, kept = word_to(ALICE), bytes(Proof.objects.get().digest)

    assert kept == hashlib.sha256(word.encode()).digest()


def test_who_may_not_log_in_may_not_reset_either(alice):
    User.objects.update(is_active=False)

    assert send(Client(), RESETS, email=ALICE).status_code == 202

    assert kinds_to(ALICE) == []


# -- changes


def test_a_change_wants_the_old_password_and_keeps_only_the_log_in_it_came_by(alice):
    here, elsewhere = logged_in(), logged_in()
    wrong = send(here, CHANGE, old_password="wrong horse battery", password=ANOTHER)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert is_in(elsewhere)

    changed = send(here, CHANGE, old_password=PASSWORD, password=ANOTHER)

    assert changed.status_code == 204
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert may_log_in(ANOTHER)
    assert withdrawals_wait(alice)
    assert "password_changed" in kinds_to(ALICE)


def test_who_took_a_log_in_cannot_guess_the_password_by_it(alice):
    here = logged_in()

    codes = [
        send(here, CHANGE, old_password=f"wrong horse {n}", password=ANOTHER).status_code
        for n in range(11)
    ]

    assert codes == [403] * 10 + [429]


def test_an_address_moves_once_it_is_proven_and_the_old_one_hears_of_it(alice):
    here = logged_in()
    asked = send(here, EMAIL, email="Alice@New.example", password=PASSWORD)
    assert asked.status_code == 202
    assert kinds_to(ALICE) == ["new_address_asked"]
    assert may_log_in(PASSWORD)

    proven = send(Client(), PROOFS, token=word_to("alice@new.example"))

    assert (proven.status_code, proven.json()) == (201, {"proven": "new_email"})
    assert not is_in(here)
    assert not may_log_in(PASSWORD)
    assert may_log_in(PASSWORD, "alice@new.example")
    assert withdrawals_wait(alice)
    assert kinds_to(ALICE)[-1] == kinds_to("alice@new.example")[1] == "address_changed"


def test_the_address_of_another_cannot_be_taken_and_is_not_told_apart(alice):
    people.register(email="bob@example.org", password=PASSWORD)
    here = logged_in()

    taken = send(here, EMAIL, email="bob@example.org", password=PASSWORD)
    free = send(here, EMAIL, email="free@example.org", password=PASSWORD)

    assert (taken.status_code, taken.json()) == (free.status_code, free.json())
    assert kinds_to("bob@example.org") == ["address_known"]


def test_an_address_that_somebody_took_meanwhile_is_not_given_twice(alice):
    send(logged_in(), EMAIL, email="new@example.org", password=PASSWORD)
    word = word_to("new@example.org")
    people.register(email="new@example.org", password=ANOTHER)

    refused = send(Client(), PROOFS, token=word)

    assert (refused.status_code, refused.json()["code"]) == (400, "bad_proof")
    assert User.objects.get(pk=alice).email == ALICE
    assert may_log_in(PASSWORD)


def test_a_lock_is_never_shortened(alice):
    user = User.objects.get(pk=alice)
    far = timezone.now() + timedelta(days=30)
    user.withdrawals_locked_until = far

    assert withdrawal_lock.begin_withdrawal_lock(user, reason="factor") == far
    assert kinds_to(ALICE) == ["withdrawals_locked"]


# -- what is a password


@pytest.fixture
def lost(tmp_path, monkeypatch) -> list[str]:
    """Give a file of two thousand lost passwords, as the public lists are."""
    words = [f"lost password {number}" for number in range(2_000)]
    digests = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in words)
    path = tmp_path / "lost.txt"
    path.write_bytes(b"".join(f"{digest}:{n}\r\n".encode() for n, digest in enumerate(digests)))
    monkeypatch.setenv("FAIRBOOK_BREACHED_PASSWORDS", str(path))
    return words


def test_each_password_of_the_list_is_found_and_no_other(lost, tmp_path):
    path = tmp_path / "lost.txt"

    assert all(breached.is_listed(word, path=path) for word in lost)
    assert not any(breached.is_listed(f"kept password {n}", path=path) for n in range(2_000))


@pytest.mark.parametrize("ending", ["", "\n"])
@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_short_lists_are_searched_to_both_ends(tmp_path, size, ending):
    words = sorted(
        (f"word {n}" for n in range(size)), key=lambda w: hashlib.sha1(w.encode()).digest()
    )
    digests = [hashlib.sha1(word.encode()).hexdigest().upper() for word in words]
    path = tmp_path / "short.txt"
    path.write_text("\n".join(f"{digest}:7" for digest in digests) + (ending if digests else ""))

    assert [breached.is_listed(word, path=path) for word in words] == [True] * size
    assert not breached.is_listed("another", path=path)


@pytest.mark.parametrize(
    "password",
    ["eleven char", "123456qwerty", "lost password 77", "alice@example.org", "xALICE@example.orgx"],
)
def test_a_password_that_others_know_is_none(lost, password):
    with pytest.raises(people.WeakPassword):
        people.check_password_is_strong(password, email=ALICE)


@pytest.mark.parametrize("password", ["twelve chars", "  blanks too ", "пароль слов!", "a" * 256])
def test_length_is_all_that_a_password_needs(lost, password):
    people.check_password_is_strong(password, email=ALICE)


def test_the_name_part_of_an_address_is_no_password():
    owner = User(email="a.rather.long@x.org")

    with pytest.raises(ValidationError):
        breached.AddressAsPasswordValidator().validate("A.Rather.Long", owner)


# -- hashing


def test_only_so_many_hash_at_once_so_many_wait_and_the_others_are_sent_away():
    turns, held, done = Turns(2, waiting_max=1), threading.Barrier(3), threading.Event()
    said: list[str] = []

    def hold() -> None:
        with turns.take():
            held.wait(5)
            done.wait(5)

    def wait() -> None:
        with turns.take():
            said.append("waited")

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    held.wait(5)
    with pytest.raises(Unavailable), turns.take(wait_s=0.01):
        said.append("in")
    waiter = threading.Thread(target=wait)
    waiter.start()
    while turns._places.acquire(blocking=False):  # Until the waiter has its place.
        turns._places.release()
    with pytest.raises(Unavailable), turns.take():
        said.append("in")
    done.set()
    for thread in (*holders, waiter):
        thread.join(5)

    assert said == ["waited"]


def test_a_password_is_argon2id_and_hashed_in_a_thread_only():
    hasher = Argon2id()
    encoded = hasher.encode(PASSWORD, "saltsaltsalt")
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert hasher.verify(PASSWORD, encoded)

    async def on_the_loop() -> None:
        hasher.verify(PASSWORD, encoded)

    with pytest.raises(InvariantBroken):
        asyncio.run(on_the_loop())
