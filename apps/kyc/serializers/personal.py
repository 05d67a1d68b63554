"""What is held of a person, as JSON."""

from __future__ import annotations

from rest_framework import serializers


class HeldOut(serializers.Serializer):
    """Everything: applications with their answers, facts of papers, checks, verifications."""

    applications = serializers.ListField(child=serializers.DictField())
    verifications = serializers.ListField(child=serializers.DictField())
    withdrawals_counted = serializers.ListField(child=serializers.DictField())
    erasure_asked_at = serializers.DateTimeField(allow_null=True)
    kept_until = serializers.DateTimeField(allow_null=True)


class ErasureOut(serializers.Serializer):
    """A wish to be forgotten: what law keeps goes when its time is over."""

    asked_at = serializers.DateTimeField()
    kept_until = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)
