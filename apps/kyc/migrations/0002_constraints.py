"""What the tables insist on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kyc", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["state", "due_at"], name="kyc_by_clock"),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["user", "-id"], name="kyc_by_person"),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["decided_at"], name="kyc_by_decision"),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__gte", 1), ("tier__lte", 4)), name="kyc_tier_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "draft",
                            "submitted",
                            "checking",
                            "passed",
                            "referred",
                            "in_review",
                            "more_wanted",
                            "approved",
                            "refused",
                            "withdrawn",
                            "expired",
                        ],
                    )
                ),
                name="kyc_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        (
                            "draft",
                            "submitted",
                            "checking",
                            "passed",
                            "referred",
                            "in_review",
                            "more_wanted",
                        ),
                    )
                ),
                fields=("user",),
                name="kyc_one_open_per_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("draft", "withdrawn", "expired")),
                    models.Q(
                        ("clock_started_at__isnull", False),
                        ("round__gte", 1),
                        ("submitted_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="kyc_submitted_has_a_clock",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", False),
                        ("state__in", ("approved", "refused")),
                        models.Q(("decided_by", ""), _negated=True),
                        models.Q(("reason_code", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state__in", ("approved", "refused")), _negated=True),
                        ("decided_at__isnull", True),
                        ("decided_by", ""),
                    ),
                    _connector="OR",
                ),
                name="kyc_decision_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "approved"), _negated=True),
                    ("tier__lte", 2),
                    models.Q(
                        models.Q(("first_by", ""), _negated=True),
                        models.Q(("decided_by", "system"), _negated=True),
                        models.Q(("decided_by", models.F("first_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="kyc_high_tier_has_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("more_wanted", "referred")), _negated=True),
                    models.Q(("reason_code", ""), _negated=True),
                    _connector="OR",
                ),
                name="kyc_asks_with_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(fields=["question", "index"], name="kyc_answer_by_index"),
        ),
        migrations.AddConstraint(
            model_name="answer",
            constraint=models.UniqueConstraint(
                fields=("application", "question"), name="kyc_one_answer_per_question"
            ),
        ),
        migrations.AddConstraint(
            model_name="check",
            constraint=models.UniqueConstraint(
                fields=("application", "round", "kind"), name="kyc_one_word_per_check"
            ),
        ),
        migrations.AddConstraint(
            model_name="check",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ("pass", "fail", "refer"))),
                name="kyc_outcome_is_known",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["digest"], name="kyc_document_by_digest"),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["likeness"], name="kyc_document_by_likeness"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at", None)),
                fields=("application", "kind"),
                name="kyc_one_paper_per_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("erased_at", None), ("wrapped_key__isnull", False)),
                    models.Q(("erased_at__isnull", False), ("wrapped_key", None)),
                    _connector="OR",
                ),
                name="kyc_erased_has_no_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="documentpage",
            constraint=models.UniqueConstraint(
                fields=("document", "number"), name="kyc_page_has_one_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at", None)), fields=("user",), name="kyc_one_open_erasure"
            ),
        ),
        migrations.AddIndex(
            model_name="limituse",
            index=models.Index(fields=["user", "at"], name="kyc_uses_by_person"),
        ),
        migrations.AddConstraint(
            model_name="limituse",
            constraint=models.CheckConstraint(
                condition=models.Q(("cents__gte", 0)), name="kyc_use_is_no_gift"
            ),
        ),
        migrations.AddIndex(
            model_name="reveal",
            index=models.Index(fields=["staff", "at"], name="kyc_reveals_by_staff"),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(fields=["valid_until"], name="kyc_by_end"),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("user", "tier"),
                name="kyc_one_live_per_tier",
            ),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__gte", 1), ("tier__lte", 4)),
                name="kyc_verified_tier_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ended_by", ""), ("ended_reason", "")),
                    models.Q(
                        ("ended_at__isnull", False),
                        models.Q(("ended_by", ""), _negated=True),
                        models.Q(("ended_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="kyc_end_is_whole",
            ),
        ),
    ]
