"""A partition's state as plain data, and back. Sorted, so that equal states have equal bytes."""

from typing import Any, cast

import msgspec

from apps.common.kernel.money import wide
from apps.risk.contracts.replies import OrderResult
from apps.risk.engine import checkpoints
from apps.risk.engine.accounts import Account
from apps.risk.engine.clients import key_of
from apps.risk.engine.orders import Amend, Leg, Market, Order
from apps.risk.engine.state import PartitionState, Withdrawal
from matching_worker.contracts.market import MarketSpec
from matching_worker.contracts.to_book import OrderExtras

Row = list[Any]

_encode = msgspec.msgpack.Encoder().encode
_decode_spec = msgspec.msgpack.Decoder(MarketSpec).decode
_decode_extras = msgspec.msgpack.Decoder(OrderExtras).decode
_decode_result = msgspec.msgpack.Decoder(OrderResult).decode


def dump(state: PartitionState) -> dict[str, Any]:
    """Return all that the future depends on. What follows from it is derived again by `load`."""
    clients, references = state.clients, state.references
    pending = references.known - {key for key, _ in references.ended}
    return {
        "partition": state.partition,
        "rules": state.rules,
        "seq": state.seq,
        "at_ns": state.at_ns,
        "orders_made": state.orders_made,
        "checkpoint_due_ns": state.checkpoint_due_ns,
        "assets": sorted(state.assets),
        "links": sorted(state.links),
        "markets": [_dump_market(market) for _, market in sorted(state.markets.items())],
        "accounts": [_dump_account(account) for _, account in sorted(state.accounts.items())],
        "orders": [_dump_order(order) for _, order in sorted(state.orders.items())],
        "ended_ids": [[key, clients.known[key], at_ns] for key, at_ns in clients.ended],
        "ended_derived_ids": [
            [key, clients.known[key], at_ns] for key, at_ns in clients.ended_derived
        ],
        "references": [[key, at_ns] for key, at_ns in references.ended],
        "pending_references": sorted(pending),
        "withdrawals": [
            [entry.reference, entry.account, entry.asset, wide(entry.amount)]
            for _, entry in sorted(state.withdrawals.items())
        ],
        "house": {
            kind: {asset: wide(amount) for asset, amount in sorted(amounts.items())}
            for kind, amounts in sorted(state.house.items())
        },
        "asks": [[peer, list(up_to)] for peer, up_to in sorted(state.asks.items())],
    }


def load(state: PartitionState, dumped: object) -> None:
    """Start over as the partition whose `dump` this was."""
    saved = cast(dict[str, Any], dumped)
    state.__init__(saved["partition"])  # type: ignore[misc]
    state.rules = saved["rules"]
    state.seq = saved["seq"]
    state.at_ns = saved["at_ns"]
    state.orders_made = saved["orders_made"]
    state.checkpoint_due_ns = saved["checkpoint_due_ns"]
    state.assets |= set(saved["assets"])
    state.links |= set(saved["links"])
    for row in saved["markets"]:
        _load_market(state, row)
    for row in saved["accounts"]:
        _load_account(state, row)
    for row in saved["orders"]:
        _load_order(state, row)
    for queue, rows in (
        (state.clients.ended, saved["ended_ids"]),
        (state.clients.ended_derived, saved["ended_derived_ids"]),
    ):
        for key, packed, at_ns in rows:
            state.clients.known[key] = packed
            queue.push(key, at_ns=at_ns)
            state.accounts[int(key.partition("/")[0])].client_ids += 1
    for key, at_ns in saved["references"]:
        state.references.known.add(key)
        state.references.ended.push(key, at_ns=at_ns)
    state.references.known |= set(saved["pending_references"])
    for reference, account, asset, amount in saved["withdrawals"]:
        state.withdrawals[reference] = Withdrawal(account, asset, int(amount), reference)
    for kind, amounts in saved["house"].items():
        state.house[kind] = {asset: int(amount) for asset, amount in amounts.items()}
    for peer, (milliseconds, counter) in saved["asks"]:
        state.asks[peer] = (milliseconds, counter)
    checkpoints.digest_changes(state)


