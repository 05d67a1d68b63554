"""The key of keys is changed while everything goes on: nothing is lost, found no more, or left."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from apps.common.models import AuditRecord
from apps.kyc import sealed
from apps.kyc.models import Document
from apps.kyc.services import answers, documents
from apps.kyc.services.rewrapping import COLUMNS as KYC
from apps.monitoring.management.commands.rewrap_keys import COLUMNS
from apps.users import sealing, selectors
from apps.users.models import ApiKey, AuthenticatorApp, KeptKey, Mail
from apps.users.services import keys, mail, passwords, rewrapping
from apps.users.services.kept_keys import KeyNotKept
from tests.helpers.factors import give_app
from tests.helpers.mails import mails_to

OLD, NEW = "0d" * 32, "3e" * 32
IN_USE, SECOND = "FAIRBOOK_KEY_ENCRYPTION_KEY", "FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY"
ALICE = "alice@example.org"


class KeyRing:
    """The two settings, as an operator sets them one after another."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def set(self, in_use: str, second: str = "") -> None:
        self._patch.setenv(IN_USE, in_use)
        self._patch.setenv(SECOND, second)


@pytest.fixture
def ring(monkeypatch) -> KeyRing:
    made = KeyRing(monkeypatch)
    made.set(OLD)
    return made


@dataclass
class Kept:
    """One of everything that is sealed, and what it says."""

    alice: Any
    application: Any
    paper: Document
    body: bytes
    key: str
    key_secret: bytes
    app_secret: bytes
    word: str

    def check(self) -> None:
        """Open all of it."""
        assert selectors.key_grant(self.key).secret == self.key_secret
        assert AuthenticatorApp.objects.get().secret == self.app_secret
        assert self.word in mail.text_of(mails_to(ALICE)[-1])
        assert answers.all_of(self.application)["legal_name"] == "Alice Example"
        assert documents.open_pages(Document.objects.get())[0].startswith(b"\xff\xd8\xff")

    def is_found_again(self) -> bool:
        """Whether the same file is still known as the same."""
        return self.alice.sends(self.application, "selfie", body=self.body).pk == self.paper.pk


@pytest.fixture
def kept(alice, ring) -> Kept:
    application = alice.begins(2)
    alice.answers(application)
    body = alice.paper("selfie")
    paper = alice.sends(application, "selfie", body=body)
    give_app(alice.user_id)
    account = selectors.main_account(alice.user_id).number
    made = keys.create_api_key(account=account, can_trade=True)
    passwords.ask_reset(email=ALICE)
    word = mail.text_of(mails_to(ALICE)[-1]).split("/reset/#")[1].split()[0]
    app_secret = AuthenticatorApp.objects.get().secret
    secret = made.secret.encode()
    return Kept(
        alice, application, paper, body, made.public_id, secret, app_secret, word
    )  # fmt: skip


def heads() -> set[bytes]:
    """Return the beginnings of everything that is sealed."""
    found = set()
    for column in COLUMNS:
        rows = column.rows().exclude(**{column.field: None})
        values = list(rows.values_list(column.field, flat=True))
        assert values, f"the story has no {column.name}"
        found |= {bytes(value)[: sealing.HEAD_BYTES] for value in values}
    return found


def run(**options: Any) -> str:
    said = io.StringIO()
    call_command("rewrap_keys", stdout=said, **options)
    return said.getvalue()


def unnumbered(secret: bytes, *, key: str, bound_to: str) -> bytes:
    """Seal as it was done before keys had numbers."""
    nonce = bytes(range(12))
    return b"\x01" + nonce + AESGCM(bytes.fromhex(key)).encrypt(nonce, secret, bound_to.encode())


# -- numbers


def test_what_is_sealed_carries_the_number_of_its_key_and_the_seal_covers_it(ring):
    under_old = sealing.seal(b"secret", bound_to="a")
    ring.set(NEW, second=OLD)
    under_new = sealing.seal(b"secret", bound_to="a")

    assert under_old[1:5] == sealing.second_key().number
    assert under_new[1:5] == sealing.key_in_use().number != under_old[1:5]
    assert sealing.unseal(under_old, bound_to="a") == sealing.unseal(under_new, bound_to="a")
    with pytest.raises(InvalidTag):
        sealing.unseal(under_new[:5] + under_old[5:], bound_to="a")
    assert OLD not in repr(sealing.second_key())


def test_what_was_sealed_before_keys_had_numbers_opens_by_either_key(ring):
    old = unnumbered(b"secret", key=OLD, bound_to="a")

    assert sealing.unseal(old, bound_to="a") == b"secret"
    ring.set(NEW, second=OLD)
    assert sealing.unseal(old, bound_to="a") == b"secret"
    ring.set(NEW)
    with pytest.raises(InvalidTag):
        sealing.unseal(old, bound_to="a")


# -- the change


