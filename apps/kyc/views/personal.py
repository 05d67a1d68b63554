"""A person's own data: told to them, and forgotten at their wish, under /api/v1/kyc."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kyc.serializers.personal import ErasureOut, HeldOut
from apps.kyc.services import personal
from apps.users.views.base import user_id_of


class Export(APIView):
    """What is held of you."""

    permission_classes = [IsAuthenticated]
    tries_per_minute = {"GET": 6}

    @extend_schema(request=None, responses=HeldOut)
    def get(self, request: Request) -> Response:
        """Tell all of it. That you asked is recorded."""
        return Response(personal.held(user_id=user_id_of(request)))


class Erasure(APIView):
    """Your wish to be forgotten."""

    permission_classes = [IsAuthenticated]
    tries_per_minute = {"POST": 6}

    @extend_schema(request=None, responses={202: ErasureOut})
    def post(self, request: Request) -> Response:
        """Ask for it. What was never submitted goes at once, the rest when law allows."""
        wish = personal.ask_erasure(user_id=user_id_of(request), at=timezone.now())
        return Response(ErasureOut(wish).data, status=status.HTTP_202_ACCEPTED)
