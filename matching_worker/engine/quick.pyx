# cython: language_level=3, boundscheck=False, wraparound=False
"""The compiled way of whole frames: what `frames.py` does, decision for decision, in machine code.

`frames.py` is the reference. A change there is a change here; the random days, the kept journals
and, while a market runs, the two members of its pair hold one against the other.

Nothing here owns state of its own. Orders, levels and the book are the objects of `orders.py` and
`book.py`; their fields (`__slots__`, and msgspec's structs are made of the same) are read and
written where they lie in memory, which costs a tenth of asking for them by name. Prices, sizes and
numbers are 64-bit integers here (the contracts bound them by 2^53); sums of money and the lots of a
level stay Python's integers, which have no end.
"""

from cpython.dict cimport PyDict_Contains, PyDict_DelItem, PyDict_GetItemWithError, PyDict_SetItem
from cpython.list cimport PyList_Append
from cpython.long cimport PyLong_AsLongLong
from cpython.ref cimport Py_INCREF, Py_XDECREF, PyObject

from apps.common.kernel.ids import PARTITIONS_MAX as _PARTITIONS_MAX
from apps.common.kernel.money import WIDE_MAX as _WIDE_MAX
from matching_worker.contracts.from_book import (
    CancelDone,
    CanceledOrder,
    Execution,
    FirstReport,
    OrderAdded,
    OrderEnd,
    OrderRemoved,
    Trade,
)
from matching_worker.contracts.market import BUY as _BUY
from matching_worker.contracts.market import LIMIT as _LIMIT
from matching_worker.contracts.to_book import CancelOrders, HeldOrder
from matching_worker.engine import codes
from matching_worker.engine.acting import settle
from matching_worker.engine.book import Book, HalfBook
from matching_worker.engine.ends import part
from matching_worker.engine.gate import Gate
from matching_worker.engine.limits import CLIENT_ID_LENGTH_MAX
from matching_worker.engine.orders import ANY_PRICE, Level, Order
from matching_worker.engine.placing import trade as _trade_the_long_way
from matching_worker.engine.turn import PEERS as _PEERS
from matching_worker.engine.turn import Turn

include "fields.pxi"

cdef object WIDE_MAX = _WIDE_MAX
cdef long long FARTHEST = ANY_PRICE  # A wider gate is narrowed to it: the long way has no end.
cdef long long PARTITIONS_MAX = _PARTITIONS_MAX
cdef Py_ssize_t NAME_MAX = CLIENT_ID_LENGTH_MAX
cdef tuple PEERS = _PEERS
cdef str BUY = _BUY
cdef str LIMIT = _LIMIT
cdef list NO_FILLS = []  # Of every order that only rests: nobody changes a message.


cdef inline object wide(object amount):
    return amount if amount <= WIDE_MAX else str(amount)


cdef inline long long bounded(object number):
    return FARTHEST if number > FARTHEST else <long long>number


# ── The book ────────────────────────────────────────────────────────────────────────────────────

cdef class Bounds:
    """What `Gate` says, as machine integers. To be read again whenever something else has acted."""

    cdef object gate
    cdef long long low, high, min_lots, max_lots, orders_per_account, orders_per_book

    cdef int read(self) except -1:
        cdef object gate = self.gate
        self.low = bounded(get(gate, GATE_LOW))
        self.high = bounded(get(gate, GATE_HIGH))
        self.min_lots = bounded(get(gate, GATE_MIN_LOTS))
        self.max_lots = bounded(get(gate, GATE_MAX_LOTS))
        self.orders_per_account = bounded(get(gate, GATE_ORDERS_PER_ACCOUNT))
        self.orders_per_book = bounded(get(gate, GATE_ORDERS_PER_BOOK))
        return 0


cdef int rest(
    object half, object key, object terms, object open_lots, object filled_lots, object cum_quote,
    dict orders, dict accounts,
) except -1:
    """Let a plain order stand behind all others of its price (`Book.add`)."""
    cdef object order, level, last
    cdef PyObject *found = PyDict_GetItemWithError(get(half, HALF_LEVELS), key)
    if found is NULL:
        order = Order(terms, open_lots, filled_lots, cum_quote)
        put(order, ORDER_LEVEL, half.open(key, order))
    else:
        level = <object>found
        last = get(level, LEVEL_LAST)
        order = Order(terms, open_lots, filled_lots, cum_quote, level, last)
        put(last, ORDER_NEWER, order)
        put(level, LEVEL_LAST, order)
        put(level, LEVEL_LOTS, get(level, LEVEL_LOTS) + open_lots)
    PyDict_SetItem(orders, get(terms, TERMS_ID), order)
    found = PyDict_GetItemWithError(accounts, get(terms, TERMS_ACCOUNT))
    if found is NULL:
        PyDict_SetItem(
            accounts, get(terms, TERMS_ACCOUNT), {get(terms, TERMS_CLIENT_ID): order}
        )
    else:
        PyDict_SetItem(<object>found, get(terms, TERMS_CLIENT_ID), order)
    return 0


