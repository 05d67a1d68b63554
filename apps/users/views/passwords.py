"""Forgotten and changed passwords, changed addresses, as JSON under /api/v1."""

from __future__ import annotations

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.serializers.log_in import (
    AcceptedOut,
    AskResetIn,
    ChangePasswordIn,
    NewEmailIn,
    ResetIn,
)
from apps.users.services import attempts, passwords
from apps.users.views.base import CsrfChecked, answered_after, keep_logged_in, user_id_of
from apps.users.views.permissions import HasFreshFactorIfAny
from apps.users.views.sign_up import ACCEPTED

RESET_S = 0.2


class Resets(CsrfChecked, APIView):
    """Forgotten passwords."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=AskResetIn, responses={202: AcceptedOut})
    def post(self, request: Request) -> Response:
        """Mail a link that resets the password. The answer tells nobody whether there is one."""
        body = AskResetIn(data=request.data)
        body.is_valid(raise_exception=True)
        with answered_after(RESET_S):
            passwords.ask_reset(email=body.validated_data["email"])
        return Response(ACCEPTED, status=status.HTTP_202_ACCEPTED)


class ResetProofs(CsrfChecked, APIView):
    """Words that reset a password."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 30}

    @extend_schema(request=ResetIn, responses={204: None})
    def post(self, request: Request) -> Response:
        """Set a new password by the word that was mailed; every log-in of the person ends."""
        body = ResetIn(data=request.data)
        body.is_valid(raise_exception=True)
        terms = body.validated_data
        passwords.reset(word=terms["token"], password=terms["password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class Password(APIView):
    """The password of whoever is logged in."""

    permission_classes = [IsAuthenticated, HasFreshFactorIfAny]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=ChangePasswordIn, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the password; the person's other log-ins end, and withdrawals wait."""
        body = ChangePasswordIn(data=request.data)
        body.is_valid(raise_exception=True)
        show_password(request, body.validated_data["old_password"])
        user = passwords.change(
            user_id=user_id_of(request), password=body.validated_data["password"]
        )
        keep_logged_in(request, user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Email(APIView):
    """The address of whoever is logged in."""

    permission_classes = [IsAuthenticated, HasFreshFactorIfAny]
    tries_per_minute = {"POST": 20}

    @extend_schema(request=NewEmailIn, responses={202: AcceptedOut})
    def post(self, request: Request) -> Response:
        """Mail the new address a link that proves it. It takes effect once it is proven."""
        body = NewEmailIn(data=request.data)
        body.is_valid(raise_exception=True)
        show_password(request, body.validated_data["password"])
        with answered_after(RESET_S):
            passwords.ask_new_email(user_id=user_id_of(request), email=body.validated_data["email"])
        return Response(ACCEPTED, status=status.HTTP_202_ACCEPTED)


def show_password(request: Request, password: str) -> None:
    """Check the password of whoever is logged in, as slowly for guesses as a log-in."""
    plain: HttpRequest = request._request  # noqa: SLF001
    attempt = attempts.of_request(plain, login=str(request.user), purpose="password")
    whose = user_id_of(request)
    with attempts.counted(attempt, user_id=whose, unless=passwords.WrongPassword):
        passwords.check_own_password(user_id=whose, password=password)
