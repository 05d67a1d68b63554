"""An account as JSON."""

from __future__ import annotations

from rest_framework import serializers


class AllowanceOut(serializers.Serializer):
    """What may be withdrawn in rolling windows, in whole US dollars; null: no limit."""

    day_usd = serializers.IntegerField(allow_null=True)
    month_usd = serializers.IntegerField(allow_null=True)


class StandingOut(serializers.Serializer):
    """What an account may do."""

    account = serializers.IntegerField()
    partition = serializers.IntegerField()
    kyc_tier = serializers.IntegerField()
    vip_tier = serializers.IntegerField()
    may_read = serializers.BooleanField()
    may_trade = serializers.BooleanField()
    may_cancel = serializers.BooleanField()
    may_deposit = serializers.BooleanField()
    may_withdraw = serializers.BooleanField()
    products = serializers.ListField(child=serializers.CharField())
    reasons = serializers.ListField(child=serializers.CharField())
    allowance = AllowanceOut()
