"""Settlement: every change of ownership becomes one balanced entry, once, in order."""

from __future__ import annotations

import pytest

from apps.journals import keys
from apps.ledger import selectors, services
from apps.ledger.models import Balance, Cursor, Entry, Posting, SettledFill, SettledOrder
from tests.helpers.journal_world import COIN, JournalWorld

BOOK, RISK = "book:BTC-USDT", "risk:0"


def traded(world: JournalWorld) -> tuple[int, int]:
    """Let bob sell alice 2 of the 5 lots that she bids for, and the rest be canceled."""
    alice, bob = world.account(1, USDT=100_000), world.account(2, BTC=10)
    world.place(alice, "B", lots=500, at=10_000, client_id="bid")
    world.place(bob, "S", lots=200, at=10_000, client_id="ask")
    world.run()
    world.cancel_all(alice)
    world.run()
    return alice, bob


def machine_balances(world: JournalWorld) -> dict[tuple[int, str], int]:
    """Return what the partitions' state machines hold."""
    return {
        (account.number, asset): balance.total
        for name, replica in world.replicas.items()
        if name.startswith("risk:")
        for account in replica.machine.accounts.values()
        for asset, balance in account.balances.items()
        if balance.total
    }


def ledger_balances() -> dict[tuple[int, str], int]:
    """Return what the ledger holds for customers."""
    rows = Balance.objects.filter(account__kind="customer").exclude(amount=0)
    return {
        (number, asset): amount
        for number, asset, amount in rows.values_list("account__number", "account__asset", "amount")
    }


def test_a_fill_is_two_entries_against_clearing_with_the_fee_as_its_own_legs(world, settle):
    alice, _ = traded(world)

    settle()

    entries = Entry.objects.filter(kind="fill").order_by("pk")
    assert [entry.reference for entry in entries] == ["BTC-USDT:1:B", "BTC-USDT:1:S"]
    (order,) = selectors.orders_of(alice)
    (entry,) = selectors.entries_for_order(order.order_id)
    assert [(leg.account, leg.asset, leg.amount) for leg in entry.postings] == [
        (f"customer:{alice}", "BTC", 200_000),
        ("clearing:BTC-USDT", "BTC", -200_000),
        (f"customer:{alice}", "USDT", -20_000_000),
        ("clearing:BTC-USDT", "USDT", 20_000_000),
        (f"customer:{alice}", "BTC", -200),
        ("fees", "BTC", 200),
    ]
    assert set(selectors.imbalance_minor().values()) == {0}


def test_the_ledger_holds_what_the_partition_holds(world, settle):
    traded(world)

    settle()

    assert ledger_balances() == machine_balances(world)
    cursor = Cursor.objects.get(worker=RISK)
    assert (cursor.batch, bytes(cursor.hash)) == (
        world.replicas[RISK].batch,
        world.replicas[RISK].hash,
    )
    assert cursor.seq == world.replicas[RISK].machine.seq


def test_history_tells_what_became_of_an_order_and_its_fills(world, settle):
    alice, bob = traded(world)

    settle()

    (bid,) = selectors.orders_of(alice, "BTC-USDT")
    (ask,) = selectors.orders_of(bob, "BTC-USDT")
    (fill,) = selectors.fills_of(bob, "BTC-USDT")
    (trade,) = selectors.trades_of_market("BTC-USDT")
    assert (bid.client_id, bid.status, bid.filled_lots, bid.lots) == ("bid", "canceled", 200, 500)
    assert (ask.client_id, ask.status, ask.cum_quote) == ("ask", "filled", 20_000_000)
    assert (bid.engine, bid.engine_seq) == (BOOK, 5)
    assert (fill.fee_asset, fill.fee, fill.is_maker) == ("USDT", 30_000, False)
    assert (trade.trade_id, trade.taker_side, trade.lots) == (1, "S", 200)