cdef int remove(object book, object order, dict orders, dict accounts) except -1:
    """Take a resting order out, and its level with it if it stood there alone (`Book.remove`)."""
    cdef object terms = get(order, ORDER_TERMS)
    cdef object level = get(order, ORDER_LEVEL)
    cdef object older = get(order, ORDER_OLDER)
    cdef object newer = get(order, ORDER_NEWER)
    cdef object extras = get(order, ORDER_EXTRAS)
    cdef dict mine
    if extras is not None and extras.expires_ns:
        book.remove(order)
        return 0
    put(level, LEVEL_LOTS, get(level, LEVEL_LOTS) - get(order, ORDER_OPEN))
    if older is not None:
        put(older, ORDER_NEWER, newer)
        if newer is not None:
            put(newer, ORDER_OLDER, older)
        else:
            put(level, LEVEL_LAST, older)
    elif newer is not None:
        put(level, LEVEL_FIRST, newer)
        put(newer, ORDER_OLDER, None)
    else:
        half = book.bids if get(terms, TERMS_SIDE) == BUY else book.asks
        half.close(get(level, LEVEL_KEY))
        put(order, ORDER_LEVEL, None)
    PyDict_DelItem(orders, get(terms, TERMS_ID))
    mine = accounts[get(terms, TERMS_ACCOUNT)]
    PyDict_DelItem(mine, get(terms, TERMS_CLIENT_ID))
    if not mine:
        PyDict_DelItem(accounts, get(terms, TERMS_ACCOUNT))
    return 0


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────

