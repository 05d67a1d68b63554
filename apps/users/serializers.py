"""JSON in and out of this app."""

from __future__ import annotations

from rest_framework import serializers


class LoginIn(serializers.Serializer):
    """A log-in name (e-mail address) and its password."""

    login = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class SignUpIn(serializers.Serializer):
    """Who wants an account."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=256, trim_whitespace=False)
    full_name = serializers.CharField(max_length=120, required=False, allow_blank=True)


class AcceptedOut(serializers.Serializer):
    """The request was taken; whether it changed anything is not said."""

    accepted = serializers.BooleanField()


class PersonOut(serializers.Serializer):
    """Who is logged in."""

    login = serializers.CharField()
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.CharField()
    is_staff = serializers.BooleanField()
    account = serializers.IntegerField(allow_null=True)


class StandingOut(serializers.Serializer):
    """What an account may do."""

    account = serializers.IntegerField()
    partition = serializers.IntegerField()
    kyc_tier = serializers.IntegerField()
    vip_tier = serializers.IntegerField()
    may_read = serializers.BooleanField()
    may_trade = serializers.BooleanField()
    may_cancel = serializers.BooleanField()


class KeyIn(serializers.Serializer):
    """A key that is wanted."""

    label = serializers.CharField(  # type: ignore[assignment]  # A field of ours by that name.
        max_length=40, required=False, allow_blank=True, default=""
    )
    can_trade = serializers.BooleanField(required=False, default=False)


class KeyOut(serializers.Serializer):
    """A key without its secret."""

    public_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    can_read = serializers.BooleanField()
    can_trade = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class NewKeyOut(serializers.Serializer):
    """A fresh key. Its secret is shown here and never again."""

    public_id = serializers.CharField()
    secret = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    can_trade = serializers.BooleanField()
