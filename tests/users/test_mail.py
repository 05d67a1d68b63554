"""A mail is written with what it tells, sent behind it, and readable to nobody in between."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core import mail as outgoing
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.template.loader import get_template
from django.utils import timezone

from apps.demo import views as demo_views
from apps.users import tasks
from apps.users.contracts import KnownDevice
from apps.users.models import Mail, User
from apps.users.services import mail, passwords, people
from apps.users.session_store import SessionStore
from exchange_site.settings.components import mail as of_this_environment
from tests.helpers.mail_server import mail_server
from tests.helpers.mails import mails_to

pytestmark = pytest.mark.django_db
ALICE = "alice@example.org"
WORD = "a-word-that-nobody-else-may-read"


class Refusing(BaseEmailBackend):
    """A mail server on a bad day."""

    problem: Exception = smtplib.SMTPServerDisconnected("away")
    asked = 0

    def send_messages(self, messages) -> int:
        type(self).asked += 1
        raise self.problem


@pytest.fixture
def bad_day(settings, monkeypatch) -> type[Refusing]:
    settings.EMAIL_BACKEND = "tests.users.test_mail.Refusing"
    monkeypatch.setattr(Refusing, "asked", 0)
    return Refusing


def tell(to: str = ALICE) -> Mail:
    mail.tell("reset_password", to=to, link=f"https://exchange.example/reset/#{WORD}")
    return mails_to(to)[-1]


def test_a_mail_of_an_act_that_did_not_happen_is_never_sent():
    with transaction.atomic():
        tell()
        transaction.set_rollback(True)

    tasks.send_mails()

    assert outgoing.outbox == []


def test_what_is_queued_is_sent_once(settings):
    queued = tell()

    tasks.send_mails()
    tasks.send_mails()

    (sent,) = outgoing.outbox
    assert (sent.to, sent.subject) == ([ALICE], "Set a new password")
    assert sent.extra_headers["Message-ID"] == f"<{queued.reference}@fairbook.example>"
    assert WORD in sent.body


def test_a_mail_whose_sender_died_is_sent_by_the_next_one():
    queued = tell()
    assert mail._take_due() == queued  # And nothing more is heard of it.
    tasks.send_mails()
    assert outgoing.outbox == []

    Mail.objects.update(due_at=timezone.now())
    tasks.send_mails()

    assert len(outgoing.outbox) == 1


@pytest.mark.parametrize("is_demo", [True, False])
def test_the_text_is_sealed_and_only_a_demo_keeps_it(settings, is_demo):
    settings.DEMO = is_demo
    queued = tell()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM users_mail m")
        assert WORD.encode().hex() not in cursor.fetchone()[0]
    assert WORD.encode() not in bytes(queued.sealed_text)

    tasks.send_mails()

    queued.refresh_from_db()
    assert queued.state == "sent"
    assert (WORD in mail.text_of(queued)) is is_demo


def test_a_mail_server_that_is_away_is_asked_again_later_and_later(bad_day):
    queued, waits = tell(), []
    tell("bob@example.org")
    for _ in range(3):
        tasks.send_mails()
        queued.refresh_from_db()
        waits.append(round((queued.due_at - timezone.now()).total_seconds()))
        Mail.objects.filter(pk=queued.pk).update(due_at=timezone.now() - timedelta(days=1))

    assert waits == [5, 20, 80]
    assert queued.problem == "SMTPServerDisconnected"
    assert bad_day.asked == 3  # One mail a run: the others would wait for the same nobody.


def test_a_mail_that_cannot_be_sent_holds_up_no_other_and_is_given_up(bad_day, monkeypatch):
    refused = smtplib.SMTPRecipientsRefused({ALICE: (550, b"no such mailbox")})
    monkeypatch.setattr(Refusing, "problem", refused)
    queued, other = tell(), tell("bob@example.org")
    for _ in range(mail.TRIES_MAX):
        Mail.objects.filter(state="waiting").update(due_at=timezone.now())
        tasks.send_mails()

    queued.refresh_from_db()
    other.refresh_from_db()
    assert (queued.state, queued.tries, queued.problem) == (
        "failed", mail.TRIES_MAX, "SMTPRecipientsRefused",
    )  # fmt: skip
    assert other.tries == mail.TRIES_MAX


def test_nothing_leaves_the_machine_but_in_production():
    assert of_this_environment.EMAIL_BACKEND == "django.core.mail.backends.dummy.EmailBackend"


def test_each_notice_says_what_happened_and_has_no_holes():
    user = User.objects.get(pk=people.register(email=ALICE, password="correct horse battery"))
    user.withdrawals_locked_until = timezone.now() + timedelta(days=1)
    known = KnownDevice(mark="m", number=1, user_id=user.pk, name="Firefox on Linux", place="Bern")

    mail.tell_new_device(user, known)
    mail.tell_password_changed(user)
    mail.tell_factor_added(user, factor="passkey")
    mail.tell_factor_removed(user, factor="authenticator app")
    mail.tell_key_made(user, label="bot <1>", scopes="read, trade")
    mail.tell_withdrawals_locked(user, reason="factor")

    texts = [mail.text_of(row) for row in mails_to(ALICE)]
    for text, said in zip(
        texts,
        ("Firefox on Linux, in Bern", "withdrawals wait until", "passkey", "authenticator app",
         '"bot <1>". It may: read, trade', "(factor)"),
        strict=True,
    ):  # fmt: skip
        assert said in text
        assert "{" not in text
    assert all(row.subject and "\n" not in row.subject for row in mails_to(ALICE))


def test_every_template_begins_with_its_subject():
    folder = django_settings.BASE_DIR / "templates/mail"
    for path in folder.glob("*.txt"):
        subject = get_template(f"mail/{path.name}").render({}).partition("\n")[0]
        assert 0 < len(subject) <= 120, path.name


def test_old_rows_are_forgotten_and_waiting_ones_are_not():
    long_ago = timezone.now() - timedelta(days=31)
    tell()
    tasks.send_mails()
    waiting = tell("bob@example.org")
    Mail.objects.update(made_at=long_ago)

    tasks.forget_what_is_over()

    assert list(Mail.objects.all()) == [waiting]


def test_a_visitor_of_a_demo_reads_customers_mails_and_not_those_of_staff(cache):
    for email, role in ((ALICE, ""), ("admin@example.org", "admin")):
        people.register(email=email, password="correct horse battery", role=role)
        passwords.ask_reset(email=email)
    tell("stranger@example.org")

    assert [row["to"] for row in mail.newest_in_demo()] == ["stranger@example.org", ALICE]
    assert WORD in mail.newest_in_demo(to="Stranger@example.org")[0]["text"]


@pytest.fixture
def post_office(settings):
    """Send mails by SMTP, as production does, to a server on this machine."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield server


