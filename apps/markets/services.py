"""What can be done about markets: list one, open or stop one."""

from __future__ import annotations

import msgspec
import redis
import structlog
from django.db import transaction

from apps.common import audit, outbox
from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.kernel.invariants import ensure
from apps.journals import directory, keys
from apps.journals.contracts import LinkAdd, RulesSet
from apps.markets import news, selectors, terms
from apps.markets.contracts import AssetInfo
from apps.markets.models import Asset, Market
from apps.risk.contracts.commands import MarketAdd
from matching_worker.contracts.market import (
    RULES_NEWEST,
    BreakerSet,
    MarketSpec,
    MarketState,
    MarketStateSet,
)
from matching_worker.contracts.to_book import MarketDefine

log = structlog.get_logger("fairbook.markets")


class MarketDiffers(Refusal):
    """The market is listed already, by other numbers. Numbers change by a versioned command."""

    code = "market_differs"
    http_status = 409


class NotOperated(Refusal):
    """No such market, or one that is being listed or delisted: there is nothing to open or stop."""

    code = "market_not_operated"
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
            set_rules(RULES_NEWEST, worker=worker)
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
    for market in Market.objects.in_order().exclude(state=Market.State.DELISTED):
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
    if not (is_founded and Market.objects.filter(symbol=spec.symbol).exists()):
        directory.found(journal, f"book:{spec.symbol}", genesis_of(spec))
    with transaction.atomic(durable=True):
        is_new = tell_partitions(spec)
    selectors.forget()
    return is_new


def genesis_of(spec: MarketSpec) -> list[msgspec.Struct]:
    """Return what a market's book starts from."""
    return [MarketDefine(spec=spec), *(LinkAdd(peer=worker) for worker in partitions())]


def check_spec(spec: MarketSpec) -> None:
    """Claim that no fill rounds: whoever asks for a market was told so before (`terms`)."""
    ensure(terms.is_exact(spec), "a tick times a lot, and a lot, are whole numbers of minor units")


@transaction.atomic
def tell_partitions(spec: MarketSpec) -> bool:
    """Put a market whose book is founded into the catalogue, and tell the partitions. Once."""
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
    set_rules(RULES_NEWEST, worker=f"book:{spec.symbol}")
    outbox.send(BreakerSet(ppm=breaker_of(spec)), worker=f"book:{spec.symbol}")
    for worker in partitions():
        _tell_of_market(spec, worker=worker)
    return True


def breaker_of(spec: MarketSpec) -> int:
    """Return how far from the reference a trade pauses a market, in ppm: half its price band."""
    return spec.band_ppm // 2


@transaction.atomic
def set_rules(number: int, *, worker: str) -> None:
    """Let a worker behave by a newer rules version from its next batch on. There is no way back."""
    ensure(0 < number <= RULES_NEWEST, "this build knows the rules it tells to follow")
    outbox.send(RulesSet(number=number), worker=worker)
    log.info("markets.rules.set", worker=worker, rules=number)


def set_state(symbol: str, state: MarketState, *, reason: str, by: str = "system") -> None:
    """Tell a book to trade or to stop, with a reason that the record keeps.

    `by` is who decided: "staff:3" or "system". Raises `NotOperated` for a market that comes or
    goes: its listing says what is next (`listings`).
    """
    ensure(state != "delisted", "to delist is an act of its own")
    with transaction.atomic(durable=True):
        was = selectors.state_to_operate(symbol)
        if was is None:
            raise NotOperated("No market of this name is open to operators.", market=symbol)
        audit.record(
            "market.state_set",
            subject=f"market:{symbol}",
            actor=by,
            was=was,
            state=state,
            reason=reason,
        )
        tell_book(symbol, state, reason=reason)
    selectors.forget()
    news.announce()


def halt(symbol: str, *, reason: str) -> bool:
    """Halt a market whose book broke an invariant; False if nobody trades there anyway."""
    if selectors.state_to_operate(symbol) in (None, "halted", "pre_open"):
        return False
    set_state(symbol, "halted", reason=reason)
    log.critical("markets.halted", market=symbol, why=reason)
    return True


@transaction.atomic
def tell_book(symbol: str, state: MarketState, *, reason: str) -> int:
    """Note a market's state and tell its book; return the outbox row that says so."""
    Market.objects.filter(symbol=symbol).update(state=state)
    row = outbox.send(MarketStateSet(state=state, reason=reason), worker=f"book:{symbol}")
    log.info("markets.state.set", market=symbol, state=state, reason=reason)
    return row.pk


def open_first(symbol: str, *, reason: str) -> None:
    """Open a market that never traded; one that is open, or was stopped, stays as it is."""
    if Market.objects.filter(symbol=symbol, state=Market.State.PRE_OPEN).exists():
        set_state(symbol, "trading", reason=reason)


def name_asset(asset: AssetInfo) -> None:
    """List an asset under its full name."""
    add_asset(code=asset.code, name=asset.name, decimals=asset.decimals)
