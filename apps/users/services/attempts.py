"""Guessing is slowed down, by account and by address, and the owner is never locked out.

A stranger's try counts against the account at their address, against their address, and against the
account from everywhere. A known device (`devices`) has a count of its own and none of the others:
whatever others did elsewhere, its owner's next try is looked at. Tries are counted before anything
is hashed, and a good one is given back.

    attempt = attempts.of_request(request, login=email)
    attempts.check_may_try(attempt)                 # TooManyRequests, with how long to wait
    ...                                             # hash, compare, ask for the second factor
    attempts.note_success(attempt)                  # or note_failure: a word in the logs
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import structlog
from django.http import HttpRequest

from apps.common import addresses
from apps.common.errors import Refusal, TooManyRequests
from apps.users import buckets
from apps.users.buckets import Bucket
from apps.users.services import devices, failed_tries

MINUTE_MS = 60_000
AT_ONCE_HERE, AT_ONCE_ADDRESS, AT_ONCE_ACCOUNT, AT_ONCE_DEVICE = 10, 60, 100, 10
FACTOR = "factor"  # A code has six digits: strangers get fewer tries at all of an account.
FACTORS_AT_ONCE, FACTOR_EVERY_MS = 20, 5 * MINUTE_MS

log = structlog.get_logger("fairbook.users")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: at whose account, from where, by which known device, to do what."""

    account: str  # A digest of the log-in name: no address of a person stands on the cache.
    address: str
    device: str = ""  # Its mark, if it is a known one of this account.
    purpose: str = "log-in"

    @property
    def own_buckets(self) -> tuple[Bucket, ...]:
        """Return the counts that a good try ends."""
        name = f"{self.purpose}:{self.account}"
        if self.device:
            return (Bucket(f"device:{name}:{self.device}", AT_ONCE_DEVICE, MINUTE_MS),)
        return (Bucket(f"here:{name}:{self.address}", AT_ONCE_HERE, MINUTE_MS),)

    @property
    def shared_buckets(self) -> tuple[Bucket, ...]:
        """Return the counts that a good try only leaves as they were."""
        if self.device:
            return ()
        most, every_ms = AT_ONCE_ACCOUNT, MINUTE_MS // 2
        if self.purpose == FACTOR:
            most, every_ms = FACTORS_AT_ONCE, FACTOR_EVERY_MS
        return (
            Bucket(f"address:{self.purpose}:{self.address}", AT_ONCE_ADDRESS, MINUTE_MS // 6),
            Bucket(f"account:{self.purpose}:{self.account}", most, every_ms),
        )


def of_request(request: HttpRequest, *, login: str, purpose: str = "log-in") -> Attempt:
    """Name the try that a request is. `login` is the full e-mail address, known or not."""
    email = login.strip().lower()
    device = devices.recognise(request, email=email)
    return Attempt(
        account=sha256(email.encode()).hexdigest()[:32],
        address=addresses.counted_as(str(request.META.get("REMOTE_ADDR") or "")),
        device=device.mark if device else "",
        purpose=purpose,
    )


def check_may_try(attempt: Attempt) -> None:
    """Count the try, or refuse it with `TooManyRequests` (then nothing is counted)."""
    wait_ms = buckets.in_use.take((*attempt.own_buckets, *attempt.shared_buckets))
    if wait_ms > 0:
        log.warning("users.attempt.refused", purpose=attempt.purpose, address=attempt.address)
        raise TooManyRequests(
            "Too many wrong tries; wait a little.", retry_after_s=-(-wait_ms // 1000)
        )


@contextmanager
def counted(attempt: Attempt, *, user_id: int, unless: type[Refusal]) -> Iterator[None]:
    """Count a person's try that is made in this block; it was wrong if it raises `unless`."""
    check_may_try(attempt)
    try:
        yield
    except unless:
        note_failure(attempt, user_id=user_id)
        raise
    note_success(attempt)


def note_failure(attempt: Attempt, *, user_id: int | None) -> None:
    """Say in the log that a try was wrong, and have the audit log say it of its person, if any.

    It was counted when it began.
    """
    whose = failed_tries.NOBODY if user_id is None else user_id
    failed_tries.count(user_id=whose, purpose=attempt.purpose, at=time.time())
    log.info(
        "users.attempt.failed",
        purpose=attempt.purpose,
        address=attempt.address,
        known_device=bool(attempt.device),
    )


def note_success(attempt: Attempt) -> None:
    """End the counts of this account here, and give the try back to what others share."""
    for bucket in attempt.own_buckets:
        buckets.in_use.forget(bucket)
    for bucket in attempt.shared_buckets:
        buckets.in_use.give_back(bucket)


def remember_on(request: HttpRequest, attempt: Attempt | None, refusal: Refusal | None) -> None:
    """Leave word with the request of what the authentication back end saw."""
    request.log_in_attempt = attempt  # type: ignore[attr-defined]
    request.log_in_refusal = refusal  # type: ignore[attr-defined]


def seen_on(request: HttpRequest) -> Attempt | None:
    """Return the try that `authenticate` counted on this request, for `note_success`."""
    return getattr(request, "log_in_attempt", None)


def refusal_on(request: HttpRequest) -> Refusal | None:
    """Return why `authenticate` did not even look, or None if it did."""
    return getattr(request, "log_in_refusal", None)
