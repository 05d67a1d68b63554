"""Beliefs about our own code."""


class InvariantBroken(Exception):
    """A belief about our own code is false: the process must not go on from here."""


def ensure(claim: bool, because: str) -> None:
    """Stop when a belief about our own code is false. Unlike `assert`, it survives `-O`."""
    if not claim:
        raise InvariantBroken(because)
