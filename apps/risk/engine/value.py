"""Move value other than by fills: once per reference and kind. A refusal moves nothing."""

from typing import Final

from apps.common.kernel.ids import partition_of
from apps.common.kernel.money import Wide, wide
from apps.journals.keys import worker_of_partition
from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.commands import (
    Adjustment,
    Deposit,
    Transfer,
    TransferIn,
    WithdrawalHold,
    WithdrawalRelease,
    WithdrawalSettle,
)
from apps.risk.contracts.events import CommandRefused, MoveKind, ValueMoved, WithdrawalHeld
from apps.risk.engine import codes
from apps.risk.engine.accounts import Account, Balance
from apps.risk.engine.amounts import read_amount
from apps.risk.engine.configuration import open_account
from apps.risk.engine.limits import AMOUNT_MAX, WITHDRAWALS_MAX
from apps.risk.engine.state import EXTERNAL, HOUSE, TRANSIT, PartitionState, Withdrawal

# Kinds of references: what a reference is unique in.
_DEPOSIT: Final = "deposit"
_WITHDRAWAL: Final = "withdrawal"
_TRANSFER_OUT: Final = "transfer_out"
_TRANSFER_IN: Final = "transfer_in"
_ADJUSTMENT: Final = "adjustment"


def deposit(state: PartitionState, asked: Deposit, _origin: Origin, out: Outputs) -> None:
    """Credit what came in from outside, against `external`."""
    account = state.accounts.get(asked.account)
    amount = read_amount(asked.amount)
    code = _why_not_credit(state, account, asked.asset, amount) or _why_not_reference(
        state, _DEPOSIT, asked.reference
    )
    if code or account is None or amount is None:
        _refuse(state, asked.account, asked.reference, code, out)
        return
    state.references.keep(_DEPOSIT, asked.reference, state.at_ns)
    state.move(state.balance(account, asked.asset), amount, against=EXTERNAL)
    _tell(state, _DEPOSIT, asked.account, asked.asset, amount, asked.reference, out)


def hold_withdrawal(
    state: PartitionState, asked: WithdrawalHold, _origin: Origin, out: Outputs
) -> None:
    """Set the amount aside, if it is available."""
    account = state.accounts.get(asked.account)
    amount = read_amount(asked.amount)
    code = _why_not_debit(account, asked.asset, amount) or _why_not_reference(
        state, _WITHDRAWAL, asked.reference
    )
    if not code and len(state.withdrawals) >= WITHDRAWALS_MAX:
        code = codes.TOO_MANY_WITHDRAWALS
    if code or account is None or amount is None:
        _refuse(state, asked.account, asked.reference, code, out)
        return
    state.references.open(_WITHDRAWAL, asked.reference)
    balance = account.balance(asked.asset)
    balance.held += amount
    state.touch(balance)
    state.withdrawals[asked.reference] = Withdrawal(
        asked.account, asked.asset, amount, asked.reference
    )
    _tell_held(state, state.withdrawals[asked.reference], out, released=False)


def settle_withdrawal(
    state: PartitionState, asked: WithdrawalSettle, _origin: Origin, out: Outputs
) -> None:
    """Move the held amount to `external`: it left the house."""
    ended = _end_withdrawal(state, asked, out)
    if ended is not None:
        withdrawal, balance = ended
        state.move(balance, -withdrawal.amount, against=EXTERNAL)
        _tell(
            state,
            _WITHDRAWAL,
            asked.account,
            withdrawal.asset,
            -withdrawal.amount,
            asked.reference,
            out,
        )


def release_withdrawal(
    state: PartitionState, asked: WithdrawalRelease, _origin: Origin, out: Outputs
) -> None:
    """Make the held amount available again."""
    ended = _end_withdrawal(state, asked, out)
    if ended is not None:
        _tell_held(state, ended[0], out, released=True)


def transfer(state: PartitionState, asked: Transfer, _origin: Origin, out: Outputs) -> None:
    """Pay another account: at once inside the partition, else through `transit` and the link."""
    payer = state.accounts.get(asked.payer)
    payee = state.accounts.get(asked.payee)
    amount = read_amount(asked.amount)
    is_inside = partition_of(asked.payee) == state.partition
    peer = worker_of_partition(partition_of(asked.payee))
    code = _why_not_debit(payer, asked.asset, amount)
    if not code and asked.payer == asked.payee:
        code = codes.SAME_ACCOUNT
    if not code and is_inside:
        code = _why_not_credit(state, payee, asked.asset, amount)
    elif not code and peer not in state.links:
        code = codes.NO_LINK
    code = code or _why_not_reference(state, _TRANSFER_OUT, asked.reference)
    if code or payer is None or amount is None:
        _refuse(state, asked.payer, asked.reference, code, out)
        return
    state.references.keep(_TRANSFER_OUT, asked.reference, state.at_ns)
    paid_from = payer.balance(asked.asset)
    if is_inside and payee is not None:
        paid_to = state.balance(payee, asked.asset)
        paid_from.total -= amount
        paid_to.total += amount
        state.touch(paid_from)
        state.touch(paid_to)
    else:
        state.move(paid_from, -amount, against=TRANSIT)
        out.send(
            peer, TransferIn(asked.payee, asked.asset, wide(amount), asked.reference, asked.payer)
        )
    _tell(
        state,
        _TRANSFER_OUT,
        asked.payer,
        asked.asset,
        -amount,
        asked.reference,
        out,
        other=asked.payee,
    )


