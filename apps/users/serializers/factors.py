"""Second factors as JSON."""

from __future__ import annotations

from rest_framework import serializers

from apps.users.serializers.log_in import PasswordField


class CodeField(serializers.CharField):
    """A code of an app, or a recovery code."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"max_length": 32, **options})  # type: ignore[arg-type]


class FactorNeededOut(serializers.Serializer):
    """The password was right; one of these completes the log-in."""

    factors = serializers.ListField(child=serializers.CharField())


class ShownIn(serializers.Serializer):
    """A code; or the password, of somebody logged in who has no second factor."""

    code = CodeField(required=False)
    password = PasswordField(required=False)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """Take one of both."""
        if len(attrs) != 1:
            raise serializers.ValidationError({"code": ["A code, please."]})
        return attrs


class NewAppIn(serializers.Serializer):
    """What to call an authenticator app."""

    name = serializers.CharField(max_length=40, default="", allow_blank=True)


class NewAppOut(serializers.Serializer):
    """The secret of a new app, as words and as a QR code: shown here and never again."""

    id = serializers.IntegerField(source="number")
    secret = serializers.CharField()
    uri = serializers.CharField()
    qr = serializers.CharField(help_text="An SVG image, as a data: address")


class FirstCodeIn(serializers.Serializer):
    """The first code of a new app."""

    code = CodeField()


class RecoveryCodesOut(serializers.Serializer):
    """Recovery codes: shown here and never again. None if the person has some already."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class AskedOut(serializers.Serializer):
    """What a browser's `navigator.credentials` is asked, in WebAuthn's own JSON."""

    public_key = serializers.DictField()


class AnswerIn(serializers.Serializer):
    """What a browser's `navigator.credentials` answered, in WebAuthn's own JSON."""

    credential = serializers.DictField()


class NewPasskeyIn(AnswerIn):
    """A passkey that the browser made, and what to call it."""

    name = serializers.CharField(max_length=40, default="", allow_blank=True)


class FactorOut(serializers.Serializer):
    """One second factor."""

    kind = serializers.CharField()
    id = serializers.IntegerField(source="number")
    name = serializers.CharField()
    added_at = serializers.DateTimeField(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True)


class FactorsOut(serializers.Serializer):
    """A person's second factors."""

    factors = FactorOut(many=True)
    recovery_codes_left = serializers.IntegerField()
