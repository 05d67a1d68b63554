"""Every code of `apps.risk.engine.codes` that an order can meet: a refusal changes nothing."""

import msgspec
import pytest

from apps.risk.contracts.commands import AccountFreeze
from apps.risk.contracts.events import OrderRefused
from apps.risk.contracts.replies import OrderRefusal, OrderResult
from apps.risk.engine import codes, limits
from matching_worker.contracts.market import MarketStateSet
from tests.helpers.trading_stage import SMALL_MARKET, Stage

MARKET_BUY = {"kind": "M", "time_in_force": "IOC", "price_ticks": 0}
STRICT = msgspec.structs.replace(
    SMALL_MARKET, min_lots=2, max_lots=50, min_notional=300, orders_per_account_max=2
)


@pytest.fixture
def strict() -> Stage:
    """A market with narrow filters: 2 to 50 lots, worth 300 at least, two orders per account."""
    return Stage(STRICT)


def refuses(trader, **terms) -> str:
    """Place an order that is refused; return the code. Claims that nothing else changed."""
    machine = trader.risk.machine
    before = machine.dump() | {"seq": 0}
    seen = len(trader.risk.events)

    answer = trader.places(**terms)

    assert isinstance(answer, OrderRefusal)
    (event,) = trader.risk.events[seen:]
    assert isinstance(event, OrderRefused)
    assert (event.code, event.seq) == (answer.code, answer.seq)
    assert machine.dump() | {"seq": 0} == before
    return answer.code


@pytest.mark.parametrize(
    ("code", "terms"),
    [
        (codes.UNKNOWN_ACCOUNT, {"account": 999 * 1024}),
        (codes.WRONG_PARTITION, {"account": 999 * 1024 + 7}),
        (codes.UNKNOWN_MARKET, {"market": "DOGE-USDT"}),
        (codes.TOO_LATE, {"deadline_ns": 1}),
        (codes.BAD_PRICE, {"price_ticks": 0}),
        (codes.BAD_PRICE, MARKET_BUY | {"price_ticks": 100}),
        (codes.BAD_PRICE, MARKET_BUY | {"price_ticks": 100, "lots": 0, "quote_budget": 500}),
        (codes.BAD_SIZE, {"lots": 1}),
        (codes.BAD_SIZE, {"lots": 51}),
        (codes.BAD_SIZE, {"lots": 0}),
        (codes.BAD_SIZE, MARKET_BUY | {"lots": 0}),
        (codes.BAD_SIZE, MARKET_BUY | {"lots": 0, "side": "S"}),
        (codes.BAD_NOTIONAL, {"lots": 3, "price_ticks": 99}),
        (codes.BAD_NOTIONAL, MARKET_BUY | {"lots": 2}),
        (codes.BAD_NOTIONAL, MARKET_BUY | {"lots": 2, "side": "S"}),
        (codes.BAD_NOTIONAL, MARKET_BUY | {"lots": 0, "quote_budget": 299}),
        (codes.BAD_TERMS, {"lots": 5, "post_only": True, "time_in_force": "IOC"}),
        (codes.BAD_TERMS, {"lots": 5, "post_only": True, "time_in_force": "FOK"}),
        (codes.BAD_TERMS, MARKET_BUY | {"lots": 5, "post_only": True}),
        (codes.BAD_TERMS, {"lots": 5, "quote_budget": 500}),
        (codes.BAD_TERMS, MARKET_BUY | {"lots": 5, "quote_budget": 500}),
        (codes.BAD_TERMS, MARKET_BUY | {"lots": 0, "quote_budget": 500, "side": "S"}),
        (codes.BAD_TERMS, {"lots": 5, "quote_budget": "-1"}),
        (codes.BAD_TERMS, {"lots": 5, "quote_budget": "five"}),
        (codes.BAD_TERMS, MARKET_BUY | {"lots": 0, "quote_budget": "9" * 39}),
        (codes.INSUFFICIENT_FUNDS, {"lots": 11}),
        (codes.INSUFFICIENT_FUNDS, {"lots": 5, "side": "S"}),
        (codes.INSUFFICIENT_FUNDS, MARKET_BUY | {"lots": 0, "quote_budget": 1_001}),
    ],
)
def test_a_refusal_has_a_code_and_changes_nothing(strict, code, terms):
    alice = strict.trader("alice", usdt=1_000)

    assert refuses(alice, **terms) == code


def test_a_market_that_is_not_open_takes_no_orders(stage):
    alice = stage.trader("alice", usdt=1_000)
    stage.ask(stage.book, [MarketStateSet("cancel_only", "the test wants it")])
    stage.settle()

    assert refuses(alice) == codes.MARKET_NOT_OPEN


def test_before_the_book_has_spoken_it_decides_itself_but_nothing_can_be_bought_by_quantity(stage):
    alice = stage.trader("alice", usdt=1_000)
    market = stage.risks[0].machine.markets["BTC-USDT"]
    market.state, market.reference_ticks = None, 0

    assert refuses(alice, **MARKET_BUY, lots=1) == codes.NO_REFERENCE
    assert isinstance(alice.buys(lots=1, at=100), OrderResult)


def test_an_account_may_have_only_so_many_orders_open_in_a_market(strict):
    alice = strict.trader("alice", usdt=5_000)
    alice.buys(lots=5, at=100, client_id="a")
    alice.buys(lots=5, at=100, client_id="b")

    assert refuses(alice, lots=5) == codes.TOO_MANY_ORDERS

    alice.cancels("a")
    assert isinstance(alice.buys(lots=5, at=100), OrderResult)


def test_a_full_partition_takes_no_more_orders(stage, monkeypatch):
    monkeypatch.setattr("apps.risk.engine.admission.ORDERS_MAX", 1)
    alice = stage.trader("alice", usdt=1_000)
    alice.buys(lots=1, at=100)

    assert refuses(alice) == codes.TOO_MANY_ORDERS


def test_a_frozen_account_places_nothing_until_it_is_thawed(stage):
    alice = stage.trader("alice", usdt=1_000)
    stage.does(alice.risk, AccountFreeze(alice.account, frozen=True, reason="a court asked"))

    assert refuses(alice) == codes.ACCOUNT_FROZEN

    stage.does(alice.risk, AccountFreeze(alice.account, frozen=False, reason="it was settled"))
    assert isinstance(alice.buys(lots=1, at=100), OrderResult)


def test_a_frozen_accounts_open_orders_still_fill(stage):
    """An execution is a fact. (The edge cancels what is open when it freezes someone.)"""
    alice, bob = stage.trader("alice", usdt=1_000), stage.trader("bob", btc=1)
    alice.buys(lots=1, at=100)
    stage.does(alice.risk, AccountFreeze(alice.account, frozen=True, reason="a court asked"))

    bob.sells(lots=1, at=100)

    assert alice.has("BTC") == 1


def test_an_order_at_its_deadline_is_taken_and_after_it_is_not(stage):
    alice = stage.trader("alice", usdt=1_000)

    assert isinstance(alice.buys(lots=1, at=100, deadline_ns=stage.now_ns), OrderResult)
    assert refuses(alice, deadline_ns=stage.now_ns - 1) == codes.TOO_LATE


def test_every_code_explains_itself():
    """Stable words: equal to their names in lower case, none used twice."""
    words = {name: value for name, value in vars(codes).items() if name.isupper()}

    assert {name.lower() for name in words} == set(words.values())
    assert limits.WAITING_MAX == 64
