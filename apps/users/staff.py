"""The acts of staff on accounts: freeze one, take its orders again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.common.forms import ReasonForm
from apps.users import selectors
from apps.users.services import accounts

FREEZE = "users.freeze_account"


@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest, number: int) -> HttpResponse:
    """Ask why, then stop an account's new orders and withdrawals at once."""
    return _set_frozen(request, number, frozen=True)


@require_http_methods(["GET", "POST"])
def unfreeze(request: HttpRequest, number: int) -> HttpResponse:
    """Ask why, then take an account's orders again."""
    return _set_frozen(request, number, frozen=False)


def _set_frozen(request: HttpRequest, number: int, *, frozen: bool) -> HttpResponse:
    if not request.user.has_perm(FREEZE):
        raise PermissionDenied
    account = selectors.account(number)
    if account is None or account.frozen_by_house == frozen:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        accounts.set_frozen(
            number=number,
            frozen=frozen,
            reason=form.cleaned_data["reason"],
            by=f"staff:{request.user.pk}",
        )
        messages.success(request, f"Account {number} is {'frozen' if frozen else 'free'}.")
        return redirect("admin:users_tradingaccount_change", number)
    context: dict[str, Any] = {
        "title": f"{'Freeze' if frozen else 'Unfreeze'} account {number}?",
        "form": form,
        "frozen": frozen,
        "account": account,
    }
    frame = admin.site.each_context(request) | context
    return render(request, "admin/users/freeze.html", frame)
