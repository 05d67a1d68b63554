"""API keys, as JSON under /api/v1."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users import selectors
from apps.users.serializers.keys import KeyChangeIn, KeyIn, KeyOut, NewKeyOut
from apps.users.services import keys
from apps.users.views.base import account_named, account_of, user_id_of
from apps.users.views.permissions import HasFreshFactor


class Keys(APIView):
    """The API keys of an account. Making one needs a fresh second factor."""

    permission_classes = [IsAuthenticated, HasFreshFactor]

    @extend_schema(request=None, responses=KeyOut(many=True))
    def get(self, request: Request) -> Response:
        """List the live keys of all of a person's accounts (or of `account`), newest first."""
        found = selectors.keys_of(user_id_of(request))
        if account_named(request) is not None:
            found = found.filter(account_id=account_of(request).account)
        return Response(KeyOut(found, many=True).data)

    @extend_schema(request=KeyIn, responses={201: NewKeyOut})
    def post(self, request: Request) -> Response:
        """Make a key. The secret of an HMAC key is in this answer only."""
        body = KeyIn(data=request.data)
        body.is_valid(raise_exception=True)
        made = keys.create_api_key(
            account=account_of(request, number=body.validated_data.get("account")).account,
            public_key=body.validated_data["public_key"],
            terms=body.terms(),
            by=user_id_of(request),
        )
        return Response(NewKeyOut(made).data, status=status.HTTP_201_CREATED)


class Key(APIView):
    """One API key."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=KeyOut)
    def get(self, request: Request, public_id: str) -> Response:
        """Show a live key."""
        found = selectors.keys_of(user_id_of(request)).filter(public_id=public_id).first()
        if found is None:
            raise keys.NoSuchKey("There is no such key.")
        return Response(KeyOut(found).data)

    @extend_schema(request=KeyChangeIn, responses=KeyOut)
    def patch(self, request: Request, public_id: str) -> Response:
        """Name a key anew, or let it do less, at every edge at once."""
        body = KeyChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        changed = keys.change_api_key(
            user_id=user_id_of(request), public_id=public_id, **body.asked()
        )
        return Response(KeyOut(changed).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Revoke a key, at every edge at once."""
        keys.revoke_api_key(user_id=user_id_of(request), public_id=public_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
