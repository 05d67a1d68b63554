"""How bodies are read under `/api/v1`."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JsonParser(JSONParser):
    """JSON that nests deeper than any request of ours is as malformed as broken JSON."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Read a body, or refuse it."""
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise ParseError("JSON parse error - nested too deep") from None
