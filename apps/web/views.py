"""The pages: templates with almost nothing in them. The browser fills them from the public API.

They read no table, so they open while PostgreSQL is down: trading goes on then, and so must
its page.
"""

from contextlib import suppress
from typing import Any
from unicodedata import normalize

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language
from django_countries import countries

from apps.common.config import config
from apps.markets import selectors as catalogue
from apps.users.services import people, proofs

THEMES = ("dark", "light")
# Every module of a page, so that the browser fetches all at once and not one behind another.
COMMON_MODULES = (
    "lib/words",
    "lib/api",
    "lib/dom",
    "lib/toast",
    "lib/theme",
    "lib/trust",
    "lib/shell",
)
LIVE_MODULES = ("lib/decimal", "lib/feed", "lib/markets", "lib/ticker")
TRADE_MODULES = (
    "lib/depthbook",
    "trade/account",
    "trade/asks",
    "trade/balances",
    "trade/candles",
    "trade/chart",
    "trade/estimate",
    "trade/ladder",
    "trade/life",
    "trade/market_feed",
    "trade/own",
    "trade/rows",
    "trade/snippets",
    "trade/strip",
    "trade/tape",
    "trade/ticket",
)

VERIFICATION_MODULES = (
    "verification/fields",
    "verification/overview",
    "verification/papers",
    "verification/wizard",
    "verification/words",
)
PROOF_MODULES = ("lib/forms", "lib/passkeys", "lib/stepup")
SECURITY_MODULES = (
    *PROOF_MODULES,
    "security/codes",
    "security/devices",
    "security/factors",
    "security/happenings",
    "security/lists",
    "security/sessions",
)
KEYS_MODULES = (*PROOF_MODULES, "keys/accounts", "keys/list", "keys/make", "keys/pair")


def page(
    request: HttpRequest, name: str, *, modules: tuple[str, ...], **context: Any
) -> HttpResponse:
    """Render one page with what the frame of every page needs."""
    theme = request.COOKIES.get(settings.THEME_COOKIE_NAME)
    frame = {
        "page": name,
        "entry": f"js/{name}.js",
        "modules": [f"js/{module}.js" for module in (*COMMON_MODULES, *modules)],
        "theme": theme if theme in THEMES else "",
        "theme_cookie": settings.THEME_COOKIE_NAME,
        "signed_in": is_signed_in(request),
        "demo": settings.FAIRBOOK_ENV == "demo",
        "symbols": symbols(),
    }
    return render(request, f"web/{name}.html", frame | context)


def symbols() -> tuple[str, ...]:
    """Return what can be traded, as this process knows it; before it knows, what is configured."""
    known = tuple(m.spec.symbol for m in catalogue.known().markets if not m.is_delisted)
    return known or config.words("FAIRBOOK_MARKETS")


def is_signed_in(request: HttpRequest) -> bool:
    """Whether the session names a person. Who it is, and what they may do, the API says."""
    try:
        return SESSION_KEY in request.session
    except OperationalError:  # The session's copy in the cache is lost, and its row is away.
        return False


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Take the language that somebody chose: of pages into a cookie, of mails to the account."""
    answer = set_language(request)
    chosen = answer.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    if chosen and is_signed_in(request):
        with suppress(OperationalError, InterfaceError):  # Pages speak it without PostgreSQL, too.
            if request.user.pk is not None:
                people.choose_language(request.user.pk, chosen.value)
    return answer


@require_safe
@ensure_csrf_cookie
def markets(request: HttpRequest) -> HttpResponse:
    """Show what the exchange is, and its markets with live prices."""
    return page(request, "markets", modules=LIVE_MODULES)


@require_safe
@ensure_csrf_cookie
def trade(request: HttpRequest, symbol: str) -> HttpResponse:
    """Show one market: chart, book, tape, ticket, own orders."""
    if symbol not in symbols():
        raise Http404("No such market.")
    stops = (0, 25, 50, 75, 100)
    modules = (*LIVE_MODULES, *TRADE_MODULES)
    return page(request, "trade", modules=modules, symbol=symbol, stops=stops)


@require_safe
@ensure_csrf_cookie
def login(request: HttpRequest) -> HttpResponse:
    """Show the log-in form; the API takes it."""
    return _auth_page(request, "login", modules=("lib/forms", "lib/passkeys"))


@require_safe
@ensure_csrf_cookie
def signup(request: HttpRequest) -> HttpResponse:
    """Show the sign-up form; the API takes it."""
    return _auth_page(request, "signup", countries=_countries())


@require_safe
@ensure_csrf_cookie
def verify(request: HttpRequest) -> HttpResponse:
    """Confirm an address. The mailed word stands behind the # of the address: no server sees it."""
    return page(request, "verify", modules=("lib/forms",))


@require_safe
@ensure_csrf_cookie
def forgot(request: HttpRequest) -> HttpResponse:
    """Ask for a link that sets a new password."""
    minutes = proofs.reset_minutes()
    return page(request, "forgot", modules=("lib/forms",), reset_minutes=minutes)


@require_safe
@ensure_csrf_cookie
def reset(request: HttpRequest) -> HttpResponse:
    """Set a new password. The mailed word stands behind the # of the address: no server sees it."""
    minutes = proofs.reset_minutes()
    return page(request, "reset", modules=("lib/forms",), reset_minutes=minutes)


def _auth_page(
    request: HttpRequest, name: str, *, modules: tuple[str, ...] = ("lib/forms",), **context: Any
) -> HttpResponse:
    following = _following(request) or "/"
    if is_signed_in(request):
        return redirect(following)
    return page(request, name, modules=modules, next=following, **context)


def _countries() -> list[Any]:
    """Return countries by their names in the reader's language: Ä stands with A."""
    return sorted(countries, key=lambda one: normalize("NFKD", one.name).casefold())


def _following(request: HttpRequest) -> str:
    """Return the page of ours that the person wanted to see, if they named one."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""


@require_safe
@ensure_csrf_cookie
def security(request: HttpRequest) -> HttpResponse:
    """Show a person's second factors, log-ins, devices, and what happened to them."""
    if not is_signed_in(request):
        return redirect(f"{reverse('web:login')}?next={request.path}")
    return page(request, "security", modules=SECURITY_MODULES, next=_following(request))


@require_safe
@ensure_csrf_cookie
def keys(request: HttpRequest) -> HttpResponse:
    """Show a person's API keys, and make them."""
    if not is_signed_in(request):
        return redirect(f"{reverse('web:login')}?next={request.path}")
    return page(request, "keys", modules=KEYS_MODULES)


@require_safe
@ensure_csrf_cookie
def verification(request: HttpRequest) -> HttpResponse:
    """Show what a person is verified for, and take them through an application."""
    if not is_signed_in(request):
        return redirect(f"{reverse('web:login')}?next={request.path}")
    return page(request, "verification", modules=VERIFICATION_MODULES, countries=_countries())
