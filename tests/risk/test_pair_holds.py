"""Two legs, one hold: what is held while one trades or ends. `docs/risk-rules.md`, 45 to 48."""

import pytest

from apps.common.kernel.invariants import InvariantBroken
from apps.risk.contracts.events import OrderEnded
from apps.risk.engine import codes
from matching_worker.contracts.from_book import Triggered
from tests.helpers.scripted_stage import ScriptedStage, pair, stop, stop_market

REST, WAIT = 1024, 2048  # The numbers of the two orders: the first rests, the second waits.


@pytest.fixture
def scripted() -> ScriptedStage:
    return ScriptedStage()


@pytest.fixture
def alice(scripted):
    return scripted.trader("alice", usdt=2_000, btc=20)


def buys(trader):
    """Ask to buy at a good price, or at a worse one once the price runs away."""
    waits = stop(trader.order(lots=10, price_ticks=110), at=105)
    return pair(trader.order(lots=10, price_ticks=95), waits)


def sells(trader):
    """Ask to sell at a profit, or at the market once there is a loss."""
    profit = trader.order(side="S", lots=20, price_ticks=110)
    return pair(profit, stop_market(trader, at=90, side="S", lots=20))


def released(trader):
    return [event.released for event in trader.risk.events if isinstance(event, OrderEnded)]


def test_the_first_fill_of_the_resting_one_ends_the_waiting_one(scripted, alice):
    scripted.asks(buys(alice))

    scripted.script.fills(REST, lots=4, at=95)
    scripted.flows()

    assert list(alice.risk.machine.orders) == [REST]
    assert alice.held() == 6 * 95
    assert alice.has() == 2_000 - 4 * 95
    assert released(alice) == [0]  # Freed by the fill already.


def test_with_its_only_fill_both_are_gone(scripted, alice):
    scripted.asks(sells(alice))

    scripted.script.fills(REST, lots=20, at=110)
    scripted.flows()

    assert not alice.risk.machine.orders
    assert (alice.held("BTC"), alice.has("BTC"), alice.has()) == (0, 0, 2_000 + 20 * 110)


def test_between_a_fill_and_the_other_end_only_the_one_that_trades_holds(scripted, alice):
    """A better price may not leave more held than there is: 1,100 of 1,100 were."""
    bob = scripted.trader("bob", usdt=1_100)
    scripted.asks(buys(bob))
    script = scripted.script
    script.orders[REST].other = 0  # The book says the other's end in a batch of its own.

    script.fills(REST, lots=4, at=95)
    scripted.flows()
    between = (bob.has(), bob.held())
    scripted.restart(scripted.risks[0])
    script.orders[WAIT].other = 0
    script.ends(WAIT, "canceled", "other_leg")
    scripted.flows()

    assert between == (1_100 - 4 * 95, 6 * 95)
    assert bob.held() == 6 * 95


@pytest.mark.parametrize("first_waits", [False, True])
def test_a_trigger_ends_the_resting_one_and_its_hold_passes_on(scripted, alice, first_waits):
    rests = alice.order(lots=10, price_ticks=110)
    waits = stop(alice.order(lots=10, price_ticks=106), at=105)
    scripted.asks(pair(waits, rests) if first_waits else pair(rests, waits))
    resting, waiting = (2048, 1024) if first_waits else (1024, 2048)

    scripted.script.sets_off(waiting, at=105)
    scripted.flows()

    assert list(alice.risk.machine.orders) == [waiting]
    assert alice.held() == 10 * 106
    (ended,) = (event for event in alice.risk.events if isinstance(event, OrderEnded))
    assert (ended.order_id, ended.code, ended.released) == (resting, "other_leg", 10 * 4)


@pytest.mark.parametrize(("first", "freed"), [(REST, [0, 1_100]), (WAIT, [150, 950])])
def test_a_cancel_of_either_ends_both_and_frees_all(scripted, alice, first, freed):
    """What the survivor needs is not released with the first end, but with its own."""
    scripted.asks(buys(alice))

    scripted.script.ends(first)
    scripted.flows()

    assert not alice.risk.machine.orders
    assert released(alice) == freed
    assert alice.held() == 0


def test_a_hold_that_passes_on_is_never_available_between(scripted, alice):
    """An order that comes in between finds no more than what the survivor leaves."""
    bob = scripted.trader("bob", usdt=1_100)
    scripted.asks(buys(bob))
    scripted.script.orders[REST].other = 0
    scripted.script.ends(REST)
    scripted.flows()

    answer = scripted.asks(bob.order(lots=1, price_ticks=1))

    assert answer.code == codes.INSUFFICIENT_FUNDS
    assert bob.held() == 1_100


def test_both_may_not_trade(scripted, alice):
    scripted.asks(buys(alice))
    script = scripted.script
    for number in (REST, WAIT):
        script.orders[number].other = 0
        script.orders[number].waits = False
    alice.risk.machine.orders[WAIT].is_set_off = True
    script.fills(REST, lots=1, at=95)
    script.fills(WAIT, lots=1, at=95)

    with pytest.raises(InvariantBroken, match="only one trades"):
        scripted.flows()


def test_a_trigger_while_the_other_is_open_contradicts_our_own_count(scripted, alice):
    scripted.asks(buys(alice))
    script = scripted.script
    script.saying.append(("risk:0", Triggered(WAIT, 1, 9, scripted.now_ns, 105)))

    with pytest.raises(InvariantBroken, match="the other leg ended"):
        scripted.flows()
