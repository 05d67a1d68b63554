"""The beat's verifier goes on where it stood; withdrawals stop when the books do not tie."""

from __future__ import annotations

import msgspec
import pytest

from apps.common import outbox
from apps.common.models import AuditRecord
from apps.ledger import selectors, services
from apps.ledger.models import Halt, Posting
from apps.markets import demo
from apps.markets import services as markets
from apps.markets.models import Market
from apps.monitoring import selectors as monitoring
from apps.monitoring.contracts import VerifyStatus
from apps.monitoring.selectors import VERIFY_STATUS
from apps.monitoring.watch import Watch
from tests.replay.conftest import Checked, sql, triggers_off
from tests.replay.test_verify import busy_day

RISK, BOOK = "risk:0", "book:BTC-USDT"


@pytest.fixture
def told(monkeypatch) -> list:
    """Return what books are told while the test runs."""
    said = []
    send = outbox.send

    def listen(message, *, worker):
        if worker.startswith("book:"):
            said.append((worker, message))
        return send(message, worker=worker)

    monkeypatch.setattr(outbox, "send", listen)
    return said


@pytest.fixture
def watched(checked) -> tuple[Checked, Watch]:
    busy_day(checked)
    checked.settle()
    return checked, Watch(checked.journal, checked.cache, budget_s=30)


def test_it_follows_the_ledger_and_says_where_it_stands(watched):
    checked, watch = watched

    first = watch.tick()
    checked.world.place(checked.world.account(8, USDT=9), "B", lots=1, at=9_500)
    checked.world.run()
    checked.world.run(seconds=11)
    checked.settle()
    second = watch.tick()

    assert (first.ok, first.first, second.ok, second.first) == (True, None, True, None)
    assert second.is_caught_up
    assert second.seqs[RISK] == checked.world.replicas[RISK].machine.seq > first.seqs[RISK]
    assert second.seqs[BOOK] > first.seqs[BOOK]
    assert set(second.imbalance.values()) == {"0"}
    assert monitoring.trust()["ok"] is True
    assert monitoring.trust()["seqs"] == second.seqs


def test_what_does_not_fit_into_a_tick_is_done_by_the_next(watched):
    _, watch = watched
    watch.budget_s = 0.0

    assert not watch.tick().is_caught_up
    watch.budget_s = 30
    assert watch.tick().is_caught_up


@pytest.mark.parametrize("start", ["before", "after"])
def test_a_damaged_posting_stops_withdrawals(watched, start):
    _, watch = watched
    if start == "after":
        assert watch.tick().ok
    posting = Posting.objects.filter(entry__kind="fill").order_by("pk").first()
    with triggers_off("ledger_posting"):
        sql("UPDATE ledger_posting SET amount = amount + 1 WHERE id = %s", posting.pk)

    status = watch.tick()

    assert not status.ok
    assert f"entry {posting.entry_id}" in (status.first or "")
    assert selectors.withdrawals_stopped()
    assert selectors.halts()[0].source == "verify"


def test_a_damaged_balance_row_stops_withdrawals_until_a_person_lifts_it(watched):
    _, watch = watched
    watch.tick()
    sql("UPDATE ledger_balance SET amount = amount + 1 WHERE may_be_negative")
    assert not watch.tick().ok
    sql("UPDATE ledger_balance SET amount = amount - 1 WHERE may_be_negative")

    assert not watch.tick().ok, "the books tie again, but nobody has looked"
    services.lift_halt(source="verify", by="operator", reason="a test damaged it")
    assert watch.tick().ok
    assert Halt.objects.count() == 1


def test_a_damaged_read_model_is_seen(watched, cache):
    _, watch = watched
    watch.tick()
    key = "rm:balances:1024"
    total, held = msgspec.msgpack.decode(cache.hget(key, "USDT"))
    cache.hset(key, "USDT", msgspec.msgpack.encode((total, held + 1)))

    status = watch.tick()

    assert "rm:balances:1024 USDT" in (status.first or "")


def test_it_compares_with_a_snapshot_that_it_passes(watched):
    checked, watch = watched
    watch.tick()
    checked.world.place(checked.world.account(8, USDT=9), "B", lots=1, at=9_500)
    checked.world.run()
    replica = checked.world.replicas[RISK]
    balance = replica.machine.accounts[1024].balances["USDT"]
    balance.total += 1
    checked.snapshot()
    balance.total -= 1
    checked.settle()

    assert "the snapshot of batch" in (watch.tick().first or "")


def test_a_book_that_breaks_an_invariant_halts_its_market_and_no_other(watched, told):
    _, watch = watched
    for spec in demo.MARKETS:
        markets.tell_partitions(spec)
        markets.open_first(spec.symbol, reason="a test")
    watch.tick()
    told.clear()
    book = watch.walks[BOOK].machine.book
    side = book.bids if book.bids.levels else book.asks
    side.levels.peekitem(0)[1].lots += 1  # A level's total is no longer its orders' sum.

    assert not watch.tick().ok

    assert Market.objects.get(symbol="BTC-USDT").state == "halted"
    assert Market.objects.get(symbol="ETH-USDT").state == "trading"
    assert [(worker, type(message).__name__) for worker, message in told] == [
        (BOOK, "MarketStateSet")
    ]
    record = AuditRecord.objects.get(kind="market.state_set", data__state="halted")
    assert record.actor == "system"
    assert BOOK in record.data["reason"]

    told.clear()
    watch.tick()
    assert not told, "it is halted already"


def test_two_partitions_are_watched_together(partitions):
    busy_day(partitions, partitions=2)
    partitions.settle()
    watch = Watch(partitions.journal, partitions.cache, budget_s=30)

    status = watch.tick()

    assert (status.ok, status.first, status.is_caught_up) == (True, None, True)


def test_the_status_is_plain_json(watched, cache):
    _, watch = watched
    watch.tick()

    status = msgspec.json.decode(cache.get(VERIFY_STATUS), type=VerifyStatus)

    assert status.ok
