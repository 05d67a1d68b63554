"""A simulated price of the world outside: a walk that always comes back, the same for one seed.

The price is a pure function of (seed, market, time): waves of chance on several time scales, each
between two hashes. So every process sees the same price, a restart goes on where the clock is,
and the walk can never leave its band.
"""

from __future__ import annotations

import hashlib

# (seconds per step, share of the price it may move it), slow and wide to quick and small.
_WAVES = ((7_200, 0.012), (1_800, 0.006), (420, 0.0030), (90, 0.0012), (15, 0.0005), (4, 0.0002))
BAND = sum(share for _, share in _WAVES)


def factor(seed: int, market: str, at_s: float) -> float:
    """Return what the market's centre price is multiplied by at a moment: 1 ± BAND."""
    waves = enumerate(_WAVES)
    return 1.0 + sum(share * _wave(seed, market, at, at_s / span) for at, (span, share) in waves)


def price(center: float, *, seed: int, market: str, at_s: float) -> float:
    """Return the price of the world outside."""
    return center * factor(seed, market, at_s)


def _wave(seed: int, market: str, number: int, at: float) -> float:
    """Return a smooth line through one random point per step, between -1 and 1."""
    step = int(at // 1)
    share = at - step
    eased = share * share * (3 - 2 * share)
    left, right = (_chance(f"{seed}:{market}:{number}:{one}") for one in (step, step + 1))
    return left + (right - left) * eased


def _chance(name: str) -> float:
    """Return a number between -1 and 1 that belongs to this name."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**63 - 1
