"""The Channels groups of market data and of users, and how plain processes send to them.

The layer is Redis pub/sub: a group is one channel, a message one msgpack map. Processes that follow
logs publish in the same pipeline that writes their values, so a batch costs one round trip;
`tests/marketdata/test_groups.py` holds these bytes to what the layer itself receives.
"""

import msgspec

CHANNELS_PREFIX = "channels"  # As CHANNEL_LAYERS in the settings says.
MARKET_EVENT = "market.event"
USER_EVENT = "user.event"
ALL_MARKETS = "all"

_encode = msgspec.msgpack.Encoder().encode


def market_group(symbol: str, stream: str) -> str:
    """Name the group of one stream of one market ("BTCUSDT", "depth100")."""
    return f"market.{symbol}.{stream}"


def user_group(account: int) -> str:
    """Name the group of one account's private events."""
    return f"user.{account}"


def channel_of(group: str) -> str:
    """Name the pub/sub channel that the layer gives a group."""
    return f"{CHANNELS_PREFIX}__group__{group}"


def message(kind: str, group: str, text: str) -> bytes:
    """Encode a message whose handler is `kind`; `text` goes to the sockets as it is."""
    return _encode({"type": kind, "group": group, "text": text})
