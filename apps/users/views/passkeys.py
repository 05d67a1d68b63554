"""Passkeys, as JSON under /api/v1: what a browser is asked, and what it answers."""

from __future__ import annotations

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.models import User
from apps.users.serializers.factors import AnswerIn, AskedOut, NewPasskeyIn, RecoveryCodesOut
from apps.users.serializers.log_in import PersonOut
from apps.users.services import attempts, factors, log_ins, passkeys, whereabouts
from apps.users.services.factors import PASSKEY
from apps.users.views.base import CsrfChecked, keep_logged_in, person_of, user_id_of
from apps.users.views.permissions import HasFreshProof
from apps.users.views.session import logged_in, person


class PasskeyOptions(APIView):
    """The beginning of a passkey."""

    permission_classes = [IsAuthenticated, HasFreshProof]

    @extend_schema(request=None, responses=AskedOut)
    def post(self, request: Request) -> Response:
        """Say what the browser is to make a passkey from."""
        plain = request._request  # noqa: SLF001 - challenges belong to Django's request.
        return Response({"public_key": passkeys.begin_adding(plain, person_of(request))})


class Passkeys(APIView):
    """A person's passkeys."""

    permission_classes = [IsAuthenticated, HasFreshProof]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=NewPasskeyIn, responses={201: RecoveryCodesOut})
    def post(self, request: Request) -> Response:
        """Keep the passkey that the browser made. Brings recovery codes if there were none."""
        body = NewPasskeyIn(data=request.data)
        body.is_valid(raise_exception=True)
        plain = request._request  # noqa: SLF001
        user, words = passkeys.finish_adding(
            plain, user_id=user_id_of(request), **body.validated_data
        )
        keep_logged_in(request, user, showed=PASSKEY)
        told = RecoveryCodesOut({"recovery_codes": words})
        return Response(told.data, status=status.HTTP_201_CREATED)


class SessionPasskeyOptions(CsrfChecked, APIView):
    """The beginning of an answer by passkey."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 60}

    @extend_schema(request=None, responses=AskedOut)
    def post(self, request: Request) -> Response:
        """Say what is to be signed: by the person who is known here, or by anybody's passkey."""
        plain = request._request  # noqa: SLF001
        known = _known(request)
        asked = passkeys.begin_showing(plain, known)
        if known is None:
            plain.session.set_expiry(passkeys.CHALLENGE_S)
        return Response({"public_key": asked})


class SessionPasskey(CsrfChecked, APIView):
    """A passkey that is shown."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 60}

    @extend_schema(request=AnswerIn, responses=PersonOut)
    def post(self, request: Request) -> Response:
        """Log in by a passkey, with or without a password before; or show again that it is you."""
        body = AnswerIn(data=request.data)
        body.is_valid(raise_exception=True)
        plain: HttpRequest = request._request  # noqa: SLF001
        user = _show(plain, _known(request), body.validated_data["credential"])
        if isinstance(request.user, User):
            log_ins.step_up(plain, by=PASSKEY)
            return Response(person(user))
        place = whereabouts.check_log_in(plain, user)
        return logged_in(plain, user, by=PASSKEY, place=place)


def _known(request: Request) -> User | None:
    """Return who is logged in here, or half; None for a stranger."""
    if isinstance(request.user, User):
        return request.user
    plain = request._request  # noqa: SLF001
    return log_ins.half_open(plain).user if log_ins.is_half_open(plain) else None


def _show(request: HttpRequest, known: User | None, credential: dict[str, object]) -> User:
    if known is None:
        return _show_alone(request, credential)
    attempt = attempts.of_request(request, login=known.email, purpose=attempts.FACTOR)
    with attempts.counted(attempt, user_id=known.pk, unless=factors.WrongFactor):
        return passkeys.finish_showing(request, known, credential=credential)


def _show_alone(request: HttpRequest, credential: dict[str, object]) -> User:
    """Let a passkey say who it is. Nobody is named before: a failure is nobody's."""
    try:
        return passkeys.finish_showing(request, None, credential=credential)
    except factors.WrongFactor:
        attempt = attempts.of_request(request, login="", purpose=attempts.FACTOR)
        attempts.note_failure(attempt, user_id=None)
        raise
