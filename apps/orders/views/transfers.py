"""Transfers between one's own accounts, as JSON under /api/v1."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.orders import transfers
from apps.users.views.base import account_named, account_of, user_id_of

NUMBER_MAX = 2**63 - 1
_LIMIT = re.compile(r"[0-9]{1,4}\Z", re.ASCII)


class TransferIn(serializers.Serializer):
    """What is to be moved, from where to where, under which name of the asker's."""

    asset = serializers.CharField(max_length=12)
    amount = serializers.CharField(max_length=40)
    client_id = serializers.RegexField(r"\A[A-Za-z0-9._:-]{1,36}\Z")

    def get_fields(self) -> dict[str, Any]:
        """Add the two accounts: `from` is no name that Python lets a class have."""
        accounts = {
            name: serializers.IntegerField(min_value=1, max_value=NUMBER_MAX)
            for name in ("from", "to")
        }
        return accounts | super().get_fields()


class TransferOut(serializers.Serializer):
    """A transfer, and what has become of it."""

    transfer_id = serializers.UUIDField()
    client_id = serializers.CharField()
    asset = serializers.CharField()
    amount = serializers.CharField()
    asked_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=transfers.STATES)
    code = serializers.CharField(allow_blank=True)
    done_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """Add the two accounts."""
        accounts = {
            "from": serializers.IntegerField(source="payer"),
            "to": serializers.IntegerField(source="payee"),
        }
        return accounts | super().get_fields()


class Transfers(APIView):
    """Transfers between a person's accounts."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=TransferOut(many=True))
    def get(self, request: Request) -> Response:
        """List them (of `account`; at most `limit`), newest first."""
        account = account_of(request).account if account_named(request) is not None else None
        limit = request.GET.get("limit", "")
        found = transfers.listed(
            user_id=user_id_of(request),
            account=account,
            limit=int(limit) if _LIMIT.match(limit) else 100,
        )
        return Response(TransferOut(found, many=True).data)

    @extend_schema(request=TransferIn, responses={202: TransferOut})
    def post(self, request: Request) -> Response:
        """Ask for one. The payer's partition decides; look again for what became of it."""
        body = TransferIn(data=request.data)
        body.is_valid(raise_exception=True)
        terms = dict(body.validated_data)
        asked = transfers.ask(
            user_id=user_id_of(request), payer=terms.pop("from"), payee=terms.pop("to"), **terms
        )
        return Response(TransferOut(asked).data, status=status.HTTP_202_ACCEPTED)


class OneTransfer(APIView):
    """One transfer."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=TransferOut)
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Say what has become of it."""
        found = transfers.find(user_id=user_id_of(request), transfer_id=transfer_id)
        return Response(TransferOut(found).data)
