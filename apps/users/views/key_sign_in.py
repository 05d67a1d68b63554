"""Lets API keys in where a view says so: `authentication_classes = [KeySignIn, …]`.

Such a view acts for the account of the key: `account_of` says which that is.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from apps.users.contracts import KeyGrant
from apps.users.models import User
from apps.users.services import signed_requests


class KeySignIn(BaseAuthentication):
    """Who signed by an API key, with the headers of `/api/v1`."""

    def authenticate(self, request: Request) -> tuple[User, KeyGrant] | None:
        """Return the person and the key, nothing if no key is named; refuse a bad signature."""
        plain = request._request  # noqa: SLF001 - signatures are over the raw bytes.
        if not signed_requests.names_key(plain.META):
            return None
        grant = signed_requests.key_of(
            method=str(plain.method), path=plain.path, meta=plain.META, body=plain.body
        )
        return User(pk=grant.standing.user_id), grant

    def authenticate_header(self, _request: Request) -> str:
        """Say how one may come in."""
        return "Fairbook"


READ_BY_KEY = [KeySignIn, SessionAuthentication]


class KeySignInScheme(OpenApiAuthenticationExtension):
    """What the schema says of it."""

    target_class = "apps.users.views.key_sign_in.KeySignIn"
    name = "signedByKey"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        """Name the header; the others are described in docs/edge.md."""
        return {"type": "apiKey", "in": "header", "name": "X-Fairbook-Key"}
