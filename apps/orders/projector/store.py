"""The read models on `cache`: written with the cursor in one MULTI, read back at start."""

from collections import deque
from typing import Any

import msgspec
import redis

from apps.common.kernel.ids import StreamId, format_stream_id, parse_stream_id
from apps.marketdata.groups import USER_EVENT, channel_of, message, user_group
from apps.orders import readmodels as rm
from apps.orders.projector.folds import Changes, Fold, Kept, Place
from matching_worker.contracts.market import MarketSpec

SPECS = "rm:specs"  # Hash: market → spec, for the next start of the projector.
LOAD_AT_ONCE = 200
_OWN = {b"batch", b"at_ns", b"seq", b"hash"}

_encode = msgspec.msgpack.Encoder().encode
_orders = msgspec.msgpack.Decoder(rm.OrderModel)
_specs = msgspec.msgpack.Decoder(MarketSpec)
_names = msgspec.msgpack.Decoder(tuple[int, str])


class CacheLost(Exception):
    """The cache server has forgotten the read models: they are built again from the logs."""


def write(cache: "redis.Redis", changes: Changes, *, was_ready: bool, ready: bool) -> None:
    """Write final values, cursors and private events in one MULTI.

    A cache that was restarted since has no `rm:ready`; what was written then is half a picture that
    no reader will take, and `CacheLost` says to start over.
    """
    pipe = cache.pipeline(transaction=True)
    pipe.exists(rm.READY)
    _write_orders(pipe, changes)
    _write_values(pipe, changes)
    for worker, place in changes.places.items():
        pipe.hset(rm.position_key(worker), mapping=_position(place))
    for account, text in changes.events:
        group = user_group(account)
        pipe.publish(channel_of(group), message(USER_EVENT, group, text))
    if ready and not was_ready:
        pipe.set(rm.READY, b"1")
    still_ready, *_ = pipe.execute()
    if was_ready and not still_ready:
        raise CacheLost


def _write_orders(pipe: Any, changes: Changes) -> None:
    for order in changes.orders.values():
        body = _encode(order)
        pipe.set(rm.order_key(order.order_id), body)
        pipe.hset(rm.open_key(order.account), str(order.order_id), body)
    for order in changes.ended:
        pipe.set(rm.order_key(order.order_id), _encode(order))
        pipe.hdel(rm.open_key(order.account), str(order.order_id))
        pipe.lpush(rm.recent_key(order.account), _encode((order.order_id, order.client_id)))
    for account in {order.account for order in changes.ended}:
        pipe.ltrim(rm.recent_key(account), 0, rm.RECENT_MAX - 1)
    _name_orders(pipe, changes)
    for account, client_id, order_id in changes.dropped:
        pipe.delete(rm.order_key(order_id))
        if client_id:
            pipe.delete(rm.client_key(account, client_id))
    for account, fill in changes.fills:
        pipe.lpush(rm.fills_key(account), _encode(fill))
    for account in {account for account, _ in changes.fills}:
        pipe.ltrim(rm.fills_key(account), 0, rm.RECENT_MAX - 1)


def _name_orders(pipe: Any, changes: Changes) -> None:
    """An order that came and went between two writes still answers to its client id."""
    names = {(o.account, o.client_id): o.order_id for o in changes.ended}
    names |= {
        (o.account, o.client_id): max(o.order_id, names.get((o.account, o.client_id), 0))
        for o in changes.orders.values()
    }
    for (account, client_id), order_id in names.items():
        pipe.set(rm.client_key(account, client_id), order_id)


def _write_values(pipe: Any, changes: Changes) -> None:
    for account, balances in changes.balances.items():
        packed = {asset: _encode(pair) for asset, pair in balances.items()}
        pipe.hset(rm.balances_key(account), mapping=packed)
    for number, model in changes.accounts.items():
        pipe.set(rm.account_key(number), _encode(model))
    seen = {*changes.balances, *changes.accounts, *(o.account for o in changes.orders.values())}
    if seen:
        pipe.sadd(rm.ACCOUNTS, *seen)
    for market, spec in changes.specs.items():
        pipe.hset(SPECS, market, _encode(spec))


def _position(place: Place) -> Any:
    own: dict[str, Any] = {
        "batch": place.batch,
        "at_ns": place.at_ns,
        "seq": place.seq,
        "hash": place.hash.hex(),
    }
    return own | {stream: format_stream_id(last) for stream, last in place.taken.items()}


def load(cache: "redis.Redis", workers: list[str]) -> Fold | None:
    """Return the fold as the last write left it, or None if the cache does not hold all of it."""
    if not cache.exists(rm.READY):
        return None
    fold = Fold()
    for worker in workers:
        raw: Any = cache.hgetall(rm.position_key(worker))
        if raw:
            fold.places[worker] = _place(raw)
    specs: Any = cache.hvals(SPECS)
    for spec in specs:
        fold.learn(_specs.decode(spec))
    accounts = sorted(int(account) for account in cache.smembers(rm.ACCOUNTS))
    for start in range(0, len(accounts), LOAD_AT_ONCE):
        _load_accounts(cache, fold, accounts[start : start + LOAD_AT_ONCE])
    return fold


def _load_accounts(cache: "redis.Redis", fold: Fold, accounts: list[int]) -> None:
    pipe = cache.pipeline(transaction=False)
    for account in accounts:
        pipe.hvals(rm.open_key(account))
        pipe.lrange(rm.recent_key(account), 0, -1)
    answers = pipe.execute()
    for account, bodies, recent in zip(accounts, answers[::2], answers[1::2], strict=True):
        names = [_names.decode(entry) for entry in recent]
        clients = {client_id: order_id for order_id, client_id in reversed(names)}
        orders = sorted(map(_orders.decode, bodies), key=lambda order: order.order_id)
        clients |= {order.client_id: order.order_id for order in orders}
        fold.open |= {order.order_id: order for order in orders}
        fold.kept[account] = Kept(deque(names), clients)


def _place(raw: dict[bytes, bytes]) -> Place:
    taken: dict[str, StreamId] = {
        name.decode(): parse_stream_id(last) for name, last in raw.items() if name not in _OWN
    }
    return Place(
        batch=int(raw[b"batch"]),
        at_ns=int(raw[b"at_ns"]),
        seq=int(raw[b"seq"]),
        hash=bytes.fromhex(raw[b"hash"].decode()),
        taken=taken,
    )


def wipe(cache: "redis.Redis") -> None:
    """Forget all read models. Readers answer 503 until they are whole again."""
    cache.delete(rm.READY)
    for keys in _chunks(cache.scan_iter(match="rm:*", count=1_000)):
        cache.unlink(*keys)


def _chunks(keys: Any) -> Any:
    page: list[bytes] = []
    for key in keys:
        page.append(key)
        if len(page) == LOAD_AT_ONCE:
            yield page
            page = []
    if page:
        yield page