def _dump_market(market: Market) -> Row:
    return [
        _encode(market.spec),
        market.reference_ticks,
        market.state,
        wide(market.clearing_base),
        wide(market.clearing_quote),
    ]


def _load_market(state: PartitionState, row: Row) -> None:
    spec, reference_ticks, market_state, clearing_base, clearing_quote = row
    market = Market(_decode_spec(spec))
    market.reference_ticks = reference_ticks
    market.state = market_state
    market.clearing_base = int(clearing_base)
    market.clearing_quote = int(clearing_quote)
    state.markets[market.symbol] = market


def _dump_account(account: Account) -> Row:
    return [
        account.number,
        account.frozen,
        account.has_own_fees,
        account.tier,
        account.maker_ppm,
        account.taker_ppm,
        [
            [asset, wide(balance.total), wide(balance.held)]
            for asset, balance in sorted(account.balances.items())
        ],
    ]


def _load_account(state: PartitionState, row: Row) -> None:
    number, frozen, has_own_fees, tier, maker_ppm, taker_ppm, balances = row
    account = state.accounts[number] = Account(number)
    account.frozen = frozen
    account.has_own_fees = has_own_fees
    account.tier = tier
    account.maker_ppm = maker_ppm
    account.taker_ppm = taker_ppm
    for asset, total, held in balances:
        balance = account.balance(asset)
        balance.total = int(total)
        balance.held = int(held)
        balance.is_undigested = True
        state.undigested.append(balance)


def _dump_order(order: Order) -> Row:
    return [
        order.order_id,
        order.version,
        order.account.number,
        order.market.symbol,
        order.pays_from.asset,
        order.client_id,
        order.side,
        order.kind,
        order.time_in_force,
        order.post_only,
        order.price_ticks,
        order.lots,
        wide(order.asked_budget),
        wide(order.budget),
        list(order.command),
        order.seq,
        order.at_ns,
        wide(order.held),
        order.filled_lots,
        wide(order.cum_quote),
        [[source, request] for source, request in order.waiting],
        None if order.first is None else _encode(order.first),
        order.derived,
        *_dump_beyond(order),
    ]


def _dump_beyond(order: Order) -> Row:
    """Return what most orders do not have, as one more part of the row, or nothing at all."""
    extras, leg, amend = order.extras, order.leg, order.amend
    if extras is None and amend is None and not order.lots_asked:
        return []
    return [
        [
            None if extras is None else _encode(extras),
            order.is_set_off,
            None if leg is None else [leg.other, leg.other_client_id, leg.part],
            None if amend is None else [amend.source, amend.request, amend.version, amend.lots],
            order.lots_asked,
        ]
    ]


def _load_order(state: PartitionState, row: Row) -> None:
    order_id, version, number, symbol, asset = row[:5]
    client_id, side, kind, time_in_force, post_only, price_ticks, lots = row[5:12]
    asked_budget, budget, command, seq, at_ns, held, filled_lots, cum_quote = row[12:20]
    waiting, first, derived = row[20:23]
    account = state.accounts[number]
    order = Order(
        order_id=order_id,
        version=version,
        account=account,
        market=state.markets[symbol],
        pays_from=account.balances[asset],
        client_id=client_id,
        side=side,
        kind=kind,
        time_in_force=time_in_force,
        post_only=post_only,
        price_ticks=price_ticks,
        lots=lots,
        asked_budget=int(asked_budget),
        budget=int(budget),
        command=(command[0], command[1]),
        seq=seq,
        at_ns=at_ns,
        held=int(held),
        filled_lots=filled_lots,
        cum_quote=int(cum_quote),
        waiting=[(source, request) for source, request in waiting],
        first=None if first is None else _decode_result(first),
        derived=derived,
    )
    for beyond in row[23:]:
        _load_beyond(order, beyond)
    state.orders[order_id] = order
    account.open_orders[symbol] = account.open_orders.get(symbol, 0) + 1
    state.clients.open(key_of(number, client_id), order)


def _load_beyond(order: Order, row: Row) -> None:
    extras, order.is_set_off, leg, amend, order.lots_asked = row
    order.extras = None if extras is None else _decode_extras(extras)
    order.leg = None if leg is None else Leg(*leg)
    order.amend = None if amend is None else Amend(*amend)
