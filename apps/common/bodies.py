"""How long a body may be: 256 KB, and more only where files are sent."""

from __future__ import annotations

from django.conf import settings


def body_bytes_max(path: str) -> int:
    """Return the most bytes that a request to this path may bring."""
    is_upload = settings.UPLOAD_PATHS.fullmatch(path) is not None
    return int(settings.UPLOAD_MAX_SIZE if is_upload else settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
