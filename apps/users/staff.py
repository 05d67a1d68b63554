"""The acts of staff on accounts and people: freeze, unfreeze, take lost second factors away."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.forms import ReasonForm
from apps.users import selectors
from apps.users.models import FactorReset
from apps.users.services import accounts, factor_resets

FREEZE, DECIDE_RESET = "users.freeze_account", "users.decide_factor_reset"


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
        said = (
            gettext("Account {number} is frozen.")
            if frozen
            else gettext("Account {number} is free.")
        )
        messages.success(request, said.format(number=number))
        return redirect("admin:users_tradingaccount_change", number)
    title = gettext("Freeze account {number}?") if frozen else gettext("Unfreeze account {number}?")
    context: dict[str, Any] = {
        "title": title.format(number=number),
        "form": form,
        "frozen": frozen,
        "account": account,
    }
    frame = admin.site.each_context(request) | context
    return render(request, "admin/users/freeze.html", frame)


@require_http_methods(["GET", "POST"])
def decide_factor_reset(request: HttpRequest, number: int) -> HttpResponse:
    """Ask why, then take all second factors of a person away, or leave them."""
    if not request.user.has_perm(DECIDE_RESET):
        raise PermissionDenied
    waiting = FactorReset.objects.filter(pk=number, state=FactorReset.State.WAITING)
    reset = waiting.select_related("user").first()
    if reset is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            factor_resets.decide(
                reset_id=number,
                approved="approve" in request.POST,
                by=int(request.user.pk or 0),
                reason=form.cleaned_data["reason"],
            )
        except Refusal as refusal:
            form.add_error(None, gettext(refusal.message))
        else:
            messages.success(request, gettext("Decided. The person hears of it by mail."))
            return redirect("admin:users_factorreset_changelist")
    frame = admin.site.each_context(request) | {
        "title": gettext("Take all second factors away?"),
        "form": form,
        "reset": reset,
        "lock_hours": config.integer("FAIRBOOK_CREDENTIAL_LOCK_S") // 3600,
    }
    return render(request, "admin/users/factor_reset.html", frame)
