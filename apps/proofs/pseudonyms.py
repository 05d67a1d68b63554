"""Names for one day of one market: equal stays equal, all else is gone with the day's secret.

An account's pseudonym is a number of the same partition. It is drawn by a permutation (a Feistel
network of HMAC-SHA256 over the account's counter), so two accounts never share one. A day's secret
comes from the one secret setting by HKDF: it is stored nowhere, and no secret tells another day's.
"""

from __future__ import annotations

import hmac
from functools import partial

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.common.kernel.ids import PARTITIONS_MAX, numbered_in, partition_of

CLIENT_ID_LENGTH_MAX = 36  # What is longer is refused by every book, and must stay longer.
COUNTER_END = 2**43  # Account numbers lie below 2^53.
ROUNDS = 10
_HALF_BITS = 22
_HALF = (1 << _HALF_BITS) - 1
_GROUP_BITS = 62


def day_secret(root: bytes, *, market: str, day: str) -> bytes:
    """Return the secret of a market's day, as 32 bytes."""
    info = f"pseudonyms of {market} on {day}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=b"fairbook proofs v1", info=info).derive(root)


class DayNames:
    """The pseudonyms of one market and one day."""

    def __init__(self, secret: bytes) -> None:
        self._mac = partial(hmac.digest, secret, digest="sha256")
        self._accounts: dict[int, int] = {}  # Those met today.

    @property
    def mark(self) -> str:
        """A word that tells one secret from another, and nothing of either."""
        return self._mac(b"mark").hex()[:16]

    def account(self, number: int) -> int:
        """Return an account's pseudonym, in the account's partition."""
        known = self._accounts.get(number)
        if known is None:
            known = self._accounts[number] = self._named(number)
        return known

    def client(self, account: int, client_id: str) -> str:
        """Return a client id's pseudonym: equal for equal ids of one account, and as (in)valid."""
        if not client_id:
            return ""
        digest = self._mac(b"client\0%d\0" % account + client_id.encode()).hex()
        return digest[:32] if len(client_id) <= CLIENT_ID_LENGTH_MAX else digest

    def group(self, number: int) -> int:
        """Return a self-trade group's pseudonym; 0 is no group."""
        if not number:
            return 0
        digest = self._mac(b"group\0%d" % number)
        return (int.from_bytes(digest[:8], "big") >> (64 - _GROUP_BITS)) + 1

    def _named(self, number: int) -> int:
        partition, counter = partition_of(number), number // PARTITIONS_MAX
        if not 0 < counter < COUNTER_END:
            return number  # Nobody's: no account has such a number.
        counter = self._moved(partition, counter)
        while not 0 < counter < COUNTER_END:
            counter = self._moved(partition, counter)
        return numbered_in(partition, counter=counter)

    def _moved(self, partition: int, counter: int) -> int:
        """Move a number of 44 bits to another one, each to its own."""
        left, right = counter >> _HALF_BITS, counter & _HALF
        for turn in range(ROUNDS):
            digest = self._mac(b"account\0%d\0%d\0%d" % (partition, turn, right))
            left, right = right, left ^ (int.from_bytes(digest[:4], "big") & _HALF)
        return left << _HALF_BITS | right
