"""Open log-ins and what happened to them, as JSON under /api/v1."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.serializers.log_in import EndedOut, HappeningOut, OpenSessionOut
from apps.users.services import open_sessions, security_log
from apps.users.views.base import user_id_of


class Sessions(APIView):
    """A person's open log-ins."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=OpenSessionOut(many=True))
    def get(self, request: Request) -> Response:
        """List them, last used first."""
        found = open_sessions.list_open(
            user_id=user_id_of(request), this=request.session.session_key
        )
        return Response(OpenSessionOut(found, many=True).data)

    @extend_schema(
        operation_id="api_v1_account_sessions_destroy_others", request=None, responses=EndedOut
    )
    def delete(self, request: Request) -> Response:
        """End all but this one, everywhere at once."""
        ended = open_sessions.revoke_others(
            user_id=user_id_of(request), this=request.session.session_key
        )
        return Response({"ended": ended})


class Session(APIView):
    """One open log-in."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, number: int) -> Response:
        """End it, everywhere at once."""
        open_sessions.revoke(user_id=user_id_of(request), number=number)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecurityLog(APIView):
    """What happened to the ways into an account."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=HappeningOut(many=True))
    def get(self, request: Request) -> Response:
        """Tell it, newest first."""
        found = security_log.read(user_id_of(request))
        return Response(HappeningOut(found, many=True).data)
