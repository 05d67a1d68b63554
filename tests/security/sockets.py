"""Opens a WebSocket as somebody, and says what became of it.

"101": it is open, and answers. Else the status and code of its answer, or the code it closed with.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from channels.testing import ApplicationCommunicator

from tests.security.world import Caller

ASK = json.dumps({"id": 1, "method": "ping"})
PATIENCE_S = 3


async def opened(application: Any, path: str, caller: Caller) -> str:
    """Open one, ask something of it, and close it."""
    origin = [(b"origin", b"http://testserver")] if caller.cookies else []
    headers = [(b"host", b"testserver"), *origin, (b"cookie", caller.cookies.encode())]
    scope = {
        "type": "websocket", "path": path, "query_string": b"", "headers": headers,
        "client": (caller.address, 1), "subprotocols": [], "scheme": "ws",
    }  # fmt: skip
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    is_api = path.startswith("/ws-api/")
    await socket.send_input(
        {"type": "websocket.receive", "text": _subscription(caller) if is_api else ASK}
    )
    try:
        said = await _answer(socket, is_api=is_api)
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(PATIENCE_S)
    except asyncio.CancelledError:
        said = "0"
    return said


async def _answer(socket: ApplicationCommunicator, *, is_api: bool) -> str:
    while True:
        told = await socket.receive_output(PATIENCE_S)
        if told["type"] == "websocket.close":
            return str(told["code"])
        if told["type"] != "websocket.send":
            continue
        said = json.loads(told.get("text") or told["bytes"])
        if is_api:
            return f"{said['status']}{said.get('error', {}).get('code', '')}"
        if "id" in said:
            return "101"


def _subscription(caller: Caller) -> str:
    """Sign in as the dialect does; who has no key invents one."""
    params: dict[str, Any] = {
        "apiKey": caller.key or "k" * 64,
        "timestamp": int(time.time() * 1000),
    }
    signed = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    params["signature"] = caller.sign(signed.encode())
    return json.dumps({"id": 1, "method": "userDataStream.subscribe.signature", "params": params})


def code_of(said: str) -> int | None:
    """Return the dialect's code in an answer, if there is one."""
    _, dash, code = said.partition("-")
    return -int(code) if dash else None
