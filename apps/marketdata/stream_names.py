"""The dialect's stream names, and the Channels groups they stand for. Pure."""

import re

from apps.marketdata.groups import ALL_MARKETS, market_group
from apps.marketdata.intervals import INTERVALS

_NAME = re.compile(r"([a-z0-9]{2,24})@([A-Za-z0-9_@]{1,24})")
_LISTEN_KEY = re.compile(r"[A-Za-z0-9]{40,80}")
_ALL = {"!miniTicker@arr": "miniTicker", "!ticker@arr": "ticker", "!time@1s": "time"}
_STREAMS = {
    "trade": "trade",
    "aggTrade": "aggTrade",
    "ticker": "ticker",
    "miniTicker": "miniTicker",
    "bookTicker": "bookTicker",
    "depth": "depth",
    "depth@1000ms": "depth",
    "depth@100ms": "depth100",
    "depth@0ms": "depth0",
    **{f"kline_{interval}": f"kline_{interval}" for interval in INTERVALS},
    **{f"depth{count}": f"depth{count}l" for count in (5, 10, 20)},
    **{f"depth{count}@1000ms": f"depth{count}l" for count in (5, 10, 20)},
    **{f"depth{count}@100ms": f"depth{count}l_100" for count in (5, 10, 20)},
}


def group_of(name: str) -> str | None:
    """Return the group of a public stream, or None if there is no such stream."""
    if name in _ALL:
        return market_group(ALL_MARKETS, _ALL[name])
    found = _NAME.fullmatch(name)
    if found is None or (stream := _STREAMS.get(found[2])) is None:
        return None
    return market_group(found[1].upper(), stream)


def symbol_of(name: str) -> str | None:
    """Return the market that a public stream is about; None for those about all."""
    return None if name.startswith("!") else name.partition("@")[0].upper()


def is_listen_key(name: str) -> bool:
    """Whether this looks like the name of somebody's private stream."""
    return _LISTEN_KEY.fullmatch(name) is not None


def in_path(path: str) -> list[str]:
    """Split the streams that a `/ws/…` path names. A number alone (ccxt counts sockets) is none."""
    return [name for name in path.strip("/").split("/") if name and not name.isdigit()]
