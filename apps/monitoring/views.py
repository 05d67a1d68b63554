"""Doors of monitoring: the trust bar's figures, and two pages for staff."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import Refusal
from apps.monitoring import selectors

LOOK = "common.view_outboxmessage"  # What every role of the staff has, and nobody without one.

TrustOut = inline_serializer(
    "Trust",
    {
        "ok": serializers.BooleanField(allow_null=True),
        "imbalance": serializers.DictField(child=serializers.CharField()),
        "seqs": serializers.DictField(child=serializers.IntegerField()),
        "at_ms": serializers.IntegerField(allow_null=True),
        "now_ms": serializers.IntegerField(),
        "seconds": serializers.FloatField(allow_null=True),
    },
)


class Trust(APIView):
    """Say what the verifier last found: whether the books tie, by how much not, and up to where."""

    authentication_classes: tuple[Any, ...] = ()  # Public, and up while PostgreSQL is down.
    permission_classes = (AllowAny,)

    @extend_schema(responses=TrustOut)
    def get(self, request: Request) -> Response:
        """Return the last word of the verifier."""
        return Response(selectors.trust())


def staff_login(request: HttpRequest) -> HttpResponse:
    """Send staff to the one log-in page; tell everybody else that this is not for them."""
    following = request.GET.get("next") or reverse("admin:index")
    if request.user.is_authenticated:
        page = "passkey_needed" if request.user.is_staff else "not_staff"
        return render(request, f"admin/{page}.html", {"next": following}, status=403)
    return redirect(f"/login?{urlencode({'next': following})}")


def not_here(_request: HttpRequest) -> HttpResponse:
    """Take away a page of Django's own that would be a second way to do something."""
    raise Http404


@require_safe
def journals(request: HttpRequest) -> HttpResponse:
    """Show each worker's journal: cursor, epoch, owner, lag, streams."""
    _check_may_look(request)
    workers, problem = [], ""
    try:
        workers = selectors.journals()
    except Refusal as refusal:
        problem = refusal.message
    return _page(
        request, "admin/journals.html", gettext("Journals"), workers=workers, problem=problem
    )


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """Show every process, as `manage.py services` does."""
    _check_may_look(request)
    from exchange_site.ops import status

    return _page(request, "admin/services.html", gettext("Services"), services=status.rows())


def _check_may_look(request: HttpRequest) -> None:
    """Refuse somebody of the staff whom no role was given, or whose role was taken away."""
    if not request.user.has_perm(LOOK):
        raise PermissionDenied


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    return render(
        request, template, {**admin.site.each_context(request), "title": title, **context}
    )
