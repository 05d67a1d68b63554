"""The door to Channels: the layer itself, without Django. A message that cannot leave is dropped.

Groups deliver at most once, and whoever misses a message starts over from a snapshot; so the only
sin here would be to wait.
"""

import asyncio
import time
from collections.abc import Sequence

import redis
from channels_redis.pubsub import RedisPubSubChannelLayer  # type: ignore[import-untyped]

PREFIX = "channels"  # As CHANNEL_LAYERS in the site's settings says; a test compares them.
SEND_TIMEOUT_S = 0.5
PAUSE_S = 1.0  # After a failure nothing is tried for so long.

Message = tuple[str, dict[str, object]]  # A group, and what it hears.


class Feed:
    """Sends messages to groups, on an event loop of its own."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._layer = RedisPubSubChannelLayer(hosts=[url], prefix=PREFIX)
        self._quiet_until = 0.0
        self.dropped = 0

    def send(self, messages: Sequence[Message]) -> bool:
        """Send all, in order. False if they were dropped because the layer does not answer."""
        if time.monotonic() < self._quiet_until:
            self.dropped += len(messages)
            return False
        try:
            self._loop.run_until_complete(asyncio.wait_for(self._send(messages), SEND_TIMEOUT_S))
        except (redis.RedisError, OSError, TimeoutError):
            self._quiet_until = time.monotonic() + PAUSE_S
            self.dropped += len(messages)
            return False
        return True

    async def _send(self, messages: Sequence[Message]) -> None:
        for group, message in messages:
            await self._layer.group_send(group, message)

    def close(self) -> None:
        """Let go of the layer's connections."""
        self._loop.run_until_complete(self._layer.flush())
        self._loop.close()
