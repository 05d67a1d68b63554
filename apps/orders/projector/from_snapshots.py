"""Starting from the partitions' newest snapshots, where their logs are too long to read whole.

A snapshot knows what is open and what is owned; orders that ended before it, and their fills, are
the ledger's to show.
"""

from pathlib import Path

import redis

from apps.common.kernel.money import wide
from apps.journals import directory
from apps.journals.replica import Replica
from apps.journals.snapshots import Snapshots
from apps.orders.dialect.extras import PLAIN
from apps.orders.projector.folds import Fold, Place
from apps.orders.readmodels import AccountModel, OrderModel
from apps.risk.codec import RISK_CODEC
from apps.risk.engine import RiskMachine
from apps.risk.engine.orders import Order


def start_from(fold: Fold, journal: "redis.Redis", folder: Path, worker: str) -> bool:
    """Put a partition's newest snapshot into an empty fold; False if it has none."""
    machine = RiskMachine(int(worker.removeprefix("risk:")))
    replica = Replica(worker, machine, RISK_CODEC, directory.genesis_of(journal, worker))
    snapshot = Snapshots(folder, worker).load_newest(replica)
    if snapshot is None:
        return False
    for market in machine.markets.values():
        fold.learn(market.spec)
        fold.changes.specs[market.symbol] = market.spec
    for order in machine.orders.values():
        model = order_model(order)
        fold.open[model.order_id] = fold.changes.orders[model.order_id] = model
        fold.kept_of(model.account).clients[model.client_id] = model.order_id
    for account in machine.accounts.values():
        fold.changes.accounts[account.number] = AccountModel(
            account=account.number,
            frozen=account.frozen,
            tier=account.tier,
            maker_ppm=account.maker_ppm,
            taker_ppm=account.taker_ppm,
        )
        fold.changes.balances[account.number] = {
            asset: (wide(balance.total), wide(balance.held))
            for asset, balance in account.balances.items()
        }
    place = Place(snapshot.batch, snapshot.at_ns, snapshot.seq, snapshot.hash, snapshot.inputs)
    fold.places[worker] = fold.changes.places[worker] = place
    return True


def order_model(order: Order) -> OrderModel:
    """Show an open order of the engine as a log would have told it."""
    first = order.first
    return OrderModel(
        order_id=order.order_id,
        version=order.version,
        account=order.account.number,
        client_id=order.client_id,
        market=order.market.symbol,
        side=order.side,
        kind=order.kind,
        tif=order.time_in_force,
        post_only=order.post_only,
        price_ticks=order.price_ticks,
        lots=order.lots,
        budget=wide(order.budget),
        status="PARTIALLY_FILLED" if order.filled_lots else "NEW",
        filled_lots=order.filled_lots,
        cum_quote=wide(order.cum_quote),
        reported=first is not None,
        accepted_ns=order.at_ns,
        updated_ns=first.transact_ns if first is not None else order.at_ns,
        command=order.command,
        risk_batch=0,  # Of a batch before the snapshot: only the log knows.
        risk_seq=order.seq,
        risk_hash=b"",
        first_ns=first.transact_ns if first is not None else 0,
        first_seq=first.engine_seq if first is not None else 0,
        first_hash=first.journal_hash if first is not None else b"",
        extras=order.extras or PLAIN,
        other_leg=order.leg.other if order.leg is not None else 0,
        other_client_id=order.leg.other_client_id if order.leg is not None else "",
        triggered_ns=order.at_ns if order.is_set_off else 0,  # At least: only the log knows when.
        book_seq=first.engine_seq if first is not None else 0,
        book_hash=first.journal_hash if first is not None else b"",
    )
