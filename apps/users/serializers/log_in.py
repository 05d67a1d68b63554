"""Log-in, sign-up and passwords as JSON."""

from __future__ import annotations

from django_countries import countries
from rest_framework import serializers


class PasswordField(serializers.CharField):
    """A password as it was typed: blanks at its ends are part of it."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"max_length": 256, "trim_whitespace": False, **options})  # type: ignore[arg-type]


class WordField(serializers.CharField):
    """The word of a mailed link."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"max_length": 64, **options})  # type: ignore[arg-type]


class LoginIn(serializers.Serializer):
    """A log-in name (e-mail address) and its password."""

    login = serializers.CharField(max_length=254)
    password = PasswordField()


class SignUpIn(serializers.Serializer):
    """Who wants an account."""

    email = serializers.EmailField(max_length=254)
    password = PasswordField()
    full_name = serializers.CharField(max_length=120)
    country = serializers.CharField(
        min_length=2, max_length=2, help_text="Where you live, in ISO 3166 letters: CH"
    )

    def validate_country(self, value: str) -> str:
        """Take a country that there is."""
        if value.upper() not in countries:
            raise serializers.ValidationError("There is no such country.")
        return value.upper()


class ProofIn(serializers.Serializer):
    """The word that a mail brought."""

    token = WordField()


class ProvenOut(serializers.Serializer):
    """What was proven: a sign-up, the new address of a person, or the wish for a reset."""

    proven = serializers.ChoiceField(choices=("sign_up", "new_email", "factor_reset"))


class AskResetIn(serializers.Serializer):
    """Whose password was forgotten."""

    email = serializers.CharField(max_length=254)


class ResetIn(serializers.Serializer):
    """A mailed word and the new password."""

    token = WordField()
    password = PasswordField()


class ChangePasswordIn(serializers.Serializer):
    """The old password and the new one."""

    old_password = PasswordField()
    password = PasswordField()


class NewEmailIn(serializers.Serializer):
    """The address to move to, and the password that allows it."""

    email = serializers.EmailField(max_length=254)
    password = PasswordField()


class AcceptedOut(serializers.Serializer):
    """The request was taken; whether it changed anything is not said."""

    accepted = serializers.BooleanField()


class DeviceOut(serializers.Serializer):
    """A browser that is known to be yours."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    place = serializers.CharField()
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    is_this = serializers.BooleanField()


class OpenSessionOut(serializers.Serializer):
    """An open log-in of yours."""

    id = serializers.IntegerField(source="number")
    device = serializers.CharField()
    place = serializers.CharField()
    factor = serializers.CharField(help_text="What was shown last beside the password")
    began_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    is_this = serializers.BooleanField()


class EndedOut(serializers.Serializer):
    """How many log-ins were ended."""

    ended = serializers.IntegerField()


class HappeningOut(serializers.Serializer):
    """Something that happened to the ways into an account."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    text = serializers.CharField()
    detail = serializers.CharField()


class PersonOut(serializers.Serializer):
    """Who is logged in."""

    login = serializers.CharField()
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.CharField()
    is_staff = serializers.BooleanField()
    account = serializers.IntegerField(allow_null=True)
