"""The acts of staff on markets: list one, delist one, open, pause or halt one.

What cannot be taken back asks again before it is done.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.common.errors import Refusal
from apps.common.forms import ReasonForm
from apps.markets import listings, selectors, services
from apps.markets.forms import ListingForm, StateForm

LIST, DELIST = "markets.list_market", "markets.delist_market"
SET_STATE = "markets.set_market_state"


@require_http_methods(["GET", "POST"])
def list_market(request: HttpRequest) -> HttpResponse:
    """Ask for a market to be listed: the form, then what it comes to, then the request."""
    _check_may(request, LIST)
    form = ListingForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and form.spec is not None:
        if "confirmed" not in request.POST:
            return _page(
                request,
                "confirm",
                gettext("List {symbol}?").format(symbol=form.spec.symbol),
                form,
                act=gettext("List it"),
            )
        listing_id = _ask(
            request,
            form,
            lambda reason: listings.request_listing(form.spec, by=_who(request), reason=reason),
        )
        if listing_id is not None:
            messages.success(
                request, gettext("Asked for. It opens within seconds; its steps are below.")
            )
            return redirect("admin:markets_listing_change", listing_id)
    return _page(request, "form", gettext("List a market"), form, act=gettext("Go on"))


@require_http_methods(["GET", "POST"])
def delist_market(request: HttpRequest, symbol: str) -> HttpResponse:
    """Ask for a market to be delisted: the reason, then what it means, then the request."""
    _check_may(request, DELIST)
    if not listings.can_be_delisted(symbol):
        raise Http404
    form = ReasonForm(request.POST or None)
    title = gettext("Delist {symbol}?").format(symbol=symbol)
    if request.method == "POST" and form.is_valid():
        if "confirmed" not in request.POST:
            return _page(request, "confirm", title, form, act=gettext("Delist it"), delists=symbol)
        listing_id = _ask(
            request,
            form,
            lambda reason: listings.request_delisting(symbol, by=_who(request), reason=reason),
        )
        if listing_id is not None:
            messages.success(request, gettext("Asked for. Its steps are below."))
            return redirect("admin:markets_listing_change", listing_id)
    return _page(request, "form", title, form, act=gettext("Go on"), delists=symbol)


@require_http_methods(["GET", "POST"])
def set_state(request: HttpRequest, symbol: str) -> HttpResponse:
    """Open, pause or halt a market, with a reason. Not asked twice: it may be urgent."""
    _check_may(request, SET_STATE)
    now = selectors.state_to_operate(symbol)
    if now is None:
        raise Http404
    form = StateForm(request.POST or None, initial={"state": now})
    if request.method == "POST" and form.is_valid():
        state = form.cleaned_data["state"]
        try:
            services.set_state(
                symbol, state, reason=form.cleaned_data["reason"], by=f"staff:{request.user.pk}"
            )
        except Refusal as refusal:
            form.add_error(None, gettext(refusal.message))
        else:
            messages.success(
                request,
                gettext("{symbol} is told: {state}.").format(
                    symbol=symbol, state=state.replace("_", "-")
                ),
            )
            return redirect("admin:markets_market_change", symbol)
    return _page(
        request,
        "form",
        gettext("The state of {symbol}").format(symbol=symbol),
        form,
        act=gettext("Set it"),
        stops=symbol,
    )


def _check_may(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _who(request: HttpRequest) -> str:
    return request.user.get_username()


def _ask(request: HttpRequest, form: forms.Form, act: Any) -> int | None:
    """Do the act; show its refusal on the form."""
    try:
        return int(act(form.cleaned_data["reason"]))
    except Refusal as refusal:
        for name, text in refusal.data.get("fields", {None: refusal.message}).items():
            form.add_error(name, text)
        return None


def _page(
    request: HttpRequest, name: str, title: str, form: forms.Form, **context: Any
) -> HttpResponse:
    frame = admin.site.each_context(request) | {"title": title, "form": form}
    return render(request, f"admin/markets/act_{name}.html", frame | context)
