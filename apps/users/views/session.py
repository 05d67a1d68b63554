"""Log-in and log-out as JSON under /api/v1."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import Refusal
from apps.users import selectors
from apps.users.models import User
from apps.users.serializers.factors import FactorNeededOut, ShownIn
from apps.users.serializers.log_in import AcceptedOut, LoginIn, PersonOut
from apps.users.services import (
    attempts,
    codes,
    factor_resets,
    factors,
    log_ins,
    people,
    whereabouts,
)
from apps.users.views.base import CsrfChecked
from apps.users.views.passwords import show_password


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
        "login": people.short_login(user.email),
        "email": user.email,
        "name": user.get_full_name(),
        "role": selectors.role_of(user),
        "is_staff": user.is_staff,
        "account": account.number if account else None,
    }


class SessionView(CsrfChecked, APIView):
    """The log-in of this browser."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 60}  # Guesses of an address, not looks.

    @extend_schema(request=None, responses=PersonOut)
    def get(self, request: Request) -> Response:
        """Say who is logged in, and set the CSRF cookie."""
        get_token(request._request)  # noqa: SLF001 - sets the cookie on the way out.
        if not isinstance(request.user, User):
            raise NotLoggedIn("You are not logged in.")
        return Response(person(request.user))

    @extend_schema(request=LoginIn, responses={200: PersonOut, 202: FactorNeededOut})
    def post(self, request: Request) -> Response:
        """Log in; 202 if a second factor is to follow, at /api/v1/session/factor."""
        body = LoginIn(data=request.data)
        body.is_valid(raise_exception=True)
        plain: HttpRequest = request._request  # noqa: SLF001 - log-ins belong to Django's request.
        user = authenticate(
            plain,
            username=people.full_login(body.validated_data["login"]),
            password=body.validated_data["password"],
        )
        if not isinstance(user, User):
            if (refusal := attempts.refusal_on(plain)) is not None:
                raise refusal
            raise WrongLogin("The name or the password is wrong.")
        place = whereabouts.check_log_in(plain, user)
        if (attempt := attempts.seen_on(plain)) is not None:
            attempts.note_success(attempt)
        if not user.has_factor:
            return logged_in(plain, user, by=log_ins.PASSWORD, place=place)
        log_ins.begin_half(plain, user, place=place)
        kinds = {"factors": factors.kinds_of(user.pk)}
        return Response(FactorNeededOut(kinds).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out, at every edge at once."""
        log_ins.end(request._request, how=log_ins.LOG_OUT)  # noqa: SLF001
        cleared = {"Clear-Site-Data": log_ins.CLEARS}
        return Response(status=status.HTTP_204_NO_CONTENT, headers=cleared)


class SessionFactor(CsrfChecked, APIView):
    """What a log-in shows beside the password."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 60}

    @extend_schema(request=ShownIn, responses=PersonOut)
    def post(self, request: Request) -> Response:
        """Complete a half-open log-in by a code; or show again, logged in, that it is you."""
        body = ShownIn(data=request.data)
        body.is_valid(raise_exception=True)
        plain: HttpRequest = request._request  # noqa: SLF001 - log-ins belong to Django's request.
        if isinstance(request.user, User):
            _step_up(request, request.user, **body.validated_data)
            return Response(person(request.user))
        waiting = log_ins.half_open(plain)
        kind = _show_code(plain, waiting.user, body.validated_data.get("code", ""))
        return logged_in(plain, waiting.user, by=kind, place=waiting.place)


class SessionFactorReset(CsrfChecked, APIView):
    """All second factors of a half-open log-in are lost."""

    permission_classes = [AllowAny]
    tries_per_minute = {"POST": 10}

    @extend_schema(request=None, responses={202: AcceptedOut})
    def post(self, request: Request) -> Response:
        """Mail the link that puts the request before staff."""
        plain = request._request  # noqa: SLF001
        factor_resets.ask(user_id=log_ins.half_open(plain).user.pk)
        return Response({"accepted": True}, status=status.HTTP_202_ACCEPTED)


def logged_in(request: HttpRequest, user: User, *, by: str, place: str) -> Response:
    """Complete a log-in, and know its device from now on."""
    log_ins.complete(request, user, by=by)
    response = Response(person(user))
    log_ins.note_place(request, response, user, place=place)
    return response


def _step_up(request: Request, user: User, *, code: str = "", password: str = "") -> None:
    plain = request._request  # noqa: SLF001
    if user.has_factor:
        log_ins.step_up(plain, by=_show_code(plain, user, code))
    else:
        show_password(request, password)
        log_ins.step_up(plain, by=log_ins.PASSWORD)


def _show_code(request: HttpRequest, user: User, code: str) -> str:
    """Use up a code, as slowly for guesses as a log-in; return its kind."""
    attempt = attempts.of_request(request, login=user.email, purpose=attempts.FACTOR)
    with attempts.counted(attempt, user_id=user.pk, unless=factors.WrongFactor):
        return codes.check(user_id=user.pk, code=code)
