"""Where a person stands, as JSON. Money is whole US cents, as text."""

from __future__ import annotations

from rest_framework import serializers

from apps.kyc.serializers.applications import ApplicationOut, PaperOut, QuestionOut


class LimitsOut(serializers.Serializer):
    """What may still be withdrawn. Null: no limit by number."""

    tier = serializers.IntegerField()
    day_cents = serializers.CharField(allow_null=True)
    day_used_cents = serializers.CharField()
    month_cents = serializers.CharField(allow_null=True)
    month_used_cents = serializers.CharField()
    left_cents = serializers.CharField(allow_null=True)


class TierOut(serializers.Serializer):
    """What one tier asks for and brings."""

    tier = serializers.IntegerField()
    name = serializers.CharField()
    clock = serializers.CharField()
    day_cents = serializers.CharField(allow_null=True)
    month_cents = serializers.CharField(allow_null=True)
    spot = serializers.BooleanField()
    perpetual = serializers.BooleanField()
    sub_accounts = serializers.BooleanField()
    questions = QuestionOut(many=True)
    papers = PaperOut(many=True)


class VerificationOut(serializers.Serializer):
    """What a person is verified for."""

    tier = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)


class OverviewOut(serializers.Serializer):
    """Everything the wizard begins with."""

    tier = serializers.IntegerField()
    verifications = VerificationOut(many=True)
    limits = LimitsOut()
    tiers = TierOut(many=True)
    open_application = ApplicationOut(allow_null=True)
    specimens = serializers.BooleanField(help_text="Whether this exchange hands out specimens.")
