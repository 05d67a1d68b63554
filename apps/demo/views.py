"""The demo's page: become anybody, and kill anything. Only where FAIRBOOK_ENV is demo."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST, require_safe

from apps.common.errors import Refusal
from apps.demo import services
from apps.users import sessions
from apps.users.services import log_ins, people
from apps.users.services import mail as mails
from apps.web import views as web

BACK_OFFICE, MARKET = "/admin/", "/trade/{}"
MODULES: tuple[str, ...] = ()
KILLABLE = (
    (
        "matching",
        _("Matching engine"),
        _("The process that owns the BTC-USDT book. Its standby takes over."),
    ),
    (
        "risk",
        _("Risk engine"),
        _("The process that owns balances and holds. Its standby takes over."),
    ),
    ("cache", _("Cache"), _("Read models, sessions, feeds, limits. All of it is rebuilt.")),
)


@require_safe
@ensure_csrf_cookie
def demo(request: HttpRequest) -> HttpResponse:
    """Show who one can be, and what one can kill."""
    return web.page(request, "demo", modules=MODULES, targets=KILLABLE, people=services.people())


@require_POST
def log_in_as(request: HttpRequest, login_name: str) -> HttpResponse:
    """Log in as a demo user, by the password that `demo.json` has of them; that is enough here."""
    try:
        name, password = services.credentials_of(login_name)
        user = authenticate(request, username=people.full_login(name), password=password)
    except Refusal as refusal:
        return _refused(refusal)
    if user is None:
        return _refused(services.NoSuchDemoUser("The demo's log-ins are not seeded yet."))
    log_ins.complete(request, user, by=sessions.DEMO)
    is_staff = user.is_staff
    answer = JsonResponse({"next": BACK_OFFICE if is_staff else _first_market()})
    log_ins.note_place(request, answer, user, place="")
    return answer


@require_safe
@ensure_csrf_cookie
def mail(request: HttpRequest) -> HttpResponse:
    """Show what this exchange mailed to anybody: in the demo no mail leaves the machine."""
    return web.page(request, "mail", modules=MODULES, mails=mails.newest_in_demo())


@require_POST
def kill(request: HttpRequest, target: str) -> HttpResponse:
    """Start a run: orders flow, the owner of `target` dies by kill -9, all is accounted for."""
    try:
        return JsonResponse({"run": services.start_run(target)}, status=202)
    except Refusal as refusal:
        return _refused(refusal)


@require_GET
def run(request: HttpRequest, run: str) -> HttpResponse:
    """Return what a run has found so far."""
    try:
        return JsonResponse(services.run_record(run))
    except Refusal as refusal:
        return _refused(refusal)


def _first_market() -> str:
    return MARKET.format(web.config.words("FAIRBOOK_MARKETS")[0])


def _refused(refusal: Refusal) -> JsonResponse:
    return JsonResponse(refusal.as_json(), status=refusal.http_status)