cdef class Placing:
    """One frame of orders, while it is placed."""

    cdef object core, book, peer, turn, at_ns, unit
    cdef dict orders, accounts
    cdef list events, reports
    cdef object links
    cdef long long partition, fills_max

    cdef int cross(
        self, object terms, object seq, object half, object key, object far, long long reach
    ) except -1:
        """Trade a plain order, report what became of it, and let the rest of it stand.

        It is `placing.trade` and `matching.take` for a limit order GTC without extras.
        """
        cdef object number = get(terms, TERMS_ID)
        cdef object version = get(terms, TERMS_VERSION)
        cdef object account = get(terms, TERMS_ACCOUNT)
        cdef object side = get(terms, TERMS_SIDE)
        cdef long long account_number = account
        cdef long long left = number_in(terms, TERMS_LOTS)
        cdef long long filled = 0, lots, open_lots
        cdef long long steps = self.fills_max
        cdef object quote = 0
        cdef object top, maker, made, price, cost, traded, trade, code = ""
        cdef list executions = []
        while left:
            top = get(far, HALF_TOP)
            if top is None or number_in(top, LEVEL_KEY) > reach:
                code = codes.NO_LIQUIDITY
                break
            maker = get(top, LEVEL_FIRST)
            made = get(maker, ORDER_TERMS)
            if number_in(made, TERMS_ACCOUNT) == account_number:
                code = codes.SELF_TRADE
                break
            if not steps:
                code = codes.FILL_LIMIT
                break
            steps -= 1
            open_lots = number_in(maker, ORDER_OPEN)
            lots = left if left < open_lots else open_lots
            left -= lots
            filled += lots
            price, traded = get(made, TERMS_PRICE), lots
            cost = traded * price * self.unit
            quote = quote + cost
            trade = get(self.book, BOOK_TRADES) + 1
            put(self.book, BOOK_TRADES, trade)
            PyList_Append(
                self.events,
                Trade(
                    seq, trade, price, traded, side, get(made, TERMS_ID), number,
                    get(made, TERMS_ACCOUNT), account,
                ),
            )
            self.fill(maker, made, price, traded, open_lots - lots, cost, trade, seq)
            PyList_Append(
                executions,
                Execution(
                    trade, number, version, price, traded, "T", filled, wide(quote),
                    None if left else "filled", seq, self.at_ns,
                ),
            )
            if number_in(maker, ORDER_OTHER):
                part(self.book, maker, self.turn)
        if executions:
            self.core.note_trades(executions, self.turn)
        self.report(terms, seq, executions, half, key, left, filled, quote, code)
        return 0

    cdef int fill(
        self, object maker, object made, object price, object lots, long long left, object cost,
        object trade, object seq,
    ) except -1:
        """Note a fill on who rested, and tell its owner (`matching._fill_resting`)."""
        cdef object level = get(maker, ORDER_LEVEL)
        cdef object filled = get(maker, ORDER_FILLED) + lots
        cdef object quote = get(maker, ORDER_QUOTE) + cost
        cdef long long partition
        put(maker, ORDER_OPEN, left)
        put(maker, ORDER_FILLED, filled)
        put(maker, ORDER_QUOTE, quote)
        put(level, LEVEL_LOTS, get(level, LEVEL_LOTS) - lots)
        if not left:
            remove(self.book, maker, self.orders, self.accounts)
        partition = number_in(made, TERMS_ACCOUNT) % PARTITIONS_MAX
        reports = self.reports if partition == self.partition else self.links[PEERS[partition]]
        PyList_Append(
            reports,
            Execution(
                trade, get(made, TERMS_ID), get(made, TERMS_VERSION), price, lots, "M", filled,
                wide(quote), None if left else "filled", seq, self.at_ns,
            ),
        )
        return 0

    cdef int report(
        self, object terms, object seq, list executions, object half, object key, long long left,
        long long filled, object quote, object code,
    ) except -1:
        """Say what became of an order that traded, or would have."""
        cdef object ended = "expired" if code else "filled"
        if code == codes.NO_LIQUIDITY:
            ended, code = None, ""
        PyList_Append(
            self.reports,
            FirstReport(
                get(terms, TERMS_ID), get(terms, TERMS_VERSION), seq, self.at_ns, executions,
                ended, code,
            ),
        )
        if ended is None:
            rest(half, key, terms, left, filled, quote, self.orders, self.accounts)
            self.added(terms, seq, left)
        elif code:
            self.turn.note_turned_away(terms, ended, code)
        return 0

    cdef int added(self, object terms, object seq, object lots) except -1:
        """Tell the market that an order stands."""
        PyList_Append(
            self.events,
            OrderAdded(
                seq, get(terms, TERMS_ID), get(terms, TERMS_ACCOUNT), get(terms, TERMS_SIDE),
                get(terms, TERMS_PRICE), lots,
            ),
        )
        return 0

    cdef bint is_plain(self, object terms, Bounds gate, dict stones) except -1:
        """Say whether nothing is wrong with an order that anybody would have to look for."""
        cdef long long price = number_in(terms, TERMS_PRICE)
        cdef long long lots = number_in(terms, TERMS_LOTS)
        cdef object account = get(terms, TERMS_ACCOUNT)
        cdef str name = get(terms, TERMS_CLIENT_ID)
        cdef PyObject *mine
        if not (
            gate.low <= price <= gate.high
            and gate.min_lots <= lots <= gate.max_lots
            and self.at_ns <= get(terms, TERMS_DEADLINE)
            and <long long>account % PARTITIONS_MAX == self.partition
            and number_in(terms, TERMS_ID) % PARTITIONS_MAX == self.partition
            and <str>get(terms, TERMS_KIND) == LIMIT
            and <str>get(terms, TERMS_TIME_IN_FORCE) == "GTC"
            and get(terms, TERMS_BUDGET) == 0
            and 0 < len(name) <= NAME_MAX
            and len(self.orders) < gate.orders_per_book
            and not PyDict_Contains(self.orders, get(terms, TERMS_ID))
            and not (stones and PyDict_Contains(stones, account))
        ):
            return False
        mine = PyDict_GetItemWithError(self.accounts, account)
        return mine is NULL or (
            len(<dict>mine) < gate.orders_per_account
            and not PyDict_Contains(<object>mine, name)
        )


