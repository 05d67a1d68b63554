"""Doors of /api/v1 about orders and journals: what Binance's dialect has no word for."""

from __future__ import annotations

import time

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import Refusal, Unavailable
from apps.markets import selectors as markets
from apps.orders import callers, demo, life, runtime, selectors
from apps.orders.dialect import endpoints
from apps.orders.readmodels import ReadModelsNotReady
from apps.orders.views.base import cache, memory
from apps.users import selectors as users


class FaucetIn(serializers.Serializer):
    """Which asset is wanted."""

    asset = serializers.CharField(max_length=12)


class FaucetOut(serializers.Serializer):
    """What was given."""

    asset = serializers.CharField()
    amount = serializers.CharField()


class Time(APIView):
    """The exchange's clock."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def get(self, _request: Request) -> Response:
        """Tell the time by which deadlines are judged."""
        now_ns = time.time_ns()
        return Response({"time_ms": now_ns // 1_000_000, "time_ns": str(now_ns)})


class Life(APIView):
    """The life of one order."""

    authentication_classes = [SessionAuthentication]  # Without any, DRF forgets who is logged in.
    permission_classes = [AllowAny]

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, order_id: int) -> Response:
        """Tell every station of an own order, and the time between them."""
        account = _account(request)
        try:
            as_of = _catch_up(account)
            told = life.life_of(cache(), markets.catalogue(), account=account, order_id=order_id)
        except ReadModelsNotReady:
            raise Unavailable("The order's life") from None
        return Response(told | as_of)


def _catch_up(account: int) -> dict[str, int]:
    """Wait in the loop that serves until what this edge has told the account can be read."""
    edge = runtime.running()
    return async_to_sync(selectors.catch_up)(edge, account) if edge is not None else {}


class NotKnown(Refusal):
    """Nobody is known by this key or cookie."""

    code = "not_logged_in"
    http_status = 401


def _account(request: Request) -> int:
    """Say which account asks: by log-in, or by a signed request."""
    plain = request._request  # noqa: SLF001 - signatures are over the raw bytes.
    if callers.key_of(plain) is None:
        user = getattr(plain, "user", None)
        standing = users.standing_for_user(user.pk) if user and user.is_authenticated else None
        if standing is None:
            raise NotKnown("Log in first.")
        return standing.account
    try:
        return callers.identify_now(plain, memory(), endpoints.SIGNED_ONLY).account
    except Refusal as refusal:
        if refusal.http_status in (400, 401):
            raise NotKnown(refusal.message) from None
        raise


class Faucet(APIView):
    """Demo funds."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(request=FaucetIn, responses=FaucetOut)
    def post(self, request: Request) -> Response:
        """Give the caller today's share of a demo asset."""
        if not settings.DEMO:
            raise Http404
        body = FaucetIn(data=request.data)
        body.is_valid(raise_exception=True)
        asset = body.validated_data["asset"].upper()
        amount = demo.faucet(user_id=int(request.user.pk or 0), asset=asset)
        return Response(FaucetOut({"asset": asset, "amount": amount}).data)
