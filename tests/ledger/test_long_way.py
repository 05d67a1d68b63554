"""Settlement when things are not at hand: a trimmed log, no database, a person's word."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from apps.common.kernel.ids import partition_of
from apps.journals import keys
from apps.journals.archive import ArchiveWriter
from apps.journals.history import History
from apps.journals.segments import ArchivedBatch
from apps.ledger import lag, selectors, services, tasks
from apps.ledger.models import Cursor, Entry

RISK = "risk:0"


def archive_and_trim(world, folder: Path, worker: str, *, up_to: int) -> None:
    """Cut a worker's first batches into its archive, and take them off the journal server."""
    genesis = world.journal.get(keys.genesis(worker))
    writer = ArchiveWriter(folder, worker, genesis)
    writer.open(trimmed_to=0)
    batches = History(world.journal, folder, worker).read(after=0)[:up_to]
    writer.append([ArchivedBatch(b.number, b.header, b.outputs, b.inputs) for b in batches])
    world.journal.xtrim(keys.log(worker), minid=f"{up_to + 1}-0", approximate=False)
    world.journal.hset(keys.trimmed(worker), keys.log(worker), f"{up_to}-0")


def test_a_settlement_that_fell_behind_goes_on_from_the_archive(
    world, settle, tmp_path, monkeypatch
):
    monkeypatch.setenv("FAIRBOOK_ARCHIVE_DIR", str(tmp_path))
    for number in range(1, 8):
        world.account(number, USDT=number)
        world.run()
    archive_and_trim(world, tmp_path, RISK, up_to=5)

    settled = settle()

    assert settled.stopped == ""
    assert Entry.objects.count() == 7
    assert Cursor.objects.get().batch == world.replicas[RISK].batch


def test_a_log_that_was_trimmed_and_not_archived_stops_it(world, settle, tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_ARCHIVE_DIR", str(tmp_path))
    world.account(1, USDT=1)
    world.run()
    world.journal.xtrim(keys.log(RISK), minid="3-0", approximate=False)
    world.journal.hset(keys.trimmed(RISK), keys.log(RISK), "2-0")

    assert "is in neither" in settle().stopped


def test_the_lag_is_published_and_grows_when_nobody_says_anything(world, settle, cache):
    world.account(1, USDT=1)
    world.run()
    settle()

    assert lag.read(cache) == {RISK: 0.0}
    raw, ats = cache.hgetall(lag.LAG), cache.hgetall(lag.AT)
    assert lag.current(raw, ats, now=time.time() + 60)[RISK] == pytest.approx(57, abs=1)


def test_without_the_database_there_is_no_figure_and_trading_goes_on(
    world, settle, cache, monkeypatch
):
    world.account(1, USDT=1)
    world.run()
    settle()

    def away(**_options):
        raise OperationalError("the server is away")

    monkeypatch.setattr(services, "settle", away)
    tasks.settle(partition=0, sent_by="a newer sender")

    assert lag.read(cache) == {}


def test_a_partition_that_nobody_founded_is_not_settled(settle):
    assert settle(7).batches == 0
    assert not Cursor.objects.exists()


def test_a_person_lifts_a_halt_by_name_and_reason(world, settle):
    world.account(1, USDT=1)
    world.run()
    settle()
    services.stop(RISK, reason="a test")
    out = StringIO()

    call_command("lift_halt", stdout=out)
    with pytest.raises(CommandError):
        call_command("lift_halt", "settle:risk:0", stdout=out)
    with pytest.raises(CommandError):
        call_command("lift_halt", "settle:risk:9", by="olga", reason="none such", stdout=out)
    call_command("lift_halt", "settle:risk:0", by="olga", reason="it was a test", stdout=out)

    assert "settle:risk:0  since" in out.getvalue()
    assert not selectors.withdrawals_stopped()
    assert Cursor.objects.get().state == "running"


def test_pages_of_history_come_in_order(world, settle):
    alice, bob = world.account(1, USDT=1_000_000), world.account(2, BTC=100)
    world.run()
    for _ in range(5):
        world.place(alice, "B", lots=10, at=10_000)
        world.place(bob, "S", lots=10, at=10_000)
        world.run()
    settle()

    orders = [order.order_id for order in selectors.orders_of(alice)]
    fills = [fill.trade_id for fill in selectors.fills_of(alice)]
    assert orders == sorted(orders)
    assert fills == [1, 2, 3, 4, 5]
    assert [o.order_id for o in selectors.orders_of(alice, limit=2)] == orders[-2:]
    assert [o.order_id for o in selectors.orders_of(alice, from_id=orders[1], limit=2)] == orders[
        1:3
    ]
    assert [f.trade_id for f in selectors.fills_of(bob, "BTC-USDT", from_id=4)] == [4, 5]
    assert [f.trade_id for f in selectors.fills_of(alice, order_id=orders[2])] == [3]
    assert [t.trade_id for t in selectors.trades_of_market("BTC-USDT", limit=2)] == [4, 5]
    assert selectors.orders_of(alice, "ETH-USDT") == []
    assert selectors.order_of(bob, order_id=orders[0]) is None, "another's and none look the same"
    newest = selectors.entries_of_account(bob, limit=2)
    assert [entry.reference for entry in newest] == ["BTC-USDT:5:S", "BTC-USDT:4:S"]
    assert partition_of(bob) == 0
