"""What the edges read of orders, balances and accounts: the projector's values on `cache`.

This module and `apps.orders.projector` are the only two places that know the keys. Values are
msgpack; nothing here is authoritative, and all of it may be rebuilt from the logs at any time
(but for when reports left for their owners, which is in no log).
Until a rebuild is done every read raises `ReadModelsNotReady` (a 503), while orders flow.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import msgspec
import redis
import redis.asyncio

from apps.common.kernel.ids import BEFORE_ALL, StreamId, parse_stream_id
from apps.common.kernel.money import Wide
from matching_worker.contracts.to_book import OrderExtras

READY = "rm:ready"
ACCOUNTS = "rm:accounts"  # The set of all account numbers that have a read model.
RECENT_MAX = 1_000  # Ended orders, and fills, kept per account. Older ones are the ledger's.
POLL_S = 0.002
WAIT_S = 0.2


def position_key(worker: str) -> str:
    """Hash: how far the projector has read the worker's log, and what that batch had taken."""
    return f"rm:{worker}:position"


def order_key(order_id: int) -> str:
    """One order: all open ones, and the recent ended ones of each account."""
    return f"rm:order:{order_id}"


def client_key(account: int, client_id: str) -> str:
    """The order that an account's client id names."""
    return f"rm:client:{account}:{client_id}"


def open_key(account: int) -> str:
    """Hash: order id → order, of what may still trade."""
    return f"rm:open:{account}"


def recent_key(account: int) -> str:
    """List of (order id, client id) of ended orders, newest first."""
    return f"rm:recent:{account}"


def fills_key(account: int) -> str:
    """List of fills, newest first."""
    return f"rm:fills:{account}"


def balances_key(account: int) -> str:
    """Hash: asset → (total, held)."""
    return f"rm:balances:{account}"


def account_key(account: int) -> str:
    """The account's standing with its partition."""
    return f"rm:account:{account}"


class OrderModel(msgspec.Struct, kw_only=True, gc=False):
    """One order as its partition's log tells it. Written by the projector's fold, read by edges."""

    order_id: int
    version: int
    account: int
    client_id: str
    market: str  # "BTC-USDT"
    side: str
    kind: str
    tif: str
    post_only: bool
    price_ticks: int
    lots: int
    budget: Wide
    status: str  # The dialect's word: NEW, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED, REJECTED.
    filled_lots: int = 0
    cum_quote: Wide = 0
    reported: bool = False  # The book has decided about it at least once.
    ended: str | None = None
    code: str = ""
    accepted_ns: int
    updated_ns: int
    command: StreamId = BEFORE_ALL  # Where it stands in its partition's command stream.
    risk_batch: int  # The partition's receipt for accepting it.
    risk_seq: int
    risk_hash: bytes
    first_ns: int = 0  # The book's receipt for its first report; 0 before it.
    first_seq: int = 0
    first_hash: bytes = b""
    book_seq: int = 0  # The book's receipt for its last decision; 0 before its first report.
    book_hash: bytes = b""
    extras: OrderExtras = OrderExtras()  # What it asks for beyond a plain order's terms.
    other_leg: int = 0  # The other order of its list (one cancels the other), and its client id.
    other_client_id: str = ""
    triggered_ns: int = 0  # When it was set off; 0 if it still waits, or never did.
    new_told_ns: int = 0  # When its owner's stream was told that it is new, and that it ended
    end_told_ns: int = 0  # unfilled; 0: never, or by a life of the projector that was forgotten.

    @property
    def is_waiting(self) -> bool:
        """Whether it still waits for a price: not in the depth, and no fill can come."""
        return bool(self.extras.trigger) and not self.triggered_ns and self.ended is None

    @property
    def list_id(self) -> int:
        """The number of its list (its first order's), or -1."""
        return min(self.order_id, self.other_leg) if self.other_leg else -1

    @property
    def working_ns(self) -> int:
        """When it began to work in the book; 0 if it never did."""
        return self.triggered_ns if self.extras.trigger else self.accepted_ns

    @property
    def engine(self) -> str:
        """Who gave the newest receipt."""
        return f"book:{self.market}" if self.book_seq else f"risk:{self.order_id % 1024}"

    @property
    def engine_seq(self) -> int:
        """The sequence of the newest receipt."""
        return self.book_seq or self.risk_seq

    @property
    def journal_hash(self) -> bytes:
        """The batch hash of the newest receipt."""
        return self.book_hash if self.book_seq else self.risk_hash


