"""The ledger derived again from a partition's journal, row by row, and compared to the unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from apps.journals.recorded import RecordedBatch
from apps.ledger import audit
from apps.ledger.booking import AccountKey, BatchNow, Booking, EntryDraft, FillDraft, moment
from apps.monitoring.findings import Findings
from apps.risk.contracts.events import CutSums, FillBooked, ValueMoved
from apps.risk.engine.state import PartitionState


class Derivation:
    """Compares a partition's events, in order, with the entries that stand for them."""

    def __init__(
        self, partition: int, findings: Findings, *, after: int, up_to: int, machine: PartitionState
    ) -> None:
        self.partition = partition
        self._findings = findings
        self._up_to = up_to
        markets = {symbol: (m.base, m.quote) for symbol, m in machine.markets.items()}
        self._booking = Booking(partition, markets)
        self._rows = audit.booked_entries(partition, after=after, up_to=up_to)
        self._is_lost = False  # After the first difference the rest would differ as well.

    def fold(self, batch: RecordedBatch, events: Sequence[Any]) -> None:
        """Take one batch of the journal."""
        if batch.number > self._up_to:
            return
        now = BatchNow(batch.number, b"", moment(batch.core.at_ns))
        for event in events:
            self._booking.take(event, now)
            if isinstance(event, FillBooked | ValueMoved):
                self._compare()

    def _compare(self) -> None:
        """Compare the entry that the last event makes with the next one of the ledger."""
        draft = self._booking.entries.pop()
        fill = self._booking.fills.pop() if self._booking.fills else None
        self._booking.orders.clear()
        self._booking.moved.clear()
        self._booking.totals.clear()
        if self._is_lost:
            return
        row = next(self._rows, None)
        difference = _difference(draft, fill, row)
        self._findings.claim("I8", not difference, difference)
        self._is_lost = bool(difference) and _is_another_entry(draft, row)

    def finish(self) -> None:
        """Claim that the ledger has nothing that the journal does not have."""
        if not self._is_lost and (row := next(self._rows, None)) is not None:
            what = f"entry {row.entry_id} ({row.kind} {row.reference}): no event made it"
            self._findings.violated("I8", what)


def _is_another_entry(draft: EntryDraft, row: audit.BookedEntry | None) -> bool:
    return row is None or (draft.kind, draft.reference) != (row.kind, row.reference)


def _difference(draft: EntryDraft, fill: FillDraft | None, row: audit.BookedEntry | None) -> str:
    """Say how a ledger's entry differs from what its event makes, "" if it does not."""
    if row is None:
        return f"{draft.kind} {draft.reference} of command {draft.seq} has no entry"
    name = f"entry {row.entry_id} ({row.kind} {row.reference})"
    if _is_another_entry(draft, row):
        return f"{name} stands where {draft.kind} {draft.reference} belongs"
    if (draft.seq, draft.batch) != (row.seq, row.batch):
        return f"{name}: command {draft.seq} of batch {draft.batch} made it"
    if draft.legs != row.legs:
        return f"{name}: {_first_difference(draft, row)}"
    expected = None if fill is None else _fill_row(fill.event)
    if expected != row.fill:
        return f"{name}: its row of history is not what the journal says"
    return ""


def _first_difference(draft: EntryDraft, row: audit.BookedEntry) -> str:
    for place, (made, found) in enumerate(zip(draft.legs, row.legs, strict=False), 1):
        if made != found:
            key = found.account
            return (
                f"posting {place} is {found.amount} {key.asset} of {key.kind}"
                f" {key.number or key.market}, the journal says {made.amount} {made.account.asset}"
                f" of {made.account.kind} {made.account.number or made.account.market}"
            )
    return f"{len(row.legs)} postings, the journal says {len(draft.legs)}"


def _fill_row(event: FillBooked) -> tuple[Any, ...]:
    """Return what a fill's row of history must hold, in the order of `audit.FILL_FIELDS`."""
    return (
        event.trade_id,
        event.market,
        event.order_id,
        event.account,
        event.side,
        event.liquidity == "M",
        event.price_ticks,
        event.lots,
        int(event.base),
        int(event.quote),
        event.fee_asset,
        int(event.fee),
    )


