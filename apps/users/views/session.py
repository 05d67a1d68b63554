"""Log-in and log-out as JSON under /api/v1."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import Refusal
from apps.users import selectors, sessions
from apps.users.models import User
from apps.users.serializers.log_in import LoginIn, PersonOut
from apps.users.services import attempts, devices, people, whereabouts
from apps.users.views.base import CsrfChecked


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

    @extend_schema(request=LoginIn, responses=PersonOut)
    def post(self, request: Request) -> Response:
        """Log in."""
        body = LoginIn(data=request.data)
        body.is_valid(raise_exception=True)
        plain: HttpRequest = request._request  # noqa: SLF001 - log-ins belong to Django's request.
        user = authenticate(
            plain,
            username=people.full_login(body.validated_data["login"]),
            password=body.validated_data["password"],
        )
        if user is None:
            if (refusal := attempts.refusal_on(plain)) is not None:
                raise refusal
            raise WrongLogin("The name or the password is wrong.")
        place = whereabouts.check_log_in(plain, user)
        login(plain, user)
        sessions.begin(plain.session, now=time.time(), is_staff=bool(user.is_staff))
        if (attempt := attempts.seen_on(plain)) is not None:
            attempts.note_success(attempt)
        response = Response(person(user))
        devices.remember(plain, response, user_id=user.pk, place=place)
        return response

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out, at every edge at once."""
        logout(request._request)  # noqa: SLF001
        return Response(status=status.HTTP_204_NO_CONTENT)
