"""How many WebSockets one edge holds: so many of one address, so many in all.

A socket over a cap is refused before it is let in: HTTP 429 where the server can say it (uvicorn),
else close code 4429 before the handshake's end, which a client sees as HTTP 403 (Daphne).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from apps.common import addresses, refusal_log
from apps.common.config import config

TOO_MANY = 4429
RETRY_AFTER_S = 10
CAN_ANSWER = "websocket.http.response"  # The ASGI extension.
BODY = b'{"code":-1003,"msg":"Too many open WebSocket connections; close some or come again."}'


class Crowd:
    """Lets WebSockets through to `inner` as long as there is room."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._of_one_max = config.integer("FAIRBOOK_SOCKETS_PER_ADDRESS")
        self._of_all_max = config.integer("FAIRBOOK_SOCKETS_PER_EDGE")
        self._of: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hold a place for as long as the connection lives, from before its handshake."""
        address = addresses.of_scope(scope)
        if not self._has_room(address):
            refusal_log.in_use.note("ws.socket.refused", code="too_many_sockets", address=address)
            await _refuse(scope, send)
            return
        self._of[address] += 1
        try:
            await self._inner(scope, receive, send)
        finally:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]

    def _has_room(self, address: str) -> bool:
        return self._of[address] < self._of_one_max and self._of.total() < self._of_all_max


async def _refuse(scope: Any, send: Any) -> None:
    if CAN_ANSWER not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": TOO_MANY})
        return
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(BODY)).encode()),
        (b"retry-after", str(RETRY_AFTER_S).encode()),
    ]
    await send({"type": f"{CAN_ANSWER}.start", "status": 429, "headers": headers})
    await send({"type": f"{CAN_ANSWER}.body", "body": BODY})
