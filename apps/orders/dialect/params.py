"""Parameters as they were sent: each once, decoded strictly, read by name, none left over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from apps.orders.dialect import refusals

PARAMS_MAX = 32
BYTES_MAX = 8_192
WHOLE = "^[0-9]{1,20}$"
DECIMAL = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
CLIENT_ID = "^[\\.A-Z\\:/a-z0-9_-]{1,36}$"
SYMBOL = "^[A-Z0-9-_.]{1,20}$"
FLAG = "^(true|false|TRUE|FALSE)$"
LISTEN_KEY = "^[A-Za-z0-9_-]{16,64}$"
WINDOW = "^[0-9]{1,5}(\\.[0-9]{1,3})?$"
TIME_MAX = 2**53
MOMENT_MAX_MS = 253_402_300_799_000  # The last second of the year 9999.

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_COMPILED = {
    pattern: re.compile(pattern.removesuffix("$") + r"\Z", re.ASCII)
    for pattern in (WHOLE, DECIMAL, CLIENT_ID, SYMBOL, FLAG, LISTEN_KEY, WINDOW)
}


def _segments(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    for segment in raw.split(b"&"):
        if segment:
            name, _, value = segment.partition(b"=")
            yield name, value


def _decode(raw: bytes) -> str:
    """Undo form encoding; a broken escape or broken UTF-8 is refused, never guessed at."""
    if _BROKEN_ESCAPE.search(raw):
        raise refusals.undecodable()
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise refusals.undecodable() from None
    if "\x00" in text:
        raise refusals.undecodable()
    return text


class Params:
    """What one request sent, in its query and its body."""

    __slots__ = ("_sent_as", "_values")

    def __init__(self, values: dict[str, str], sent_as: dict[str, str] | None = None) -> None:
        self._values = values
        self._sent_as = sent_as or {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def sent_as(self, name: str) -> str:
        """Return what its sender called a parameter: a part of a list of orders has other names."""
        return self._sent_as.get(name, name)

    def part(self, names: dict[str, str], **fixed: str) -> Params:
        """Return one order of a list: its parameters by the names that a single one's have."""
        values = {name: self._values[sent] for name, sent in names.items() if sent in self._values}
        return Params(values | fixed, names)

    def unused(self, name: str) -> None:
        """Refuse a parameter that this kind of order has no use for."""
        if name in self._values:
            raise refusals.not_required(self.sent_as(name))

    def check_known(self, allowed: frozenset[str]) -> None:
        """Refuse parameters that belong to another endpoint."""
        read = sum(name in allowed for name in self._values)
        if read != len(self._values):
            raise refusals.unread(read=read, sent=len(self._values))

    def raw(self, name: str) -> str | None:
        """Return a value as it was sent, or None; one that was sent empty is refused."""
        value = self._values.get(name)
        if value == "":
            raise refusals.empty(self.sent_as(name))
        return value

    def needed(self, name: str) -> str:
        """Return a value that must be there."""
        value = self.raw(name)
        if value is None:
            raise refusals.mandatory(self.sent_as(name))
        return value

    def matching(self, name: str, pattern: str) -> str | None:
        """Return a value that is a word of the pattern's language, or None if it was not sent."""
        value = self.raw(name)
        if value is not None and not _COMPILED[pattern].match(value):
            raise refusals.illegal_characters(self.sent_as(name), pattern)
        return value

    def whole(self, name: str) -> int | None:
        """Return a whole number; one that no number of ours reaches is not valid."""
        value = self.matching(name, WHOLE)
        if value is None:
            return None
        if int(value) > TIME_MAX:
            raise refusals.bad_value(self.sent_as(name))
        return int(value)

    def moment(self, name: str) -> int | None:
        """Return a time in milliseconds."""
        value = self.whole(name)
        if value is not None and value > MOMENT_MAX_MS:
            raise refusals.bad_value(self.sent_as(name))
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.matching(name, FLAG)
        return default if value is None else value.lower() == "true"

    def limit(self, *, default: int, most: int) -> int:
        """Return how many rows are wanted; more than the most means the most."""
        value = self.whole("limit")
        if value == 0:
            raise refusals.bad_value("limit")
        return default if value is None else min(value, most)

    def window_ns(self) -> int:
        """Return `recvWindow` (ms, up to three decimals; default 5000, at most 60000) in ns."""
        value = self.matching("recvWindow", WINDOW)
        if value is None:
            return 5_000_000_000
        whole, _, fraction = value.partition(".")
        window_ns = int(whole + fraction.ljust(3, "0")) * 1_000
        if window_ns > 60_000_000_000:
            raise refusals.window_too_long()
        return window_ns

    def timestamp_ns(self) -> int:
        """Return `timestamp`, sent in milliseconds or microseconds, in ns."""
        value = self.whole("timestamp")
        if value is None:
            raise refusals.mandatory("timestamp")
        return value * (1_000_000 if value < 10**14 else 1_000)


def parse(query: bytes, body: bytes) -> Params:
    """Read form-encoded parameters. A name that comes twice, in either place, is refused."""
    if len(query) + len(body) > BYTES_MAX:
        raise refusals.too_many_parameters()
    values: dict[str, str] = {}
    for raw in (query, body):
        for raw_name, raw_value in _segments(raw):
            name = _decode(raw_name)
            if name in values:
                raise refusals.duplicate()
            if len(values) >= PARAMS_MAX:
                raise refusals.too_many_parameters()
            values[name] = _decode(raw_value)
    return Params(values)
