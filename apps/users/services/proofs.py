"""Single-use words that prove an address: mailed once, kept as a digest, good for one purpose."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.kernel.invariants import ensure
from apps.users import buckets
from apps.users.buckets import Bucket
from apps.users.models import PendingSignUp, Proof, User

_ADDRESS_LIVES_FOR = timedelta(hours=24)  # Such a word proves an address and opens nothing.
_STANDS_IN = (Proof.Purpose.RESET, Proof.Purpose.FACTOR_RESET)  # For what its person has lost.
KEPT_FOR = timedelta(days=7)
_MAILS_AT_ONCE, _MAIL_EVERY_MS = 4, 20 * 60 * 1000


class BadProof(Refusal):
    """The word is unknown, used, too old, or good for something else. Which is not said."""

    code = "bad_proof"
    http_status = 400


def lives_for(purpose: Proof.Purpose) -> timedelta:
    """Say how long a word for a purpose is good: shortest where it stands in for a secret."""
    if purpose in _STANDS_IN:
        return timedelta(seconds=config.integer("FAIRBOOK_RESET_LINK_S"))
    return _ADDRESS_LIVES_FOR


def reset_minutes() -> int:
    """Return how long the link of a reset is good, as people are told."""
    return max(1, config.integer("FAIRBOOK_RESET_LINK_S") // 60)


def may_mail(kind: str, email: str) -> bool:
    """Say whether a stranger's wish may send this address one more mail, and count it."""
    name = sha256(email.encode()).hexdigest()[:32]
    return not buckets.in_use.take([Bucket(f"mail:{kind}:{name}", _MAILS_AT_ONCE, _MAIL_EVERY_MS)])


@transaction.atomic
def make(
    purpose: Proof.Purpose,
    *,
    email: str,
    user: User | None = None,
    sign_up: PendingSignUp | None = None,
) -> str:
    """Make a word for one person or sign-up; it is in this answer and nowhere else."""
    word = secrets.token_urlsafe(32)
    Proof.objects.create(
        digest=_digest(word),
        purpose=purpose,
        email=email,
        user=user,
        sign_up=sign_up,
        ends_at=timezone.now() + lives_for(purpose),
    )
    return word


def look_at(word: str, *, purposes: Iterable[Proof.Purpose]) -> Proof:
    """Return what a word is good for, and leave it so."""
    live = Proof.objects.live(timezone.now()).filter(digest=_digest(word), purpose__in=purposes)
    proof = live.select_related("user", "sign_up").first()
    if proof is None:
        raise BadProof("This link was used already, or is too old. Ask for a new one.")
    return proof


def use(word: str, *, purposes: Iterable[Proof.Purpose]) -> Proof:
    """Use a word up, in the caller's transaction. Of two at once, one gets it."""
    ensure(transaction.get_connection().in_atomic_block, "a word is used up with its effect")
    proof = look_at(word, purposes=purposes)
    live = Proof.objects.live(timezone.now()).filter(pk=proof.pk)
    if not live.update(used_at=timezone.now()):
        raise BadProof("This link was used already, or is too old. Ask for a new one.")
    return proof


def end_all_of(user: User, purpose: Proof.Purpose) -> None:
    """End a person's other words for a purpose."""
    now = timezone.now()
    Proof.objects.live(now).filter(user=user, purpose=purpose).update(used_at=now)


def forget_old() -> int:
    """Drop what was over a week ago, and sign-ups that nobody can prove any more."""
    before = timezone.now() - KEPT_FOR
    gone = Proof.objects.filter(ends_at__lt=before).delete()[0]
    unproven = PendingSignUp.objects.filter(asked_at__lt=before)
    return gone + unproven.exclude(proof__ends_at__gt=timezone.now()).delete()[0]


def _digest(word: str) -> bytes:
    return sha256(word.encode()).digest()
