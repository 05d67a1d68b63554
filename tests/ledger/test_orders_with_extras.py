"""The history keeps what an order asked for beyond a plain one's terms, and what came of it."""

from __future__ import annotations

from apps.journals.contracts import RulesSet
from apps.ledger import selectors
from apps.risk.contracts.commands import AmendOrder, PlaceExtra, PlacePair
from matching_worker.contracts.to_book import OrderExtras
from tests.helpers.journal_world import JournalWorld

RISK, BOOK = "risk:0", "book:BTC-USDT"
STOP = OrderExtras(trigger="stop", trigger_ticks=9_500)


def people(world: JournalWorld) -> tuple[int, int]:
    """Let alice and bob trade once at 10,000 under the newest rules."""
    for worker in (RISK, BOOK):
        world.tell(worker, RulesSet(2))
    alice = world.account(1, USDT=1_000_000, BTC=100)
    bob = world.account(2, USDT=1_000_000, BTC=100)
    world.place(alice, "S", lots=10, at=10_000)
    world.run()
    world.place(bob, "B", lots=10, at=10_000)
    world.run()
    return alice, bob


def of(account: int, client_id: str):
    found = selectors.order_by_client_id(account, client_id, market="BTC-USDT")
    assert found is not None
    return found


def test_a_stop_order_settles_with_its_trigger_and_when_it_was_set_off(world, settle):
    alice, bob = people(world)
    stop = world.order(alice, "S", lots=5, at=9_400, client_id="stop")
    world.tell(RISK, PlaceExtra(stop, STOP))
    world.run()
    settle()
    waiting = of(alice, "stop")
    assert (waiting.extras, waiting.status, waiting.triggered_at) == (STOP, "open", None)

    world.place(bob, "B", lots=1, at=9_500)
    world.run()
    world.place(alice, "S", lots=1, at=9_500)
    world.run(seconds=1)
    settle()

    set_off = of(alice, "stop")
    assert (set_off.extras, set_off.status) == (STOP, "open")
    assert set_off.triggered_at is not None


def test_an_amended_order_settles_with_its_new_size(world, settle):
    alice, _ = people(world)
    world.place(alice, "B", lots=50, at=9_900, client_id="bid")
    world.run()
    settle()
    before = of(alice, "bid")

    world.tell(
        RISK, AmendOrder(900, alice, "BTC-USDT", before.order_id, "", 20, world.now_ns + 10**10)
    )
    world.run()
    settle()

    assert (before.lots, of(alice, "bid").lots) == (50, 20)
    assert of(alice, "bid").version == before.version + 1


def test_an_order_that_is_placed_and_amended_in_one_run_has_the_new_size(world, settle):
    alice, _ = people(world)
    world.place(alice, "B", lots=50, at=9_900, client_id="bid")
    world.run()
    amend = AmendOrder(900, alice, "BTC-USDT", 0, "bid", 20, world.now_ns + 10**10)
    world.tell(RISK, amend)
    world.run()

    settle()

    assert of(alice, "bid").lots == 20


def test_both_orders_of_a_list_settle_with_each_others_number(world, settle):
    alice, _ = people(world)
    stop = world.order(alice, "S", lots=5, at=9_400, client_id="exit.1")
    limit = world.order(alice, "S", lots=5, at=10_500, client_id="exit.2", post_only=True)
    world.tell(RISK, PlacePair(PlaceExtra(stop, STOP), PlaceExtra(limit, OrderExtras())))
    world.run()

    settle()

    first, second = of(alice, "exit.1"), of(alice, "exit.2")
    assert (first.other_leg, second.other_leg) == (second.order_id, first.order_id)
    assert second.extras == OrderExtras()
