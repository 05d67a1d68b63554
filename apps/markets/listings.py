"""What staff can ask for: list a market, delist one. And how a listing is noted on its way.

A request is a row with a reason, and `lister.py` takes it further. The row moves only forward, by
compare-and-set, in the transaction of what the move means; each move adds a step to the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.common.errors import Refusal
from apps.common.forms import REASON_LENGTH_MAX
from apps.common.kernel.invariants import ensure
from apps.markets import selectors, services
from apps.markets.models import Asset, Listing, ListingStep, Market
from apps.markets.terms import BadTerms
from matching_worker.contracts.market import MarketSpec

CHANNEL = "listings"
LISTER = "lister"
SLOTS_MAX = 400  # As many processes as that are no matter of one machine any more.
CAN_BE_DELISTED = (
    Listing.State.TOLD,
    Listing.State.ACKNOWLEDGED,
    Listing.State.KNOWN,
    Listing.State.OPENING,
    Listing.State.OPEN,
)

log = structlog.get_logger("fairbook.markets")


class NoReason(Refusal):
    """Every act of the staff has a reason that the record keeps."""

    code = "no_reason"


class NotListed(Refusal):
    """There is no such market that could be delisted now."""

    code = "not_listed"
    http_status = 409


class Busy(Refusal):
    """Somebody else asked for a listing at this very moment."""

    code = "busy"
    http_status = 409


def request_listing(spec: MarketSpec, *, by: str, reason: str) -> int:
    """Ask for a market to be listed, and return the listing's number."""
    _check_reason(reason)
    services.check_spec(spec)
    try:
        listing_id = _write_request(spec, by=by, reason=reason)
    except IntegrityError:
        raise Busy("Another listing was asked for at this moment. Look, and try again.") from None
    log.info("markets.listing.requested", market=spec.symbol, by=by, reason=reason)
    return listing_id


@transaction.atomic(durable=True)
def _write_request(spec: MarketSpec, *, by: str, reason: str) -> int:
    check_is_new(spec)
    listing = Listing.objects.create(
        market=spec.symbol, terms=msgspec.to_builtins(spec), slot=_free_slot()
    )
    _note(listing.pk, Listing.State.REQUESTED, by=by, reason=reason)
    return listing.pk


def check_is_new(spec: MarketSpec) -> None:
    """Refuse a market that is listed, or was, and an asset that is counted otherwise."""
    wrong: dict[str, str] = {}
    pairs = {spec_of(listing).base + spec_of(listing).quote for listing in Listing.objects.live()}
    pairs |= {market.base_id + market.quote_id for market in Market.objects.in_order()}
    if spec.base + spec.quote in pairs:
        wrong["symbol"] = "There is, or was, a market of this name; its journal is for ever."
    for listing in Listing.objects.filter(market=spec.symbol, state=Listing.State.FAILED):
        if spec_of(listing) != spec:
            wrong["symbol"] = "It was asked for before by other numbers, and its book has those."
    for name in ("base", "quote"):
        asset = Asset.objects.filter(code=getattr(spec, name)).first()
        if asset is not None and asset.decimals != getattr(spec, f"{name}_decimals"):
            wrong[f"{name}_decimals"] = (
                f"{asset.code} is counted with {asset.decimals} decimals here, for ever."
            )
    if wrong:
        raise BadTerms(wrong)


def request_delisting(symbol: str, *, by: str, reason: str) -> int:
    """Ask for a market to be delisted, and return the listing's number."""
    _check_reason(reason)
    listing_id = _write_delisting(symbol, by=by, reason=reason)
    log.info("markets.delisting.requested", market=symbol, by=by, reason=reason)
    return listing_id


@transaction.atomic(durable=True)
def _write_delisting(symbol: str, *, by: str, reason: str) -> int:
    market = Market.objects.in_order().filter(symbol=symbol).first()
    if market is None:
        raise NotListed("There is no such market.", market=symbol)
    listing, _ = Listing.objects.live().get_or_create(  # Those of the seed have no listing yet.
        market=symbol,
        defaults={
            "terms": msgspec.to_builtins(selectors.spec_of(market)),
            "state": Listing.State.OPEN,
        },
    )
    to = Listing.State.CLOSE_REQUESTED
    if not move(listing, to, by=by, reason=reason, from_states=CAN_BE_DELISTED):
        raise NotListed(f"It cannot be delisted now: it is {listing.state}.", market=symbol)
    return listing.pk


def can_be_delisted(symbol: str) -> bool:
    """Say whether a delisting of this market would be taken."""
    if not Market.objects.filter(symbol=symbol).exists():
        return False
    listing = Listing.objects.live().filter(market=symbol).first()
    return listing is None or listing.state in CAN_BE_DELISTED


def spec_of(listing: Listing) -> MarketSpec:
    """Return the numbers of a listing as they were asked for."""
    return msgspec.convert(listing.terms, MarketSpec)


# -- moves


@transaction.atomic
def move(
    listing: Listing,
    to: Listing.State,
    *,
    by: str = LISTER,
    reason: str = "",
    from_states: tuple[str, ...] = (),
    **fields: Any,
) -> bool:
    """Take a listing to its next state, unless somebody else did; say whether it was us."""
    row = Listing.objects.filter(pk=listing.pk, state__in=from_states or (listing.state,))
    fields |= {"state": to, "waits_for": "", "moved_at": timezone.now()}
    if not row.update(**fields):
        return False
    for name, value in fields.items():
        setattr(listing, name, value)
    _note(listing.pk, to, by=by, reason=reason)
    return True


@transaction.atomic(durable=True)
def move_with(listing: Listing, to: Listing.State, act: Callable[[], dict[str, Any]]) -> None:
    """Move and do what the move means, both or neither. `act` returns fields of the listing."""
    if move(listing, to):
        fields = act()
        Listing.objects.filter(pk=listing.pk).update(**fields)
        for name, value in fields.items():
            setattr(listing, name, value)


def wait(listing: Listing, reason: str) -> None:
    """Show what a listing waits for."""
    if listing.waits_for != reason[:300]:
        listing.waits_for = reason[:300]
        Listing.objects.filter(pk=listing.pk, state=listing.state).update(waits_for=reason[:300])


def last_reason(listing: Listing) -> str:
    """Return the newest reason that a person gave."""
    steps = ListingStep.objects.filter(listing=listing).exclude(by=LISTER).order_by("-pk")
    return steps.values_list("reason", flat=True).first() or "listed"


def _note(listing_id: int, state: Listing.State, *, by: str, reason: str) -> None:
    ListingStep.objects.create(listing_id=listing_id, state=state, by=by, reason=reason[:300])
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")  # Heard at commit. A nudge: the lister also looks.


def _free_slot() -> int:
    taken = set(Listing.objects.with_processes().values_list("slot", flat=True))
    free = next((slot for slot in range(SLOTS_MAX) if slot not in taken), None)
    ensure(free is not None, "one supervisor never runs hundreds of books")
    return int(free or 0)


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON_LENGTH_MAX:
        raise NoReason(f"Say why, in at most {REASON_LENGTH_MAX} characters.")
