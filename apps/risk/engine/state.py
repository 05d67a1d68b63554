"""Everything a partition knows. Only the handlers of commands and reports change it."""

from apps.common.kernel.ids import StreamId
from apps.risk.engine import limits
from apps.risk.engine.accounts import Account, Balance
from apps.risk.engine.clients import ClientIds
from apps.risk.engine.orders import Market, Order
from apps.risk.engine.references import References

# Kinds of house accounts whose balances are kept here; clearing is kept with its market.
FEES = "fees"
TRANSIT = "transit"
EXTERNAL = "external"
HOUSE = "house"
HOUSE_KINDS = (FEES, TRANSIT, EXTERNAL, HOUSE)


class Withdrawal:
    """An amount set aside until the withdrawal left the house, or will not."""

    __slots__ = ("account", "amount", "asset", "reference")

    def __init__(self, account: int, asset: str, amount: int, reference: str) -> None:
        self.account = account
        self.asset = asset
        self.amount = amount
        self.reference = reference


class PartitionState:
    """A share of the accounts: what they own, what they have open, and the house's side of it."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.rules = 1
        self.seq = 0
        self.at_ns = 0
        self.orders_made = 0
        self.accounts: dict[int, Account] = {}
        self.assets: set[str] = set()
        self.markets: dict[str, Market] = {}
        self.links: set[str] = set()
        self.orders: dict[int, Order] = {}
        self.clients = ClientIds(self.accounts)
        self.references = References()
        self.withdrawals: dict[str, Withdrawal] = {}
        self.house: dict[str, dict[str, int]] = {kind: {} for kind in HOUSE_KINDS}
        self.asks: dict[str, StreamId] = {}  # How far each book wants to know that we have read.
        self.checkpoint_due_ns: int | None = None
        # Follow from the rest, so no snapshot holds them:
        self.touched: list[Balance] = []  # In this batch.
        self.undigested: list[Balance] = []  # Since the last checkpoint.
        self.customer_sums: dict[str, int] = {}  # At the last checkpoint.
        self.digest = 0  # At the last checkpoint.

    def touch(self, balance: Balance) -> None:
        """Tell of this balance at the end of the batch."""
        if not balance.is_touched:
            balance.is_touched = True
            self.touched.append(balance)

    def move(self, balance: Balance, amount: int, *, against: str) -> None:
        """Credit (or debit) a customer, against a house account of the same asset."""
        balance.total += amount
        house = self.house[against]
        house[balance.asset] = house.get(balance.asset, 0) - amount
        self.touch(balance)

    def has_room_for(self, *assets: str) -> bool:
        """Say whether there may be balances of these assets."""
        new = set(assets) - self.assets
        return len(self.assets) + len(new) <= limits.ASSETS_MAX

    def balance(self, account: Account, asset: str) -> Balance:
        """Return an account's balance of an asset that it may get."""
        self.assets.add(asset)
        return account.balance(asset)