def test_a_key_is_changed_and_the_old_one_opens_nothing_more(kept, ring):
    run()
    ring.set(OLD, second=NEW)  # Every process learns the next key before any seals by it.
    kept.check()
    ring.set(NEW, second=OLD)
    kept.check()
    new = sealing.key_in_use().head

    said = run()

    assert heads() == {new}
    assert "Nothing in PostgreSQL needs another key" in said
    ring.set(NEW)  # The old one is destroyed.
    kept.check()
    assert kept.is_found_again()
    ring.set(OLD)
    with pytest.raises(InvalidTag):
        kept.check()


def test_rows_of_before_keys_had_numbers_are_sealed_anew_too(kept, ring):
    row = ApiKey.objects.get(public_id=kept.key)
    row.sealed_secret = unnumbered(kept.key_secret, key=OLD, bound_to=row.public_id)
    row.save()

    assert "1 done" in run()

    kept.check()
    assert heads() == {sealing.key_in_use().head}


def test_it_is_recorded_with_the_keys_number_and_never_the_key(kept, ring):
    ring.set(NEW, second=OLD)

    said = run()

    records = AuditRecord.objects.filter(kind="keys.rewrapped")
    told = {row.data["column"]: row.data["rows"] for row in records}
    assert set(told) == {column.name for column in COLUMNS}
    assert {row.data["key"] for row in records} == {sealing.key_in_use().number.hex()}
    for secret in (OLD, NEW):
        assert secret not in said + str([row.data for row in records])


def test_a_run_that_is_broken_off_goes_on_where_it_was(kept, ring, monkeypatch):
    ring.set(NEW, second=OLD)
    whole, seal, left = rewrapping.count_left(KYC[0]).left, sealing.seal, [3]

    def dies_soon(secret: bytes, *, bound_to: str) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return seal(secret, bound_to=bound_to)

    with monkeypatch.context() as broken:
        broken.setattr(sealing, "seal", dies_soon)
        with pytest.raises(KeyboardInterrupt):
            rewrapping.rewrap(KYC[0], batch=2)
    first = whole - rewrapping.count_left(KYC[0]).left
    kept.check()  # In the middle of it, too.

    told = rewrapping.rewrap(KYC[0], batch=2)

    assert 0 < first < whole
    assert (told.done, told.left) == (whole - first, 0)
    assert rewrapping.rewrap(KYC[0]).done == 0


def test_a_value_that_changed_meanwhile_stays_as_it_was_left(kept, ring, monkeypatch):
    ring.set(NEW, second=OLD)
    unseal = sealing.unseal

    def as_the_mail_is_sent(value: bytes, *, bound_to: str) -> bytes:
        Mail.objects.update(sealed_text=None)
        return unseal(value, bound_to=bound_to)

    monkeypatch.setattr(sealing, "unseal", as_the_mail_is_sent)
    (column,) = (one for one in COLUMNS if one.name == "users.Mail.sealed_text")

    told = rewrapping.rewrap(column)

    assert (told.done, told.left) == (0, 0)
    assert not Mail.objects.exclude(sealed_text=None).exists()


def test_a_row_that_no_key_opens_is_named_and_the_others_are_done(kept, ring):
    stranger = ApiKey.objects.get(public_id=kept.key)
    stranger.sealed_secret = unnumbered(b"x", key="ff" * 32, bound_to=stranger.public_id)
    stranger.save()
    ring.set(NEW, second=OLD)

    with pytest.raises(CommandError) as said:
        run()

    assert f"users.ApiKey.sealed_secret: [{stranger.pk}]" in str(said.value)
    assert rewrapping.count_left(KYC[0]).left == 0


def test_counting_changes_nothing(kept, ring):
    ring.set(NEW, second=OLD)
    before = heads()

    with pytest.raises(CommandError):
        run(count=True)

    assert heads() == before


# -- the key of indexes


def test_the_index_key_is_what_it_was_before_it_was_kept(alice, ring):
    """Rows of before know their indexes by the key that came from the key of keys."""
    first = sealed.blind("P1234567", purpose="id_number")

    assert first.hex() == "3d524c679c2ad71a54fe4010bf81154f6dde6934a0d3c84752777971408f0680"
    KeptKey.objects.all().delete()
    assert sealed.blind("P1234567", purpose="id_number") == first


def test_with_two_keys_and_no_kept_one_nobody_guesses(alice, ring):
    ring.set(NEW, second=OLD)

    with pytest.raises(KeyNotKept):
        sealed.blind("P1234567", purpose="id_number")
    with pytest.raises(CommandError, match="old key alone first"):
        run()
    assert not KeptKey.objects.exists()


# -- nothing is forgotten


def test_every_column_of_sealed_values_is_sealed_anew():
    under_another_key = {"kyc.DocumentPage.sealed"}  # Its document's own.
    named = {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField) and field.name.startswith(("sealed", "wrapped"))
    }

    assert named - under_another_key == {column.name for column in COLUMNS}
