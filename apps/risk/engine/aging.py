"""Remember keys for a while, oldest first."""

from collections import deque
from collections.abc import Iterator


class Aging:
    """A queue of (key, when). Times never go back, so the oldest key is always in front.

    Two queues instead of one of pairs: keys of one batch share its time, and a pair costs 56 bytes.
    """

    __slots__ = ("_keys", "_times")

    def __init__(self) -> None:
        self._keys: deque[str] = deque()
        self._times: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return zip(self._keys, self._times, strict=True)

    def push(self, key: str, *, at_ns: int) -> None:
        """Put a key behind all others."""
        self._keys.append(key)
        self._times.append(at_ns)

    def has_older(self, than_ns: int, *, keys: int) -> bool:
        """Say whether so many keys were pushed before `than_ns`."""
        return len(self._times) >= keys and self._times[keys - 1] < than_ns

    def pop_older(self, than_ns: int) -> str | None:
        """Take the oldest key out if it was pushed before `than_ns`."""
        if not self._times or self._times[0] >= than_ns:
            return None
        self._times.popleft()
        return self._keys.popleft()
