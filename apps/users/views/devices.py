"""Known devices, as JSON under /api/v1."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.serializers.log_in import DeviceOut
from apps.users.services import devices
from apps.users.views.base import user_id_of


class Devices(APIView):
    """The browsers that are known to be a person's."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=DeviceOut(many=True))
    def get(self, request: Request) -> Response:
        """List the known devices, last used first."""
        rows = devices.list_devices(user_id=user_id_of(request))
        plain = request._request  # noqa: SLF001 - cookies belong to Django's request.
        return Response(DeviceOut(devices.with_this_one(plain, rows), many=True).data)


class Device(APIView):
    """One known device."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, number: int) -> Response:
        """Stop knowing a device: its next log-in is news again."""
        devices.revoke(user_id=user_id_of(request), number=number)
        return Response(status=status.HTTP_204_NO_CONTENT)