def test_an_order_that_settles_in_parts_is_updated_as_it_goes(world, settle):
    alice, bob = world.account(1, USDT=100_000), world.account(2, BTC=10)
    world.place(alice, "B", lots=500, at=10_000)
    world.run()
    settle()
    (order,) = selectors.orders_of(alice)
    assert (order.status, order.filled_lots, order.ended_at) == ("open", 0, None)

    world.place(bob, "S", lots=200, at=10_000)
    world.run()
    settle()
    (order,) = selectors.orders_of(alice)
    assert (order.status, order.filled_lots, order.ended_at) == ("open", 200, None)

    world.place(bob, "S", lots=300, at=10_000)
    world.run()
    settle()
    (order,) = selectors.orders_of(alice)
    assert (order.status, order.filled_lots, order.cum_quote) == ("filled", 500, 50_000_000)


def test_settling_again_changes_nothing(world, settle):
    traded(world)
    first = settle()
    before = (Entry.objects.count(), Posting.objects.count(), ledger_balances())

    again = settle()

    assert first.entries == 4
    assert (again.batches, again.entries, again.stopped) == (0, 0, "")
    assert (Entry.objects.count(), Posting.objects.count(), ledger_balances()) == before


def test_a_run_that_dies_between_two_transactions_goes_on_where_it_stopped(
    world, settle, monkeypatch
):
    traded(world)
    monkeypatch.setattr(services, "FRAMES_PER_TRANSACTION", 1)
    written, write = [], services.rows.write

    def dies_on_the_fourth(booking):
        balances = write(booking)  # The rows are written, the transaction is not committed.
        written.append(booking)
        if len(written) == 4:
            raise KeyboardInterrupt
        return balances

    monkeypatch.setattr(services.rows, "write", dies_on_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        settle()
    assert Cursor.objects.get().batch == 3

    monkeypatch.setattr(services.rows, "write", write)
    settle()

    assert ledger_balances() == machine_balances(world)
    assert SettledFill.objects.count() == 2


def test_checkpoints_are_compared_where_they_stand(world, settle):
    alice, bob = traded(world)
    world.run(seconds=11)
    world.place(alice, "B", lots=10, at=10_000)
    world.place(bob, "S", lots=10, at=10_000)
    world.run()
    world.run(seconds=11)

    settled = settle()

    assert settled.stopped == ""
    assert Cursor.objects.get().checkpoints == 2


def test_value_moves_by_deposits_transfers_withdrawals_and_corrections(world, settle):
    from apps.risk.contracts import commands as ask

    alice, bob = world.account(1, USDT=100), world.account(2, USDT=5)
    world.tell(
        RISK,
        ask.Transfer(alice, bob, "USDT", 30 * COIN, "t1"),
        ask.WithdrawalHold(bob, "USDT", 20 * COIN, "w1"),
        ask.WithdrawalSettle(bob, "w1"),
        ask.WithdrawalHold(bob, "USDT", 1 * COIN, "w2"),
        ask.Adjustment(alice, "USDT", -1 * COIN, "a1", "a slip"),
    )
    world.run()
    world.run(seconds=11)

    assert settle().stopped == ""

    assert selectors.balances_of(alice) == {"USDT": 69 * COIN}
    assert selectors.balances_of(bob) == {"USDT": 15 * COIN}
    kinds = Entry.objects.exclude(kind="deposit").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["transfer_out", "withdrawal", "adjustment"]
    assert Cursor.objects.get().checkpoints == 1


def test_two_partitions_meet_in_clearing_and_in_transit(journal, cache, settle):
    from apps.risk.contracts import commands as ask

    world = JournalWorld(journal, partitions=2)
    alice, bob = world.account(1, USDT=100_000), world.account(1, partition=1, BTC=10)
    world.run()
    world.place(alice, "B", lots=500, at=10_000)
    world.run()
    world.place(bob, "S", lots=500, at=10_000)
    world.tell(RISK, ask.Transfer(alice, bob, "USDT", COIN, "t1"))
    world.run()
    world.run(seconds=11)

    assert settle(0).stopped == settle(1).stopped == ""

    assert ledger_balances() == machine_balances(world)
    clearing = Balance.objects.filter(account__kind__in=["clearing", "transit"])
    by_asset: dict[str, int] = {}
    for asset, amount in clearing.values_list("account__asset", "amount"):
        assert amount != 0
        by_asset[asset] = by_asset.get(asset, 0) + amount
    assert by_asset == {"BTC": 0, "USDT": 0}


# -- what must stop it


def test_a_gap_in_the_log_stops_the_cursor_and_withdrawals(world, settle, journal):
    traded(world)
    gone = world.replicas[RISK].batch - 1
    journal.xdel(keys.log(RISK), f"{gone}-0")

    settled = settle()

    assert settled.stopped
    assert Cursor.objects.get().batch == gone - 1
    assert Cursor.objects.get().state == "stopped"
    assert selectors.withdrawals_stopped()
    assert settle().batches == 0, "a stopped cursor waits for a person"


def test_another_history_stops_the_cursor(world, settle, journal):
    alice, _ = traded(world)
    settle()
    Cursor.objects.update(hash=bytes(32))
    world.place(alice, "B", lots=1, at=9_000)
    world.run()

    assert "another history" in settle().stopped
    assert selectors.halts()[0].source == "settle:risk:0"


def test_outputs_that_are_not_those_that_were_hashed_stop_the_cursor(world, settle, journal):
    traded(world)
    last = world.replicas[RISK].batch
    ((_, fields),) = journal.xrange(keys.log(RISK), f"{last}-0", f"{last}-0")
    before = journal.xrange(keys.log(RISK), "-", f"{last - 1}-0")
    changed = fields[b"o"][:-1] + bytes([fields[b"o"][-1] ^ 1])
    journal.delete(keys.log(RISK))
    for entry, kept in before:
        journal.xadd(keys.log(RISK), kept, id=entry)
    journal.xadd(keys.log(RISK), {b"h": fields[b"h"], b"o": changed}, id=f"{last}-0")

    assert settle().stopped


def test_a_checkpoint_that_differs_stops_before_it_is_passed(world, settle):
    alice, _ = traded(world)
    settle()
    cursor = Cursor.objects.get()
    Cursor.objects.update(digest=bytes(32))
    world.run(seconds=11)
    world.place(alice, "B", lots=1, at=9_000)
    world.run()

    settled = settle()

    assert "balances differ" in settled.stopped
    assert Cursor.objects.get().batch == cursor.batch


def test_an_entry_that_postgresql_refuses_stops_the_cursor_at_the_batch_before(world, settle):
    from apps.risk.contracts import commands as ask

    alice = world.account(1, USDT=100)
    world.run()
    settle()
    world.tell(RISK, ask.Deposit(alice, "USDT", 5, "fresh"))
    world.run()
    replica = world.replicas[RISK]
    replica.machine.references.known.discard("deposit/fresh")  # As if it had been forgotten.
    replica.machine.references.known.discard(f"deposit/first-{alice}-USDT")
    good = replica.batch
    world.tell(RISK, ask.Deposit(alice, "USDT", 100, f"first-{alice}-USDT"))
    world.run()

    settled = settle()

    assert "ledger_one_entry" in settled.stopped
    assert Cursor.objects.get().batch == good
    assert selectors.balances_of(alice) == {"USDT": 100 * COIN + 5}


def test_a_person_lets_it_go_on(world, settle):
    alice, _ = traded(world)
    settle()
    true_hash = Cursor.objects.get().hash
    Cursor.objects.update(hash=bytes(32))
    world.place(alice, "B", lots=1, at=9_000)
    world.run()
    settle()
    assert selectors.withdrawals_stopped()

    Cursor.objects.update(hash=true_hash)
    services.resume(RISK, by="operator", reason="the hash was damaged by a test")
    settle()

    assert not selectors.withdrawals_stopped()
    assert Cursor.objects.get().batch == world.replicas[RISK].batch
    assert SettledOrder.objects.filter(status="open").count() == 1
