"""What is held of a person is told to them, and goes when law allows."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from apps.common.models import AuditRecord
from apps.kyc.models import Answer, Document, DocumentPage, ErasureRequest
from apps.kyc.services import applications, documents, personal, verifications
from apps.users.models import Mail
from apps.users.services import mail
from tests.kyc.stage import PASSWORD, checked

YEARS_5 = timedelta(days=1825)


def test_a_person_is_told_everything_that_is_held(alice):
    checked(alice.applies(2), alice.now)

    told = personal.held(user_id=alice.user_id)

    application = told["applications"][0]
    assert application["answers"]["legal_name"] == alice.name
    assert {paper["kind"] for paper in application["documents"]} == {
        "government_id", "selfie", "address_proof",
    }  # fmt: skip
    assert [row["tier"] for row in told["verifications"]] == [1, 2]
    assert AuditRecord.objects.filter(kind="kyc.data.exported").count() == 1


def test_the_api_tells_and_takes_the_wish(alice, bob):
    alice.begins(1)
    client = Client()
    client.post(
        "/api/v1/session",
        {"login": "alice@example.org", "password": PASSWORD},
        content_type="application/json",
    )

    export = client.get("/api/v1/kyc/export")
    assert export.status_code == 200
    assert len(json.loads(export.content)["applications"]) == 1
    assert client.post("/api/v1/kyc/erasure").status_code == 202
    assert Client().get("/api/v1/kyc/export").status_code == 401


def test_what_was_never_submitted_goes_at_once(alice):
    application = alice.begins(2)
    alice.answers(application)
    alice.sends_all(application)
    applications.withdraw(user_id=alice.user_id, public_id=application.public_id, at=alice.now)

    wish = personal.ask_erasure(user_id=alice.user_id, at=alice.now)

    assert wish.done_at is not None
    assert not Answer.objects.exists()
    assert not DocumentPage.objects.exists()
    assert all(paper.wrapped_key is None for paper in Document.objects.all())


def test_what_law_keeps_stays_until_its_time_and_a_tier_hangs_on_it(alice):
    checked(alice.applies(2), alice.now)
    wish = personal.ask_erasure(user_id=alice.user_id, at=alice.now)
    assert wish.kept_until == alice.now + YEARS_5
    assert personal.ask_erasure(user_id=alice.user_id, at=alice.now).pk == wish.pk

    late = alice.now + YEARS_5 + timedelta(days=1)
    assert personal.erase_due(at=alice.now + timedelta(days=1)) == 0
    assert personal.erase_due(at=late) == 0, "the tier is still held"
    verifications.downgrade(
        user_id=alice.user_id, tier=0, staff_id=alice.user_id + 1, reason="own_wish", at=late
    )
    assert personal.erase_due(at=late) == 1

    assert not Answer.objects.exists()
    paper = Document.objects.first()
    assert (paper.wrapped_key, paper.pages.count()) == (None, 0)
    assert documents.open_pages(paper) == ()
    assert ErasureRequest.objects.get().done_at == late
    assert personal.erase_due(at=late) == 0


@pytest.mark.parametrize(
    ("papers", "kind"), [({}, "kyc_approved"), ({"selfie": {"liveness": "1"}}, "kyc_refused")]
)
def test_a_person_is_told_by_mail_and_nothing_personal_is_in_it(alice, papers, kind):
    checked(alice.applies(2, papers=papers), alice.now)

    sent = Mail.objects.get(kind=kind)
    text = mail.text_of(sent)
    assert "tier 2" in text
    assert "/account/verification/" in text
    assert alice.name not in text


def test_a_person_is_told_before_a_tier_ends_and_when_it_did(alice):
    checked(alice.applies(2, id_expires_on="2027-02-01"), alice.now)

    verifications.warn(at=alice.now.replace(year=2027, month=1, day=31))
    verifications.end_run_out(at=alice.now.replace(year=2027, month=2, day=1))

    kinds = set(Mail.objects.values_list("kind", flat=True))
    assert {"kyc_renewal", "kyc_tier_ended"} <= kinds
    assert "in 1 day." in mail.text_of(Mail.objects.get(kind="kyc_renewal"))
