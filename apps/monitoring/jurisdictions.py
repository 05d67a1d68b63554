"""The rules by country and tier, for staff: what is in force, propose others, decide others'."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe
from django_countries import countries

from apps.common.errors import Refusal
from apps.compliance import selectors, services
from apps.compliance.contracts import EVERYWHERE_ELSE, RuleBook, Terms

PROPOSE, DECIDE = "compliance.propose_rules", "compliance.decide_rules"
LOOK = "compliance.view_ruleversion"
ELSEWHERE_NAME = "everywhere else"
LABELS = {
    "is_sanctioned": _("Sanctioned"),
    "spot_from": _("Spot"),
    "perpetual_from": _("Perpetuals"),
    "deposits_from": _("Deposits"),
    "withdrawals_from": _("Withdrawals"),
}
NEW_ROWS = 3
ROWS_MAX = 300

T = TypeVar("T")


class TermsForm(forms.Form):
    """One country's row."""

    country = forms.ChoiceField(
        choices=lambda: [("", "–"), (EVERYWHERE_ELSE, ELSEWHERE_NAME), *countries]
    )
    is_sanctioned = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add a tier for each thing that can be open."""
        super().__init__(*args, **kwargs)
        tiers = [
            ("", _("nobody")),
            *((n, _("tier {number}").format(number=n)) for n in (1, 2, 3, 4)),
        ]
        for name, label in LABELS.items():
            if name != "is_sanctioned":
                self.fields[name] = forms.TypedChoiceField(
                    label=label, choices=tiers, required=False, coerce=int, empty_value=None
                )
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = LABELS.get(name, _("Country"))


class ProposalForm(forms.Form):
    """From when and why."""

    effective_from = forms.DateTimeField(
        label=_("From (UTC)"),
        initial=timezone.now,
        help_text="Never before another person approved it.",
        widget=forms.DateTimeInput(format="%Y-%m-%d %H:%M"),
    )
    reason = forms.CharField(max_length=300, widget=forms.TextInput(attrs={"size": 60}))
    based_on = forms.IntegerField(widget=forms.HiddenInput)


class DecisionForm(forms.Form):
    """Why it is approved or refused."""

    reason = forms.CharField(max_length=300, widget=forms.TextInput(attrs={"size": 60}))


TermsFormSet = forms.formset_factory(
    TermsForm, extra=NEW_ROWS, can_delete=True, max_num=ROWS_MAX, absolute_max=ROWS_MAX
)


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Show the rules in force, what waits for a second person, and what was before."""
    _check_may(request, LOOK)
    book = selectors.rules_in_force()
    context = {
        "caption": f"In force: version {book.version}",
        "rows": [_row(terms) for terms in book.terms.values()],
        "waiting": selectors.open_versions(),
        "versions": selectors.versions(),
        "may_propose": request.user.has_perm(PROPOSE),
    }
    return _page(request, "rules", _("Jurisdictions"), context)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """Propose a whole set of rules, beginning with the one in force."""
    _check_may(request, PROPOSE)
    book = selectors.rules_in_force()
    data = request.POST if request.method == "POST" else None
    rows = TermsFormSet(data, initial=None if data else [_fields(t) for t in book.terms.values()])
    proposal = ProposalForm(data, initial={"based_on": book.version})
    if data and all([rows.is_valid(), proposal.is_valid()]):
        said = proposal.cleaned_data
        number = _ask(
            proposal,
            lambda: services.propose(
                _terms(rows),
                by=_staff_id(request),
                reason=said["reason"],
                effective_from=said["effective_from"],
                based_on=said["based_on"],
            ),
        )
        if number is not None:
            messages.success(request, _("Proposed. Another person has to approve it."))
            return redirect("staff-rules-version", number=number)
    return _page(request, "rules_edit", _("Propose rules"), {"rows": rows, "form": proposal})


@require_http_methods(["GET", "POST"])
def version(request: HttpRequest, number: int) -> HttpResponse:
    """Show how a version differs from the rules in force, and take a second person's decision."""
    _check_may(request, LOOK)
    row = selectors.version(number)
    if row is None:
        raise Http404
    form = DecisionForm(request.POST or None)
    is_open = not hasattr(row, "decision")
    if request.method == "POST":
        _check_may(request, DECIDE)
        approved = "approve" in request.POST
        if form.is_valid() and _decide(request, form, number, approved=approved):
            messages.success(request, _("Approved.") if approved else _("Refused."))
            return redirect("staff-rules-version", number=number)
    old, new = _compared(row.pk, row.based_on_id, is_open=is_open)
    context = {
        "row": row,
        "against": old.version,
        "changes": _changes(old, new),
        "caption": _("All rows"),
        "rows": [_row(terms) for terms in new.terms.values()],
        "form": form,
        "may_decide": is_open and request.user.has_perm(DECIDE),
        "is_own": row.proposed_by_id == request.user.pk,
    }
    return _page(request, "rules_version", f"Rules, version {number}", context)


def _decide(
    request: HttpRequest, form: forms.Form, number: int, *, approved: bool
) -> datetime | None:
    reason = form.cleaned_data["reason"]
    by = _staff_id(request)
    return _ask(form, lambda: services.decide(number, approved=approved, by=by, reason=reason))


def _compared(number: int, based_on: int | None, *, is_open: bool) -> tuple[RuleBook, RuleBook]:
    """Return what a version is held against, and the version: once decided, what it came from."""
    new = selectors.rules_of(number)
    if is_open:
        return selectors.rules_in_force(), new
    return selectors.rules_of(based_on) if based_on else new, new


def _changes(old: RuleBook, new: RuleBook) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return each changed country with what was and what would be."""
    found = []
    for country, before, after in selectors.difference(old, new):
        cells = [
            (str(label), _cell(before, name), _cell(after, name))
            for name, label in LABELS.items()
            if _cell(before, name) != _cell(after, name)
        ]
        found.append((_country_name(country), cells))
    return found


def _row(terms: Terms) -> tuple[str, str, list[str]]:
    cells = [_cell(terms, name) for name in LABELS]
    return terms.country, _country_name(terms.country), cells


def _cell(terms: Terms | None, name: str) -> str:
    if terms is None:
        return "as everywhere else"
    value = getattr(terms, name)
    if name == "is_sanctioned":
        return "yes" if value else "no"
    return "nobody" if value is None else f"tier {value}"


def _country_name(country: str) -> str:
    return ELSEWHERE_NAME if country == EVERYWHERE_ELSE else str(countries.name(country))


def _fields(terms: Terms) -> dict[str, Any]:
    return {"country": terms.country} | {name: getattr(terms, name) for name in LABELS}


def _terms(rows: Any) -> list[Terms]:
    filled = [form.cleaned_data for form in rows if form.cleaned_data.get("country")]
    names = ("country", *LABELS)
    return [Terms(**{name: row[name] for name in names}) for row in filled if not row.get("DELETE")]


def _check_may(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _staff_id(request: HttpRequest) -> int:
    return int(request.user.pk or 0)


def _ask(form: forms.Form, act: Callable[[], T]) -> T | None:
    """Do the act; show its refusal on the form."""
    try:
        return act()
    except Refusal as refusal:
        for name, text in refusal.data.get("fields", {None: refusal.message}).items():
            form.add_error(name, text)
        return None


def _page(request: HttpRequest, name: str, title: Any, context: dict[str, Any]) -> HttpResponse:
    frame = admin.site.each_context(request) | {"title": title}
    return render(request, f"admin/compliance/{name}.html", frame | context)
