"""Log-in, sign-up, the account and its keys, as JSON under /api/v1."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from apps.common.errors import Refusal, TooManyRequests
from apps.common.kernel.invariants import ensure
from apps.users import selectors, services, sessions
from apps.users.contracts import Standing
from apps.users.models import User
from apps.users.serializers import (
    AcceptedOut,
    KeyIn,
    KeyOut,
    LoginIn,
    NewKeyOut,
    PersonOut,
    SignUpIn,
    StandingOut,
)

SIGN_UP_S = 0.25


class WrongLogin(Refusal):
    """Name and password do not belong together. Which of them was wrong is not said."""

    code = "wrong_login"
    http_status = 401


class NotLoggedIn(Refusal):
    """Nobody is logged in by this cookie."""

    code = "not_logged_in"
    http_status = 401


def person(user: User) -> dict[str, Any]:
    """Return what a person learns of themselves."""
    account = selectors.main_account(user.pk)
    return {
        "login": services.short_login(user.email),
        "email": user.email,
        "name": user.get_full_name(),
        "role": selectors.role_of(user),
        "is_staff": user.is_staff,
        "account": account.number if account else None,
    }


class CsrfChecked:
    """For views that anybody may call from a page of ours, and nobody from a page of others."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the CSRF header also of strangers."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            from rest_framework.authentication import SessionAuthentication

            SessionAuthentication().enforce_csrf(request)


class SessionView(CsrfChecked, APIView):
    """The log-in of this browser."""

    permission_classes = [AllowAny]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "login"

    def get_throttles(self) -> list[Any]:
        """Limit guesses, not looks."""
        return super().get_throttles() if self.request.method == "POST" else []

    @extend_schema(request=None, responses=PersonOut)
    def get(self, request: Request) -> Response:
        """Say who is logged in, and set the CSRF cookie."""
        get_token(request._request)  # noqa: SLF001 - sets the cookie on the way out.
        if not isinstance(request.user, User):
            raise NotLoggedIn("You are not logged in.")
        return Response(person(request.user))

    @extend_schema(request=LoginIn, responses=PersonOut)
    def post(self, request: Request) -> Response:
        """Log in."""
        body = LoginIn(data=request.data)
        body.is_valid(raise_exception=True)
        plain: HttpRequest = request._request  # noqa: SLF001 - log-ins belong to Django's request.
        user = authenticate(
            plain,
            username=services.full_login(body.validated_data["login"]),
            password=body.validated_data["password"],
        )
        if user is None:
            if getattr(plain, "axes_locked_out", False):
                raise TooManyRequests("Too many wrong passwords; wait a minute.", retry_after_s=60)
            raise WrongLogin("The name or the password is wrong.")
        login(plain, user)
        sessions.begin(plain.session, now=time.time(), is_staff=bool(user.is_staff))
        return Response(person(user))

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out, at every edge at once."""
        logout(request._request)  # noqa: SLF001
        return Response(status=status.HTTP_204_NO_CONTENT)


class SignUp(CsrfChecked, APIView):
    """A new account."""

    permission_classes = [AllowAny]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "signup"

    @extend_schema(request=SignUpIn, responses={202: AcceptedOut})
    def post(self, request: Request) -> Response:
        """Take a sign-up. The answer is the same whether or not the address is known."""
        started = time.monotonic()
        body = SignUpIn(data=request.data)
        body.is_valid(raise_exception=True)
        services.sign_up(
            email=body.validated_data["email"],
            password=body.validated_data["password"],
            full_name=body.validated_data.get("full_name", ""),
        )
        # Making somebody takes longer than finding them: both answers leave at the same time.
        time.sleep(max(0.0, SIGN_UP_S - (time.monotonic() - started)))
        return Response({"accepted": True}, status=status.HTTP_202_ACCEPTED)


class Account(APIView):
    """The account that a log-in trades with."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=StandingOut)
    def get(self, request: Request) -> Response:
        """Say what the account may do."""
        return Response(StandingOut(_standing(request)).data)


class Keys(APIView):
    """The API keys of an account."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=KeyOut(many=True))
    def get(self, request: Request) -> Response:
        """List the live keys, newest first."""
        return Response(KeyOut(selectors.keys_of(_user_id(request)), many=True).data)

    @extend_schema(request=KeyIn, responses={201: NewKeyOut})
    def post(self, request: Request) -> Response:
        """Make a key. Its secret is in this answer only."""
        body = KeyIn(data=request.data)
        body.is_valid(raise_exception=True)
        made = services.create_api_key(account=_standing(request).account, **body.validated_data)
        return Response(NewKeyOut(made).data, status=status.HTTP_201_CREATED)


class Key(APIView):
    """One API key."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Revoke a key, at every edge at once."""
        services.revoke_api_key(user_id=_user_id(request), public_id=public_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _user_id(request: Request) -> int:
    ensure(request.user.pk is not None, "the permission lets only known people in")
    return int(request.user.pk or 0)


def _standing(request: Request) -> Standing:
    standing = selectors.standing_for_user(_user_id(request))
    if standing is None:
        raise services.NoTradingAccount("You have no trading account.")
    return standing
