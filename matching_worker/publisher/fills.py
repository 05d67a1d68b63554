"""What the publisher says of a batch. Pure: a batch's events in, messages out.

The message of group `market.<symbol>` (a consumer's handler is `market_fills`), one per batch:

    {"type": "market.fills", "market": "BTC-USDT", "batch": 7, "hash": "<hex>", "at_ns": …,
     "fills": [{"seq": …, "trade_id": …, "price_ticks": …, "lots": …, "taker_side": "B"}, …]}

`batch` and `hash` are the receipt under which the book's log holds the fills. Whose orders met is
not in it: groups are public.
"""

from collections.abc import Sequence

import msgspec

from apps.common.kernel.ids import partition_of
from apps.journals.contracts import FrameRefused
from apps.journals.reader import Batch
from matching_worker.contracts.from_book import BookEvent, Trade

MESSAGE_TYPE = "market.fills"
WORKER_KIND = "book:"

events_decoder = msgspec.msgpack.Decoder(list[BookEvent | FrameRefused])


def group_of(market: str) -> str:
    """Name the Channels group that hears of a market's fills."""
    return f"market.{market}"


def market_of(worker: str) -> str:
    """Name the market of a book."""
    return worker.removeprefix(WORKER_KIND)


def trades_of(batch: Batch) -> list[Trade]:
    """Return the trades of a batch, in order."""
    return [event for event in batch.events(events_decoder) if isinstance(event, Trade)]


def message_of(batch: Batch, trades: Sequence[Trade]) -> dict[str, object]:
    """Describe a batch's fills as the market's group hears them."""
    return {
        "type": MESSAGE_TYPE,
        "market": market_of(batch.worker),
        "batch": batch.number,
        "hash": batch.hash.hex(),
        "at_ns": batch.header.at_ns,
        "fills": [
            {
                "seq": trade.seq,
                "trade_id": trade.trade_id,
                "price_ticks": trade.price_ticks,
                "lots": trade.lots,
                "taker_side": trade.taker_side,
            }
            for trade in trades
        ],
    }


def partitions_of(trades: Sequence[Trade]) -> set[int]:
    """Return the risk partitions that will have something to settle."""
    accounts = {
        account for trade in trades for account in (trade.maker_account, trade.taker_account)
    }
    return {partition_of(account) for account in accounts}
