"""The one way to say no.

A `Refusal` is an expected no: a stable code, an HTTP status, and data a program can use; raising
it promises that nothing was written. Anything else that is raised is a fault and reaches the log.
No Django here: engines' neighbours and doors alike may import it.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An expected no. Subclasses live beside the service that raises them."""

    code = "refused"
    http_status = 400

    def __init__(self, message: str, *, retry_after_s: int | None = None, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
        self.data = data

    def as_json(self) -> dict[str, Any]:
        """Return what `/api/v1` answers."""
        return {"code": self.code, "message": self.message, "data": self.data}


class Unavailable(Refusal):
    """A server that this answer needs does not answer. The caller may ask again."""

    code = "unavailable"
    http_status = 503

    def __init__(self, what: str = "This part of the exchange", *, retry_after_s: int = 2) -> None:
        super().__init__(
            f"{what} does not answer at the moment. Please try again.", retry_after_s=retry_after_s
        )


class TooManyRequests(Refusal):
    """The caller is faster than the published limit."""

    code = "too_many_requests"
    http_status = 429
