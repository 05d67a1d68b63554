"""No withdrawal for a while after a change of what a person proves themselves by."""

from __future__ import annotations

import datetime
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.common import audit
from apps.common.config import config
from apps.users.models import User
from apps.users.services import announcing, mail

REASONS = (gettext_noop("password"), gettext_noop("factor"), gettext_noop("e-mail"))


@transaction.atomic
def begin_withdrawal_lock(user: User, *, reason: str, tell: bool = True) -> datetime.datetime:
    """Refuse the person's withdrawals for FAIRBOOK_CREDENTIAL_LOCK_S from now; return until when.

    A lock is never shortened by another one. `tell=False` if the caller mails the person by itself.
    """
    until = timezone.now() + timedelta(seconds=config.integer("FAIRBOOK_CREDENTIAL_LOCK_S"))
    user.withdrawals_locked_until = max(until, user.withdrawals_locked_until or until)
    user.save(update_fields=["withdrawals_locked_until"])
    announcing.look_again_at(user.pk)
    who = f"user:{user.pk}"
    audit.record("withdrawals.locked", subject=who, actor="system", reason=reason)
    if tell:
        mail.tell_withdrawals_locked(user, reason=reason)
    return user.withdrawals_locked_until


def locked_until(user_id: int) -> datetime.datetime | None:
    """Return until when a person's withdrawals are refused, or None if they are not."""
    row = User.objects.filter(pk=user_id, withdrawals_locked_until__gt=timezone.now())
    return row.values_list("withdrawals_locked_until", flat=True).first()