class FillModel(msgspec.Struct, kw_only=True, gc=False, frozen=True):
    """One side of one fill, as its owner sees it."""

    trade_id: int
    order_id: int
    client_id: str
    market: str
    side: str
    liquidity: str
    price_ticks: int
    lots: int
    quote: Wide
    fee_asset: str
    fee: Wide
    at_ns: int
    book_seq: int
    book_hash: bytes
    told_ns: int = 0  # When its owner's stream was told; 0 as with orders.


class AccountModel(msgspec.Struct, kw_only=True, gc=False):
    """What the partition knows of an account's permissions and fees."""

    account: int
    frozen: bool = False
    tier: int = 0
    maker_ppm: int | None = None  # None: the market's own rate.
    taker_ppm: int | None = None


class Balance(msgspec.Struct, frozen=True, gc=False):
    """One asset of an account, in minor units."""

    total: int
    held: int

    @property
    def free(self) -> int:
        """What may be spent."""
        return self.total - self.held


class Position(msgspec.Struct, frozen=True, gc=False):
    """How far the projector stands in one worker's log."""

    batch: int
    at_ns: int
    seq: int
    taken: dict[str, StreamId]  # Input stream → last entry taken.


class ReadModelsNotReady(Exception):
    """The projector is rebuilding, or the cache is away. Answer 503 and let orders flow."""


_orders = msgspec.msgpack.Decoder(OrderModel)
_fills = msgspec.msgpack.Decoder(FillModel)
_accounts = msgspec.msgpack.Decoder(AccountModel)
_pairs = msgspec.msgpack.Decoder(tuple[Wide, Wide])
_names = msgspec.msgpack.Decoder(tuple[int, str])
_OWN_FIELDS = {b"batch", b"at_ns", b"seq", b"hash"}


def _order(raw: bytes | None, account: int) -> OrderModel | None:
    """Another's order and no order look the same from here."""
    order = _orders.decode(raw) if raw else None
    return order if order is not None and order.account == account else None


def _recent_ids(raw: Iterable[bytes]) -> list[int]:
    return [_names.decode(entry)[0] for entry in raw]


def _own_orders(raw: Iterable[bytes | None], account: int) -> list[OrderModel]:
    found = (_order(entry, account) for entry in raw)
    return sorted(
        (order for order in found if order), key=lambda order: order.order_id, reverse=True
    )


def _balances(raw: dict[bytes, bytes]) -> dict[str, Balance]:
    pairs = ((asset.decode(), _pairs.decode(value)) for asset, value in raw.items())
    return {asset: Balance(int(total), int(held)) for asset, (total, held) in sorted(pairs)}


def _position(raw: dict[bytes, bytes]) -> Position | None:
    if not raw:
        return None
    taken = {
        name.decode(): parse_stream_id(value)
        for name, value in raw.items()
        if name not in _OWN_FIELDS
    }
    return Position(int(raw[b"batch"]), int(raw[b"at_ns"]), int(raw[b"seq"]), taken)


def _account(raw: bytes | None) -> AccountModel | None:
    return _accounts.decode(raw) if raw else None


def _checked(answers: list[Any]) -> list[Any]:
    *found, ready = answers
    if not ready:
        raise ReadModelsNotReady
    return found


