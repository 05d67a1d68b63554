"""Partitions and books whose journals stand on a journal server, moved by hand.

The real replicas make the batches; this writes what the atomic call would write: log, links and
cursor. No processes, no leases, no waiting: `run()` turns everyone until nothing is left, at a
time that the test chooses. For tests of whoever reads the journals: settlement, verify, replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import redis

from apps.common.kernel.ids import (
    StreamId,
    format_stream_id,
    numbered_in,
    parse_stream_id,
    partition_of,
)
from apps.journals import keys, wire
from apps.journals.contracts import LinkAdd
from apps.journals.machine import Machine
from apps.journals.replica import Replica
from apps.journals.turn import SealedBatch
from apps.risk.codec import RISK_CODEC
from apps.risk.contracts import commands as ask
from apps.risk.engine import RiskMachine
from matching_worker.codec import BOOK_CODEC
from matching_worker.contracts.market import MarketSpec, MarketStateSet
from matching_worker.contracts.to_book import CancelOrders, MarketDefine
from matching_worker.engine import BookMachine

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
SOURCE = b"a tester"
COIN = 10**8

BTC_USDT = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=8,
    quote_decimals=8,
    price_decimals=2,
    size_decimals=5,
    quote_per_tick_lot=10,
    base_per_lot=1_000,
    min_lots=1,
    max_lots=10**9,
    min_notional=1,
    orders_per_account_max=10_000,
    reference_ticks=10_000,
)


class JournalWorld:
    """Some partitions and some books on one journal server."""

    def __init__(
        self,
        journal: redis.Redis,
        *,
        partitions: int = 1,
        markets: Sequence[MarketSpec] = (BTC_USDT,),
    ) -> None:
        self.journal = journal
        self.now_ns = START_NS
        self.replicas: dict[str, Replica] = {}
        self._frames: dict[str, int] = {}
        self._requests = 0
        risks = [keys.worker_of_partition(number) for number in range(partitions)]
        for number, risk in enumerate(risks):
            self._found(risk, RiskMachine(number), RISK_CODEC, [])
        for spec in markets:
            genesis = [MarketDefine(spec), *(LinkAdd(risk) for risk in risks)]
            self._found(keys.worker_of_market(spec.symbol), BookMachine(), BOOK_CODEC, genesis)
        for risk in risks:
            self.tell(risk, *(LinkAdd(other) for other in risks if other != risk))
            for spec in markets:
                self.tell(risk, LinkAdd(keys.worker_of_market(spec.symbol)), ask.MarketAdd(spec))
        self.run()
        for spec in markets:
            self.tell(keys.worker_of_market(spec.symbol), MarketStateSet("trading", "test"))
        self.run()

    def _found(self, worker: str, machine: Machine, codec: Any, genesis: Sequence[Any]) -> None:
        frame = wire.encode(list(genesis))
        self.journal.set(keys.genesis(worker), frame)
        self.journal.sadd(keys.WORKERS, worker)
        self.replicas[worker] = Replica(worker, machine, codec, frame)

    # -- what people do

    def tell(self, worker: str, *commands: msgspec.Struct) -> StreamId:
        """Append one frame of commands to a worker's stream."""
        return self._append(keys.commands(worker), commands)

    def _append(self, stream: str, commands: Sequence[msgspec.Struct]) -> StreamId:
        number = self._frames[stream] = self._frames.get(stream, 0) + 1
        raw = [msgspec.Raw(wire.encode(command)) for command in commands]
        frame = wire.encode(wire.CommandFrame(SOURCE, number, raw))
        return parse_stream_id(self.journal.xadd(stream, {keys.FRAME_FIELD: frame}))

    def account(self, counter: int, *, partition: int = 0, **coins: int) -> int:
        """Open an account and pay in whole coins of each asset."""
        account = numbered_in(partition, counter=counter)
        deposits = [
            ask.Deposit(account, asset, amount * COIN, f"first-{account}-{asset}")
            for asset, amount in coins.items()
        ]
        self.tell(keys.worker_of_partition(partition), ask.AccountOpen(account), *deposits)
        return account

    def place(
        self, account: int, side: str, *, lots: int, at: int, market: str = "BTC-USDT", **terms: Any
    ) -> None:
        """Ask for a limit order."""
        self.tell(
            keys.worker_of_partition(partition_of(account)),
            self.order(account, side, lots=lots, at=at, market=market, **terms),
        )

    def order(
        self, account: int, side: str, *, lots: int, at: int, market: str = "BTC-USDT", **terms: Any
    ) -> ask.PlaceOrder:
        """Make the command of a limit order."""
        self._requests += 1
        return ask.PlaceOrder(
            request=self._requests,
            account=account,
            market=market,
            client_id=terms.get("client_id", f"c{self._requests}"),
            derived=False,
            side=side,
            kind="L",
            time_in_force=terms.get("time_in_force", "GTC"),
            post_only=terms.get("post_only", False),
            price_ticks=at,
            lots=lots,
            quote_budget=0,
            deadline_ns=self.now_ns + 10 * SECOND_NS,
            response="ACK",
        )

    def cancel_all(self, account: int, *, market: str = "BTC-USDT") -> None:
        """Cancel all of an account's orders in a market."""
        self._requests += 1
        risk = keys.worker_of_partition(partition_of(account))
        up_to = self.replicas[risk].taken_up_to(keys.commands(risk))
        command = CancelOrders(self._requests, account, 0, "", up_to, self.now_ns + 10 * SECOND_NS)
        self._append(keys.cancels(keys.worker_of_market(market)), [command])

    # -- what the runtime does

    def run(self, *, seconds: float = 0.0) -> None:
        """Let time go by, and turn every worker until nothing is left to take."""
        self.now_ns += int(seconds * SECOND_NS)
        while any([self.turn(worker) for worker in self.replicas]):  # noqa: C419 - all of them
            pass

    def turn(self, worker: str) -> SealedBatch | None:
        """Make one batch of a worker from all that waits for it; None if there is no reason to."""
        replica = self.replicas[worker]
        waiting = [
            (feed.stream, entry, fields)
            for feed in replica.feeds()
            for entry, fields in self._entries_after(feed.stream, replica.taken_up_to(feed.stream))
        ]
        due_ns = replica.machine.due_ns()
        is_due = due_ns is not None and due_ns <= self.now_ns
        if not waiting and not is_due:
            return None
        replica.begin(self.now_ns)
        for stream, entry, fields in waiting:
            if not replica.take(stream, entry, fields, bounded=True):
                break
        batch = replica.finish(1)
        self._write(batch)
        return batch

    def _entries_after(
        self, stream: str, last: StreamId
    ) -> list[tuple[StreamId, dict[bytes, bytes]]]:
        found = self.journal.xrange(stream, min=f"({format_stream_id(last)}", max="+", count=2_000)
        return [(parse_stream_id(entry), fields) for entry, fields in found]

    def _write(self, batch: SealedBatch) -> None:
        worker = batch.worker
        with self.journal.pipeline(transaction=True) as pipe:
            pipe.xadd(
                keys.log(worker),
                {keys.LOG_FIELD_HEADER: batch.header, keys.LOG_FIELD_OUTPUTS: batch.outputs},
                id=f"{batch.number}-0",
            )
            for link in batch.links:
                pipe.xadd(
                    keys.link(worker, link.peer),
                    {
                        keys.FRAME_FIELD: link.frame,
                        keys.LINK_HASH_FIELD: link.hash,
                        keys.RECEIPT_FIELD: batch.hash,
                    },
                    id=f"{link.number}-0",
                )
            cursor = {stream: format_stream_id(last) for stream, last in batch.cursor.items()}
            pipe.hset(
                keys.cursor(worker),
                mapping={"batch": batch.number, "hash": batch.hash, **cursor},
            )
            pipe.execute()
