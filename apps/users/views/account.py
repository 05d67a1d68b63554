"""The account that a log-in trades with, as JSON under /api/v1."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.serializers.account import StandingOut
from apps.users.views.base import account_of
from apps.users.views.key_sign_in import READ_BY_KEY


class Account(APIView):
    """The account that a log-in trades with."""

    authentication_classes = READ_BY_KEY
    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=StandingOut)
    def get(self, request: Request) -> Response:
        """Say what the account may do."""
        return Response(StandingOut(account_of(request)).data)
