"""Books killed, stopped, cut off from their journal, and sent what nobody should send.

The same claims each time: nothing acknowledged is lost, no lot is sold twice, the record leads to
one state from whichever end it is read, and the market beside it does not notice.
"""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Callable

import msgspec
import pytest

from apps.journals import keys, wire
from apps.journals.process import EXIT_FENCED
from matching_worker.contracts.to_book import CancelOrders
from tests.bench.figures import percentile
from tests.helpers.book_processes import NEVER, BookProcesses, Books
from tests.helpers.toy_world import ToySource, wait_until

pytestmark = pytest.mark.timeout(240)

LEASE_S = 1.5
BEFORE_S = 60.0
AFTER_S = 15.0
PAUSE_S = 0.05

decode_replies = msgspec.msgpack.Decoder(wire.ReplyFrame).decode


@pytest.fixture
def books(cache, servers, tmp_path):
    with Books(tmp_path, cache_url=servers.cache_url) as books:
        yield books


@pytest.fixture
def btc(books) -> BookProcesses:
    """Return a market with an owner `a` and a standby `b`, after a trade."""
    return with_standby(books, "BTC-USDT")


def with_standby(books: Books, symbol: str) -> BookProcesses:
    market = books.open(symbol)
    market.start("a")
    market.wait_for_role("a", "owner")
    market.start("b")
    market.wait_for_role("b", "standby")
    market.send(resting=3, crossing=1)
    return market


def assert_whole(market: BookProcesses, *, frames: int) -> None:
    """Claim that everything up to a frame was decided once, and leads to one state."""
    market.wait_for(frames)
    sold = [maker for _, maker in market.trades()]
    bought = [taker for taker, _ in market.trades()]
    assert len(sold) == len(set(sold)) == len(set(bought)), "every order is of one lot"
    assert market.genesis_hash() == market.state_hash()


def test_a_killed_owner_is_followed_and_nothing_is_lost_or_sold_twice(btc):
    sent = [btc.send(resting=2, crossing=1, wait=False) for _ in range(10)]
    btc.kill("a")
    sent += [btc.send(resting=2, crossing=1, wait=False) for _ in range(10)]

    assert_whole(btc, frames=sent[-1])
    btc.wait_for_role("b", "owner")
    assert len(btc.trades()) == 21


def test_an_owner_that_was_stopped_beyond_its_lease_fails_to_write(btc):
    sleeper = btc.processes["a"]
    sleeper.send_signal(signal.SIGSTOP)
    btc.send(resting=2, crossing=1)  # Decided by the standby, which has taken over.
    btc.wait_for_role("b", "owner")

    sleeper.send_signal(signal.SIGCONT)
    last = btc.send(resting=2, crossing=1)

    assert sleeper.wait(timeout=20) == EXIT_FENCED
    del btc.processes["a"]
    assert_whole(btc, frames=last)
    assert len(btc.trades()) == 3


def test_a_journal_that_is_killed_and_comes_back_costs_nothing_but_time(books, btc):
    sent = btc.send(resting=2, crossing=1, wait=False)
    books.journal_server.kill()
    wait_until(lambda: btc.health("a")["status"] != "ready", because="it is said")
    books.journal_server.start()

    assert_whole(btc, frames=sent)
    assert_whole(btc, frames=btc.send(resting=2, crossing=1))
    assert btc.health("a")["role"] == "owner", "and nobody took over"


def test_doubled_swapped_and_late_frames_count_once_or_not_at_all(books, btc):
    edge = ToySource(books.journal, keys.cancels(btc.worker), secrets.token_bytes(8))
    own = 1_024

    def cancel(request: int, order: int) -> CancelOrders:
        return CancelOrders(request, own, order * 1_024, "", (0, 0), NEVER)

    edge.send(cancel(1, 2))
    edge.send(cancel(1, 2), number=1)  # Doubled.
    edge.send(cancel(3, 99), number=3)  # Before the second one.
    edge.send(cancel(2, 3), number=2)
    edge.send(cancel(1, 2), number=1)  # Late.

    frames = btc.send(resting=1, crossing=1)

    assert_whole(btc, frames=frames)
    answers = [
        answer
        for _, fields in books.journal.xrange(keys.replies(btc.worker, edge.source))
        for answer in decode_replies(fields[keys.FRAME_FIELD]).replies
    ]
    assert len(answers) == 2, "each of the two frames that count has one answer"


@pytest.mark.parametrize(
    "poison", [b"", b"\xc1", b"\x93", bytes(range(64))], ids=["empty", "no code", "cut", "noise"]
)
def test_poison_in_its_streams_is_stepped_over_and_the_market_trades(books, btc, poison):
    for stream in (keys.commands(btc.worker), keys.cancels(btc.worker)):
        books.journal.xadd(stream, {keys.FRAME_FIELD: poison})
        books.journal.xadd(stream, {b"x": poison})

    assert_whole(btc, frames=btc.send(resting=1, crossing=1))
    assert btc.health("a")["status"] == "ready"
    assert btc.health("b")["status"] == "ready"


# ── The market beside it ────────────────────────────────────────────────────────────────────────


class Beside:
    """A market under a steady load; each frame's time until its decision was durable."""

    def __init__(self, market: BookProcesses) -> None:
        self.market = market
        self.took: list[tuple[float, float]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_S):
            started = time.monotonic()
            frame = self.market.send(resting=1, crossing=1, wait=False)
            while self.market.taken() < frame:
                time.sleep(0.0005)
            self.took.append((started, time.monotonic() - started))

    def p99_ms(self, *, start: float, end: float) -> float:
        return 1_000 * percentile([took for at, took in self.took if start <= at < end], 0.99)


def kill_the_owner(market: BookProcesses) -> None:
    market.kill("a")


def stop_the_owner(market: BookProcesses) -> None:
    market.processes["a"].send_signal(signal.SIGSTOP)
    time.sleep(2 * LEASE_S)
    market.processes["a"].send_signal(signal.SIGCONT)


def poison_it(market: BookProcesses) -> None:
    for _ in range(100):
        market._journal().xadd(keys.commands(market.worker), {keys.FRAME_FIELD: b"\xc1"})


@pytest.mark.chaos
@pytest.mark.parametrize("strike", [kill_the_owner, stop_the_owner, poison_it])
def test_the_market_beside_it_keeps_its_p99_within_twice(
    books, btc, strike: Callable[[BookProcesses], None]
):
    eth = with_standby(books, "ETH-USDT")
    with Beside(eth) as beside:
        began = time.monotonic()
        time.sleep(BEFORE_S)
        struck = time.monotonic()
        strike(btc)
        last = btc.send(resting=1, crossing=1)
        time.sleep(max(0.0, struck + AFTER_S - time.monotonic()))
    before = beside.p99_ms(start=began + 1, end=struck)
    after = beside.p99_ms(start=struck, end=struck + AFTER_S)
    print(f"p99 beside it: {before:.2f} ms in the minute before, {after:.2f} ms after")
    assert after <= 2 * before
    assert_whole(btc, frames=last)
    assert_whole(eth, frames=eth.taken())
