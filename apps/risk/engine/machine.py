"""A risk partition as the runtime drives it: commands and reports in, outputs out."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from apps.common.kernel.ids import BEFORE_ALL, StreamId
from apps.common.kernel.invariants import ensure
from apps.journals.contracts import LinkAdd, RulesSet, SkipCommand
from apps.journals.machine import Input, Origin, Outputs
from apps.risk.contracts import commands
from apps.risk.engine import (
    admission,
    amends,
    booking,
    checkpoints,
    configuration,
    invariants,
    pairs,
    snapshot,
    value,
)
from apps.risk.engine.state import PartitionState
from matching_worker.contracts import from_book

RULES_NEWEST = 2
"""1: the first. 2: a freeze also ends what the account has open."""

Handler = Callable[[PartitionState, Any, Origin, Outputs], None]

_HANDLERS: dict[type[msgspec.Struct], Handler] = {
    commands.PlaceOrder: admission.place,
    commands.PlaceExtra: admission.place_extra,
    commands.PlacePair: pairs.place_pair,
    commands.AmendOrder: amends.amend,
    from_book.FirstReport: booking.first_report,
    from_book.Execution: booking.execution,
    from_book.OrderEnd: booking.order_end,
    from_book.Triggered: booking.triggered,
    from_book.Amended: amends.amended,
    from_book.Reference: booking.reference,
    from_book.PassedAsk: booking.passed_ask,
    from_book.CutMark: booking.cut_mark,
    commands.AccountOpen: configuration.account_open,
    commands.AccountFreeze: configuration.account_freeze,
    commands.FeesSet: configuration.fees_set,
    commands.MarketAdd: configuration.add_market,
    commands.Deposit: value.deposit,
    commands.WithdrawalHold: value.hold_withdrawal,
    commands.WithdrawalSettle: value.settle_withdrawal,
    commands.WithdrawalRelease: value.release_withdrawal,
    commands.Transfer: value.transfer,
    commands.TransferIn: value.transfer_in,
    commands.Adjustment: value.adjust,
    LinkAdd: configuration.add_link,
    RulesSet: configuration.leave_to_runtime,
    SkipCommand: configuration.leave_to_runtime,
}

_GENESIS = Origin(
    kind=Input.COMMANDS, entry=BEFORE_ALL, source=b"", peer="", passed=BEFORE_ALL, receipt=b""
)


class RiskMachine(PartitionState):
    """One partition: the state, with the verbs of `apps.journals.machine.Machine`."""

    def configure(self, commands: Sequence[msgspec.Struct]) -> None:
        """Apply the genesis commands: no outputs, no sequence numbers, time 0."""
        nowhere = Outputs()
        for command in commands:
            _HANDLERS[type(command)](self, command, _GENESIS, nowhere)
        checkpoints.tell_balances(self, nowhere)

    def begin(self, at_ns: int, out: Outputs) -> None:
        """Forget what is old enough, and write the checkpoint that is due."""
        ensure(at_ns >= self.at_ns, "header time never goes back")
        self.at_ns = at_ns
        self.clients.age(at_ns)
        self.references.age(at_ns)
        checkpoints.tell_checkpoint(self, out)

    def apply(
        self, origin: Origin, commands: Sequence[msgspec.Struct], at_ns: int, out: Outputs
    ) -> None:
        """Move the state by these commands, in order, each by its handler."""
        self.at_ns = at_ns
        for command in commands:
            self.seq += 1
            _HANDLERS[type(command)](self, command, origin, out)

    def end(self, at_ns: int, passed: StreamId, out: Outputs) -> None:
        """Tell the balances that the batch changed, and how far we have read to those who ask."""
        self.at_ns = at_ns
        checkpoints.tell_balances(self, out)
        booking.tell_passed(self, passed, out)

    def due_ns(self) -> int | None:
        """Return when the next checkpoint is due, or None if nothing changed since the last."""
        return self.checkpoint_due_ns

    def set_rules(self, number: int) -> None:
        """Behave by this rules version from now on. A fresh partition follows the first."""
        ensure(0 < number <= RULES_NEWEST, "this build knows the rules it is told to follow")
        self.rules = number

    def dump(self) -> object:
        """Return the state as plain lists, maps, strings, bytes and 64-bit integers."""
        return snapshot.dump(self)

    def load(self, state: object) -> None:
        """Take the place of the machine whose `dump` this was."""
        snapshot.load(self, state)

    def check(self) -> None:
        """Claim what must hold between two batches."""
        invariants.check(self)
