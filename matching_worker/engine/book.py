"""The resting orders of one market: best price first, then oldest first.

Orders of one price are chained to their neighbours: joining, leaving and looking at the front are a
few assignments each, however many stand there (an ordered dict took three times as long).
"""

from sortedcontainers import SortedDict

from apps.common.kernel.invariants import ensure
from matching_worker.contracts.market import BUY
from matching_worker.engine.orders import Level, Order
from matching_worker.engine.triggers import Triggers

NO_PRICE = 2**63  # The best key of an empty side: behind every price.


class HalfBook:
    """The bids or the asks. A level's key is its price, minus it for bids: less is better."""

    __slots__ = ("best", "levels", "sign", "top")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: SortedDict[int, Level] = SortedDict()
        self.best = NO_PRICE  # The best level's key, and the level: most orders need no look.
        self.top: Level | None = None

    def open(self, key: int, order: Order) -> Level:
        """Let a level begin with an order."""
        level = self.levels[key] = Level(key, order)
        if key < self.best:
            self.best, self.top = key, level
        return level

    def close(self, key: int) -> None:
        """Forget a level whose last order has left it."""
        del self.levels[key]
        if key == self.best:
            self.best, self.top = self.levels.peekitem(0) if self.levels else (NO_PRICE, None)

    def depth(self) -> list[tuple[int, int]]:
        """Return (price, lots) of every level, best first."""
        return [(self.sign * key, level.lots) for key, level in self.levels.items()]

    def check(self) -> None:
        """Claim that levels are sorted, none is empty, and each total is the sum of its orders."""
        keys = list(self.levels)
        ensure(keys == sorted(set(keys)), "levels are sorted, one per price")
        ensure(self.best == (keys[0] if keys else NO_PRICE), "the best price is the first level's")
        ensure(self.top is self.levels.get(self.best), "and the top is that level")
        for key, level in self.levels.items():
            orders = list(level.orders())
            chained = [order.older for order in orders] == [None, *orders[:-1]]
            ensure(level.key == key, "a level is found by its key")
            ensure(all(order.level is level for order in orders), "an order knows where it rests")
            ensure(chained and level.last is orders[-1], "a level is one chain, oldest first")
            ensure(all(order.open_lots > 0 for order in orders), "an order without lots is gone")
            total = sum(order.open_lots for order in orders)
            ensure(level.lots == total, "a level's total is its orders' sum")
            ensure(
                all(self.sign * order.terms.price_ticks == key for order in orders),
                "an order stands at its price",
            )


class Book:
    """Both sides and what waits beside them; orders by number, by account, by the time they end."""

    __slots__ = ("accounts", "asks", "bids", "expiries", "orders", "trades", "triggers")

    def __init__(self) -> None:
        self.bids = HalfBook(-1)
        self.asks = HalfBook(1)
        self.triggers = Triggers()
        self.expiries: SortedDict[tuple[int, int], Order] = SortedDict()
        self.orders: dict[int, Order] = {}  # In the order they came to rest, or to wait.
        self.accounts: dict[int, dict[str, Order]] = {}  # By client id; in the same order.
        self.trades = 0  # Since genesis; the last trade's number.

    def add(self, order: Order) -> None:
        """Let an order rest behind all others of its price."""
        self._know(order)
        terms = order.terms
        half = self.bids if terms.side == BUY else self.asks
        key = half.sign * terms.price_ticks
        level = half.levels.get(key)
        if level is None:
            order.level = half.open(key, order)
        else:
            order.level, order.older = level, level.last
            level.last.newer = level.last = order
            level.lots += order.open_lots

    def wait(self, order: Order) -> None:
        """Let an order wait for its price."""
        self._know(order)
        self.triggers.add(order)

    def wait_again(self, order: Order) -> None:
        """Let an order that a snapshot remembers wait in its old turn."""
        self._know(order)
        self.triggers.put(order)

    def remove(self, order: Order) -> None:
        """Take an order out, whatever is left of it; its level with it if it stood there alone."""
        terms, level = order.terms, order.level
        if level is None:
            self.triggers.remove(order)
        else:
            older, newer = order.older, order.newer
            level.lots -= order.open_lots
            if older is not None:
                older.newer = newer
                if newer is not None:
                    newer.older = older
                else:
                    level.last = older
            elif newer is not None:
                level.first = newer
                newer.older = None
            else:
                (self.bids if terms.side == BUY else self.asks).close(level.key)
                order.level = None  # Else both would keep each other alive.
        if order.extras is not None and order.extras.expires_ns:
            del self.expiries[order.extras.expires_ns, terms.order_id]
        del self.orders[terms.order_id]
        mine = self.accounts[terms.account]
        del mine[terms.client_id]
        if not mine:
            del self.accounts[terms.account]

    def reduce(self, order: Order, lots: int) -> None:
        """Make an order smaller by `lots` where it stands."""
        order.open_lots -= lots
        if order.level is not None:
            order.level.lots -= lots

    def _know(self, order: Order) -> None:
        terms = order.terms
        self.orders[terms.order_id] = order
        mine = self.accounts.get(terms.account)
        if mine is None:
            mine = self.accounts[terms.account] = {}
        mine[terms.client_id] = order
        if order.extras is not None and order.extras.expires_ns:
            self.expiries[order.extras.expires_ns, terms.order_id] = order

    def resting_of(self, account: int) -> list[Order]:
        """Return an account's orders, oldest first."""
        return list(self.accounts.get(account, {}).values())

    def named(self, account: int, order_id: int, client_id: str) -> Order | None:
        """Return the account's resting order of this number, or client id, or both if named."""
        if not order_id:
            return self.accounts.get(account, {}).get(client_id)
        order = self.orders.get(order_id)
        if order is None or order.terms.account != account:
            return None
        return order if client_id in ("", order.terms.client_id) else None

    @property
    def is_crossed(self) -> bool:
        """Whether a bid and an ask could trade: only an auction lets them stand so."""
        return -self.bids.best >= self.asks.best

    def check(self) -> None:
        """Claim what must hold between two commands."""
        self.bids.check()
        self.asks.check()
        self.triggers.check()
        levels = [*self.bids.levels.values(), *self.asks.levels.values()]
        standing = sum(len(list(level.orders())) for level in levels)
        standing += self.triggers.waiting
        ensure(standing == len(self.orders), "every order stands at one level, or waits")
        known = sum(len(mine) for mine in self.accounts.values())
        ensure(known == standing, "every order is known to its account")
        ensure(all(self.accounts.values()), "no account without an order is kept")
        for order_id, order in self.orders.items():
            terms = order.terms
            ensure(terms.order_id == order_id, "an order is found by its number")
            ensure(self.accounts[terms.account][terms.client_id] is order, "and by its client id")
            is_whole = order.open_lots + order.filled_lots == terms.lots or terms.lots == 0
            ensure(is_whole, "what is open was not filled")
            if order.other:
                ensure(self.orders[order.other].other == order_id, "a pair knows each other")
        ends = [o for o in self.orders.values() if o.extras is not None and o.extras.expires_ns]
        ensure(len(ends) == len(self.expiries), "what ends by time is known by its time")
