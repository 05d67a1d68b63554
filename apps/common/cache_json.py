"""How Django's cache writes values: as JSON. Its own way is pickles, which can run as programs."""

from __future__ import annotations

import json
from typing import Any


class JsonSerializer:
    """What `CACHES` names as its serializer."""

    def dumps(self, value: Any) -> bytes:
        """Write a value."""
        return json.dumps(value).encode()

    def loads(self, raw: bytes) -> Any:
        """Read a value; None, as if there were none, for what is no JSON."""
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            return None
