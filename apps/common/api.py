"""How `/api/v1` says no: one handler for every view of Django REST framework."""

from __future__ import annotations

from typing import Any

import redis
import structlog
from django.core.exceptions import PermissionDenied
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext_noop
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.common.errors import Refusal, Unavailable
from apps.common.middleware import name_refusal

log = structlog.get_logger("fairbook.api")

_CODES: dict[type[Exception], str] = {
    exceptions.ParseError: "malformed",
    exceptions.ValidationError: "invalid",
    exceptions.AuthenticationFailed: "not_logged_in",
    exceptions.NotAuthenticated: "not_logged_in",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.Throttled: "too_many_requests",
}


# What Django and its REST framework say in our refusals: pages translate it like our own words.
OF_LIBRARIES = (
    gettext_noop("This field is required."),
    gettext_noop("This field may not be blank."),
    gettext_noop("This field may not be null."),
    gettext_noop("Enter a valid email address."),
    gettext_noop("Enter a valid value."),
    gettext_noop("Ensure this field has no more than {number} characters."),
    gettext_noop("This password is too short. It must contain at least {number} characters."),
    gettext_noop("This password is too common."),
    gettext_noop("Authentication credentials were not provided."),
    gettext_noop("You do not have permission to perform this action."),
    gettext_noop("Not found."),
)


class NotStorable(Refusal):
    """A value passed every check, and still the database cannot hold it or ask for it."""

    code = "invalid"


def as_refusal(error: Exception) -> Refusal | None:
    """Turn any expected no into a `Refusal`; None for a fault."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("api.database.unavailable", reason=str(error).splitlines()[0][:200])
        return Unavailable("The history")
    if isinstance(error, redis.RedisError):
        log.warning("api.cache.unavailable", reason=str(error)[:200])
        return Unavailable()
    if isinstance(error, DataError):  # A NUL, or a word longer than its column.
        log.warning("api.value.not_storable", reason=str(error).splitlines()[0][:200])
        return NotStorable("Some value is not valid.")
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    return _from_framework(error) if isinstance(error, exceptions.APIException) else None


def _from_framework(error: exceptions.APIException) -> Refusal:
    fields = isinstance(error, exceptions.ValidationError)
    message = gettext_noop("Some fields are not valid.") if fields else str(error.detail)
    wait = getattr(error, "wait", None)
    refusal = Refusal(message, retry_after_s=int(wait) + 1 if wait else None)
    refusal.code = _CODES.get(type(error), error.default_code)
    is_stranger = isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed)
    refusal.http_status = 401 if is_stranger else error.status_code
    if fields:
        refusal.data = {"fields": error.detail}
    return refusal


def answer(refusal: Refusal) -> Response:
    """Render a refusal, with its Retry-After."""
    response = Response(refusal.as_json(), status=refusal.http_status)
    name_refusal(response, refusal.code)
    if refusal.retry_after_s is not None:
        response["Retry-After"] = str(refusal.retry_after_s)
    if refusal.http_status == status.HTTP_401_UNAUTHORIZED:
        response["WWW-Authenticate"] = "Session"
    return response


def refuse(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Answer a refusal as {code, message, data}, and undo what its request wrote."""
    refusal = as_refusal(error)
    if refusal is None:
        return None
    set_rollback()
    return answer(refusal)
