"""Client order ids: one order each, however often the request comes.

While its order is open an id points at the order itself. When the order ends, what a repeat still
needs (terms and first answer) is packed into some 130 bytes instead of a dozen objects. Every fill
ends an order or a budget, so the fills that are kept are hardly more than the orders.
"""

import msgspec

from apps.common.kernel.money import Wide, wide
from apps.journals.keys import worker_of_market
from apps.risk.contracts.commands import PlaceOrder
from apps.risk.contracts.replies import FillLine, OrderResult
from apps.risk.engine import limits
from apps.risk.engine.accounts import Account
from apps.risk.engine.aging import Aging
from apps.risk.engine.amounts import read_amount
from apps.risk.engine.orders import Order
from matching_worker.contracts.market import EndReason
from matching_worker.contracts.to_book import OrderExtras

Terms = tuple[str | int | bool, ...]
"""What makes two requests the same order: all but request number, deadline and response kind.

Eight of a plain order. One with extras adds the client id of its pair's other ("" without one), and
its extras.
"""


class _Packed(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is remembered of an ended order. Its client id and book follow from key and terms."""

    terms: Terms
    order_id: int
    seq: int
    at_ns: int
    transact_ns: int
    filled_lots: int
    cum_quote: Wide
    ended: EndReason | None
    code: str
    fills: list[FillLine]
    engine_seq: int
    journal_hash: bytes


class Kept(msgspec.Struct, frozen=True, gc=False):
    """An ended order as a repeat meets it: its terms, and what it was answered."""

    terms: Terms
    order_id: int
    client_id: str
    seq: int
    at_ns: int
    first: OrderResult


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Packed).decode


def pack(order: Order, first: OrderResult) -> bytes:
    """Pack what a repeat of an ended order needs."""
    return _encode(
        _Packed(
            terms_of(order),
            order.order_id,
            order.seq,
            order.at_ns,
            first.transact_ns,
            first.filled_lots,
            first.cum_quote,
            first.ended,
            first.code,
            first.fills,
            first.engine_seq,
            first.journal_hash,
        )
    )


def unpack(packed: bytes, client_id: str) -> Kept:
    """Return what was packed under this client id."""
    kept = _decode(packed)
    first = OrderResult(
        0,
        kept.order_id,
        client_id,
        kept.at_ns,
        kept.transact_ns,
        kept.filled_lots,
        kept.cum_quote,
        kept.ended,
        kept.code,
        kept.fills,
        worker_of_market(str(kept.terms[0])),
        kept.engine_seq,
        kept.journal_hash,
    )
    return Kept(kept.terms, kept.order_id, client_id, kept.seq, kept.at_ns, first)


def terms_asked(
    asked: PlaceOrder, extras: OrderExtras | None = None, other_client_id: str = ""
) -> Terms:
    """Return the terms of a request."""
    budget = read_amount(asked.quote_budget)
    plain = (
        asked.market,
        asked.side,
        asked.kind,
        asked.time_in_force,
        asked.post_only,
        asked.price_ticks,
        asked.lots,
        asked.quote_budget if budget is None else wide(budget),
    )
    return plain if extras is None else plain + _more_terms(extras, other_client_id)


def terms_of(order: Order | Kept) -> Terms:
    """Return the terms that a known order was asked in."""
    if isinstance(order, Kept):
        return order.terms
    plain = (
        order.market.symbol,
        order.side,
        order.kind,
        order.time_in_force,
        order.post_only,
        order.price_ticks,
        order.lots_asked or order.lots,
        order.asked_budget and wide(order.asked_budget),
    )
    if order.extras is None:
        return plain
    return plain + _more_terms(order.extras, "" if order.leg is None else order.leg.other_client_id)


def _more_terms(extras: OrderExtras, other_client_id: str) -> Terms:
    return (other_client_id, *msgspec.structs.astuple(extras))


def key_of(account: int, client_id: str) -> str:
    """Return the name of an account's client id in the partition's one map of them."""
    return f"{account}/{client_id}"


class ClientIds:
    """All client ids of a partition: of open orders, and for 24 hours of those that ended.

    One that an edge derived is kept for as long as the signed request behind it can come again.
    """

    __slots__ = ("_accounts", "ended", "ended_derived", "known")

    def __init__(self, accounts: dict[int, Account]) -> None:
        self._accounts = accounts
        self.known: dict[str, Order | bytes] = {}
        self.ended = Aging()
        self.ended_derived = Aging()

    def make_room(self, account: Account, at_ns: int, *, ids: int = 1) -> bool:
        """Say whether so many more ids fit; a full partition forgets its oldest ended ones."""
        if account.client_ids + ids > limits.CLIENT_IDS_PER_ACCOUNT_MAX:
            return False
        beyond = len(self.known) + ids - limits.CLIENT_IDS_MAX
        if beyond <= 0:
            return True
        youngest_ns = at_ns - limits.CLIENT_ID_YOUNGEST_NS
        if not self.ended.has_older(youngest_ns, keys=beyond):
            return False
        for _ in range(beyond):
            self._forget_older(self.ended, youngest_ns)
        return True

    def open(self, key: str, order: Order) -> None:
        """Remember the id of an order that was accepted."""
        self.known[key] = order
        order.account.client_ids += 1

    def close(self, order: Order, first: OrderResult, at_ns: int) -> None:
        """Keep what a repeat of the ended order needs, for as long as its id is kept."""
        key = key_of(order.account.number, order.client_id)
        self.known[key] = pack(order, first)
        (self.ended_derived if order.derived else self.ended).push(key, at_ns=at_ns)

    def age(self, at_ns: int) -> None:
        """Forget ids whose order ended long enough ago, some each batch."""
        for queue, kept_ns in (
            (self.ended, limits.CLIENT_ID_KEPT_NS),
            (self.ended_derived, limits.CLIENT_ID_DERIVED_KEPT_NS),
        ):
            for _ in range(limits.AGED_PER_BATCH_MAX):
                if not self._forget_older(queue, at_ns - kept_ns):
                    break

    def _forget_older(self, queue: Aging, than_ns: int) -> bool:
        key = queue.pop_older(than_ns)
        if key is None:
            return False
        del self.known[key]
        self._accounts[int(key.partition("/")[0])].client_ids -= 1
        return True