def test_a_mail_arrives_by_smtp_with_its_headers(post_office):
    queued = tell()

    tasks.send_mails()

    (taken,) = post_office.taken
    assert f"Message-ID: <{queued.reference}@fairbook.example>" in taken
    assert "Subject: Set a new password" in taken
    assert "Auto-Submitted: auto-generated" in taken
    assert WORD in taken
    assert f"rcpt TO:<{ALICE}>" in post_office.heard


def test_a_mailbox_that_there_is_not_holds_up_nobody(post_office):
    post_office.refuses = True
    queued = tell()
    tell("bob@example.org")
    tasks.send_mails()

    post_office.refuses = False
    Mail.objects.update(due_at=timezone.now())
    tasks.send_mails()

    queued.refresh_from_db()
    assert (queued.state, queued.tries) == ("sent", 2)
    assert len(post_office.taken) == 2


def test_the_demos_page_shows_mails_as_text_with_links_that_work(rf):
    tell("<b>x</b>@example.org")

    page = demo_views.mail(_with_session(rf.get("/demo/mail"))).content.decode()

    assert f'href="https://exchange.example/reset/#{WORD}"' in page
    assert "&lt;b&gt;x&lt;/b&gt;@example.org" in page


def _with_session(request):
    request.session = SessionStore()
    return request
