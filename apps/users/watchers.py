"""Who wants to hear at once that a key, a log-in or an account changed: the open sockets."""

from __future__ import annotations

from collections.abc import Callable

Name = tuple[str, str]  # As in `contracts.Changed`: kind and name.
Wake = Callable[[], None]


class Watchers:
    """Wakes whoever asked for a name. Used by one event loop."""

    def __init__(self) -> None:
        self._of: dict[Name, set[Wake]] = {}
        self._names: dict[Wake, set[Name]] = {}

    def add(self, wake: Wake, *names: Name) -> bool:
        """Call `wake` on every change of these names, until it is dropped. Says if any is new."""
        known = self._names.setdefault(wake, set())
        new = set(names) - known
        known |= new
        for name in new:
            self._of.setdefault(name, set()).add(wake)
        return bool(new)

    def drop(self, wake: Wake) -> None:
        """Call it no more."""
        for name in self._names.pop(wake, ()):
            wakes = self._of[name]
            wakes.discard(wake)
            if not wakes:
                del self._of[name]

    def tell(self, name: Name) -> None:
        """Wake all who asked for this name."""
        for wake in tuple(self._of.get(name, ())):
            wake()
