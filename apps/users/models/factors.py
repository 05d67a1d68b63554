"""What a person shows beside their password: codes of an app, recovery codes, passkeys.

All three are devices of django-otp; passkeys are the table of django-otp-webauthn as it is.
"""

from __future__ import annotations

import hmac
import time
from hashlib import sha256

from django.db import models
from django.utils import timezone
from django_otp.models import Device, TimestampMixin
from django_otp.oath import TOTP

from apps.users import sealing
from apps.users.models.people import User

STEP_S, DIGITS, TOLERANCE = 30, 6, 1  # A code is good for its half minute and one on each side.
NAME_MAX = 40


class AuthenticatorApp(TimestampMixin, Device):
    """An app that shows a new code every 30 seconds. Its secret is sealed; a code counts once."""

    sealed_secret = models.BinaryField()
    last_step = models.BigIntegerField(default=-1)  # Of the newest code that was used.

    @staticmethod
    def seal(secret: bytes, *, user_id: int) -> bytes:
        """Encrypt a secret so that it opens only as this person's."""
        return sealing.seal(secret, bound_to=AuthenticatorApp.bound_to(user_id))

    @staticmethod
    def bound_to(user_id: int) -> str:
        """Return what a person's secrets are bound to."""
        return f"totp:{user_id}"

    @property
    def secret(self) -> bytes:
        """The secret, opened."""
        return sealing.unseal(bytes(self.sealed_secret), bound_to=self.bound_to(self.user_id))

    def verify_token(self, token: str) -> bool:
        """Take a code, once: of two at the same time, one is taken. Older ones are refused."""
        step = self._step_of(token)
        return step is not None and self.take_step(step)

    def take_step(self, step: int) -> bool:
        """Use up all codes until this one; false if they are."""
        fresh = type(self).objects.filter(pk=self.pk, last_step__lt=step)
        return bool(fresh.update(last_step=step, last_used_at=timezone.now()))

    def _step_of(self, token: str) -> int | None:
        if len(token) != DIGITS or not (token.isascii() and token.isdigit()):
            return None
        oath = TOTP(self.secret, step=STEP_S, digits=DIGITS)
        oath.time = time.time()
        found = None
        for drift in range(-TOLERANCE, TOLERANCE + 1):  # All of them, whichever it is.
            oath.drift = drift
            if hmac.compare_digest(f"{oath.token():0{DIGITS}d}", token):
                found = oath.t()
        return found


class RecoveryCodes(TimestampMixin, Device):
    """A person's recovery codes: ten that were shown once, each good once."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user"], name="one_set_of_recovery_codes_per_person"),
        )

    @staticmethod
    def digest(token: str, *, user_id: int) -> bytes:
        """Return what is kept of a code. It has 80 random bits: nobody finds it by its digest."""
        return sha256(f"recovery:{user_id}:{token}".encode()).digest()

    def verify_token(self, token: str) -> bool:
        """Take a code, once."""
        digest = self.digest(token, user_id=self.user_id)
        unused = self.codes.filter(digest=digest, used_at=None)
        return bool(unused.update(used_at=timezone.now()))


class RecoveryCode(models.Model):
    """One recovery code, as a digest."""

    owner = models.ForeignKey(RecoveryCodes, on_delete=models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=32, unique=True)
    used_at = models.DateTimeField(null=True, blank=True)


def apps_of(user: User) -> models.QuerySet[AuthenticatorApp]:
    """Return the apps of a person that count, oldest first."""
    return AuthenticatorApp.objects.filter(user=user, confirmed=True).order_by("pk")