class ReadModels:
    """The asyncio door, for edges. One round trip per read; the readiness check rides along."""

    def __init__(self, cache: "redis.asyncio.Redis") -> None:
        self._cache = cache

    async def _read(self, *calls: tuple[Any, ...]) -> list[Any]:
        try:
            async with self._cache.pipeline(transaction=False) as pipe:
                for call in calls:
                    pipe.execute_command(*call)
                pipe.exists(READY)
                return _checked(await pipe.execute())
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ReadModelsNotReady from error

    async def order_by_id(self, account: int, order_id: int) -> OrderModel | None:
        """Return the account's order of this number, or None."""
        (raw,) = await self._read(("GET", order_key(order_id)))
        return _order(raw, account)

    async def order_by_client_id(self, account: int, client_id: str) -> OrderModel | None:
        """Return the account's newest order of this client id, or None."""
        (order_id,) = await self._read(("GET", client_key(account, client_id)))
        return await self.order_by_id(account, int(order_id)) if order_id else None

    async def orders_by_ids(self, account: int, order_ids: Iterable[int]) -> list[OrderModel]:
        """Return the account's orders of these numbers, newest first; those not known are left."""
        keys = [order_key(order_id) for order_id in order_ids]
        if not keys:
            return []
        (raw,) = await self._read(("MGET", *keys))
        return _own_orders(raw, account)

    async def open_orders(self, account: int, market: str | None = None) -> list[OrderModel]:
        """Return what may still trade, oldest first."""
        (raw,) = await self._read(("HVALS", open_key(account)))
        orders = _own_orders(raw, account)[::-1]
        return [order for order in orders if market in (None, order.market)]

    async def recent_orders(self, account: int, limit: int = RECENT_MAX) -> list[OrderModel]:
        """Return ended orders, newest first (by number)."""
        (raw,) = await self._read(("LRANGE", recent_key(account), 0, limit - 1))
        if not raw:
            return []
        (orders,) = await self._read(("MGET", *map(order_key, _recent_ids(raw))))
        return _own_orders(orders, account)

    async def recent_fills(self, account: int, limit: int = RECENT_MAX) -> list[FillModel]:
        """Return fills, newest first."""
        (raw,) = await self._read(("LRANGE", fills_key(account), 0, limit - 1))
        return [_fills.decode(entry) for entry in raw]

    async def balances(self, account: int) -> dict[str, Balance]:
        """Return every asset the account ever had."""
        (raw,) = await self._read(("HGETALL", balances_key(account)))
        return _balances(raw)

    async def account(self, account: int) -> AccountModel | None:
        """Return the account's standing with its partition, or None if it is not open."""
        (raw,) = await self._read(("GET", account_key(account)))
        return _account(raw)

    async def position(self, worker: str) -> Position | None:
        """Return how far the projector has read a worker's log."""
        (raw,) = await self._read(("HGETALL", position_key(worker)))
        return _position(raw)

    async def wait_for(
        self, worker: str, stream: str, entry: StreamId, timeout_s: float = WAIT_S
    ) -> bool:
        """Wait until the read models hold what `worker` made of `stream` up to `entry`."""
        until = time.monotonic() + timeout_s
        while entry > (0, 0):
            (raw,) = await self._read(("HGET", position_key(worker), stream))
            if raw is not None and parse_stream_id(raw) >= entry:
                break
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def wait_for_batch(self, worker: str, batch: int, timeout_s: float = WAIT_S) -> bool:
        """Wait until the read models hold a batch of a worker's log (the batch of a receipt)."""
        until = time.monotonic() + timeout_s
        while True:
            (raw,) = await self._read(("HGET", position_key(worker), "batch"))
            if raw is not None and int(raw) >= batch:
                return True
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(POLL_S)


class SyncReadModels:
    """The same reads for Django REST framework's threads and for Celery."""

    def __init__(self, cache: "redis.Redis") -> None:
        self._cache = cache

    def _read(self, *calls: tuple[Any, ...]) -> list[Any]:
        try:
            pipe = self._cache.pipeline(transaction=False)
            for call in calls:
                pipe.execute_command(*call)
            pipe.exists(READY)
            return _checked(pipe.execute())
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ReadModelsNotReady from error

    def order_by_id(self, account: int, order_id: int) -> OrderModel | None:
        """Return the account's order of this number, or None."""
        (raw,) = self._read(("GET", order_key(order_id)))
        return _order(raw, account)

    def order_by_client_id(self, account: int, client_id: str) -> OrderModel | None:
        """Return the account's newest order of this client id, or None."""
        (order_id,) = self._read(("GET", client_key(account, client_id)))
        return self.order_by_id(account, int(order_id)) if order_id else None

    def open_orders(self, account: int, market: str | None = None) -> list[OrderModel]:
        """Return what may still trade, oldest first."""
        (raw,) = self._read(("HVALS", open_key(account)))
        orders = _own_orders(raw, account)[::-1]
        return [order for order in orders if market in (None, order.market)]

    def recent_orders(self, account: int, limit: int = RECENT_MAX) -> list[OrderModel]:
        """Return ended orders, newest first (by number)."""
        (raw,) = self._read(("LRANGE", recent_key(account), 0, limit - 1))
        if not raw:
            return []
        (orders,) = self._read(("MGET", *map(order_key, _recent_ids(raw))))
        return _own_orders(orders, account)

    def recent_fills(self, account: int, limit: int = RECENT_MAX) -> list[FillModel]:
        """Return fills, newest first."""
        (raw,) = self._read(("LRANGE", fills_key(account), 0, limit - 1))
        return [_fills.decode(entry) for entry in raw]

    def balances(self, account: int) -> dict[str, Balance]:
        """Return every asset the account ever had."""
        (raw,) = self._read(("HGETALL", balances_key(account)))
        return _balances(raw)

    def account(self, account: int) -> AccountModel | None:
        """Return the account's standing with its partition, or None if it is not open."""
        (raw,) = self._read(("GET", account_key(account)))
        return _account(raw)

    def position(self, worker: str) -> Position | None:
        """Return how far the projector has read a worker's log."""
        (raw,) = self._read(("HGETALL", position_key(worker)))
        return _position(raw)
