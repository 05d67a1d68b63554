"""The acts of staff on accounts and people: freeze, unfreeze, end log-ins, reset lost factors."""

from __future__ import annotations

from typing import Any

from django import forms
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
from apps.users.models import FactorReset, User
from apps.users.services import accounts, factor_resets, open_sessions

FREEZE, DECIDE_RESET = "users.freeze_account", "users.decide_factor_reset"
END_LOG_INS = "users.end_log_ins"


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


class EndForm(ReasonForm):
    """Which log-in of a person is to end, and why."""

    ALL = "all"
    which = forms.ChoiceField(widget=forms.RadioSelect)
    field_order = ("which", "reason")

    def __init__(self, *args: Any, user_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = open_sessions.list_open(user_id=user_id, this=None)
        field: Any = self.fields["which"]
        field.choices = [
            (self.ALL, gettext("all of them, and what is half begun")),
            *((str(one.number), _named(one)) for one in found),
        ]


@require_http_methods(["GET", "POST"])
def end_log_ins(request: HttpRequest, number: int) -> HttpResponse:
    """Show a person's open log-ins; ask why, then end one or all of them at once."""
    if not request.user.has_perm(END_LOG_INS):
        raise PermissionDenied
    person = User.objects.filter(pk=number).first()
    if person is None:
        raise Http404
    if person.is_staff and not request.user.is_superuser:  # Nobody shuts out who watches them.
        raise PermissionDenied
    form = EndForm(request.POST or None, user_id=number)
    if request.method == "POST" and form.is_valid():
        which = form.cleaned_data["which"]
        try:
            open_sessions.end_by_staff(
                user_id=number,
                number=None if which == EndForm.ALL else int(which),
                by=int(request.user.pk or 0),
                reason=form.cleaned_data["reason"],
            )
        except Refusal as refusal:  # It ended by itself meanwhile.
            form.add_error(None, gettext(refusal.message))
        else:
            messages.success(request, gettext("Ended. The person hears of it by mail."))
            return redirect("admin:users_user_change", number)
    context = {"title": gettext("End log-ins?"), "form": form, "person": person}
    return render(request, "admin/users/log_ins.html", admin.site.each_context(request) | context)


def _named(one: open_sessions.OpenSession) -> str:
    words = {
        "device": one.device,
        "place": one.place or gettext("unknown place"),
        "began": f"{one.began_at:%Y-%m-%d %H:%M}",
        "seen": f"{one.seen_at:%Y-%m-%d %H:%M}",
        "factor": one.factor or gettext("password"),
    }
    return gettext("{device}, {place}: since {began}, last used {seen} UTC, by {factor}").format(
        **words
    )
