"""The acts of staff on identity checks: the queue, the review screen, a tier taken away."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from apps.common.errors import Refusal
from apps.kyc import reasons, selectors
from apps.kyc.forms import ReasonForm, RevealForm, WordsForm
from apps.kyc.models import Application, State
from apps.kyc.requirements import AUTOMATIC_UP_TO, PAPER_BY_KIND, QUESTION_BY_NAME, TIER_NAMES
from apps.kyc.services import reveals, reviews, statistics

REVIEW = "kyc.review"
_MAY_BE_SHOWN = 200


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show what waits, what is late, and how fast today's decisions were."""
    _check_may(request, REVIEW)
    now = timezone.now()
    rows = Application.objects.on_the_clock().order_by("due_at", "pk")[:_MAY_BE_SHOWN]
    context = {
        "title": gettext("Identity checks"),
        "rows": [statistics.clock_row(row, now) for row in rows],
        "figures": statistics.figures(now),
    }
    return _page(request, "queue", context)


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one case with its papers side by side, and take one act on it."""
    _check_may(request, REVIEW)
    row = Application.objects.filter(public_id=public_id).first()
    if row is None:
        raise Http404
    bound = request.POST if request.method == "POST" else None
    act = request.POST.get("act", "") if bound is not None else ""
    kinds = list(selectors.papers_of(row).values_list("kind", flat=True))
    shown_papers = [(kind, gettext(PAPER_BY_KIND[kind].label)) for kind in kinds]
    filled = {
        "reveal": RevealForm(bound if act == "reveal" else None, papers=shown_papers),
        "approve": ReasonForm(bound if act == "approve" else None, known=reasons.APPROVE),
        "refuse": WordsForm(bound if act == "refuse" else None, known=reasons.REFUSE),
        "more": WordsForm(bound if act == "more" else None, known=reasons.MORE),
    }
    shown: reveals.Shown | None = None
    if act == "reveal":
        shown = _reveal(request, row, filled["reveal"])
    elif act and _do(request, row, act, filled.get(act)):
        return redirect("admin:kyc_review", public_id=public_id)
    return _page(request, "review", _case(request, row, filled, shown))


def _reveal(request: HttpRequest, row: Application, form: forms.Form) -> reveals.Shown | None:
    if not form.is_valid():
        return None
    return _ask(
        form,
        lambda: reveals.reveal(
            application=row,
            what=form.cleaned_data["what"],
            staff_id=_staff_id(request),
            staff_name=request.user.get_username(),
            reason_code=form.cleaned_data["reason_code"],
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        ),
    )


def _do(request: HttpRequest, row: Application, act: str, form: forms.Form | None) -> bool:
    """Do one act; false if its form or the service refused."""
    if form is not None and not form.is_valid():
        return False
    said = form.cleaned_data if form is not None else {}
    who: dict[str, Any] = {
        "application_id": row.pk,
        "staff_id": _staff_id(request),
        "at": timezone.now(),
    }
    acts: dict[str, Callable[[], Application]] = {
        "take": lambda: reviews.take(**who),
        "put_back": lambda: reviews.put_back(**who),
        "approve": lambda: reviews.approve(reason=said["reason"], **who),
        "refuse": lambda: reviews.refuse(reason=said["reason"], words=said["words"], **who),
        "more": lambda: reviews.ask_for_more(reason=said["reason"], words=said["words"], **who),
    }
    if act not in acts:
        raise Http404
    done = _ask(form, acts[act], request)
    if done is not None:
        messages.success(request, gettext("Done: {state}.").format(state=State(done.state).label))
    return done is not None or form is None


def _case(
    request: HttpRequest,
    row: Application,
    filled: dict[str, forms.Form],
    shown: reveals.Shown | None,
) -> dict[str, Any]:
    row.refresh_from_db()
    me = f"staff:{_staff_id(request)}"
    is_mine = row.state == State.IN_REVIEW and row.taken_by in ("", me)
    papers = [
        {
            "label": gettext(PAPER_BY_KIND[paper.kind].label),
            "paper": paper,
            "masked": _data_uri(preview) if preview is not None else "",
            "pages": [_data_uri(page) for page in shown.pages.get(paper.kind, [])] if shown else [],
        }
        for paper, preview in reveals.previews(row)
    ]
    told = shown.answers if shown is not None else {}
    return {
        "title": f"Tier {row.tier} {TIER_NAMES[row.tier]} · {str(row.public_id)[:8]}",
        "row": row,
        "clock": statistics.clock_row(row, timezone.now()),
        "papers": papers,
        "answers": [
            (gettext(QUESTION_BY_NAME[name].label), text)
            for name, text in sorted(told.items(), key=lambda item: _place(item[0]))
        ],
        "checks": row.checks.order_by("round", "pk"),
        "steps": row.steps.order_by("pk"),
        "looks": row.reveals.select_related("staff", "document").order_by("-pk")[:20],
        "forms": filled,
        "may_take": row.state == State.REFERRED
        or (row.state == State.PASSED and row.tier > AUTOMATIC_UP_TO)
        or (row.state == State.IN_REVIEW and row.taken_by == "" and row.first_by != me),
        "may_decide": is_mine and not (row.first_by == me and row.taken_by == ""),
        "needs_second": row.tier > AUTOMATIC_UP_TO,
    }


def _place(name: str) -> int:
    return list(QUESTION_BY_NAME).index(name)


def _data_uri(jpeg: bytes) -> str:
    """Put a picture into the page itself: no address leads to it, and nothing can keep it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _staff_id(request: HttpRequest) -> int:
    return int(request.user.pk or 0)


def _check_may(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _ask(
    form: forms.Form | None, act: Callable[[], Any], request: HttpRequest | None = None
) -> Any:
    """Do the act; show its refusal on the form, or on the page where there is none."""
    try:
        return act()
    except Refusal as refusal:
        if form is None:
            if request is not None:
                messages.error(request, gettext(refusal.message))
            return None
        for name, text in refusal.data.get("fields", {None: refusal.message}).items():
            form.add_error(name if name in form.fields else None, text)
        return None


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    frame = admin.site.each_context(request)
    return render(request, f"admin/kyc/{name}.html", frame | context)
