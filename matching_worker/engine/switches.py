"""Dead man's switches: an account's orders end at a time unless it says otherwise before.

Of one moment, the switch that was set first goes first: no account's number decides anything, so
whoever replays a day under pseudonyms gets the same day.
"""

from sortedcontainers import SortedDict

from apps.common.kernel.invariants import ensure


class Switches:
    """When each account's orders end, by account and by time."""

    __slots__ = ("by_time", "due", "turns")

    def __init__(self) -> None:
        self.due: dict[int, tuple[int, int]] = {}  # Time and turn; in the order they were set.
        self.by_time: SortedDict[tuple[int, int], int] = SortedDict()
        self.turns = 0  # Switches set since we started.

    def set(self, account: int, due_ns: int) -> None:
        """Set an account's switch, in place of the one it had."""
        self.take_back(account)
        self.turns += 1
        self.due[account] = (due_ns, self.turns)
        self.by_time[due_ns, self.turns] = account

    def take_back(self, account: int) -> None:
        """Forget an account's switch."""
        place = self.due.pop(account, None)
        if place is not None:
            del self.by_time[place]

    def fire(self, at_ns: int) -> list[int]:
        """Take out the accounts whose time has come: earliest first, then as they were set."""
        fired = []
        while self.by_time and self.by_time.peekitem(0)[0][0] <= at_ns:
            _, account = self.by_time.popitem(0)
            del self.due[account]
            fired.append(account)
        return fired

    def due_ns(self) -> int | None:
        """Return the earliest switch's time, or None."""
        return self.by_time.peekitem(0)[0][0] if self.by_time else None

    def dump(self) -> list[list[int]]:
        """Return accounts and times, in the order they were set."""
        return [[account, due_ns] for account, (due_ns, _) in self.due.items()]

    def check(self) -> None:
        """Claim that both orders hold the same switches."""
        both = {place: account for account, place in self.due.items()}
        ensure(both == dict(self.by_time), "a switch stands in both orders")