def place_frame(object core, object messages, object peer, object turn, object otherwise):
    """Place a frame's orders; `frames.place_frame` says how."""
    cdef Bounds gate = Bounds()
    cdef Placing frame = Placing()
    cdef object book = core.book, bids = book.bids, asks = book.asks
    cdef object terms, half, far, key, seq
    cdef long long count = turn.seq, price, reach
    cdef dict stones = core.tombstones
    gate.gate = core.gate
    gate.read()
    frame.core, frame.book, frame.peer, frame.turn = core, book, peer, turn
    frame.orders, frame.accounts = book.orders, book.accounts
    frame.events, frame.links, frame.reports = turn.events, turn.links, turn.links[peer.name]
    frame.at_ns, frame.partition = turn.at_ns, peer.partition
    frame.unit, frame.fills_max = core.spec.quote_per_tick_lot, core.limits.fills_per_taker
    for terms in messages:
        count += 1
        if type(terms) is not HeldOrder or not frame.is_plain(terms, gate, stones):
            turn.seq = count
            otherwise(terms, peer, turn)
            gate.read()
            continue
        seq, price = count, number_in(terms, TERMS_PRICE)
        if <str>get(terms, TERMS_SIDE) == BUY:
            half, far, reach, key = bids, asks, price, -price
        else:
            half, far, reach, key = asks, bids, -price, price
        top = get(far, HALF_TOP)
        if top is not None and number_in(top, LEVEL_KEY) <= reach:
            turn.seq = seq
            if get(terms, TERMS_POST_ONLY):
                _trade_the_long_way(
                    core, Order(terms, get(terms, TERMS_LOTS)), far, reach, peer, turn
                )
            else:
                frame.cross(terms, seq, half, key, far, reach)
            if core.has_tripped or core.actions:
                settle(core, turn)
            gate.read()
            continue
        rest(half, key, terms, get(terms, TERMS_LOTS), 0, 0, frame.orders, frame.accounts)
        PyList_Append(
            frame.reports,
            FirstReport(
                get(terms, TERMS_ID), get(terms, TERMS_VERSION), seq, frame.at_ns, NO_FILLS, None, ""
            ),
        )
        frame.added(terms, seq, get(terms, TERMS_LOTS))
    core.seq = turn.seq = count


# ── Cancels ─────────────────────────────────────────────────────────────────────────────────────

def cancel_frame(object core, object commands, bytes source, object turn, object otherwise):
    """End what a frame's cancels name; `frames.cancel_frame` says how."""
    cdef object book = core.book, at_ns = turn.at_ns, links = turn.links, replies = turn.replies
    cdef dict orders = book.orders, accounts = book.accounts
    cdef list events = turn.events
    cdef long long count = turn.seq
    cdef object command, order, terms, seq, filled, paid
    cdef str name
    cdef PyObject *found
    for command in commands:
        count += 1
        found = NULL
        if type(command) is CancelOrders:
            found = PyDict_GetItemWithError(orders, get(command, CANCEL_ORDER_ID))
        if found is not NULL:
            order = <object>found
            terms = get(order, ORDER_TERMS)
            name = get(command, CANCEL_CLIENT_ID)
            if (
                get(order, ORDER_LEVEL) is None
                or number_in(order, ORDER_OTHER)
                or number_in(terms, TERMS_ACCOUNT) != number_in(command, CANCEL_ACCOUNT)
                or (name and name != <str>get(terms, TERMS_CLIENT_ID))
                or at_ns > get(command, CANCEL_DEADLINE)
            ):
                found = NULL
        if found is NULL:
            turn.seq = count
            otherwise(command, source, turn)
            continue
        seq, filled, paid = count, get(order, ORDER_FILLED), wide(get(order, ORDER_QUOTE))
        remove(book, order, orders, accounts)
        PyList_Append(
            events,
            OrderRemoved(
                seq, get(terms, TERMS_ID), get(terms, TERMS_ACCOUNT), get(terms, TERMS_SIDE),
                get(terms, TERMS_PRICE), get(order, ORDER_OPEN), "canceled",
            ),
        )
        links[PEERS[number_in(terms, TERMS_ACCOUNT) % PARTITIONS_MAX]].append(
            OrderEnd(
                get(terms, TERMS_ID), get(terms, TERMS_VERSION), seq, at_ns, "canceled", "",
                filled, paid,
            )
        )
        replies[source].append(
            CancelDone(
                get(command, CANCEL_REQUEST), seq, at_ns,
                [
                    CanceledOrder(
                        get(terms, TERMS_ID), get(terms, TERMS_CLIENT_ID), get(terms, TERMS_SIDE),
                        get(terms, TERMS_KIND), get(terms, TERMS_TIME_IN_FORCE),
                        get(terms, TERMS_POST_ONLY), get(terms, TERMS_PRICE),
                        get(terms, TERMS_LOTS), filled, paid,
                    )
                ],
                0,
            )
        )
    core.seq = turn.seq = count
