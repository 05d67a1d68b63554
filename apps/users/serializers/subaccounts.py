"""Sub-accounts as JSON."""

from __future__ import annotations

from rest_framework import serializers


class SubaccountIn(serializers.Serializer):
    """A sub-account that is wanted."""

    label = serializers.CharField(  # type: ignore[assignment]  # A field of ours by that name.
        max_length=40
    )


class SubaccountChangeIn(serializers.Serializer):
    """Whether it is to be frozen."""

    frozen = serializers.BooleanField()


class SubaccountOut(serializers.Serializer):
    """One of a person's accounts."""

    account = serializers.IntegerField(source="number")
    label = serializers.CharField()  # type: ignore[assignment]
    is_main = serializers.SerializerMethodField()
    partition = serializers.IntegerField()
    kyc_tier = serializers.IntegerField()
    vip_tier = serializers.IntegerField()
    is_frozen = serializers.BooleanField()
    frozen_by_owner = serializers.BooleanField()
    opened_at = serializers.DateTimeField()

    def get_is_main(self, account: object) -> bool:
        """Say whether a log-in acts for this account unless it names another."""
        return bool(getattr(account, "number", 0) == self.context.get("main"))
