"""API keys as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.users import signatures
from apps.users.contracts import ED25519, HMAC, KeyTerms
from apps.users.models import ApiKey

PUBLIC_KEY_MAX = 1_000
LISTED_MAX = 100  # More than any list may hold: how many that is, the service says.


class _TermsIn(serializers.Serializer):
    """What a key may do."""

    label = serializers.CharField(  # type: ignore[assignment]  # A field of ours by that name.
        max_length=40, required=False, allow_blank=True
    )
    can_trade = serializers.BooleanField(required=False)
    can_withdraw = serializers.BooleanField(required=False)
    markets = serializers.ListField(
        child=serializers.CharField(max_length=24), max_length=LISTED_MAX, required=False
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=LISTED_MAX, required=False
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def asked(self) -> dict[str, Any]:
        """Return the fields of `KeyTerms` that were sent."""
        names = KeyTerms.__struct_fields__
        found = {name: self.validated_data[name] for name in names if name in self.validated_data}
        for name in {"markets", "networks"} & set(found):
            found[name] = tuple(found[name])
        return found


class KeyIn(_TermsIn):
    """A key that is wanted: by default one whose private half its owner keeps."""

    account = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    kind = serializers.ChoiceField(choices=[ED25519, HMAC], default=ED25519)
    public_key = serializers.CharField(
        max_length=PUBLIC_KEY_MAX, required=False, allow_blank=True, default=""
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Ask for a public key where one belongs, and only there."""
        if data["kind"] == ED25519 and not data["public_key"].strip():
            raise serializers.ValidationError({"public_key": "Give the public key of your pair."})
        if data["kind"] == HMAC and data["public_key"]:
            raise serializers.ValidationError({"public_key": "An HMAC key has none."})
        return data

    def terms(self) -> KeyTerms:
        """Return what the key is to do."""
        return KeyTerms(**self.asked())


class KeyChangeIn(_TermsIn):
    """What is to be different about a key: another label, or less than before."""


class KeyOut(serializers.Serializer):
    """A key without its secret."""

    public_id = serializers.CharField()
    account = serializers.IntegerField(source="account_id")
    kind = serializers.CharField()
    public_key = serializers.SerializerMethodField()
    label = serializers.CharField()  # type: ignore[assignment]
    can_read = serializers.BooleanField()
    can_trade = serializers.BooleanField()
    can_withdraw = serializers.BooleanField()
    markets = serializers.ListField(child=serializers.CharField())
    networks = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_address = serializers.CharField(allow_null=True)

    def get_public_key(self, key: ApiKey) -> str | None:
        """Write the public half of an Ed25519 key in base64; an HMAC key has none."""
        return signatures.written(bytes(key.public_key)) if key.public_key else None


class NewKeyOut(serializers.Serializer):
    """A fresh key. The secret of an HMAC key is shown here and never again."""

    public_id = serializers.CharField()
    kind = serializers.CharField()
    secret = serializers.CharField(allow_blank=True)
    label = serializers.CharField()  # type: ignore[assignment]
    can_trade = serializers.BooleanField()
    can_withdraw = serializers.BooleanField()
    markets = serializers.ListField(child=serializers.CharField())
    networks = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)
