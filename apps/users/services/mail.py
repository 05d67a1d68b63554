"""Mails: written with what they tell, sent behind it.

A mail is a row of the transaction that it speaks of, so it is never sent about something that did
not happen, and never lost about something that did. `tasks.send_mails` sends what is due. A mail
server that took a mail just before we died gets it again, under the same Message-ID.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from smtplib import SMTPException, SMTPServerDisconnected

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from apps.common.config import config
from apps.common.kernel.invariants import ensure
from apps.users import locks, sealing
from apps.users.contracts import KnownDevice
from apps.users.models import Mail, User

TRIES_MAX, KEPT_DAYS = 12, 30
_BACK_OFF_MAX_S = 4 * 3600
_OURS_FOR = timedelta(minutes=5)  # Longer than a mail server may take to answer.

log = structlog.get_logger("fairbook.users")


def site_url(path: str) -> str:
    """Return the whole address of a page of ours, as people reach it."""
    local = f"http://localhost:{config.integer('FAIRBOOK_PORT')}"
    return (config.text("FAIRBOOK_PUBLIC_URL") or local).rstrip("/") + path


# -- what is told


def tell(
    kind: str, *, to: str, user_id: int | None = None, language: str = "", **words: object
) -> None:
    """Queue `templates/mail/KIND.txt` in the caller's transaction; its first line is the subject.

    It is written in the language of who gets it, whoever's request made it.

    `words` must be ours or harmless: nothing that a stranger chose is mailed to somebody else.
    """
    ensure(transaction.get_connection().in_atomic_block, "a mail rides in a transaction")
    told = {"forgot_url": site_url("/forgot/")} | words
    with translation.override(language or settings.LANGUAGE_CODE):
        rendered = render_to_string(f"mail/{kind}.txt", told)
    subject, _, text = rendered.partition("\n")
    reference = uuid.uuid4()
    Mail.objects.create(
        reference=reference,
        kind=kind,
        to=to,
        user_id=user_id,
        subject=subject,
        sealed_text=sealing.seal(text.strip().encode(), bound_to=_name(reference)),
    )


def tell_user(kind: str, user: User, **words: object) -> None:
    """Queue a mail to a person."""
    tell(kind, to=user.email, user_id=user.pk, language=user.language, **words)


def tell_person(kind: str, *, user_id: int, **words: object) -> None:
    """Queue a mail to a person that another app knows by number."""
    tell_user(kind, User.objects.get(pk=user_id), **words)


def tell_new_device(user: User, device: KnownDevice) -> None:
    """Tell a person of a log-in with a browser that was not known."""
    tell_user("new_device", user, device=device.name, place=device.place, at=timezone.now())


def tell_password_changed(user: User) -> None:
    """Tell a person that their password is another one, and until when withdrawals wait."""
    tell_user("password_changed", user, at=timezone.now(), until=user.withdrawals_locked_until)


def tell_factor_added(user: User, *, factor: str) -> None:
    """Tell a person of a new second factor: "authenticator app", "passkey", "recovery codes"."""
    tell_user("factor_added", user, factor=factor, at=timezone.now())


def tell_factor_removed(user: User, *, factor: str) -> None:
    """Tell a person that a second factor is gone."""
    tell_user("factor_removed", user, factor=factor, at=timezone.now())


def tell_key_made(user: User, *, label: str, scopes: str) -> None:
    """Tell a person of a new API key, and what it may do: "read, trade"."""
    tell_user("key_made", user, label=label, scopes=scopes, at=timezone.now())


def tell_withdrawals_locked(user: User, *, reason: str) -> None:
    """Tell a person that, why and until when their withdrawals wait."""
    tell_user("withdrawals_locked", user, reason=reason, until=user.withdrawals_locked_until)


# -- what is sent


def send_next() -> bool:
    """Send the mail that is due longest. False if none is, or the mail server is away.

    No lock is held meanwhile: the mail is put off first, and due again if we die over it.
    """
    mail = _take_due()
    if mail is None:
        return False
    try:
        _deliver(mail)
    except (SMTPException, OSError) as error:
        _put_off(mail, error)
        return _is_about_one_mail(error)
    mail.state, mail.sent_at, mail.problem = Mail.State.SENT, timezone.now(), ""
    _forget_text(mail)
    mail.save()
    return True


def text_of(mail: Mail) -> str:
    """Return what a mail says, or nothing once that is forgotten."""
    if mail.sealed_text is None:
        return ""
    return sealing.unseal(bytes(mail.sealed_text), bound_to=bound_to(mail)).decode()


def bound_to(mail: Mail) -> str:
    """Return what a mail's text is bound to."""
    return _name(mail.reference)


def newest_in_demo(*, to: str = "", limit: int = 50) -> list[dict[str, object]]:
    """Return the newest mails with their texts. Only a demo keeps any.

    Not those to staff: a visitor may become any customer of a demo, and not its administrator.
    """
    ensure(settings.DEMO, "mails are read in a demo only")
    rows = Mail.objects.exclude(user__is_staff=True)
    if to:
        rows = rows.filter(to=to.lower())
    return [
        {"to": row.to, "kind": row.kind, "subject": row.subject, "at": row.made_at}
        | {"state": row.state, "text": text_of(row)}
        for row in rows.order_by("-pk")[:limit]
    ]


def forget_old() -> int:
    """Drop the rows of mails that are done for a month; return how many."""
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    done = Mail.objects.filter(made_at__lt=before).exclude(state=Mail.State.WAITING)
    return done.delete()[0]


@transaction.atomic(durable=True)
def _take_due() -> Mail | None:
    mail = locks.lock_due_mail(timezone.now())
    if mail is not None:
        mail.tries += 1
        mail.due_at = timezone.now() + _OURS_FOR
        mail.save(update_fields=["tries", "due_at"])
    return mail


def _name(reference: uuid.UUID) -> str:
    return f"mail:{reference}"


def _deliver(mail: Mail) -> None:
    sender = config.text("FAIRBOOK_MAIL_FROM")
    domain = sender.rpartition("@")[2].strip("> ")
    EmailMessage(
        subject=mail.subject,
        body=text_of(mail),
        from_email=sender,
        to=[mail.to],
        headers={"Message-ID": f"<{mail.reference}@{domain}>", "Auto-Submitted": "auto-generated"},
    ).send()


def _is_about_one_mail(error: Exception) -> bool:
    """Whether the server spoke, so that the next mail may fare better."""
    return isinstance(error, SMTPException) and not isinstance(error, SMTPServerDisconnected)


def _put_off(mail: Mail, error: Exception) -> None:
    wait_s = min(_BACK_OFF_MAX_S, 5 * 4 ** min(mail.tries - 1, 8))
    mail.due_at = timezone.now() + timedelta(seconds=wait_s)
    mail.problem = type(error).__name__  # What the server says may hold the address.
    if mail.tries >= TRIES_MAX:
        mail.state = Mail.State.FAILED
        _forget_text(mail)
    mail.save()
    log.warning("users.mail.not_sent", mail=mail.pk, tries=mail.tries, problem=mail.problem)


def _forget_text(mail: Mail) -> None:
    if not settings.DEMO:
        mail.sealed_text = None