def machine_balances(machine: PartitionState) -> dict[AccountKey, int]:
    """Return all that a partition holds, under the names of the ledger's accounts."""
    partition = machine.partition
    held = {
        AccountKey("customer", partition, account.number, "", asset): balance.total
        for account in machine.accounts.values()
        for asset, balance in account.balances.items()
    }
    for kind, amounts in machine.house.items():
        held |= {AccountKey(kind, partition, 0, "", a): amount for a, amount in amounts.items()}
    for symbol, market in machine.markets.items():
        held[AccountKey("clearing", partition, 0, symbol, market.base)] = market.clearing_base
        held[AccountKey("clearing", partition, 0, symbol, market.quote)] = market.clearing_quote
    return {key: amount for key, amount in held.items() if amount}


def compare_balances(
    machine: PartitionState, ledger: dict[AccountKey, int], findings: Findings
) -> None:
    """Compare every balance of a partition with the ledger's, to the unit."""
    engine = machine_balances(machine)
    for key in sorted(engine.keys() | ledger.keys()):
        here, there = ledger.get(key, 0), engine.get(key, 0)
        name = f"{key.kind} {key.number or key.market} {key.asset}".replace("  ", " ")
        what = f"{name}: {here} in the ledger, {there} at partition {machine.partition}"
        findings.claim("I8", here == there, what)


def compare_open_orders(
    machine: PartitionState, history: dict[int, audit.OpenOrder], findings: Findings
) -> None:
    """Compare what the history has as open with what the partition has open."""
    for order_id in sorted(machine.orders.keys() | history.keys()):
        order, row = machine.orders.get(order_id), history.get(order_id)
        if order is None or row is None:
            where = "the partition" if order is None else "the history"
            findings.claim("I8", False, f"order {order_id} is not open in {where}")
            continue
        same = (order.filled_lots, order.cum_quote) == (row.filled_lots, row.cum_quote)
        findings.claim("I8", same, f"order {order_id}: filled otherwise in the history")


class Cuts:
    """What partitions' clearing comes to at each cut: nothing, once all have passed it."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int], dict[int, tuple[int, int]]] = {}

    def fold(self, partition: int, events: Sequence[Any]) -> None:
        """Take a partition's words on cuts."""
        for event in events:
            if isinstance(event, CutSums):
                at = self._sums.setdefault((event.market, event.number), {})
                at[partition] = (int(event.base), int(event.quote))

    def check(self, partitions: set[int], findings: Findings) -> None:
        """Check the cuts that all partitions have passed, and forget them."""
        for (market, number), sums in sorted(self._sums.items()):
            if set(sums) != partitions:
                continue
            base = sum(base for base, _ in sums.values())
            quote = sum(quote for _, quote in sums.values())
            what = f"cut {number} of {market}: clearing is off by {base} base and {quote} quote"
            findings.claim("I4", (base, quote) == (0, 0), what)
            del self._sums[market, number]


def holds(machine: PartitionState) -> Iterator[tuple[int, str, int, int, int]]:
    """Yield account, asset, total, held, and what open orders and withdrawals add up to."""
    expected: dict[tuple[int, str], int] = {}
    for order in machine.orders.values():
        key = (order.account.number, order.pays_from.asset)
        expected[key] = expected.get(key, 0) + order.hold_for_rest()
    for withdrawal in machine.withdrawals.values():
        key = (withdrawal.account, withdrawal.asset)
        expected[key] = expected.get(key, 0) + withdrawal.amount
    for account in machine.accounts.values():
        for asset, balance in account.balances.items():
            wanted = expected.pop((account.number, asset), 0)
            yield account.number, asset, balance.total, balance.held, wanted
    for (number, asset), wanted in expected.items():
        yield number, asset, 0, 0, wanted


def check_holds(machine: PartitionState, findings: Findings) -> None:
    """I3: nobody owes, and what is held is what open orders and withdrawals may cost."""
    for account, asset, total, held, wanted in holds(machine):
        fine = total >= held >= 0 and held == wanted
        what = f"account {account} {asset}: {total} with {held} held, holds come to {wanted}"
        findings.claim("I3", fine, what)