def transfer_in(state: PartitionState, sent: TransferIn, _origin: Origin, out: Outputs) -> None:
    """Credit the payee's half, out of `transit`. A payee that was never opened is opened now.

    What is refused stays in `transit`, where its sum shows it to everyone who checks.
    """
    account = open_account(state, sent.payee, out)
    amount = read_amount(sent.amount)
    code = _why_not_credit(state, account, sent.asset, amount) or _why_not_reference(
        state, _TRANSFER_IN, sent.reference
    )
    if code or account is None or amount is None:
        _refuse(state, sent.payee, sent.reference, code, out)
        return
    state.references.keep(_TRANSFER_IN, sent.reference, state.at_ns)
    state.move(state.balance(account, sent.asset), amount, against=TRANSIT)
    _tell(
        state,
        _TRANSFER_IN,
        sent.payee,
        sent.asset,
        amount,
        sent.reference,
        out,
        other=sent.payer,
    )


def adjust(state: PartitionState, asked: Adjustment, _origin: Origin, out: Outputs) -> None:
    """Correct a balance against `house`, never below what is held."""
    account = state.accounts.get(asked.account)
    amount = read_amount(asked.amount)
    if amount is None or amount >= 0:
        code = _why_not_credit(state, account, asked.asset, amount)
    elif account is None:
        code = codes.UNKNOWN_ACCOUNT
    else:
        is_covered = account.available(asked.asset) + amount >= 0
        code = "" if is_covered else codes.INSUFFICIENT_FUNDS
    code = code or _why_not_reference(state, _ADJUSTMENT, asked.reference)
    if code or account is None or amount is None:
        _refuse(state, asked.account, asked.reference, code, out)
        return
    state.references.keep(_ADJUSTMENT, asked.reference, state.at_ns)
    state.move(state.balance(account, asked.asset), amount, against=HOUSE)
    _tell(state, _ADJUSTMENT, asked.account, asked.asset, amount, asked.reference, out)


def _why_not_credit(
    state: PartitionState, account: Account | None, asset: str, amount: int | None
) -> str:
    if account is None:
        return codes.UNKNOWN_ACCOUNT
    if amount is None or amount <= 0:
        return codes.BAD_AMOUNT
    balance = account.balances.get(asset)
    if balance is not None and balance.total + amount > AMOUNT_MAX:
        return codes.BAD_AMOUNT
    return "" if state.has_room_for(asset) else codes.TOO_MANY_ASSETS


def _why_not_debit(account: Account | None, asset: str, amount: int | None) -> str:
    if account is None:
        return codes.UNKNOWN_ACCOUNT
    if account.frozen:
        return codes.ACCOUNT_FROZEN
    if amount is None or amount <= 0:
        return codes.BAD_AMOUNT
    return "" if account.available(asset) >= amount else codes.INSUFFICIENT_FUNDS


def _why_not_reference(state: PartitionState, kind: str, reference: str) -> str:
    if state.references.has(kind, reference):
        return codes.REPEATED
    return "" if state.references.make_room(state.at_ns) else codes.TOO_MANY_REFERENCES


def _end_withdrawal(
    state: PartitionState, asked: WithdrawalSettle | WithdrawalRelease, out: Outputs
) -> tuple[Withdrawal, Balance] | None:
    """Take the withdrawal and its hold away, or refuse if none of this account is held."""
    withdrawal = state.withdrawals.get(asked.reference)
    if withdrawal is None or withdrawal.account != asked.account:
        is_done = withdrawal is None and state.references.has(_WITHDRAWAL, asked.reference)
        code = codes.REPEATED if is_done else codes.UNKNOWN_WITHDRAWAL
        _refuse(state, asked.account, asked.reference, code, out)
        return None
    del state.withdrawals[asked.reference]
    state.references.close(_WITHDRAWAL, asked.reference, state.at_ns)
    balance = state.accounts[withdrawal.account].balance(withdrawal.asset)
    balance.held -= withdrawal.amount
    state.touch(balance)
    return withdrawal, balance


def _refuse(state: PartitionState, account: int, reference: str, code: str, out: Outputs) -> None:
    out.events.append(CommandRefused(state.seq, account, reference, code))


def _tell(
    state: PartitionState,
    kind: MoveKind,
    account: int,
    asset: str,
    amount: int,
    reference: str,
    out: Outputs,
    *,
    other: int = 0,
) -> None:
    out.events.append(ValueMoved(state.seq, kind, account, asset, wide(amount), reference, other))


def _tell_held(
    state: PartitionState, withdrawal: Withdrawal, out: Outputs, *, released: bool
) -> None:
    amount: Wide = wide(withdrawal.amount)
    out.events.append(
        WithdrawalHeld(
            state.seq, withdrawal.account, withdrawal.asset, amount, withdrawal.reference, released
        )
    )
