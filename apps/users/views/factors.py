"""A person's second factors, as JSON under /api/v1."""

from __future__ import annotations

import segno
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users import sessions
from apps.users.models import User
from apps.users.serializers.factors import (
    FactorsOut,
    FirstCodeIn,
    NewAppIn,
    NewAppOut,
    RecoveryCodesOut,
)
from apps.users.services import attempts, codes, factors
from apps.users.views.base import keep_logged_in, user_id_of
from apps.users.views.permissions import HasFreshFactor, HasFreshProof


class Factors(APIView):
    """What a person has."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=FactorsOut)
    def get(self, request: Request) -> Response:
        """List the second factors, and how many recovery codes are left."""
        user_id = user_id_of(request)
        found = {
            "factors": factors.list_factors(user_id),
            "recovery_codes_left": factors.recovery_codes_left(user_id),
        }
        return Response(FactorsOut(found).data)


class Factor(APIView):
    """One second factor."""

    permission_classes = [IsAuthenticated, HasFreshFactor]

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, kind: str, number: int) -> Response:
        """Remove it. Other log-ins end, and withdrawals wait."""
        user = factors.remove(user_id=user_id_of(request), kind=kind, number=number)
        if not factors.has_passkey(user.pk):
            sessions.forget_passkey(request.session)
        keep_logged_in(request, user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Apps(APIView):
    """Authenticator apps."""

    permission_classes = [IsAuthenticated, HasFreshProof]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=NewAppIn, responses={201: NewAppOut})
    def post(self, request: Request) -> Response:
        """Make the secret of a new app. It counts once it has shown its first code."""
        body = NewAppIn(data=request.data)
        body.is_valid(raise_exception=True)
        made = codes.begin_app(user_id=user_id_of(request), name=body.validated_data["name"])
        qr = segno.make(made.uri, error="m").svg_data_uri(scale=5, border=2, light="#fff")
        told = NewAppOut({"number": made.number, "secret": made.secret, "uri": made.uri, "qr": qr})
        return Response(told.data, status=status.HTTP_201_CREATED)


class App(APIView):
    """An authenticator app that has yet to show its first code."""

    permission_classes = [IsAuthenticated, HasFreshProof]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=FirstCodeIn, responses=RecoveryCodesOut)
    def post(self, request: Request, number: int) -> Response:
        """Let the app count, by its first code. Brings recovery codes if there were none."""
        body = FirstCodeIn(data=request.data)
        body.is_valid(raise_exception=True)
        plain = request._request  # noqa: SLF001
        attempt = attempts.of_request(plain, login=str(request.user), purpose=attempts.FACTOR)
        whose = user_id_of(request)
        with attempts.counted(attempt, user_id=whose, unless=factors.WrongFactor):
            user, words = codes.confirm_app(
                user_id=whose, number=number, code=body.validated_data["code"]
            )
        return _with_codes(request, user, words, showed=factors.TOTP)


class RecoveryCodes(APIView):
    """Recovery codes."""

    permission_classes = [IsAuthenticated, HasFreshFactor]

    @extend_schema(request=None, responses={201: RecoveryCodesOut})
    def post(self, request: Request) -> Response:
        """Make ten new ones; those of before are worth nothing. Withdrawals wait."""
        user, words = codes.renew_recovery_codes(user_id=user_id_of(request))
        answer = _with_codes(request, user, words)
        answer.status_code = status.HTTP_201_CREATED
        return answer


def _with_codes(request: Request, user: User, words: list[str], *, showed: str = "") -> Response:
    """Keep this log-in, end the others, and show what is shown once."""
    keep_logged_in(request, user, showed=showed)
    return Response(RecoveryCodesOut({"recovery_codes": words}).data)
