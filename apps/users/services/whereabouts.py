"""Where a request comes from, whether we serve there, and what that tells of a log-in."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from apps.common import audit
from apps.compliance import places
from apps.compliance import selectors as compliance
from apps.compliance.services import check_served
from apps.users.models import User


def check_sign_up(request: HttpRequest, *, country: str) -> None:
    """Refuse who declares a sanctioned country, or comes from an address in one."""
    check_served(country=country, address=_address(request))


def check_log_in(request: HttpRequest, user: User) -> str:
    """Refuse somebody whose password was right and whom we do not serve; return the place's name.

    What their country and their address tell together is recorded, if it tells anything. An
    address of which nothing is known counts as being in the declared country, and is told, too.
    """
    address = _address(request)
    check_served(country=user.country, address=address)
    signals = compliance.country_signals(declared=user.country, ip=address)
    if signals:
        with transaction.atomic():
            who = f"user:{user.pk}"
            audit.record("session.signals", subject=who, actor="system", signals=signals)
    return places.name_of(places.place_of(address))


def _address(request: HttpRequest) -> str:
    """Return the connection's address. Forwarded-for headers say nothing here."""
    return str(request.META.get("REMOTE_ADDR") or "")
