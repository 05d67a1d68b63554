"""Receipts: an order's place in the queue, who traded before it and why, and answers that lie."""

from __future__ import annotations

import pytest

from apps.journals.machine import Input, Origin
from matching_worker.contracts.market import MarketStateSet
from matching_worker.contracts.to_book import CancelOrders, HeldOrder, Hello
from tests.helpers.random_day import START, Batch
from tests.proofs.stage import MARKET, SECOND, Author, Day, verify

RIGHT, WRONG, NOT_CHECKED = 0, 1, 2
ALICE, BOB, CAROL, DAVE = (number * 1024 for number in (1, 2, 3, 4))


class Stage:
    """A market in which people do one thing per batch, and keep the answers."""

    def __init__(self):
        self.author, self.at_ns, self.orders = Author(), START, 0
        self.happens(Input.LINK, Hello(0))
        self.happens(Input.COMMANDS, MarketStateSet("trading", "open"))

    def happens(self, kind, *messages):
        self.at_ns += SECOND
        peer = "risk:0" if kind is Input.LINK else ""
        origin = Origin(kind, (1, 0), b"" if peer else b"an edge.", peer, (1, 0), b"")
        return self.author.publish(Batch(self.at_ns, [(origin, list(messages))]))

    def order(self, who, side, lots, *, at, **terms):
        """Place an order; return its number."""
        self.orders += 1
        order = HeldOrder(
            order_id=self.orders * 1024, version=1, account=who, client_id=f"mine-{self.orders}",
            side=side, kind="L", time_in_force=terms.get("tif", "GTC"),
            post_only=terms.get("post_only", False), price_ticks=at, lots=lots, budget=0,
            deadline_ns=self.at_ns + 9 * SECOND, command=(1, self.orders),
        )  # fmt: skip
        self.happens(Input.LINK, order)
        return order.order_id

    def cancel(self, who, order_id):
        command = CancelOrders(1, who, order_id, "", (1, 0), self.at_ns + 9 * SECOND)
        self.happens(Input.CANCELS, command)

    def receipt(self, order_id, **says):
        """Return the answer to the order as the API gives it in the batch that was last."""
        return {
            "symbol": "BTCUSDT",
            "orderId": order_id,
            "engine": f"book:{MARKET}",
            "engineSeq": self.author.machine.seq,
            "journalHash": self.author.inside.hex(),
            **says,
        }

    @property
    def day(self):
        return Day(self.author.lines)


@pytest.fixture
def stage():
    """Return an open market."""
    return Stage()


def test_a_receipt_tells_the_place_in_the_queue_and_who_came_before_and_why(stage, tmp_path):
    first = stage.order(ALICE, "B", 5, at=999)
    order = stage.order(BOB, "B", 3, at=999)
    says = {"side": "BUY", "price": "9.99", "origQty": "0.00003", "executedQty": "0.00000"}
    receipt = stage.receipt(order, **says, cummulativeQuoteQty="0.00000000")
    better = stage.order(CAROL, "B", 1, at=1_000)
    stage.order(DAVE, "S", 7, at=999)

    done = verify(tmp_path, stage.day, receipts=[receipt])

    assert done.returncode == RIGHT, done.stdout
    assert f"Order {order} in {MARKET}:" in done.stdout
    assert "to buy 0.00003 at 9.99, GTC" in done.stdout
    assert "nobody at better prices, and 1 order (0.00005) at its own price" in done.stdout
    assert "2 trades of its side came before it" in done.stdout
    assert f"trade 1: 0.00001 at 10.00 went to order {better}: a better price" in done.stdout
    assert f"trade 2: 0.00005 at 9.99 went to order {first}: the same price, earlier" in done.stdout
    assert "trade 3: 0.00001 at 9.99 with order" in done.stdout
    assert "it rests at the end of this record" in done.stdout


def test_a_receipt_tells_what_became_of_an_order(stage, tmp_path):
    refused = stage.order(ALICE, "B", 5, at=5_000)
    far = stage.receipt(refused, executedQty="0.00000")
    canceled = stage.order(ALICE, "B", 5, at=999)
    stage.cancel(ALICE, canceled)
    gone = stage.receipt(canceled, executedQty="0.00000")
    stage.order(BOB, "S", 1, at=1_001)
    taker = stage.order(CAROL, "B", 2, at=1_001, tif="IOC")
    fills = [{"tradeId": 1, "price": "10.01", "qty": "0.00001"}]
    took = stage.receipt(taker, executedQty="0.00001", fills=fills)

    done = verify(tmp_path, stage.day, receipts=[far, gone, took])

    assert done.returncode == RIGHT, done.stdout
    assert "refused, price_out_of_band" in done.stdout
    assert ": canceled" in done.stdout
    assert "trade 1: 0.00001 at 10.01" in done.stdout
    assert "(arriving)" in done.stdout
    assert "expired, no_liquidity" in done.stdout


LIES = {
    "side": {"side": "SELL"},
    "price": {"price": "9.98"},
    "size": {"origQty": "0.00004"},
    "executed": {"executedQty": "0.00001"},
    "fill": {"fills": [{"tradeId": 1, "price": "9.99", "qty": "0.00003"}]},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_the_record_contradicts_is_wrong(lie, stage, tmp_path):
    receipt = stage.receipt(stage.order(BOB, "B", 3, at=999), **LIES[lie])

    done = verify(tmp_path, stage.day, receipts=[receipt])

    assert done.returncode == WRONG
    assert "the record does not" in done.stdout


def test_a_receipt_that_the_record_does_not_know_is_wrong(stage, tmp_path):
    receipt = stage.receipt(stage.order(BOB, "B", 3, at=999))
    stage.order(ALICE, "B", 1, at=999)

    done = verify(tmp_path, stage.day, receipts=[{**receipt, "journalHash": "f" * 64}])

    assert done.returncode == WRONG
    assert "no batch of the record has it" in done.stdout


def test_an_order_that_was_left_out_of_the_record_is_missed(stage, tmp_path):
    """Its batch is there under its hash, and its command is not."""
    kept = stage.receipt(4 * 1024)
    stage.order(ALICE, "B", 1, at=999)

    done = verify(tmp_path, stage.day, receipts=[kept])

    assert done.returncode == WRONG
    assert "no such order was taken by then" in done.stdout


def test_a_receipt_of_later_segments_cannot_be_checked_yet(stage, tmp_path):
    receipt = stage.receipt(stage.order(BOB, "B", 3, at=999))

    done = verify(tmp_path, Day(stage.day.lines[:-1]), receipts=[receipt])

    assert done.returncode == NOT_CHECKED
    assert "its batch is in no segment given" in done.stdout


def test_a_receipt_of_a_partition_is_not_taken_for_a_books(stage, tmp_path):
    order = stage.order(BOB, "B", 3, at=999)
    receipt = stage.receipt(order) | {"engine": "risk:0", "journalHash": "a" * 64}

    done = verify(tmp_path, stage.day, receipts=[receipt])

    assert done.returncode == NOT_CHECKED
    assert "ask for the order again" in done.stdout
    assert f"Order {order} in {MARKET}:" in done.stdout


def test_an_order_may_be_asked_about_by_its_number(stage, tmp_path):
    order = stage.order(BOB, "B", 3, at=999)

    assert f"Order {order}" in verify(tmp_path, stage.day, orders=[order]).stdout
    assert verify(tmp_path, stage.day, orders=[77]).returncode == NOT_CHECKED
