"""What a batch tells of balances at its end, and what all of them come to every 10 seconds."""

from hashlib import sha256

from apps.common.kernel.invariants import ensure
from apps.common.kernel.money import wide
from apps.journals.machine import Outputs
from apps.risk.contracts.events import BalanceNow, Checkpoint, HouseSum
from apps.risk.engine.accounts import Balance
from apps.risk.engine.limits import CHECKPOINT_NS
from apps.risk.engine.state import PartitionState

_MODULUS = 2**256


def tell_balances(state: PartitionState, out: Outputs) -> None:
    """Say the final value of each balance that the batch changed."""
    for balance in state.touched:
        balance.is_touched = False
        out.events.append(
            BalanceNow(balance.account, balance.asset, wide(balance.total), wide(balance.held))
        )
        if not balance.is_undigested and balance.total != balance.digested:
            balance.is_undigested = True
            state.undigested.append(balance)
    state.touched.clear()
    if state.undigested and state.checkpoint_due_ns is None:
        state.checkpoint_due_ns = state.at_ns + CHECKPOINT_NS


def tell_checkpoint(state: PartitionState, out: Outputs) -> None:
    """Say what all balances come to, if a checkpoint is due."""
    if state.checkpoint_due_ns is None or state.at_ns < state.checkpoint_due_ns:
        return
    state.checkpoint_due_ns = None
    digest_changes(state)
    sums = sums_by_kind(state)
    ensure(not any(imbalances(sums).values()), "what customers and the house have sums to zero")
    out.events.append(Checkpoint(seq=state.seq, sums=sums, digest=state.digest.to_bytes(32, "big")))


def digest_changes(state: PartitionState) -> None:
    """Bring customers' sums and the digest up to date, by differences."""
    for balance in state.undigested:
        sums, asset = state.customer_sums, balance.asset
        sums[asset] = sums.get(asset, 0) + balance.total - balance.digested
        state.digest += _digest_of(balance, balance.total) - _digest_of(balance, balance.digested)
        balance.digested = balance.total
        balance.is_undigested = False
    state.digest %= _MODULUS
    state.undigested.clear()


def sums_by_kind(state: PartitionState) -> list[HouseSum]:
    """List the sums that are not zero, by kind and asset; customers' as of the last digest."""
    sums = [("customer", asset, amount) for asset, amount in state.customer_sums.items()]
    for kind, amounts in state.house.items():
        sums += [(kind, asset, amount) for asset, amount in amounts.items()]
    for market in state.markets.values():
        sums.append((f"clearing:{market.symbol}", market.base, market.clearing_base))
        sums.append((f"clearing:{market.symbol}", market.quote, market.clearing_quote))
    return [HouseSum(kind, asset, wide(amount)) for kind, asset, amount in sorted(sums) if amount]


def imbalances(sums: list[HouseSum]) -> dict[str, int]:
    """Return what each asset's sums come to together; anything but zero is a bug."""
    found: dict[str, int] = {}
    for entry in sums:
        found[entry.asset] = found.get(entry.asset, 0) + int(entry.amount)
    return found


def _digest_of(balance: Balance, total: int) -> int:
    if total == 0:
        return 0
    line = f"{balance.account}|{balance.asset}|{total}"
    return int.from_bytes(sha256(line.encode()).digest(), "big")
