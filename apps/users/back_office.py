"""The site of the back office: for staff who showed a passkey, and acts only while it is fresh."""

from __future__ import annotations

import time
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from apps.users import sessions
from apps.users.services import factors, log_ins

STEP_UP_NEEDED = "step_up_needed"
_NOT_SENT_AGAIN = ("csrfmiddlewaretoken",)


class BackOffice(AdminSite):
    """Django's admin site, behind a passkey."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in staff whose log-in showed a passkey."""
        return super().has_permission(request) and sessions.opens_back_office(request.session)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Ask for the passkey again before anything that may change something, here or in an app.

        What was sent waits on the page that asks, and is sent again by it.
        """

        def stepped_up(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            changes = request.method not in ("GET", "HEAD", "OPTIONS")
            is_log_out = request.path == reverse("admin:logout")
            if changes and not is_log_out and not _is_fresh(request):
                return self._ask(request)
            return view(request, *args, **kwargs)

        return super().admin_view(update_wrapper(stepped_up, view), cacheable)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log out as everywhere, on the record; only a form does."""
        if request.method == "POST":
            log_ins.end(request, how=log_ins.LOG_OUT)
        response = super().logout(request, extra_context)
        if request.method == "POST":
            response["Clear-Site-Data"] = log_ins.CLEARS
        return response

    def _ask(self, request: HttpRequest) -> HttpResponse:
        sent = [
            (name, value)
            for name, values in request.POST.lists()
            if name not in _NOT_SENT_AGAIN
            for value in values
        ]
        context = self.each_context(request) | {
            "title": gettext("Please confirm that it is you"),
            "code": STEP_UP_NEEDED,
            "sent": sent,
            "factors": " ".join(factors.kinds_of(int(request.user.pk or 0))),
        }
        response = render(request, "admin/step_up.html", context, status=403)
        response["X-Refusal"] = STEP_UP_NEEDED
        return response


def _is_fresh(request: HttpRequest) -> bool:
    return sessions.has_fresh_passkey(request.session, now=time.time())
