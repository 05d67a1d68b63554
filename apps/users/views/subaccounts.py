"""An institution's accounts, as JSON under /api/v1."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users import selectors
from apps.users.serializers.subaccounts import SubaccountChangeIn, SubaccountIn, SubaccountOut
from apps.users.services import subaccounts
from apps.users.views.base import user_id_of


class Subaccounts(APIView):
    """A person's accounts."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=SubaccountOut(many=True))
    def get(self, request: Request) -> Response:
        """List them, the main one first."""
        own = list(selectors.accounts_of(user_id_of(request)))
        context = {"main": own[0].number if own else None}
        return Response(SubaccountOut(own, many=True, context=context).data)

    @extend_schema(request=SubaccountIn, responses={201: SubaccountOut})
    def post(self, request: Request) -> Response:
        """Open one more, with its own balances, keys and limits (tier 4)."""
        body = SubaccountIn(data=request.data)
        body.is_valid(raise_exception=True)
        opened = subaccounts.open_subaccount(
            user_id=user_id_of(request), label=body.validated_data["label"]
        )
        return Response(SubaccountOut(opened).data, status=status.HTTP_201_CREATED)


class Subaccount(APIView):
    """One sub-account."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=SubaccountChangeIn, responses=SubaccountOut)
    def patch(self, request: Request, number: int) -> Response:
        """Freeze it, or take its orders again."""
        body = SubaccountChangeIn(data=request.data)
        body.is_valid(raise_exception=True)
        changed = subaccounts.set_frozen_by_owner(
            user_id=user_id_of(request), number=number, frozen=body.validated_data["frozen"]
        )
        return Response(SubaccountOut(changed).data)
