"""What can be done about markets: list one, open or stop one."""

from __future__ import annotations

import redis
import structlog
from django.db import transaction

from apps.common import outbox
from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.kernel.invariants import ensure
from apps.journals import directory, keys
from apps.journals.contracts import LinkAdd
from apps.markets import selectors
from apps.markets.contracts import AssetInfo
from apps.markets.models import Asset, Market
from apps.risk.contracts.commands import MarketAdd
from matching_worker.contracts.market import MarketSpec, MarketState, MarketStateSet
from matching_worker.contracts.to_book import MarketDefine

log = structlog.get_logger("fairbook.markets")


class MarketDiffers(Refusal):
    """The market is listed already, by other numbers. Numbers change by a versioned command."""

    code = "market_differs"
    http_status = 409


def partitions() -> list[str]:
    """Name all risk partitions of this exchange."""
    return [f"risk:{number}" for number in range(config.integer("FAIRBOOK_RISK_PARTITIONS"))]


def found_partitions(journal: redis.Redis) -> None:
    """Found each risk partition that is not there yet, and link all partitions to one another.

    The links are queued first: after a failure in between, the next call queues them again, and a
    link that is there already changes nothing.
    """
    known = set(directory.workers(journal))
    for worker in partitions():
        if worker not in known:
            _link_partition(worker)
            directory.found(journal, worker, [])
    _tell_new_partitions()
    selectors.forget()


@transaction.atomic(durable=True)
def _link_partition(worker: str) -> None:
    for other in partitions():
        if other != worker:
            outbox.send(LinkAdd(peer=other), worker=worker)
            outbox.send(LinkAdd(peer=worker), worker=other)


@transaction.atomic(durable=True)
def _tell_new_partitions() -> None:
    """Tell partitions that came after a market of it, and its book of them."""
    for market in Market.objects.in_order():
        for worker in partitions()[market.partitions :]:
            outbox.send(LinkAdd(peer=worker), worker=f"book:{market.symbol}")
            _tell_of_market(selectors.spec_of(market), worker=worker)
    Market.objects.filter(partitions__lt=len(partitions())).update(partitions=len(partitions()))


def _tell_of_market(spec: MarketSpec, *, worker: str) -> None:
    outbox.send(LinkAdd(peer=f"book:{spec.symbol}"), worker=worker)
    outbox.send(MarketAdd(spec=spec), worker=worker)


@transaction.atomic
def add_asset(*, code: str, name: str, decimals: int) -> None:
    """List an asset. How it is counted never changes."""
    asset, _ = Asset.objects.get_or_create(code=code, defaults={"name": name, "decimals": decimals})
    ensure(asset.decimals == decimals, "an asset's minor unit is for ever")


def list_market(spec: MarketSpec, *, journal: redis.Redis) -> bool:
    """List a market: its book's genesis first, then tell the partitions. False if it was listed.

    A failure between the two leaves a genesis that the next call finds and goes on from.
    """
    check_spec(spec)
    is_founded = bool(journal.exists(keys.genesis(f"book:{spec.symbol}")))
    if is_founded and Market.objects.filter(symbol=spec.symbol).exists():
        return _write_listing(spec)
    links = [LinkAdd(peer=worker) for worker in partitions()]
    directory.found(journal, f"book:{spec.symbol}", [MarketDefine(spec=spec), *links])
    is_new = _write_listing(spec)
    selectors.forget()
    return is_new


def check_spec(spec: MarketSpec) -> None:
    """Refuse numbers by which a fill would round."""
    exponent = spec.quote_decimals - spec.price_decimals - spec.size_decimals
    worth = spec.tick_units * spec.lot_units
    exact = worth * 10**exponent if exponent >= 0 else None
    ensure(exact == spec.quote_per_tick_lot, "one tick times one lot is a whole number of quote")
    lot = spec.lot_units * 10 ** (spec.base_decimals - spec.size_decimals)
    ensure(lot == spec.base_per_lot, "a lot is a whole number of base minor units")


@transaction.atomic(durable=True)
def _write_listing(spec: MarketSpec) -> bool:
    known = Market.objects.select_related("base", "quote").filter(symbol=spec.symbol).first()
    if known is not None:
        if selectors.spec_of(known) != spec:
            raise MarketDiffers("The market is listed by other numbers.", market=spec.symbol)
        return False
    fields = {name: getattr(spec, name) for name in spec.__struct_fields__}
    decimals = {name: fields.pop(f"{name}_decimals") for name in ("base", "quote")}
    for name in ("base", "quote"):
        add_asset(code=fields[name], name=fields[name], decimals=decimals[name])
        fields[f"{name}_id"] = fields.pop(name)
    Market.objects.create(**fields, partitions=len(partitions()))
    for worker in partitions():
        _tell_of_market(spec, worker=worker)
    return True


def set_state(symbol: str, state: MarketState, *, reason: str) -> None:
    """Tell a book to trade or to stop, with a reason that the record keeps."""
    with transaction.atomic(durable=True):
        Market.objects.filter(symbol=symbol).update(state=state)
        outbox.send(MarketStateSet(state=state, reason=reason), worker=f"book:{symbol}")
    selectors.forget()
    log.info("markets.state.set", market=symbol, state=state, reason=reason)


def open_first(symbol: str, *, reason: str) -> None:
    """Open a market that never traded; one that is open, or was stopped, stays as it is."""
    if Market.objects.filter(symbol=symbol, state=Market.State.PRE_OPEN).exists():
        set_state(symbol, "trading", reason=reason)


def name_asset(asset: AssetInfo) -> None:
    """List an asset under its full name."""
    add_asset(code=asset.code, name=asset.name, decimals=asset.decimals)
