"""Who owns what: accounts and their balances, in whole minor units."""

# Rates that `AccountNow` shows for an account without a tier of its own: VIP 0.
VIP0_MAKER_PPM = 1_000
VIP0_TAKER_PPM = 1_500


class Balance:
    """What one account has of one asset. `held`: what orders and withdrawals may still cost."""

    __slots__ = ("account", "asset", "digested", "held", "is_touched", "is_undigested", "total")

    def __init__(self, account: int, asset: str, *, total: int = 0, held: int = 0) -> None:
        self.account = account
        self.asset = asset
        self.total = total
        self.held = held
        self.digested = 0  # The total that sums and digest of checkpoints know.
        self.is_touched = False  # Changed in this batch.
        self.is_undigested = False  # Changed since the last checkpoint.

    @property
    def available(self) -> int:
        """What may be spent now."""
        return self.total - self.held


class Account:
    """A customer's account: may it act, what it pays in fees, what it has, how much it has open."""

    __slots__ = (
        "balances",
        "client_ids",
        "frozen",
        "has_own_fees",
        "maker_ppm",
        "number",
        "open_orders",
        "taker_ppm",
        "tier",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.frozen = False
        self.has_own_fees = False  # Until its first `FeesSet` it pays what the market's spec says.
        self.tier = 0
        self.maker_ppm = VIP0_MAKER_PPM
        self.taker_ppm = VIP0_TAKER_PPM
        self.balances: dict[str, Balance] = {}
        self.open_orders: dict[str, int] = {}  # Market -> how many, those on their way included.
        self.client_ids = 0  # How many the partition remembers.

    def balance(self, asset: str) -> Balance:
        """Return the balance of an asset, which starts at nothing."""
        balance = self.balances.get(asset)
        if balance is None:
            balance = self.balances[asset] = Balance(self.number, asset)
        return balance

    def available(self, asset: str) -> int:
        """Return what may be spent of an asset now."""
        balance = self.balances.get(asset)
        return 0 if balance is None else balance.total - balance.held
