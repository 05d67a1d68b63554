"""What a partition is told to know: links, markets, accounts, fees, freezes."""

from apps.common.kernel.ids import partition_of
from apps.journals.contracts import LinkAdd, RulesSet, SkipCommand
from apps.journals.keys import worker_of_market
from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.commands import AccountFreeze, AccountOpen, FeesSet, MarketAdd
from apps.risk.contracts.events import AccountNow, CommandRefused, MarketAdded
from apps.risk.engine import codes
from apps.risk.engine.accounts import Account
from apps.risk.engine.limits import ACCOUNTS_MAX, FEE_PPM_MAX, LINKS_MAX, MARKETS_MAX
from apps.risk.engine.orders import Market
from apps.risk.engine.state import PartitionState
from matching_worker.contracts.market import MarketSpec
from matching_worker.contracts.to_book import CancelAccount, Hello

_FROZEN = "frozen"  # Why a frozen account's orders end, in their last reports.


def add_link(state: PartitionState, asked: LinkAdd, _origin: Origin, out: Outputs) -> None:
    """Allow messages to a book or another partition; the runtime reads its frames from now on."""
    if asked.peer not in state.links and len(state.links) >= LINKS_MAX:
        _refuse(state, codes.TOO_MANY_LINKS, out, reference=asked.peer)
        return
    state.links.add(asked.peer)


def leave_to_runtime(
    _state: PartitionState, _asked: RulesSet | SkipCommand, _origin: Origin, _out: Outputs
) -> None:
    """Count the command; the runtime acts on it (see `RiskMachine.set_rules`)."""


def add_market(state: PartitionState, asked: MarketAdd, _origin: Origin, out: Outputs) -> None:
    """Take orders for this market from now on, and say hello to its book."""
    spec = asked.spec
    code = _why_not_market(state, spec)
    if code:
        _refuse(state, code, out, reference=spec.symbol)
        return
    market = state.markets[spec.symbol] = Market(spec)
    state.assets |= {spec.base, spec.quote}
    out.send(market.peer, Hello(state.partition))
    out.events.append(MarketAdded(state.seq, spec))


def open_account(state: PartitionState, number: int, out: Outputs) -> Account | None:
    """Return the account of this number, new if need be, or None if the partition is full."""
    account = state.accounts.get(number)
    if account is None and len(state.accounts) < ACCOUNTS_MAX:
        account = state.accounts[number] = Account(number)
        _tell(state, account, out)
    return account


def account_open(state: PartitionState, asked: AccountOpen, _origin: Origin, out: Outputs) -> None:
    """Know this account from now on."""
    if partition_of(asked.account) != state.partition:
        _refuse(state, codes.WRONG_PARTITION, out, account=asked.account)
    elif open_account(state, asked.account, out) is None:
        _refuse(state, codes.TOO_MANY_ACCOUNTS, out, account=asked.account)


def account_freeze(
    state: PartitionState, asked: AccountFreeze, _origin: Origin, out: Outputs
) -> None:
    """Refuse the account's new orders and withdrawals from now on, or take them again.

    What it has open ends (rules 2): the word to its books follows its last order down the link.
    """
    account = state.accounts.get(asked.account)
    if account is None:
        _refuse(state, codes.UNKNOWN_ACCOUNT, out, account=asked.account)
        return
    account.frozen = asked.frozen
    _tell(state, account, out)
    if asked.frozen and state.rules >= 2:
        for symbol in sorted(account.open_orders):
            out.send(state.markets[symbol].peer, CancelAccount(account.number, _FROZEN))


def fees_set(state: PartitionState, asked: FeesSet, _origin: Origin, out: Outputs) -> None:
    """Charge these rates on fills from now on, whenever their orders came."""
    account = state.accounts.get(asked.account)
    if account is None:
        _refuse(state, codes.UNKNOWN_ACCOUNT, out, account=asked.account)
    elif not _are_rates(asked.maker_ppm, asked.taker_ppm):
        _refuse(state, codes.BAD_FEES, out, account=asked.account)
    else:
        account.has_own_fees = True
        account.tier = asked.tier
        account.maker_ppm = asked.maker_ppm
        account.taker_ppm = asked.taker_ppm
        _tell(state, account, out)


def _why_not_market(state: PartitionState, spec: MarketSpec) -> str:
    if spec.symbol in state.markets:
        return codes.REPEATED
    if worker_of_market(spec.symbol) not in state.links:
        return codes.NO_LINK
    if len(state.markets) >= MARKETS_MAX:
        return codes.TOO_MANY_MARKETS
    is_sound = (
        spec.base != spec.quote
        and spec.min_lots <= spec.max_lots
        and _are_rates(spec.maker_ppm, spec.taker_ppm)
    )
    if not is_sound:
        return codes.BAD_SPEC
    return "" if state.has_room_for(spec.base, spec.quote) else codes.TOO_MANY_ASSETS


def _are_rates(maker_ppm: int, taker_ppm: int) -> bool:
    """Say whether both rates are bounded, and a taker pays (only makers may get a rebate)."""
    return -FEE_PPM_MAX <= maker_ppm <= FEE_PPM_MAX and 0 <= taker_ppm <= FEE_PPM_MAX


def _refuse(
    state: PartitionState, code: str, out: Outputs, *, account: int = 0, reference: str = ""
) -> None:
    out.events.append(CommandRefused(state.seq, account, reference, code))


def _tell(state: PartitionState, account: Account, out: Outputs) -> None:
    out.events.append(
        AccountNow(
            state.seq,
            account.number,
            account.frozen,
            account.tier,
            account.maker_ppm,
            account.taker_ppm,
        )
    )
